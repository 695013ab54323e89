//! Calls of native actors beside their floors: a plain C call, a bare hand-over between threads, a blocking task per call.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --no-default-features --features native --bin native`
//!
//! Every round measures every row, and the table shows the least and the middle median of all rounds: on a shared machine
//! the least is what the code costs, the middle what one gets.

mod floor;
mod raw;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use playhouse_benches::{p50, rate};
use playhouse_crypto::KeyFile;
use playhouse_engine::native::NativeEngine;
use playhouse_engine::{Context, Engine, Host, HostFuture, Limits, Seed, Workload};
use playhouse_node::{ActorOptions, ActorRef, Node, PackageLimits, Policy, TrustPolicy};
use playhouse_scheduler::CallChain;
use playhouse_types::{ActorError, ActorId, ErrorKind, Event, HostOp, LogLevel, RequestId, RouteKey};

use raw::Raw;

const ECHO_C: &[u8] = include_bytes!("../../../../guests/packages/echo-c.actr");
const ECHO_C2: &[u8] = include_bytes!("../../../../guests/packages/echo2-c.actr");
const ECHO_RUST: &[u8] = include_bytes!("../../../../guests/packages/echo-native.actr");
const FIXTURE_KEY: &str = include_str!("../../../../guests/fixture-key.json");
const ROUTE: RouteKey = RouteKey::from_static("echo.EchoService.Echo");
const BATCHES: u32 = 300;
const CALLERS: u32 = 64;

fn trust() -> TrustPolicy {
    let public =
        KeyFile::parse(FIXTURE_KEY.as_bytes()).expect("the fixture key is well-formed").verifying_key().to_base64();
    let text =
        format!("[[manufacturer]]\nname = \"playhouse-demo\"\n[[manufacturer.key]]\npublic_key = \"{public}\"\n");
    TrustPolicy::parse(&text, |_| Err(String::from("there are no key files"))).expect("the policy is well-formed")
}

/// An encoded `EchoRequest` of 64 bytes, or of 4096.
fn request(size: usize) -> Bytes {
    let head: &[u8] = if size < 128 { &[0x0a, 62] } else { &[0x0a, 0xfd, 0x1f] };
    let mut message = head.to_vec();
    message.resize(size, b'x');
    message.into()
}

/// A host that is never asked.
struct NoHost;

impl Host for NoHost {
    fn perform(&self, _: &Context, _: HostOp) -> HostFuture {
        Box::pin(std::future::ready(Err(ActorError::new(ErrorKind::NotImplemented, ""))))
    }

    fn log(&self, _: &ActorId, _: LogLevel, _: &str) {}
}

/// The engine without a node around it.
struct Alone {
    workload: Arc<dyn Workload>,
    context: Context,
}

impl Alone {
    async fn new(package: &'static [u8]) -> Result<Self> {
        let package = playhouse_package::verify(Bytes::from_static(package), &trust(), 0, &PackageLimits::default())?;
        let host: Arc<dyn Host> = Arc::new(NoHost);
        let self_id: ActorId = format!("1@0/{}", package.actor_type()).parse()?;
        let seed = Seed { self_id: self_id.clone(), host: Arc::clone(&host), limits: Arc::new(Limits::default()) };
        let workload = NativeEngine::new(true).prepare(package).await?.create(seed).await?;
        let request_id = RequestId::from_number(1);
        let context = Context { self_id, caller: None, request_id, deadline: None, chain: CallChain::root(), host };
        Ok(Self { workload, context })
    }

    async fn call(&self, payload: Bytes) -> Bytes {
        let event = Event::Request { route: ROUTE, payload };
        Arc::clone(&self.workload).run(self.context.clone(), event).await.expect("an echo")
    }
}

