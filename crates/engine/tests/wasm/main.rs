//! Wasm packages from their bytes to their replies, as an embedder sees it.

#![cfg(feature = "wasm")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_crypto::{KeyFile, SigningKey};
use playhouse_engine::wasm::{WasmConfig, WasmEngine};
use playhouse_engine::{
    Concurrency, Context, Engine, EngineKind, Failure, Host, HostFuture, Limits, Prepared, Seed, Workload,
};
use playhouse_package::{BinaryKind, Builder, PackageLimits, TrustPolicy, VerifiedPackage, verify};
use playhouse_scheduler::CallChain;
use playhouse_types::{ActorError, ActorId, Code, ErrorKind, Event, HostOp, HostReply, LogLevel, RequestId, RouteKey};

use source::{PLAYHOUSE, SHAPE_C, Source};

mod ledger;
#[expect(dead_code, reason = "the unit tests use more of it")]
#[path = "../../src/wasm/tests/source.rs"]
mod source;

/// Replies with the payload.
const ECHO: &str = "
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1032) (local.get $p2))
    (i32.store (i32.const 1036) (local.get $p3))
    (i32.const 1024)";

/// Grows by a byte of reply with every request: what one instance keeps, another does not see.
const COUNT: &str = "
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store (i32.const 1032) (i32.const 2048))
    (i32.store (i32.const 1036) (global.get $count))
    (i32.const 1024)";
const COUNT_MORE: &str = "(global $count (mut i32) (i32.const 0)) (data (i32.const 2048) \"########\")";

#[derive(Default)]
struct Quiet {
    log: Mutex<Vec<String>>,
}

impl Host for Quiet {
    fn perform(&self, _: &Context, _: HostOp) -> HostFuture {
        Box::pin(std::future::ready(Ok(HostReply::Done)))
    }

    fn log(&self, _: &ActorId, level: LogLevel, text: &str) {
        self.log.lock().push(format!("{}: {text}", level.name()));
    }
}

fn id() -> ActorId {
    "1@7/acme:Echo:1.0.0".parse().unwrap()
}

fn package(binary: Vec<u8>, kind: BinaryKind) -> VerifiedPackage {
    let key = SigningKey::from_seed(&[7; 32]);
    let builder = Builder::new(id().actor_type().clone(), "wasm32-unknown-unknown", Bytes::from(binary)).kind(kind);
    let bytes = builder.build(&key).unwrap();
    let policy = TrustPolicy::for_key("acme".parse().unwrap(), key.verifying_key());
    verify(bytes, &policy, 0, &PackageLimits::default()).unwrap()
}

fn component(body: &str, more: &str) -> VerifiedPackage {
    package(Source { wit: PLAYHOUSE, bodies: &[("handle", body)], more }.component(), BinaryKind::Component)
}

fn engine(cache: Option<&Path>, pooled_instances: u32) -> WasmEngine {
    let config = WasmConfig { cache_dir: cache.map(Path::to_owned), pooled_instances, ..WasmConfig::default() };
    WasmEngine::new(config).unwrap()
}

async fn create(prepared: &dyn Prepared) -> Arc<dyn Workload> {
    create_within(prepared, Limits::default()).await
}

async fn create_within(prepared: &dyn Prepared, limits: Limits) -> Arc<dyn Workload> {
    let seed = Seed { self_id: id(), host: Arc::new(Quiet::default()), limits: Arc::new(limits) };
    prepared.create(seed).await.unwrap()
}

fn context(caller: Option<&str>) -> Context {
    Context {
        self_id: id(),
        caller: caller.map(|caller| caller.parse().unwrap()),
        request_id: RequestId::from_number(1),
        deadline: None,
        chain: CallChain::root(),
        host: Arc::new(Quiet::default()),
    }
}

async fn ask(workload: &Arc<dyn Workload>, payload: &'static [u8]) -> Result<String, ActorError> {
    let context = context(None);
    let event = Event::Request { route: RouteKey::from_static("a.B.C"), payload: Bytes::from_static(payload) };
    let reply = Arc::clone(workload).run(context, event).await.map_err(Failure::into_error)?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// A host that refuses everything.
struct Refusing(ActorError);

impl Host for Refusing {
    fn perform(&self, _: &Context, _: HostOp) -> HostFuture {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }

    fn log(&self, _: &ActorId, _: LogLevel, _: &str) {}
}

/// One of the committed packages that are written with the Rust SDK.
async fn guest(name: &str) -> Arc<dyn Workload> {
    create(&*prepared(name).await).await
}

async fn prepared(name: &str) -> Arc<dyn Prepared> {
    engine(None, 10).prepare(verified(name)).await.unwrap()
}

fn verified(name: &str) -> VerifiedPackage {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests");
    let key = KeyFile::parse(&std::fs::read(guests.join("fixture-key.json")).unwrap()).unwrap();
    let policy = TrustPolicy::for_key("playhouse-demo".parse().unwrap(), key.verifying_key());
    let bytes = std::fs::read(guests.join("packages").join(name)).unwrap();
    verify(bytes.into(), &policy, 0, &PackageLimits::default()).unwrap()
}

/// The error that a guest gets passes through it as it is.
#[tokio::test]
async fn errors_pass_through_the_rust_sdk() {
    let workload = guest("caller-wasm.actr").await;
    for error in [
        ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "full"),
        ActorError::dependency_not_found("acme:Missing:1.0.0", "not listed").with_code(Code::GrantMissing),
        ActorError::connection_not_ready(Some(250), "not yet").with_code(Code::MailboxFull),
        ActorError::new(ErrorKind::TimedOut, ""),
    ] {
        let context = Context { host: Arc::new(Refusing(error.clone())), ..context(None) };
        let route = RouteKey::from_static("caller.CallerService.CallShell");
        let event = Event::Request { route, payload: Bytes::from_static(b"\x0a\x05a.B.C") };
        let failure = Arc::clone(&workload).run(context, event).await.unwrap_err();
        assert_eq!(failure, Failure::Error(error));
    }
}

