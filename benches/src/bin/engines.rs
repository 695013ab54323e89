//! Calls to wasm and native actors beside their floors, and packages beside a plain hash.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin engines`

use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use playhouse_benches::p50;
use playhouse_crypto::KeyFile;
use playhouse_node::{ActorOptions, ActorRef, Node, PackageLimits, Policy, TrustPolicy};
use playhouse_package::{BinaryKind, Builder};
use playhouse_types::RouteKey;
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, Store};

const ECHO_WASM: &[u8] = include_bytes!("../../../guests/packages/echo-wasm.actr");
const ECHO_WAT: &[u8] = include_bytes!("../../../guests/packages/echo-wat.actr");
const ECHO_NATIVE: &[u8] = include_bytes!("../../../guests/packages/echo-native.actr");
const FIXTURE_KEY: &str = include_str!("../../../guests/fixture-key.json");
const ROUTE: RouteKey = RouteKey::from_static("echo.EchoService.Echo");
const BATCHES: u32 = 1000;

/// An encoded `EchoRequest` of about so many bytes.
fn request(size: usize) -> Bytes {
    let mut message = vec![0x0a];
    let mut length = size;
    while length >= 0x80 {
        message.push(length as u8 | 0x80);
        length >>= 7;
    }
    message.push(length as u8);
    message.resize(message.len() + size, b'x');
    message.into()
}

fn trust() -> TrustPolicy {
    let public =
        KeyFile::parse(FIXTURE_KEY.as_bytes()).expect("the fixture key is well-formed").verifying_key().to_base64();
    let text =
        format!("[[manufacturer]]\nname = \"playhouse-demo\"\n[[manufacturer.key]]\npublic_key = \"{public}\"\n");
    TrustPolicy::parse(&text, |_| Err(String::from("there are no key files"))).expect("the policy is well-formed")
}

fn node(cache: Option<&std::path::Path>) -> Node {
    let policy = Policy { danger_native_in_process: true, ..Policy::default() };
    let builder = Node::builder().trust(trust()).policy(policy);
    let builder = match cache {
        Some(directory) => builder.cache_dir(directory),
        None => builder,
    };
    builder.start().expect("a node starts")
}

async fn attach(node: &Node, package: &'static [u8]) -> ActorRef {
    node.attach(Bytes::from_static(package), ActorOptions::default()).await.expect("the package runs")
}

mod raw {
    wasmtime::component::bindgen!({
        path: "../crates/abi/wit/playhouse",
        world: "guest",
        imports: { default: async },
        exports: { default: async },
    });
}
use raw::playhouse::actor::{host, invocation, types};

/// A host that is never asked.
struct NoHost;

impl types::Host for NoHost {}

impl invocation::Host for NoHost {
    async fn self_id(&mut self) -> types::ActorId {
        let [manufacturer, name, version] = ["playhouse-demo", "EchoWasm", "1.0.0"].map(String::from);
        types::ActorId { realm: 0, serial: 1, actor_type: types::ActorType { manufacturer, name, version } }
    }
    async fn caller(&mut self) -> Option<types::ActorId> {
        None
    }
    async fn request_id(&mut self) -> String {
        "local-1".into()
    }
    async fn time_left_ms(&mut self) -> Option<u64> {
        None
    }
}

impl host::Host for NoHost {
    async fn call(&mut self, _: types::Dest, _: String, _: Vec<u8>) -> Result<Vec<u8>, types::Error> {
        unreachable!("an echo calls nobody")
    }
    async fn tell(&mut self, _: types::Dest, _: String, _: Vec<u8>) -> Result<(), types::Error> {
        unreachable!("an echo tells nobody")
    }
    async fn discover(&mut self, _: types::ActorType) -> Result<types::ActorId, types::Error> {
        unreachable!("an echo looks for nobody")
    }
    async fn register_stream(&mut self, _: String) -> Result<(), types::Error> {
        unreachable!("an echo has no streams")
    }
    async fn unregister_stream(&mut self, _: String) -> Result<(), types::Error> {
        unreachable!("an echo has no streams")
    }
    async fn send_chunk(
        &mut self,
        _: types::Dest,
        _: types::DataChunk,
        _: types::PayloadClass,
    ) -> Result<(), types::Error> {
        unreachable!("an echo has no streams")
    }
    async fn log(&mut self, _: types::LogLevel, _: String) {}
}

/// The same component, called without a node: async-component support off, epochs off.
async fn raw_wasm(package: &'static [u8], sizes: &[usize]) -> Result<Vec<Duration>> {
    let package = playhouse_package::verify(Bytes::from_static(package), &trust(), 0, &PackageLimits::default())?;
    let mut config = Config::new();
    config.wasm_component_model_async(false).concurrency_support(false);
    let engine = Engine::new(&config).map_err(anyhow::Error::msg)?;
    let component = Component::new(&engine, package.binary()).map_err(anyhow::Error::msg)?;
    let mut linker = Linker::new(&engine);
    raw::Guest::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut NoHost| host).map_err(anyhow::Error::msg)?;
    let mut store = Store::new(&engine, NoHost);
    let guest = raw::Guest::instantiate_async(&mut store, &component, &linker).await.map_err(anyhow::Error::msg)?;
    let actor = guest.playhouse_actor_actor();
    let mut medians = Vec::new();
    for size in sizes {
        let payload = request(*size);
        let mut times = Vec::new();
        for batch in 0..BATCHES {
            let start = Instant::now();
            for _ in 0..100 {
                let reply = actor.call_handle(&mut store, ROUTE.as_str(), &payload).await;
                reply.map_err(anyhow::Error::msg)?.expect("an echo");
            }
            if batch >= BATCHES / 10 {
                times.push(start.elapsed() / 100);
            }
        }
        times.sort();
        medians.push(times[times.len() / 2]);
    }
    Ok(medians)
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1000.0
}

