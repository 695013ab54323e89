//! Calls that could only hang are refused at once.

use std::num::NonZeroU32;

use playhouse_node::{ActorOptions, Concurrency};

use crate::support::{Stage, ask, chorus, node, player, until};

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
