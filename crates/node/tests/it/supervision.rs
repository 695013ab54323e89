//! Crashes, with a program whose workloads crash when told to.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use expect_test::expect;
use playhouse_engine::{Concurrency, Context, EngineKind, Failure, Prepared, Running, Seed, Workload};
use playhouse_guest::{Bytes, Error, ErrorKind};
use playhouse_node::types::{Code, Event};
use playhouse_node::{ActorOptions, ActorRef, Limits, Node, RestartPolicy};

use crate::support::{Stage, actor_type, ask, node, route, until};

/// Workloads that crash on the route `crash`, echo otherwise, and count how often they were made.
struct Fragile {
    stage: Stage,
    made: AtomicU32,
    /// The start hook fails from the workload of this number on.
    no_start_from: u32,
}

struct Glass {
    stage: Stage,
    number: u32,
    no_start: bool,
    lost: AtomicBool,
}

impl Prepared for Fragile {
    fn kind(&self) -> EngineKind {
        EngineKind::Linked
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency::Serial
    }

    fn create(&self, _seed: Seed) -> std::pin::Pin<Box<dyn Future<Output = Result<Arc<dyn Workload>, Error>> + Send>> {
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        let (stage, no_start) = (self.stage.clone(), number >= self.no_start_from);
        Box::pin(ready(Ok(
            Arc::new(Glass { stage, number, no_start, lost: AtomicBool::new(false) }) as Arc<dyn Workload>
        )))
    }
}