/// The SDK asks for ids when its actor does, for each event anew but for the actor's own.
#[tokio::test]
async fn the_rust_sdk_knows_who_asks_whom() {
    let workload = guest("echo-wasm.actr").await;
    for caller in [None, Some("2@7/acme:Other:1.0.0"), Some("3@7/acme:Other:1.0.0"), None] {
        let event = Event::Request {
            route: RouteKey::from_static("echo.EchoService.Echo"),
            payload: Bytes::from_static(b"\x0a\x02hi"),
        };
        let reply = Arc::clone(&workload).run(context(caller), event).await.unwrap();
        let own = id().to_string();
        let expected = ["hi", &own].into_iter().chain(caller);
        let (mut rest, mut texts) = (&reply[..], Vec::new());
        while let [_, length, more @ ..] = rest {
            let (text, more) = more.split_at(usize::from(*length));
            texts.push(std::str::from_utf8(text).unwrap());
            rest = more;
        }
        assert_eq!(texts, expected.collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn from_a_package_to_a_reply() {
    let engine = engine(None, 10);
    assert_eq!(engine.kind(), EngineKind::Wasm);
    let prepared = engine.prepare(component(ECHO, "")).await.unwrap();
    assert_eq!((prepared.kind(), prepared.concurrency()), (EngineKind::Wasm, Concurrency::Serial));
    let workload = create(&*prepared).await;
    assert_eq!(ask(&workload, b"hello").await.unwrap(), "hello");
    assert!(!workload.is_lost());
}

#[tokio::test]
async fn a_package_that_says_core_module_is_refused() {
    let refused = engine(None, 10).prepare(package(wat::parse_str("(module)").unwrap(), BinaryKind::CoreModule)).await;
    assert_eq!(refused.map(|_| ()).unwrap_err().code(), Code::WasmCoreModule);
    // As is one that lies about it.
    let refused = engine(None, 10).prepare(package(wat::parse_str("(module)").unwrap(), BinaryKind::Component)).await;
    assert_eq!(refused.map(|_| ()).unwrap_err().code(), Code::WasmCoreModule);
}

#[tokio::test]
async fn a_world_of_actr_from_a_package() {
    let dispatch = "
        (i32.store (i32.const 1032) (local.get $p4)) (i32.store (i32.const 1036) (local.get $p5)) (i32.const 1024)";
    let binary = Source { wit: SHAPE_C, bodies: &[("dispatch", dispatch)], more: "" }.component();
    let prepared = engine(None, 10).prepare(package(binary, BinaryKind::Component)).await.unwrap();
    assert_eq!(ask(&create(&*prepared).await, b"hello").await.unwrap(), "hello");
}

#[tokio::test]
async fn a_cached_package_runs_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("wasm");
    for _ in 0..2 {
        let prepared = engine(Some(&cache), 10).prepare(component(ECHO, "")).await.unwrap();
        assert_eq!(ask(&create(&*prepared).await, b"hello").await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn instances_share_nothing() {
    let prepared = engine(None, 10).prepare(component(COUNT, COUNT_MORE)).await.unwrap();
    let (one, two) = (create(&*prepared).await, create(&*prepared).await);
    assert_eq!(ask(&one, b"").await.unwrap(), "#");
    assert_eq!(ask(&one, b"").await.unwrap(), "##");
    assert_eq!(ask(&two, b"").await.unwrap(), "#");
    // What an instance leaves in the pool is gone for the next one.
    drop((one, two));
    assert_eq!(ask(&create(&*prepared).await, b"").await.unwrap(), "#");
}

/// The pool has room for two; five run.
#[tokio::test]
async fn more_instances_than_the_pool_has_room_for() {
    let engine = engine(None, 2);
    let prepared = engine.prepare(component(COUNT, COUNT_MORE)).await.unwrap();
    let mut workloads = Vec::new();
    for _ in 0..5 {
        workloads.push(create(&*prepared).await);
    }
    for workload in &workloads {
        assert_eq!(ask(workload, b"").await.unwrap(), "#");
        assert_eq!(ask(workload, b"").await.unwrap(), "##");
    }
}

/// A component with more core instances, memories and tables than a pool's slot has.
#[tokio::test]
async fn a_component_that_is_too_large_for_the_pool() {
    let tables: String = (0..20).map(|n| format!("(table $t{n} 10 funcref)")).collect();
    let prepared = engine(None, 2).prepare(component(ECHO, &tables)).await.unwrap();
    assert_eq!(ask(&create(&*prepared).await, b"hello").await.unwrap(), "hello");
}

/// Two threads call their instances at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_run_beside_each_other() {
    let prepared = engine(None, 10).prepare(component(ECHO, "")).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let workload = create(&*prepared).await;
        tasks.spawn(async move {
            for _ in 0..500 {
                assert_eq!(ask(&workload, b"hello").await.unwrap(), "hello");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Whoever runs two events at once in a serial workload hears of it, and nothing is lost.
#[tokio::test]
async fn a_second_event_at_the_same_time_is_refused() {
    let endless = "(loop $on (br $on)) unreachable";
    let prepared = engine(None, 10).prepare(component(endless, "")).await.unwrap();
    let workload = create(&*prepared).await;
    let (first, second) = tokio::join!(biased; ask(&workload, b""), ask(&workload, b""));
    assert_eq!(first.unwrap_err().code(), Code::GuestCpuLimit);
    assert_eq!(second.unwrap_err().code(), Code::ActorRestarting);
    assert!(workload.is_lost());
}
