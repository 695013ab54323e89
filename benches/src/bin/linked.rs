//! A call to an actor in the same process: 64 bytes there and back.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --no-default-features --bin linked`

use std::time::{Duration, Instant};

use bytes::Bytes;
use playhouse_benches::{p50, rate, row};
use playhouse_guest::{Actor, Context, Dispatch, Error, RouteKey};
use playhouse_node::{ActorOptions, Node};

const BATCHES: u32 = 3000;
const CALLERS: u32 = 64;
const CALLS_EACH: u32 = 20_000;
const ROUTE: RouteKey = RouteKey::from_static("echo.Echo.Echo");

struct Echo;

impl Actor for Echo {}

impl Dispatch for Echo {
    async fn dispatch(&mut self, _cx: Context<'_>, _route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        Ok(payload)
    }
}

async fn playhouse() -> (Duration, f64) {
    let node = Node::builder().start().unwrap();
    let echo = node.link("bench:Echo:1".parse().unwrap(), || Echo, ActorOptions::default()).await.unwrap();
    let payload = Bytes::from(vec![7; 64]);
    let median = p50(BATCHES, || async { echo.call(ROUTE, payload.clone()).await.unwrap() }).await;
    let per_second = rate(CALLERS, CALLS_EACH, |calls| {
        let (echo, payload) = (echo.clone(), payload.clone());
        async move {
            for _ in 0..calls {
                echo.call(ROUTE, payload.clone()).await.unwrap();
            }
        }
    })
    .await;
    (median, per_second)
}

mod kameo_peer {
    use super::*;
    use kameo::prelude::*;

    #[derive(kameo::Actor)]
    struct EchoActor;
    struct Ask(Bytes);
    #[derive(kameo::Reply)]
    struct Told(Bytes);

    impl Message<Ask> for EchoActor {
        type Reply = Told;
        async fn handle(&mut self, ask: Ask, _cx: &mut kameo::message::Context<Self, Self::Reply>) -> Told {
            Told(ask.0)
        }
    }

    pub async fn run() -> (Duration, f64) {
        let echo = EchoActor::spawn(EchoActor);
        let payload = Bytes::from(vec![7; 64]);
        let median = p50(BATCHES, || async { echo.ask(Ask(payload.clone())).await.unwrap().0 }).await;
        let per_second = rate(CALLERS, CALLS_EACH, |calls| {
            let (echo, payload) = (echo.clone(), payload.clone());
            async move {
                for _ in 0..calls {
                    echo.ask(Ask(payload.clone())).await.unwrap();
                }
            }
        })
        .await;
        (median, per_second)
    }
}

mod ractor_peer {
    use super::*;
    use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

    struct EchoActor;
    struct Ask(Bytes, RpcReplyPort<Bytes>);

    impl Actor for EchoActor {
        type Msg = Ask;
        type State = ();
        type Arguments = ();
        async fn pre_start(&self, _me: ActorRef<Ask>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }
        async fn handle(&self, _me: ActorRef<Ask>, ask: Ask, (): &mut ()) -> Result<(), ActorProcessingErr> {
            let _ = ask.1.send(ask.0);
            Ok(())
        }
    }

    async fn ask(echo: &ActorRef<Ask>, payload: Bytes) -> Bytes {
        match echo.call(|port| Ask(payload, port), None).await {
            Ok(ractor::rpc::CallResult::Success(reply)) => reply,
            _ => panic!("no reply"),
        }
    }

    pub async fn run() -> (Duration, f64) {
        let (echo, _handle) = EchoActor::spawn(None, EchoActor, ()).await.unwrap();
        let payload = Bytes::from(vec![7; 64]);
        let median = p50(BATCHES, || ask(&echo, payload.clone())).await;
        let per_second = rate(CALLERS, CALLS_EACH, |calls| {
            let (echo, payload) = (echo.clone(), payload.clone());
            async move {
                for _ in 0..calls {
                    ask(&echo, payload.clone()).await;
                }
            }
        })
        .await;
        (median, per_second)
    }
}

mod coerce_peer {
    use super::*;
    use coerce::actor::context::ActorContext;
    use coerce::actor::message::{Handler, Message};
    use coerce::actor::system::ActorSystem;
    use coerce::actor::{Actor, IntoActor};

