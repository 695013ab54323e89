use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use playhouse_crypto::SigningKey;
use playhouse_engine::{Concurrency, Creation, EngineKind, Preparation, Seed};
use playhouse_package::Builder;
use playhouse_types::ErrorKind;
use tokio::sync::oneshot;

use super::*;

/// How a preparation ends, once the test says so.
type Outcome = Result<(), ActorError>;

/// An engine whose preparations end when the test lets them.
#[derive(Default)]
struct Slow {
    begun: AtomicUsize,
    ends: Mutex<VecDeque<oneshot::Receiver<Outcome>>>,
}

struct Program;

impl Prepared for Program {
    fn kind(&self) -> EngineKind {
        EngineKind::Wasm
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency::Serial
    }

    fn create(&self, _seed: Seed) -> Creation {
        Box::pin(std::future::ready(Err(ActorError::new(ErrorKind::NotImplemented, "only prepared"))))
    }
}

impl Engine for Slow {
    fn kind(&self) -> EngineKind {
        EngineKind::Wasm
    }

    fn prepare(&self, _package: VerifiedPackage) -> Preparation {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let end = self.ends.lock().pop_front().unwrap();
        Box::pin(async move {
            end.await.unwrap()?;
            Ok(Arc::new(Program) as Arc<dyn Prepared>)
        })
    }
}

struct Workshop {
    engine: Arc<Slow>,
    programs: Programs,
    key: SigningKey,
}

impl Workshop {
    fn new() -> Self {
        let engine = Arc::new(Slow::default());
        let key = SigningKey::from_seed(&[1; 32]);
        let programs = Programs {
            trust: TrustPolicy::for_key("acme".parse().unwrap(), key.verifying_key()),
            limits: PackageLimits::default(),
            wasm: Some(Arc::clone(&engine) as Arc<dyn Engine>),
            native: None,
            in_use: Mutex::default(),
        };
        Self { engine, programs, key }
    }

    /// A package, different for each number.
    fn package(&self, number: u8) -> VerifiedPackage {
        let actor_type = "acme:Echo:1.0.0".parse().unwrap();
        let builder = Builder::new(actor_type, "wasm32-wasip2", vec![number].into()).kind(BinaryKind::Component);
        self.programs.verify(builder.build(&self.key).unwrap(), 0).unwrap()
    }

    /// Says how the next preparation will end: when the sender is used.
    fn next(&self) -> oneshot::Sender<Outcome> {
        let (end, ended) = oneshot::channel();
        self.engine.ends.lock().push_back(ended);
        end
    }

    fn begun(&self) -> usize {
        self.engine.begun.load(Ordering::Relaxed)
    }
}

/// Polls a future once; it must not end.
async fn begin(future: &mut (impl Future + Unpin)) {
    let pending = poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending())).await;
    assert!(pending, "ended early");
}

#[tokio::test]
async fn a_package_is_prepared_once_for_all_who_ask_meanwhile() {
    let shop = Workshop::new();
    let end = shop.next();
    let mut first = Box::pin(shop.programs.prepare(shop.package(1)));
    let mut second = Box::pin(shop.programs.prepare(shop.package(1)));
    begin(&mut first).await;
    begin(&mut second).await;
    end.send(Ok(())).unwrap();
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert!(Arc::ptr_eq(&first, &second) && shop.begun() == 1);
}

#[tokio::test]
async fn one_who_waits_goes_on_when_the_first_fails() {
    let shop = Workshop::new();
    let (fails, works) = (shop.next(), shop.next());
    let mut first = Box::pin(shop.programs.prepare(shop.package(1)));
    let mut second = Box::pin(shop.programs.prepare(shop.package(1)));
    begin(&mut first).await;
    begin(&mut second).await;
    fails.send(Err(ActorError::new(ErrorKind::Internal, "out of memory"))).unwrap();
    assert!(first.await.unwrap().is_err());
    works.send(Ok(())).unwrap();
    assert!(second.await.unwrap().is_ok());
    assert_eq!(shop.begun(), 2);
}

#[tokio::test]
async fn one_who_waits_goes_on_when_the_first_is_given_up() {
    let shop = Workshop::new();
    let (_never, works) = (shop.next(), shop.next());
    let mut first = Box::pin(shop.programs.prepare(shop.package(1)));
    let mut second = Box::pin(shop.programs.prepare(shop.package(1)));
    begin(&mut first).await;
    begin(&mut second).await;
    drop(first);
    works.send(Ok(())).unwrap();
    assert!(second.await.unwrap().is_ok());
    assert_eq!(shop.begun(), 2);
}

#[tokio::test]
async fn packages_do_not_wait_for_each_other_and_are_forgotten() {
    let shop = Workshop::new();
    let (slow, quick) = (shop.next(), shop.next());
    let mut first = Box::pin(shop.programs.prepare(shop.package(1)));
    begin(&mut first).await;
    quick.send(Ok(())).unwrap();
    drop(shop.programs.prepare(shop.package(2)).await.unwrap());
    slow.send(Ok(())).unwrap();
    let kept = first.await.unwrap().unwrap();
    shop.next().send(Ok(())).unwrap();
    drop(shop.programs.prepare(shop.package(3)).await.unwrap());
    assert_eq!(shop.programs.in_use.lock().len(), 2, "the one in use and the last one");
    drop(kept);
}
