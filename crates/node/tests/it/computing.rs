//! Handlers that compute for long are moved off the workers, and their actors are remembered for it.

use std::time::{Duration, Instant};

use playhouse_guest::{Actor, Bytes, Context, Dest, Dispatch, Error, RouteKey};
use playhouse_node::{ActorOptions, ActorRef, Limits, Node};

use crate::support::{Stage, actor_type, ask, node, player};

/// Computes as often as the payload is long, longer than any poll should be also if others want the core, and lets others run in between.
struct Thinker;

impl Actor for Thinker {}

fn thread() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

fn compute() {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(10) {
        std::hint::spin_loop();
    }
}

impl Dispatch for Thinker {
    async fn dispatch(&mut self, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        let mut threads = vec![thread()];
        for _ in 0..payload.len() {
            compute();
            tokio::task::yield_now().await;
            threads.push(thread());
        }
        if let Some(to) = route.as_str().strip_prefix("call.") {
            // A timer of the node's runtime works there, and so do calls.
            tokio::time::timeout(Duration::from_secs(10), std::future::ready(())).await.unwrap();
            let to = Dest::Actor(to.parse().unwrap());
            let reply = cx.call(to, RouteKey::from_static("where"), Bytes::new()).await?;
            threads.push(String::from_utf8_lossy(&reply).into_owned());
        }
        threads.dedup();
        Ok(threads.join(" ").into())
    }
}

async fn thinker(node: &Node, options: ActorOptions) -> ActorRef {
    node.link(actor_type("Thinker"), || Thinker, options).await.unwrap()
}

#[test]
fn a_handler_that_computes_for_long_leaves_the_worker() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("worker").enable_all().build();
    let runtime = runtime.unwrap();
    let ended = runtime.block_on(runtime.spawn(async {
        let node = node();
        let (thinker, other) =
            (thinker(&node, ActorOptions::default()).await, thinker(&node, ActorOptions::default()).await);
        assert_eq!(ask(&thinker, "think", "").await, "worker");
        assert_eq!(ask(&thinker, "think", "1234").await, "worker playhouse-compute");
        // Remembered, until it has behaved for a while; what it calls is handled by the workers all the same.
        let call = format!("call.{}", other.id());
        assert_eq!(ask(&thinker, &call, "").await, "playhouse-compute worker");
        assert_eq!(ask(&other, "think", "").await, "worker");
        for _ in 0..63 {
            assert_eq!(ask(&thinker, "think", "").await, "playhouse-compute");
        }
        assert_eq!(ask(&thinker, "think", "").await, "worker");
        node.shutdown(Duration::from_secs(5)).await;
    }));
    ended.unwrap();
}

#[tokio::test]
async fn a_handler_that_computes_too_long_is_given_up() {
    let limits = Limits { wall: Duration::from_millis(40), ..Limits::default() };
    let (node, stage) = (node(), Stage::default());
    let thinker = thinker(&node, ActorOptions { limits, ..ActorOptions::default() }).await;
    let neighbour = player(&node, &stage, "Player", ActorOptions::default()).await;
    let long = "x".repeat(10_000);
    let (late, echo) = tokio::join!(ask(&thinker, "think", &long), ask(&neighbour, "echo", "hi"));
    assert_eq!(
        (late.as_str(), echo.as_str()),
        ("timed out: 1@7/test:Thinker:1 handled one event for more than 40ms [deadline-expired]", "hi")
    );
    assert_eq!(ask(&thinker, "think", "").await, "playhouse-compute", "the actor goes on");
}
