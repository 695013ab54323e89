//! Messages in flight when another one crashes their actor.

use std::num::NonZeroU32;
use std::sync::Arc;

use playhouse_engine::{Concurrency as Ability, Context, EngineKind, Failure, Prepared, Running, Seed, Workload};
use playhouse_guest::{Bytes, Error, ErrorKind};
use playhouse_node::types::{Code, Event};
use playhouse_node::{ActorOptions, ActorRef, Concurrency, MailboxOptions, Node, RestartPolicy};
use tokio::sync::watch;

use crate::support::{Stage, actor_type, ask, node, route, until};

/// Workloads of which the route `crash` takes all messages in flight down; those on `hold` stay in flight, as long as the stage
/// has not noted `calm`.
struct Shelf(Stage);

struct Pot {
    stage: Stage,
    broken: watch::Sender<bool>,
}

impl Prepared for Shelf {
    fn kind(&self) -> EngineKind {
        EngineKind::Linked
    }

    fn concurrency(&self) -> Ability {
        Ability::Shared
    }

    fn create(&self, _seed: Seed) -> std::pin::Pin<Box<dyn Future<Output = Result<Arc<dyn Workload>, Error>> + Send>> {
        let pot = Pot { stage: self.0.clone(), broken: watch::Sender::new(false) };
        Box::pin(std::future::ready(Ok(Arc::new(pot) as Arc<dyn Workload>)))
    }
}

impl Workload for Pot {
    fn run(self: Arc<Self>, _context: Context, event: Event) -> Running {
        let failed = |text| Err(Failure::Crash(Error::coded(ErrorKind::Internal, Code::GuestTrap, text)));
        Box::pin(async move {
            match event {
                Event::Request { route, .. } if route.as_str() == "crash" => {
                    self.broken.send_replace(true);
                    failed("dropped")
                }
                Event::Request { route, payload } if route.as_str() == "hold" => {
                    if !self.stage.notes().iter().any(|note| note == "calm") {
                        let _ = self.broken.subscribe().wait_for(|broken| *broken).await;
                        return failed("in a broken pot");
                    }
                    self.stage.note("held");
                    Ok(payload)
                }
                _ => Ok(Bytes::new()),
            }
        })
    }

    fn is_lost(&self) -> bool {
        *self.broken.borrow()
    }
}

async fn shelf(node: &Node, stage: &Stage, slots: u32, capacity: usize) -> ActorRef {
    let options = ActorOptions {
        concurrency: Some(Concurrency::Concurrent(NonZeroU32::new(slots).unwrap())),
        restart: RestartPolicy {
            restarts_max: 100,
            backoff_max: std::time::Duration::ZERO,
            ..RestartPolicy::default()
        },
        mailbox: MailboxOptions { capacity, ..MailboxOptions::default() },
        ..ActorOptions::default()
    };
    node.start_program(actor_type("Shelf"), Arc::new(Shelf(stage.clone())), options).await.unwrap()
}

/// Crashes the actor with a tell on hold beside it.
async fn crash_beside(actor: &ActorRef) {
    until(|| actor.status().running == 1 && actor.status().state.name() == "running").await;
    assert!(ask(actor, "crash", "").await.contains("dropped"));
}

/// A tell used to become a dead letter because others crashed its actor three times.
#[tokio::test]
async fn a_tell_is_not_charged_for_what_others_did() {
    let (node, stage) = (node(), Stage::default());
    let actor = shelf(&node, &stage, 8, 100).await;
    actor.tell(route("hold"), Bytes::new()).await.unwrap();
    for _ in 0..10 {
        crash_beside(&actor).await;
    }
    until(|| actor.status().running == 1).await;
    stage.note("calm");
    assert!(ask(&actor, "crash", "").await.contains("dropped"));
    assert_eq!(actor.status().tallies.dead_letters, 0);
    assert_eq!(stage.noted(2).await, ["calm", "held"]);
}

/// Whoever is beside every crash does not come back for ever.
#[tokio::test]
async fn a_tell_beside_too_many_crashes_is_charged() {
    let (node, stage) = (node(), Stage::default());
    let actor = shelf(&node, &stage, 8, 100).await;
    actor.tell(route("hold"), Bytes::new()).await.unwrap();
    for _ in 0..16 + 3 {
        assert_eq!(actor.status().tallies.dead_letters, 0);
        crash_beside(&actor).await;
    }
    until(|| actor.status().tallies.dead_letters == 1).await;
    assert_eq!(node.dead_letters().await.unwrap()[0].attempts, 3);
}

/// The node tells an actor of every failure that no caller hears of; what does not fit is dropped and counted.
#[tokio::test]
async fn dropped_signals_are_counted() {
    let (node, stage) = (node(), Stage::default());
    let actor = shelf(&node, &stage, 200, 2).await;
    let holding: Vec<_> = (0..150)
        .map(|_| {
            let actor = actor.clone();
            tokio::spawn(async move { ask(&actor, "hold", "").await })
        })
        .collect();
    until(|| actor.status().running == 150).await;
    ask(&actor, "crash", "").await;
    for call in holding {
        assert!(call.await.unwrap().contains("in a broken pot"));
    }
    let dropped = actor.status().tallies.signals_dropped;
    assert!((1..=151).contains(&dropped), "{dropped}");
}
