//! Calls that could only hang are refused at once.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use expect_test::expect;
use playhouse_guest::{Actor, Bytes, Context, Dispatch, Error, RouteKey};
use playhouse_node::{ActorOptions, Concurrency, Node};

use crate::support::{Stage, actor_type, ask, chorus, node, player, route, until};

#[tokio::test]
async fn an_actor_that_calls_itself() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "A", ActorOptions::default()).await;
    let expected = "invalid argument: the call would wait for itself: 1@7/test:A:1 -> 1@7/test:A:1 [call-cycle]";
    assert_eq!(ask(&actor, "self", "").await, expected);
}

#[tokio::test]
async fn a_chain_that_comes_back() {
    let (node, stage) = (node(), Stage::default());
    let a = player(&node, &stage, "A", ActorOptions::default()).await;
    let b = player(&node, &stage, "B", ActorOptions::default()).await;
    let c = player(&node, &stage, "C", ActorOptions::default()).await;
    let argument = format!("{} call {} call {} echo", b.id(), c.id(), a.id());
    let expected = "invalid argument: the call would wait for itself: 1@7/test:A:1 -> 2@7/test:B:1 -> 3@7/test:C:1 -> 1@7/test:A:1 [call-cycle]";
    assert_eq!(ask(&a, "call", &argument).await, expected);
}

#[tokio::test]
async fn a_tell_to_oneself_is_no_cycle() {
    let (node, stage) = (node(), Stage::default());
    let a = player(&node, &stage, "A", ActorOptions::default()).await;
    assert_eq!(ask(&a, "tell", &format!("{} note hi", a.id())).await, "");
    assert_eq!(stage.noted(3).await[2], "hi");
}

#[tokio::test]
async fn a_concurrent_actor_may_be_entered_again() {
    let (node, stage) = (node(), Stage::default());
    let a = chorus(&node, &stage, Concurrency::Concurrent(NonZeroU32::new(2).unwrap())).await;
    assert_eq!(ask(&a, "call", &format!("{} echo hi", a.id())).await, "hi");
}

#[tokio::test]
async fn two_chains_that_wait_for_each_other() {
    let (node, stage) = (node(), Stage::default());
    let a = player(&node, &stage, "A", ActorOptions::default()).await;
    let b = player(&node, &stage, "B", ActorOptions::default()).await;
    let ask_in_task = |actor: &playhouse_node::ActorRef, argument: String| {
        let actor = actor.clone();
        tokio::spawn(async move { ask(&actor, "call", &argument).await })
    };
    // Each handles a call to a third actor that keeps it busy, then calls the other; neither chain comes back to itself.
    let gate = chorus(&node, &stage, Concurrency::Concurrent(NonZeroU32::new(9).unwrap())).await;
    let through = |other: &playhouse_node::ActorRef, door: &str| format!("{} wait {door}", other.id());
    let busy_a = ask_in_task(&a, through(&gate, "a"));
    let busy_b = ask_in_task(&b, through(&gate, "b"));
    until(|| a.status().running == 1 && b.status().running == 1 && gate.status().running == 2).await;
    // Behind them wait calls that will start when the doors open: a calls b and b calls a.
    let a_to_b = ask_in_task(&a, format!("{} call {} echo hi", b.id(), a.id()));
    let b_to_a = ask_in_task(&b, format!("{} call {} echo hi", a.id(), b.id()));
    until(|| a.status().queued == 1 && b.status().queued == 1).await;
    stage.open("a");
    stage.open("b");
    let (first, second) = (a_to_b.await.unwrap(), b_to_a.await.unwrap());
    assert!(first.contains("call-cycle") && second.contains("call-cycle"), "{first}\n{second}");
    busy_a.await.unwrap();
    busy_b.await.unwrap();
    assert_eq!(ask(&a, "echo", "fine").await, "fine");
}

#[tokio::test]
async fn deep_chains_end() {
    let (node, stage) = (node(), Stage::default());
    let mut argument = String::from("echo end");
    for number in 0..80 {
        let actor = player(&node, &stage, &format!("P{number}"), ActorOptions::default()).await;
        argument = format!("call {} {argument}", actor.id());
    }
    let first = player(&node, &stage, "First", ActorOptions::default()).await;
    let argument = argument.strip_prefix("call ").unwrap();
    let reply = ask(&first, "call", argument).await;
    assert_eq!(reply, "invalid argument: 64 actors wait for each other already [call-depth]");
}

/// A caller that went on without the reply used to be taken for one that waits: calls to it were refused as cycles.
#[tokio::test]
async fn a_caller_that_gave_up_is_in_no_cycle() {
    let (node, stage) = (node(), Stage::default());
    let hasty = player(&node, &stage, "Hasty", ActorOptions::default()).await;
    let b = player(&node, &stage, "B", ActorOptions::default()).await;
    let asked = tokio::spawn({
        let (hasty, argument) = (hasty.clone(), format!("up {} after late {} echo hi", b.id(), hasty.id()));
        async move { ask(&hasty, "hasty", &argument).await }
    });
    until(|| b.status().running == 1).await;
    stage.open("up");
    assert_eq!(asked.await.unwrap(), "gave up");
    stage.open("late");
    assert_eq!(stage.noted(5).await[4], "hi");
}