/// The Rust guest decodes and encodes its messages; the small one is a few instructions that hand back what they get.
async fn wasm(guest: &str, package: &'static [u8]) -> Result<()> {
    let sizes = [64, 4096];
    let node = node(None);
    let echo = attach(&node, package).await;
    let raw = raw_wasm(package, &sizes).await?;
    for (size, raw) in sizes.into_iter().zip(raw) {
        let payload = request(size);
        let ours = p50(BATCHES, || async { echo.call(ROUTE, payload.clone()).await.expect("an echo") }).await;
        println!(
            "wasm, {guest} guest, {size:>5} B: through the mailbox {:.3} µs, raw call_async {:.3} µs, ratio {:.2}",
            micros(ours),
            micros(raw),
            ours.as_secs_f64() / raw.as_secs_f64()
        );
    }
    Ok(())
}

async fn native() {
    let node = node(None);
    let echo = attach(&node, ECHO_NATIVE).await;
    for size in [64, 4096] {
        let payload = request(size);
        let ours = p50(BATCHES, || async { echo.call(ROUTE, payload.clone()).await.expect("an echo") }).await;
        // The same work, a spawned blocking task for each call.
        let blocking = p50(BATCHES / 10, || {
            let payload = payload.clone();
            async move { tokio::task::spawn_blocking(move || payload.to_vec()).await.expect("it ends") }
        })
        .await;
        println!(
            "native {size:>5} B: through the mailbox {:.3} µs, spawn_blocking alone {:.3} µs, {:.1} times faster",
            micros(ours),
            micros(blocking),
            blocking.as_secs_f64() / ours.as_secs_f64()
        );
    }
}

/// From the bytes of a package to the first reply, with compiled code in the cache; and from program to started actor.
async fn start() -> Result<()> {
    let directory = std::env::temp_dir().join(format!("playhouse-bench-{}", std::process::id()));
    attach(&node(Some(&directory)), ECHO_WASM).await;
    let mut times: Vec<_> = Vec::new();
    for _ in 0..20 {
        let node = node(Some(&directory));
        let start = Instant::now();
        let echo = attach(&node, ECHO_WASM).await;
        echo.call(ROUTE, request(64)).await?;
        times.push(start.elapsed());
    }
    times.sort();
    println!("cached wasm package, bytes to first reply: {:.2} ms", micros(times[10]) / 1000.0);
    let node = node(Some(&directory));
    let package = node.verify(Bytes::from_static(ECHO_WASM)).await?;
    let before = resident();
    let begin = Instant::now();
    let mut actors = Vec::new();
    for _ in 0..200 {
        actors.push(node.attach_verified(package.clone(), ActorOptions::default()).await?);
    }
    println!("wasm actor from a program in use: {:.1} µs", micros(begin.elapsed()) / 200.0);
    println!("idle wasm actor: {} KiB in memory, linear memory included", (resident() - before) / 200 / 1024);
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

/// Bytes that the process has in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split(' ').nth(1).expect("a field").parse::<usize>().expect("a number") * 4096
}

/// Verifying a package of 10 MiB beside hashing as much.
fn verify() -> Result<()> {
    let KeyFile::Plain(key) = KeyFile::parse(FIXTURE_KEY.as_bytes())? else {
        anyhow::bail!("the fixture key has no private half")
    };
    let binary = Bytes::from(vec![0x5a; 10 << 20]);
    let package = Builder::new("playhouse-demo:Big:1.0.0".parse()?, "wasm32-unknown-unknown", binary)
        .kind(BinaryKind::Component)
        .build(&key)?;
    let (policy, limits) = (trust(), PackageLimits::default());
    let time = |work: &dyn Fn()| {
        let mut times: Vec<_> = (0..20)
            .map(|_| {
                let start = Instant::now();
                work();
                start.elapsed()
            })
            .collect();
        times.sort();
        times[10]
    };
    let hash = time(&|| {
        std::hint::black_box(Sha256::digest(&package));
    });
    let verified = time(&|| {
        playhouse_package::verify(package.clone(), &policy, 0, &limits).expect("it verifies");
    });
    println!(
        "verify 10 MiB: {:.2} ms, SHA-256 alone {:.2} ms, {:.0} % of its speed",
        micros(verified) / 1000.0,
        micros(hash) / 1000.0,
        100.0 * hash.as_secs_f64() / verified.as_secs_f64()
    );
    Ok(())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let run = async {
        for round in 1..=3 {
            println!("round {round}");
            wasm("Rust", ECHO_WASM).await?;
            wasm("small", ECHO_WAT).await?;
            native().await;
            start().await?;
            verify()?;
        }
        anyhow::Ok(())
    };
    tokio::spawn(run).await?
}
