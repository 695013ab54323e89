//! What a request to a wasm actor costs, beside wasmtime's own call of the same kind.
//!
//! `cargo run --release -p playhouse-engine --no-default-features --features wasm --example wasm_dispatch`
//!
//! Guests of a few instructions show what the engine adds; the Rust `echo` of `guests/` shows what an actor costs that
//! decodes and encodes its messages.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use playhouse_crypto::{KeyFile, SigningKey};
use playhouse_engine::wasm::{WasmConfig, WasmEngine};
use playhouse_engine::{Context, Engine, Host, HostFuture, Limits, Prepared, Seed, Workload};
use playhouse_package::{BinaryKind, Builder, PackageLimits, TrustPolicy, VerifiedPackage, verify};
use playhouse_scheduler::CallChain;
use playhouse_types::{ActorId, Event, HostOp, HostReply, LogLevel, RequestId, RouteKey};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, Store, StoreContextMut};

use source::{PLAYHOUSE, SHAPE_A, Source};

#[expect(dead_code, clippy::unwrap_used, reason = "the unit tests use more of it, and may panic")]
#[path = "../src/wasm/tests/source.rs"]
mod source;

const OURS: &str = "
    (i32.store (i32.const 1032) (local.get $p2))
    (i32.store (i32.const 1036) (local.get $p3))
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

    let echo = echo_of_rust()?;
    for size in [64, 4096] {
        let payload = Bytes::from(vec![7_u8; size]);
        report(&format!("raw call_async, {size} B"), raw(&payload).await?);
        for (name, binary) in [("playhouse:actor", &ours), ("actr:workload, shape A", &actr)] {
            let workload = create(&*engine.prepare(package(binary)?).await?).await?;
            for (who, caller) in [("no caller", None), ("a caller", CALLER)] {
                let each = requests(&workload, "echo.Echo.Echo", &payload, caller).await?;
                report(&format!("{name}, {who}, {size} B"), each);
            }
        }
        let payload = text_message(size);
        report(&format!("Rust guest, raw call_async, {size} B"), raw_rust(echo.binary(), &payload).await?);
        let workload = create(&*engine.prepare(echo.clone()).await?).await?;
        for (who, caller) in [("no caller", None), ("a caller", CALLER)] {
            let each = requests(&workload, ECHO_ROUTE, &payload, caller).await?;
            report(&format!("Rust guest, {who}, {size} B"), each);
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

const ECHO_ROUTE: &str = "echo.EchoService.Echo";
const CALLER: Option<&str> = Some("2@7/acme:Other:1.0.0");

/// The signed package of `guests/echo`.
fn echo_of_rust() -> Result<VerifiedPackage, Box<dyn std::error::Error>> {
    let guests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests");
    let key = KeyFile::parse(&std::fs::read(guests.join("fixture-key.json"))?)?;
    let policy = TrustPolicy::for_key("playhouse-demo".parse()?, key.verifying_key());
    Ok(verify(std::fs::read(guests.join("packages/echo-wasm.actr"))?.into(), &policy, 0, &PackageLimits::default())?)
}

/// A protobuf message whose first field is a text of so many bytes, fewer than 16,384.
fn text_message(size: usize) -> Bytes {
    let mut message = vec![0x0a];
    match u8::try_from(size) {
        Ok(length) if length < 0x80 => message.push(length),
        _ => {
            message.extend(size.to_le_bytes().first().map(|low| low | 0x80).into_iter().chain(u8::try_from(size >> 7)))
        }
    }
    message.resize(message.len() + size, b'x');
    message.into()
}

async fn requests(
    workload: &Arc<dyn Workload>,
    route: &'static str,
    payload: &Bytes,
    caller: Option<&str>,
) -> Result<Duration, Box<dyn std::error::Error>> {
    let context = context(caller.map(str::parse).transpose()?)?;
    let each = median(|| async {
        let event = Event::Request { route: RouteKey::from_static(route), payload: payload.clone() };
        let reply = Arc::clone(workload).run(context.clone(), event).await;
        assert!(black_box(reply).is_ok_and(|reply| reply.len() >= payload.len()));
    });
    Ok(each.await)
}

/// wasmtime without anything of ours: its pool, plain functions, epochs that are never reached.
fn raw_engine() -> Result<wasmtime::Engine, wasmtime::Error> {
    let mut config = Config::new();
    config.wasm_component_model_async(false).concurrency_support(false).epoch_interruption(true);
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    wasmtime::Engine::new(&config)
}

fn raw_store(engine: &wasmtime::Engine) -> Store<()> {
    let mut store = Store::new(engine, ());
    store.set_epoch_deadline(1 << 40);
    store
}

async fn raw(payload: &Bytes) -> Result<Duration, Box<dyn std::error::Error>> {
    let engine = raw_engine()?;
    let binary = Source { wit: RAW, bodies: &[("echo", RAW_BODY)], more: "" }.component();
    let component = Component::new(&engine, &binary)?;
    let mut store = raw_store(&engine);
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
    Ok(middle(times))
}

mod world {
    wasmtime::component::bindgen!({ path: "../abi/wit/playhouse", world: "guest", exports: { default: async } });
}
use world::playhouse::actor::types;

/// The component itself, in a host that offers what an echo asks for.
async fn raw_rust(binary: &[u8], payload: &Bytes) -> Result<Duration, Box<dyn std::error::Error>> {
    let engine = raw_engine()?;
    let component = Component::new(&engine, binary)?;
    let mut linker = Linker::<()>::new(&engine);
    let mut invocation = linker.instance("playhouse:actor/invocation@0.1.0")?;
    invocation.func_wrap("self-id", |_: StoreContextMut<'_, ()>, (): ()| {
        let [manufacturer, name, version] = ["acme", "Echo", "1.0.0"].map(str::to_owned);
        let actor_type = types::ActorType { manufacturer, name, version };
        Ok((types::ActorId { realm: 7, serial: 1, actor_type },))
    })?;
    invocation.func_wrap("caller", |_: StoreContextMut<'_, ()>, (): ()| Ok((None::<types::ActorId>,)))?;
    linker.define_unknown_imports_as_traps(&component)?;
    let mut store = raw_store(&engine);
    let guest = world::Guest::instantiate_async(&mut store, &component, &linker).await?;
    let actor = guest.playhouse_actor_actor();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CALLS {
            black_box(actor.call_handle(&mut store, ECHO_ROUTE, payload).await?).map_err(|error| error.message)?;
        }
        times.push(began.elapsed() / CALLS);
    }
    Ok(middle(times))
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
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
    middle(times)
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
