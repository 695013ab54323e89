//! Workloads of `actr:workload@0.2.0`: one instance, several events at a time.
//!
//! One future, the [driver], owns the store and answers commands. It is no task of its own: whoever waits for an event
//! polls it, and so the guest computes only while somebody waits, and is metered and stopped like any other.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{self, Either};
use playhouse_types::{ActorError, Code, ErrorKind, Event};
use tokio::sync::{mpsc, oneshot};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre, Linker};

use super::exports::Functions;
use super::host;
use super::invocations::{Entry, Invocations};
use crate::wasm::failure;
use crate::wasm::guest::Guest;
use crate::wasm::keyvalue;
use crate::wasm::meter::Metered;
use crate::wasm::plain::within_limit;
use crate::wasm::playhouse::operations;
use crate::wasm::refusal::Refusal;
use crate::wasm::stack::{BySize, Engines, StackSize};
use crate::wasm::ticker::Ticker;
use crate::wasm::wasi;
use crate::{Concurrency, Context, EngineKind, Failure, Outcome, Prepared, Running, Seed, Workload};
use driver::{Answer, Command, Driver, End, Slot};

mod driver;

/// Events in progress in one instance, those included that were given up but that the guest has not ended. More are
/// answered with [`Code::MailboxFull`]; a node's own limit is reached before.
const IN_PROGRESS_MAX: usize = 256;

/// Events that were given up and that the guest does not end, although its operations fail. With as many the workload
/// counts as lost: something in it hangs. Half of all, so that a healthy one is not given up when many of its callers
/// give up at once; its events end as soon as the next one lets it run.
const ABANDONED_MAX: usize = IN_PROGRESS_MAX / 2;

/// A component that is ready to be instantiated.
pub(super) struct Program {
    /// With stacks of the usual size.
    usual: Arc<Ready>,
    others: Arc<BySize<Ready>>,
    ticker: Arc<Ticker>,
}

impl Program {
    /// Checks and links a compiled component.
    pub(super) fn new(component: Component, beside: Engines, ticker: Arc<Ticker>) -> Result<Self, Refusal> {
        let usual = Arc::new(Ready::new(&component)?);
        Ok(Self { usual, others: Arc::new(BySize::new(component, beside, Ready::new)), ticker })
    }
}

/// A checked and linked component in one engine.
struct Ready {
    functions: Arc<Functions>,
    instance: InstancePre<Guest>,
}

impl Ready {
    fn new(component: &Component) -> Result<Self, Refusal> {
        let functions = Arc::new(Functions::find(component)?);
        let mut linker = Linker::new(component.engine());
        link(&mut linker, component).map_err(|error| Refusal::invalid(&error))?;
        let instance = linker
            .instantiate_pre(component)
            .map_err(|error| Refusal::not_linked(&format!("{error:#}"), error.root_cause().to_string()))?;
        Ok(Self { functions, instance })
    }
}

/// Offers what a component of the world may import.
fn link(linker: &mut Linker<Guest>, component: &Component) -> wasmtime::Result<()> {
    wasi::link(linker)?;
    keyvalue::link(linker, component)?;
    operations::link(linker)?;
    host::link_2(linker)
}

impl Prepared for Program {
    fn kind(&self) -> EngineKind {
        EngineKind::Wasm
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency::Shared
    }

    fn create(&self, seed: Seed) -> Pin<Box<dyn Future<Output = Result<Arc<dyn Workload>, ActorError>> + Send>> {
        let (usual, others, ticker) = (Arc::clone(&self.usual), Arc::clone(&self.others), Arc::clone(&self.ticker));
        Box::pin(async move {
            let ready = match StackSize::within(seed.limits.stack_bytes) {
                StackSize::POOLED => usual,
                other => others.of(other).await?,
            };
            let (store, instance) = instantiate(&ready.instance, &seed, &ticker).await?;
            let functions = Arc::clone(&ready.functions);
            Ok(Arc::new(SharedWorkload::new(functions, store, instance, ticker)) as Arc<dyn Workload>)
        })
    }
}