    struct EchoActor;
    struct Ask(Bytes);

    impl Message for Ask {
        type Result = Bytes;
    }
    impl Actor for EchoActor {}

    #[async_trait::async_trait]
    impl Handler<Ask> for EchoActor {
        async fn handle(&mut self, ask: Ask, _cx: &mut ActorContext) -> Bytes {
            ask.0
        }
    }

    pub async fn run() -> (Duration, f64) {
        let system = ActorSystem::new();
        let echo = EchoActor.into_actor(Some("echo"), &system).await.unwrap();
        let payload = Bytes::from(vec![7; 64]);
        let median = p50(BATCHES, || async { echo.send(Ask(payload.clone())).await.unwrap() }).await;
        let per_second = rate(CALLERS, CALLS_EACH, |calls| {
            let (echo, payload) = (echo.clone(), payload.clone());
            async move {
                for _ in 0..calls {
                    echo.send(Ask(payload.clone())).await.unwrap();
                }
            }
        })
        .await;
        (median, per_second)
    }
}

mod xtra_peer {
    use super::*;
    use xtra::{Actor, Handler, Mailbox};

    #[derive(xtra::Actor)]
    struct EchoActor;
    struct Ask(Bytes);

    impl Handler<Ask> for EchoActor {
        type Return = Bytes;
        async fn handle(&mut self, ask: Ask, _cx: &mut xtra::Context<Self>) -> Bytes {
            ask.0
        }
    }

    pub async fn run() -> (Duration, f64) {
        fn is_actor<A: Actor>(actor: A) -> A {
            actor
        }
        let echo = xtra::spawn_tokio(is_actor(EchoActor), Mailbox::unbounded());
        let payload = Bytes::from(vec![7; 64]);
        let median = p50(BATCHES, || async { echo.send(Ask(payload.clone())).await.unwrap() }).await;
        let per_second = rate(CALLERS, CALLS_EACH, |calls| {
            let (echo, payload) = (echo.clone(), payload.clone());
            async move {
                for _ in 0..calls {
                    echo.send(Ask(payload.clone())).await.unwrap();
                }
            }
        })
        .await;
        (median, per_second)
    }
}

/// The rate of each million of ten million calls of one caller: flat unless something grows.
async fn flatness() {
    let node = Node::builder().start().unwrap();
    let echo = node.link("bench:Echo:1".parse().unwrap(), || Echo, ActorOptions::default()).await.unwrap();
    let payload = Bytes::from(vec![7; 64]);
    let mut rates = Vec::new();
    for _ in 0..10 {
        let start = Instant::now();
        for _ in 0..1_000_000 {
            echo.call(ROUTE, payload.clone()).await.unwrap();
        }
        rates.push(1e6 / start.elapsed().as_secs_f64());
    }
    let (first, last) = (rates[0], rates[9]);
    println!("10 M calls of one caller: first million {first:.0}/s, last {last:.0}/s, ratio {:.2}", last / first);
}

/// Time and memory of many idle actors.
async fn idle() {
    const ACTORS: usize = 100_000;
    let node = Node::builder().start().unwrap();
    let before = resident();
    let start = Instant::now();
    for _ in 0..ACTORS {
        node.link("bench:Echo:1".parse().unwrap(), || Echo, ActorOptions::default()).await.unwrap();
    }
    let took = start.elapsed();
    let each = (resident() - before) / ACTORS;
    println!("{ACTORS} linked actors: started in {:.2} s, {each} bytes each", took.as_secs_f64());
}

/// Bytes that the process has in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let run = async {
        println!("linked call, 64 B: median of one caller, rate of {CALLERS} callers");
        for round in 1..=3 {
            println!("round {round}");
            let ours = playhouse().await;
            row("  playhouse", ours.0, ours.1);
            for (name, peer) in [
                ("  kameo 0.22.2", kameo_peer::run().await),
                ("  ractor 0.16.5", ractor_peer::run().await),
                ("  coerce 0.8.11", coerce_peer::run().await),
                ("  xtra 0.6.0", xtra_peer::run().await),
            ] {
                row(name, peer.0, peer.1);
            }
        }
        flatness().await;
        idle().await;
    };
    tokio::spawn(run).await.unwrap();
}