impl Workload for Glass {
    fn run(self: Arc<Self>, _context: Context, event: Event) -> Running {
        Box::pin(async move {
            match event {
                Event::Start if self.no_start => Err(Failure::Error(Error::new(ErrorKind::Internal, "no start"))),
                Event::Request { route, .. } if route.as_str() == "crash" => {
                    self.lost.store(true, Ordering::Relaxed);
                    Err(Failure::Crash(Error::coded(ErrorKind::Internal, Code::GuestTrap, "in pieces")))
                }
                Event::Request { route, .. } if route.as_str() == "hang" => {
                    self.lost.store(true, Ordering::Relaxed);
                    std::future::pending().await
                }
                Event::Request { route, .. } if route.as_str() == "engine-bug" => panic!("bug"),
                Event::Request { .. } => Ok(self.number.to_string().into()),
                Event::Error(event) => {
                    self.stage.note(format!("{} hears: {} in {}", self.number, event.source.to_text(), event.context));
                    Ok(Bytes::new())
                }
                _ => Ok(Bytes::new()),
            }
        })
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

async fn fragile(node: &Node, stage: &Stage, no_start_from: u32, options: ActorOptions) -> ActorRef {
    let program = Arc::new(Fragile { stage: stage.clone(), made: AtomicU32::new(0), no_start_from });
    node.start_program(actor_type("Fragile"), program, options).await.unwrap()
}

fn limit(restarts_max: u32) -> ActorOptions {
    let restart = RestartPolicy { restarts_max, backoff_first: Duration::from_millis(1), ..RestartPolicy::default() };
    ActorOptions { restart, ..ActorOptions::default() }
}

#[tokio::test]
async fn a_fresh_workload_takes_the_next_call() {
    let (node, stage) = (node(), Stage::default());
    let actor = fragile(&node, &stage, u32::MAX, ActorOptions::default()).await;
    assert_eq!(ask(&actor, "number", "").await, "1");
    assert_eq!(ask(&actor, "crash", "").await, "internal error: in pieces [guest-trap]");
    assert_eq!(ask(&actor, "number", "").await, "2");
    assert_eq!(stage.noted(1).await, ["2 hears: internal error: in pieces [guest-trap] in a request"]);
    assert_eq!(ask(&actor, "engine-bug", "").await, "internal error: the engine panicked [handler-panic]");
    assert_eq!(ask(&actor, "number", "").await, "3");
    let status = actor.status();
    assert_eq!((status.tallies.crashes, status.state.name()), (2, "running"));
    expect!["internal error: the engine panicked"].assert_eq(&status.last_crash.unwrap().to_string());
}

#[tokio::test]
async fn too_many_crashes_park_the_actor() {
    let (node, stage) = (node(), Stage::default());
    let actor = fragile(&node, &stage, u32::MAX, limit(2)).await;
    for _ in 0..3 {
        assert_eq!(ask(&actor, "crash", "").await, "internal error: in pieces [guest-trap]");
    }
    let parked = ask(&actor, "number", "").await;
    expect!["unavailable: 1@7/test:Fragile:1 crashed too often and was parked; the last time: internal error: in pieces [actor-parked]"]
        .assert_eq(&parked);
    assert_eq!(actor.status().state.name(), "parked");
    node.stop(actor.id(), Duration::from_secs(1)).await.unwrap();
    assert_eq!(actor.status().state.name(), "stopped");
}

/// What made it crash can be mended while the actor is parked.
#[tokio::test]
async fn a_parked_actor_is_resumed() {
    let (node, stage) = (node(), Stage::default());
    let actor = fragile(&node, &stage, u32::MAX, limit(0)).await;
    let refused = actor.resume().await.unwrap_err();
    assert_eq!(refused.to_string(), "1@7/test:Fragile:1 is not parked but running");
    for life in 1..4 {
        assert_eq!(ask(&actor, "number", "").await, life.to_string());
        ask(&actor, "crash", "").await;
        assert_eq!(actor.status().state.name(), "parked");
        actor.resume().await.unwrap();
        assert_eq!(actor.status().state.name(), "running");
    }
    node.stop(actor.id(), Duration::from_secs(1)).await.unwrap();
    assert_eq!(actor.resume().await.unwrap_err().to_string(), "1@7/test:Fragile:1 is not parked but stopped");
}

#[tokio::test]
async fn a_parked_actor_that_cannot_start_is_parked_again() {
    let (node, stage) = (node(), Stage::default());
    let actor = fragile(&node, &stage, 2, limit(0)).await;
    ask(&actor, "crash", "").await;
    expect!["test:Fragile:1 did not start: internal error: its start hook failed: no start"]
        .assert_eq(&actor.resume().await.unwrap_err().to_string());
    assert_eq!(actor.status().state.name(), "parked");
}

#[tokio::test]
async fn an_actor_that_dies_at_start_is_refused() {
    let (node, stage) = (node(), Stage::default());
    let program = Arc::new(Fragile { stage, made: AtomicU32::new(0), no_start_from: 1 });
    let refused = node.start_program(actor_type("Fragile"), program, ActorOptions::default()).await.unwrap_err();
    expect!["test:Fragile:1 did not start: internal error: its start hook failed: no start"]
        .assert_eq(&refused.to_string());
    assert!(node.actors().is_empty());
}

/// It is gone a moment before its task has ended: what it is gone of is said all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_an_actor_did_not_start_is_never_lost() {
    let (node, stage) = (node(), Stage::default());
    for _ in 0..2000 {
        let program = Arc::new(Fragile { stage: stage.clone(), made: AtomicU32::new(0), no_start_from: 1 });
        let refused = node.start_program(actor_type("Fragile"), program, ActorOptions::default()).await.unwrap_err();
        assert!(refused.to_string().ends_with("its start hook failed: no start"), "{refused}");
    }
}

#[tokio::test]
async fn an_actor_that_cannot_be_started_again_is_parked() {
    let (node, stage) = (node(), Stage::default());
    let actor = fragile(&node, &stage, 2, limit(3)).await;
    ask(&actor, "crash", "").await;
    until(|| actor.status().state.name() == "parked").await;
    expect!["internal error: its start hook failed: no start"]
        .assert_eq(&actor.status().last_crash.unwrap().to_string());
}

#[tokio::test]
async fn a_poison_message_goes_to_the_dead_letters() {
    let (node, stage) = (node(), Stage::default());
    let actor = fragile(&node, &stage, u32::MAX, limit(9)).await;
    actor.tell(route("crash"), Bytes::from_static(b"poison")).await.unwrap();
    until(|| actor.status().tallies.dead_letters == 1).await;
    let dead = &node.dead_letters().await.unwrap()[0];
    assert_eq!((dead.attempts, &dead.payload[..], dead.to.clone()), (3, &b"poison"[..], actor.id().clone()));
    expect!["internal error: in pieces [guest-trap]"].assert_eq(&dead.cause.to_text());
    assert_eq!(ask(&actor, "number", "").await, "4");
    assert_eq!((actor.status().tallies.dead_letters, node.dead_letters_dropped().await.unwrap()), (1, 0));
    assert_eq!(node.drop_dead_letter(dead.number).await.unwrap().number, dead.number);
    assert!(node.dead_letters().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_event_that_never_ends_is_given_up() {
    let (node, stage) = (node(), Stage::default());
    let limits = Limits { wall: Duration::from_millis(30), ..Limits::default() };
    let actor = fragile(&node, &stage, u32::MAX, ActorOptions { limits, ..ActorOptions::default() }).await;
    let reply = ask(&actor, "hang", "").await;
    expect!["timed out: 1@7/test:Fragile:1 handled one event for more than 30ms [deadline-expired]"].assert_eq(&reply);
    assert_eq!(ask(&actor, "number", "").await, "2");
}

#[tokio::test]
async fn queued_messages_survive_a_restart() {
    let (node, stage) = (node(), Stage::default());
    let actor = fragile(&node, &stage, u32::MAX, ActorOptions::default()).await;
    let replies = futures_util::future::join_all(["crash", "number", "number"].map(|name| ask(&actor, name, ""))).await;
    assert_eq!(replies, ["internal error: in pieces [guest-trap]", "2", "2"]);
}