async fn instantiate(
    pre: &InstancePre<Guest>,
    seed: &Seed,
    ticker: &Arc<Ticker>,
) -> Result<(Store<Guest>, Instance), ActorError> {
    let mut store = Guest::store(pre.component().engine(), seed);
    store.set_epoch_deadline(1);
    store.data_mut().invocations = Some(Invocations::new(seed.limits.host_calls));
    let meter = Arc::clone(&store.data().meter);
    let made = {
        let future = std::pin::pin!(pre.instantiate_async(&mut store));
        tokio::time::timeout(seed.limits.wall, Metered::new(&meter, ticker, future)).await
    };
    let instance = made.map_err(|_| failure::too_slow(seed.limits.wall))?;
    let refused = store.data().budget.refused();
    let instance = instance.map_err(|error| failure::not_created(&error, refused))?;
    store.data_mut().end_event();
    Ok((store, instance))
}

struct SharedWorkload {
    invocations: Arc<Invocations>,
    commands: mpsc::Sender<Command>,
    in_progress: Arc<AtomicUsize>,
    driver: Driver,
    end: Arc<End>,
    ticker: Arc<Ticker>,
    reply_bytes: usize,
}

impl SharedWorkload {
    fn new(functions: Arc<Functions>, store: Store<Guest>, instance: Instance, ticker: Arc<Ticker>) -> Self {
        let reply_bytes = store.data().budget.limits().reply_bytes;
        // INVARIANT: `instantiate` has put them there; an empty table of its own answers nothing but is no less safe.
        let invocations = store.data().invocations.clone().unwrap_or_else(|| Invocations::new(0));
        // As many as there can be events in progress, so that a command always finds room.
        let (commands, received) = mpsc::channel(IN_PROGRESS_MAX);
        let end = Arc::new(End::default());
        let driver = driver::start(functions, store, instance, received, Arc::clone(&end));
        Self { invocations, commands, in_progress: Arc::default(), driver, end, ticker, reply_bytes }
    }

    async fn handle(&self, context: Context, event: Event) -> Outcome {
        if self.is_lost() {
            return Err(Failure::Error(unavailable(Code::ActorRestarting, "the workload is lost")));
        }
        let entry = self.invocations.enter(context);
        let answered = self.send(&entry, event)?;
        let _ticking = self.ticker.guest();
        match future::select(answered, self.driver.clone()).await {
            Either::Left((Ok(answer), _)) => self.outcome(answer),
            Either::Left((Err(_), _)) => Err(self.crash()),
            Either::Right(((), mut answered)) => match answered.try_recv() {
                Ok(answer) => self.outcome(answer),
                Err(_) => Err(self.crash()),
            },
        }
    }

    fn send(&self, entry: &Entry, event: Event) -> Result<oneshot::Receiver<Answer>, Failure> {
        let slot = Slot::take(&self.in_progress, IN_PROGRESS_MAX).ok_or_else(|| {
            let message = format!("{IN_PROGRESS_MAX} events are in progress in the workload");
            Failure::Error(unavailable(Code::MailboxFull, message))
        })?;
        let (answer, answered) = oneshot::channel();
        let command = Command { token: entry.token(), event, answer, slot };
        self.commands.try_send(command).map_err(|_| self.crash())?;
        Ok(answered)
    }

    fn outcome(&self, answer: Answer) -> Outcome {
        match answer {
            Ok(reply) => within_limit(reply, self.reply_bytes),
            Err(error) => Err(Failure::Error(error)),
        }
    }

    fn crash(&self) -> Failure {
        Failure::Crash(self.end.cause())
    }
}

impl Workload for SharedWorkload {
    fn run(self: Arc<Self>, context: Context, event: Event) -> Running {
        Box::pin(async move { self.handle(context, event).await })
    }

    fn is_lost(&self) -> bool {
        let abandoned = || self.in_progress.load(Ordering::Relaxed).saturating_sub(self.invocations.len());
        self.end.has_come() || abandoned() >= ABANDONED_MAX
    }
}

fn unavailable(code: Code, message: impl Into<String>) -> ActorError {
    ActorError::coded(ErrorKind::Unavailable, code, message)
}
