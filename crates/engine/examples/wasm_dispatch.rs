//! What a request to a wasm actor costs, beside wasmtime's own call of the same kind.
//!
//! `cargo run --release -p playhouse-engine --no-default-features --features wasm --example wasm_dispatch`

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use playhouse_crypto::SigningKey;
use playhouse_engine::wasm::{WasmConfig, WasmEngine};
use playhouse_engine::{Context, Engine, Host, HostFuture, Limits, Prepared, Seed, Workload};
use playhouse_package::{BinaryKind, Builder, PackageLimits, TrustPolicy, VerifiedPackage, verify};
use playhouse_scheduler::CallChain;
use playhouse_types::{ActorId, Event, HostOp, HostReply, LogLevel, RequestId, RouteKey};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, Store};

use source::{PLAYHOUSE, SHAPE_A, Source};

#[expect(dead_code, clippy::unwrap_used, reason = "the unit tests use more of it, and may panic")]
#[path = "../src/wasm/tests/source.rs"]
mod source;

const OURS: &str = "
    (i32.store (i32.const 1032) (i32.load offset=104 (local.get $p0)))
    (i32.store (i32.const 1036) (i32.load offset=108 (local.get $p0)))
    (i32.const 1024)";
const ACTR: &str = "
    (i32.store (i32.const 1028) (local.get $p4)) (i32.store (i32.const 1032) (local.get $p5)) (i32.const 1024)";
const RAW: &str =
    "package raw:echo; world echo { export echo: interface { echo: func(bytes: list<u8>) -> list<u8>; } }";
const RAW_BODY: &str = "
    (i32.store (i32.const 1024) (local.get $p0)) (i32.store (i32.const 1028) (local.get $p1)) (i32.const 1024)";

struct Quiet;

impl Host for Quiet {
    fn perform(&self, _: &Context, _: HostOp) -> HostFuture {
        Box::pin(std::future::ready(Ok(HostReply::Done)))
    }

    fn log(&self, _: &ActorId, _: LogLevel, _: &str) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::temp_dir().join(format!("playhouse-wasm-dispatch-{}", std::process::id()));
    let config = WasmConfig { cache_dir: Some(directory.clone()), ..WasmConfig::default() };
    let engine = WasmEngine::new(config.clone())?;
    let ours = Source { wit: PLAYHOUSE, bodies: &[("handle", OURS)], more: "" }.component();
    let actr = Source { wit: SHAPE_A, bodies: &[("dispatch", ACTR)], more: "" }.component();

    for size in [64, 4096] {
        let payload = Bytes::from(vec![7_u8; size]);
        report(&format!("raw call_async, {size} B"), raw(&payload).await?);
        for (name, binary) in [("playhouse:actor", &ours), ("actr:workload, shape A", &actr)] {
            let prepared = engine.prepare(package(binary)?).await?;
            let workload = create(&*prepared).await?;
            for (who, caller) in [("no caller", None), ("a caller", Some("2@7/acme:Other:1.0.0".parse()?))] {
                let context = context(caller)?;
                let each = median(|| async {
                    let event =
                        Event::Request { route: RouteKey::from_static("echo.Echo.Echo"), payload: payload.clone() };
                    let reply = Arc::clone(&workload).run(context.clone(), event).await;
                    assert!(black_box(reply).is_ok_and(|reply| reply.len() == size));
                })
                .await;
                report(&format!("{name}, {who}, {size} B"), each);
            }
        }
    }
    let prepared = engine.prepare(package(&ours)?).await?;
    report("instance", median(|| async { drop(create(&*prepared).await) }).await);
    cached_start(&config, &ours).await?;
    std::fs::remove_dir_all(directory)?;
    Ok(())
}

/// A new engine, as after a start of the node; the package's code is in the cache.
async fn cached_start(config: &WasmConfig, binary: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let bytes = signed(binary)?;
    let began = Instant::now();
    let engine = WasmEngine::new(config.clone())?;
    println!("{:>12?}  engine set-up", began.elapsed());
    let began = Instant::now();
    let package = verify(bytes, &policy()?, 0, &PackageLimits::default())?;
    let workload = create(&*engine.prepare(package).await?).await?;
    let event = Event::Request { route: RouteKey::from_static("a.B.C"), payload: Bytes::from_static(b"first") };
    let reply = workload.run(context(None)?, event).await;
    println!("{:>12?}  cached package to first reply ({reply:?})", began.elapsed());
    Ok(())
}

async fn raw(payload: &Bytes) -> Result<Duration, Box<dyn std::error::Error>> {
    let mut config = Config::new();
    config.wasm_component_model_async(false).concurrency_support(false).epoch_interruption(true);
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    let engine = wasmtime::Engine::new(&config)?;
    let binary = Source { wit: RAW, bodies: &[("echo", RAW_BODY)], more: "" }.component();
    let component = Component::new(&engine, &binary)?;
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(1 << 40);
    let instance = Linker::new(&engine).instantiate_async(&mut store, &component).await?;
    let interface = component.get_export_index(None, "echo").ok_or("no interface")?;
    let echo = component.get_export_index(Some(&interface), "echo").ok_or("no function")?;
    let echo = instance.get_typed_func::<(Vec<u8>,), (Vec<u8>,)>(&mut store, &echo)?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CALLS {
            black_box(echo.call_async(&mut store, (payload.to_vec(),)).await?);
        }
        times.push(began.elapsed() / CALLS);
    }
    times.sort();
    Ok(times[times.len() / 2])
}

const ROUNDS: usize = 21;
const CALLS: u32 = 5_000;

async fn median<F: Future<Output = ()>>(mut call: impl FnMut() -> F) -> Duration {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CALLS {
            call().await;
        }
        times.push(began.elapsed() / CALLS);
    }
    times.sort();
    times[times.len() / 2]
}

fn report(what: &str, each: Duration) {
    println!("{:>9} ns  {what}", each.as_nanos());
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn policy() -> Result<TrustPolicy, Box<dyn std::error::Error>> {
    Ok(TrustPolicy::for_key("acme".parse()?, key().verifying_key()))
}

fn signed(binary: &[u8]) -> Result<Bytes, Box<dyn std::error::Error>> {
    let ty = "acme:Echo:1.0.0".parse()?;
    let builder = Builder::new(ty, "wasm32-unknown-unknown", Bytes::copy_from_slice(binary));
    Ok(builder.kind(BinaryKind::Component).build(&key())?)
}

fn package(binary: &[u8]) -> Result<VerifiedPackage, Box<dyn std::error::Error>> {
    Ok(verify(signed(binary)?, &policy()?, 0, &PackageLimits::default())?)
}

fn context(caller: Option<ActorId>) -> Result<Context, Box<dyn std::error::Error>> {
    Ok(Context {
        self_id: "1@7/acme:Echo:1.0.0".parse()?,
        caller,
        request_id: RequestId::from_number(1),
        deadline: None,
        chain: CallChain::root(),
        host: Arc::new(Quiet),
    })
}

async fn create(prepared: &dyn Prepared) -> Result<Arc<dyn Workload>, Box<dyn std::error::Error>> {
    let limits = Arc::new(Limits::default());
    Ok(prepared.create(Seed { self_id: "1@7/acme:Echo:1.0.0".parse()?, host: Arc::new(Quiet), limits }).await?)
}