/// As above, with the late call still queued when its first caller gives up.
#[tokio::test]
async fn a_caller_that_gave_up_waits_for_nobody() {
    let (node, stage) = (node(), Stage::default());
    let hasty = player(&node, &stage, "Hasty", ActorOptions::default()).await;
    let b = player(&node, &stage, "B", ActorOptions::default()).await;
    let busy = player(&node, &stage, "Busy", ActorOptions::default()).await;
    let ask_in_task = |actor: &playhouse_node::ActorRef, name: &'static str, argument: String| {
        let actor = actor.clone();
        tokio::spawn(async move { ask(&actor, name, &argument).await })
    };
    // hasty waits for b, which waits for busy; then hasty goes on, and busy calls it.
    let late = ask_in_task(&busy, "after", format!("late {} echo hi", hasty.id()));
    until(|| busy.status().running == 1).await;
    let asked = ask_in_task(&hasty, "hasty", format!("up {} call {} echo there", b.id(), busy.id()));
    until(|| busy.status().queued == 1).await;
    stage.open("up");
    assert_eq!(asked.await.unwrap(), "gave up");
    stage.open("late");
    assert_eq!(late.await.unwrap(), "hi");
}

/// What the application does for an actor is part of the actor's wait; such a cycle used to hang until its deadline.
#[tokio::test]
async fn a_chain_that_comes_back_through_the_application() {
    let stage = Stage::default();
    let known: Arc<OnceLock<[playhouse_node::ActorRef; 2]>> = Arc::default();
    let builder = Node::builder().realm(7).shell({
        let known = Arc::clone(&known);
        move |message| {
            let [a, b] = known.get().unwrap().clone();
            async move {
                let back = format!("{} echo hi", a.id());
                match message.route.as_str() {
                    "app.Direct" => a.call(route("echo"), message.payload).await,
                    "app.Through" => b.call(route("call"), back.into()).await,
                    _ => b.call(route("echo"), message.payload).await,
                }
            }
        }
    });
    let node = builder.start().unwrap();
    let a = player(&node, &stage, "A", ActorOptions::default()).await;
    let b = player(&node, &stage, "B", ActorOptions::default()).await;
    known.set([a.clone(), b]).unwrap();
    expect!["invalid argument: the call would wait for itself: 1@7/test:A:1 -> 1@7/test:A:1 [call-cycle]"]
        .assert_eq(&ask(&a, "call", "shell app.Direct hi").await);
    expect![
        "invalid argument: the call would wait for itself: 1@7/test:A:1 -> 2@7/test:B:1 -> 1@7/test:A:1 [call-cycle]"
    ]
    .assert_eq(&ask(&a, "call", "shell app.Through hi").await);
    assert_eq!(ask(&a, "call", "shell app.Other hi").await, "hi");
}

/// Calls the actors that it knows by their handles, past its context.
struct Knowing(Arc<OnceLock<playhouse_node::ActorRef>>);

impl Actor for Knowing {}

impl Dispatch for Knowing {
    async fn dispatch(&mut self, _cx: Context<'_>, name: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        match name.as_str() {
            "go" => self.0.get().unwrap().call(route("go"), payload).await,
            _ => self.0.get().unwrap().call(route("echo"), payload).await,
        }
    }
}

/// An actor that calls by a handle of its own used to hang until its deadline where the call came back to it.
#[tokio::test]
async fn a_cycle_through_handles() {
    let node = node();
    let slots: [Arc<OnceLock<playhouse_node::ActorRef>>; 2] = Default::default();
    let mut actors = Vec::new();
    for (name, slot) in ["A", "B"].into_iter().zip(&slots) {
        let slot = Arc::clone(slot);
        actors.push(
            node.link(actor_type(name), move || Knowing(Arc::clone(&slot)), ActorOptions::default()).await.unwrap(),
        );
    }
    slots[0].set(actors[1].clone()).unwrap();
    slots[1].set(actors[0].clone()).unwrap();
    expect![
        "invalid argument: the call would wait for itself: 1@7/test:A:1 -> 2@7/test:B:1 -> 1@7/test:A:1 [call-cycle]"
    ]
    .assert_eq(&ask(&actors[0], "go", "").await);
    let stage = Stage::default();
    let end = player(&node, &stage, "End", ActorOptions::default()).await;
    let slot = Arc::new(OnceLock::from(end));
    let fine = node.link(actor_type("C"), move || Knowing(Arc::clone(&slot)), ActorOptions::default()).await.unwrap();
    assert_eq!(ask(&fine, "echo", "hi").await, "hi");
}
