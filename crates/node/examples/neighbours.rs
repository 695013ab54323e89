//! How long neighbours wait beside a guest that never ends, against how long they wait without it.
//!
//! `cargo run --release -p playhouse-node --example neighbours [milliseconds that the guest may compute per event]`
//!
//! Two workers, one looping wasm guest that is called again and again, and two neighbours, linked and wasm, each called in three
//! ways. Idle and beside rounds take turns; the least of each figure over the rounds is printed, which is what is left when other
//! programs of the machine are out of the way.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on should say where")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use playhouse_guest::{Actor, Context, Dispatch, Error, RouteKey};
use playhouse_node::{ActorOptions, ActorRef, Limits, Node, TrustPolicy};

const ROUNDS: usize = 6;
const CALLS: usize = 4000;
const ECHO: RouteKey = RouteKey::from_static("echo.EchoService.Echo");
const LOOP: RouteKey = RouteKey::from_static("misbehaving.MisbehavingService.Loop");
/// `hello` as field 1.
const HELLO: Bytes = Bytes::from_static(b"\x0a\x05hello");

struct Echo;

impl Actor for Echo {}

impl Dispatch for Echo {
    async fn dispatch(&mut self, _cx: Context<'_>, _route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        Ok(payload)
    }
}

#[derive(Clone, Copy)]
enum Way {
    /// One task calls in a row.
    InARow,
    /// A task of its own for every call, as for requests that come over a socket.
    Spawned,
    /// A thread outside hands each call to the runtime.
    FromOutside,
}

impl Way {
    const ALL: [(Self, &str); 3] =
        [(Self::InARow, "in a row"), (Self::Spawned, "a task each"), (Self::FromOutside, "from outside")];

    /// The time of every call, in ascending order.
    async fn times(self, actor: &ActorRef) -> Vec<Duration> {
        let mut times = match self {
            Self::InARow => {
                let actor = actor.clone();
                tokio::spawn(async move {
                    let mut times = Vec::with_capacity(CALLS);
                    for number in 0..CALLS {
                        times.push(timed(&actor).await);
                        // As a task does that also waits for other things.
                        if number % 16 == 0 {
                            tokio::task::yield_now().await;
                        }
                    }
                    times
                })
                .await
                .unwrap()
            }
            Self::Spawned => {
                let mut times = Vec::with_capacity(CALLS);
                for _ in 0..CALLS {
                    let (actor, begun) = (actor.clone(), Instant::now());
                    tokio::spawn(async move { timed(&actor).await }).await.unwrap();
                    times.push(begun.elapsed());
                }
                times
            }
            Self::FromOutside => {
                let (actor, runtime) = (actor.clone(), tokio::runtime::Handle::current());
                tokio::task::spawn_blocking(move || outside(&actor, &runtime)).await.unwrap()
            }
        };
        times.sort_unstable();
        times
    }
}

fn outside(actor: &ActorRef, runtime: &tokio::runtime::Handle) -> Vec<Duration> {
    let (done, ended) = std::sync::mpsc::channel();
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let (actor, done, begun) = (actor.clone(), done.clone(), Instant::now());
        runtime.spawn(async move {
            timed(&actor).await;
            done.send(()).unwrap();
        });
        ended.recv().unwrap();
        times.push(begun.elapsed());
        // Requests do not come the moment the last one was answered.
        let pause = Instant::now();
        while pause.elapsed() < Duration::from_micros(50) {
            std::hint::spin_loop();
        }
    }
    times
}

async fn timed(actor: &ActorRef) -> Duration {
    let begun = Instant::now();
    actor.call(ECHO, HELLO).await.unwrap();
    begun.elapsed()
}

/// The least median and the least 99th percentile so far.
#[derive(Clone, Copy)]
struct Figures {
    p50: Duration,
    p99: Duration,
}

impl Figures {
    const NONE: Self = Self { p50: Duration::MAX, p99: Duration::MAX };

    fn add(&mut self, times: &[Duration]) {
        self.p50 = self.p50.min(times[times.len() / 2]);
        self.p99 = self.p99.min(times[times.len() * 99 / 100]);
    }
}

async fn measure(neighbours: &[(&str, ActorRef)], figures: &mut Vec<Figures>) {
    let ways = neighbours.iter().flat_map(|neighbour| Way::ALL.map(|way| (neighbour, way)));
    for (index, ((_, actor), (way, _))) in ways.enumerate() {
        let times = way.times(actor).await;
        if figures.len() <= index {
            figures.push(Figures::NONE);
        }
        figures[index].add(&times);
    }
}

async fn attach(node: &Node, package: &'static [u8], cpu: Duration) -> ActorRef {
    let limits = Limits { cpu, ..Limits::default() };
    let restart =
        playhouse_node::RestartPolicy { restarts_max: u32::MAX, backoff_max: Duration::ZERO, ..Default::default() };
    node.attach(Bytes::from_static(package), ActorOptions { limits, restart, ..ActorOptions::default() }).await.unwrap()
}

async fn compare(cpu: Duration) {
    let trust = TrustPolicy::parse(include_str!("../../../guests/trust.toml"), |file| Err(file.to_owned())).unwrap();
    let node = Node::builder().trust(trust).start().unwrap();
    let linked = node.link("bench:Echo:1".parse().unwrap(), || Echo, ActorOptions::default()).await.unwrap();
    let wasm = attach(&node, include_bytes!("../../../guests/packages/echo-wasm.actr"), cpu).await;
    let bad = attach(&node, include_bytes!("../../../guests/packages/misbehaving-wasm.actr"), cpu).await;
    let neighbours = [("linked", linked), ("wasm", wasm)];
    let (mut idle, mut beside) = (Vec::new(), Vec::new());
    let mut loops = 0;
    for _ in 0..ROUNDS {
        measure(&neighbours, &mut idle).await;
        let stop = Arc::new(AtomicBool::new(false));
        let looping = tokio::spawn({
            let (bad, stop) = (bad.clone(), Arc::clone(&stop));
            async move {
                let mut calls = 0;
                while !stop.load(Ordering::Relaxed) {
                    let error = bad.call(LOOP, Bytes::from_static(&[0x08, 0])).await.unwrap_err();
                    assert!(error.to_text().contains("guest-cpu-limit"), "{error}");
                    calls += 1;
                }
                calls
            }
        });
        measure(&neighbours, &mut beside).await;
        stop.store(true, Ordering::Relaxed);
        loops += looping.await.unwrap();
    }
    println!("a guest that loops for {cpu:?} per call, {loops} calls; {ROUNDS} rounds of {CALLS} calls each");
    println!("neighbour  called         p50 idle   beside    p99 idle   beside    ratio of p99");
    let rows = neighbours.iter().flat_map(|(name, _)| Way::ALL.map(|(_, way)| (*name, way)));
    for ((name, way), (idle, beside)) in rows.zip(idle.iter().zip(&beside)) {
        let ratio = beside.p99.as_secs_f64() / idle.p99.as_secs_f64();
        println!(
            "{name:<10} {way:<12} {:>10.2?} {:>10.2?} {:>10.2?} {:>10.2?} {ratio:>8.2}",
            idle.p50, beside.p50, idle.p99, beside.p99
        );
    }
    node.shutdown(Duration::from_secs(5)).await;
}

fn main() {
    let cpu = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async move { tokio::spawn(compare(Duration::from_millis(cpu))).await.unwrap() });
}