/// What is measured: names and the medians of all rounds.
#[derive(Default)]
struct Table(Vec<(&'static str, Vec<Duration>)>);

impl Table {
    fn add(&mut self, name: &'static str, time: Duration) {
        match self.0.iter_mut().find(|row| row.0 == name) {
            Some(row) => row.1.push(time),
            None => self.0.push((name, vec![time])),
        }
    }

    fn print(&mut self) {
        println!("{:<58} {:>9} {:>9}", "one caller", "least", "middle");
        for (name, times) in &mut self.0 {
            times.sort();
            println!("{name:<58} {:>7.3}µs {:>7.3}µs", micros(times[0]), micros(times[times.len() / 2]));
        }
        let least = |name| self.0.iter().find(|row| row.0 == name).map_or(f64::NAN, |row| micros(row.1[0]));
        let blocking = least(BLOCKING);
        println!(
            "a blocking task per call takes {:.1} times as long as a call of the C guest through the mailbox",
            blocking / least(NODE_C)
        );
    }
}

const BLOCKING: &str = "spawn_blocking per call, the same work, 64 B";
const NODE_C: &str = "through the mailbox, C guest, 64 B";

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1000.0
}

async fn calls(actor: &ActorRef, payload: &Bytes) -> Duration {
    p50(BATCHES, || async { actor.call(ROUTE, payload.clone()).await.expect("an echo") }).await
}

/// Everything that is compared, once.
struct Stage {
    raw: &'static Raw,
    alone: Alone,
    alone2: Alone,
    c: ActorRef,
    c2: ActorRef,
    rust: ActorRef,
    _node: Node,
}

impl Stage {
    async fn new() -> Result<Self> {
        let package = playhouse_package::verify(Bytes::from_static(ECHO_C), &trust(), 0, &PackageLimits::default())?;
        let raw = Raw::load(package.binary(), &"1@0/playhouse-demo:EchoC:1.0.0".parse()?)?;
        let policy = Policy { danger_native_in_process: true, ..Policy::default() };
        let node = Node::builder().trust(trust()).policy(policy).start()?;
        let attach = |package| node.attach(Bytes::from_static(package), ActorOptions::default());
        let (c, c2, rust) = (attach(ECHO_C).await?, attach(ECHO_C2).await?, attach(ECHO_RUST).await?);
        let (alone, alone2) = (Alone::new(ECHO_C).await?, Alone::new(ECHO_C2).await?);
        Ok(Self { raw, alone, alone2, c, c2, rust, _node: node })
    }

    async fn round(&self, table: &mut Table) {
        let (small, large) = (request(64), request(4096));
        let raw = self.raw;
        table.add(
            "a C call with a reply from malloc, 64 B",
            p50(BATCHES, || async { raw.call(ROUTE.as_str(), &small) }).await,
        );
        table.add("a bare hand-over between two spinning threads", floor::hand_over(BATCHES));
        let blocking = |payload: Bytes| async move {
            tokio::task::spawn_blocking(move || raw.call(ROUTE.as_str(), &payload)).await.expect("it ends")
        };
        table.add(BLOCKING, p50(BATCHES / 10, || blocking(small.clone())).await);
        table.add("the engine alone, C guest, 64 B", p50(BATCHES, || self.alone.call(small.clone())).await);
        table.add("the engine alone, C guest by V2, 64 B", p50(BATCHES, || self.alone2.call(small.clone())).await);
        table.add(NODE_C, calls(&self.c, &small).await);
        table.add("through the mailbox, C guest by V2, 64 B", calls(&self.c2, &small).await);
        table.add("through the mailbox, Rust guest, 64 B", calls(&self.rust, &small).await);
        table.add(
            "a C call with a reply from malloc, 4 KiB",
            p50(BATCHES, || async { raw.call(ROUTE.as_str(), &large) }).await,
        );
        table.add("spawn_blocking per call, the same work, 4 KiB", p50(BATCHES / 10, || blocking(large.clone())).await);
        table.add("through the mailbox, C guest, 4 KiB", calls(&self.c, &large).await);
        table.add("through the mailbox, C guest by V2, 4 KiB", calls(&self.c2, &large).await);
        table.add("through the mailbox, Rust guest, 4 KiB", calls(&self.rust, &large).await);
    }

    /// Many callers at once, of our actor and of a pool of blocking threads.
    async fn crowd(&self, name: &str) {
        const EACH: u32 = 2_000;
        let (payload, raw) = (request(64), self.raw);
        let actor = self.c.clone();
        let ours = rate(CALLERS, EACH, |calls| {
            let (actor, payload) = (actor.clone(), payload.clone());
            async move {
                for _ in 0..calls {
                    actor.call(ROUTE, payload.clone()).await.expect("an echo");
                }
            }
        })
        .await;
        let blocking = rate(CALLERS, EACH / 4, |calls| {
            let payload = payload.clone();
            async move {
                for _ in 0..calls {
                    let payload = payload.clone();
                    tokio::task::spawn_blocking(move || raw.call(ROUTE.as_str(), &payload)).await.expect("it ends");
                }
            }
        })
        .await;
        let one = micros(calls(&self.c, &payload).await);
        println!(
            "{name}: {CALLERS} callers of one C actor {ours:.0}/s, with spawn_blocking {blocking:.0}/s; one caller {one:.2} µs"
        );
    }
}

/// Threads that take all cores.
struct Burners(Arc<AtomicBool>, Vec<std::thread::JoinHandle<()>>);

impl Burners {
    fn new() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let threads = (0..cores)
            .map(|_| {
                let stop = Arc::clone(&stop);
                std::thread::spawn(move || while !stop.load(Ordering::Relaxed) {})
            })
            .collect();
        Self(stop, threads)
    }

    fn end(self) {
        self.0.store(true, Ordering::Relaxed);
        for thread in self.1 {
            thread.join().expect("it ends");
        }
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(5), |text| text.parse())?;
    let run = async move {
        let stage = Stage::new().await?;
        let mut table = Table::default();
        for _ in 0..rounds {
            stage.round(&mut table).await;
        }
        table.print();
        stage.crowd("idle machine").await;
        let burners = Burners::new();
        stage.crowd("all cores busy").await;
        burners.end();
        anyhow::Ok(())
    };
    tokio::spawn(run).await?
}
