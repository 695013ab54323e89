//! Callers, stops and nodes that go away in the middle of something.

use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::FutureExt;
use playhouse_guest::Bytes;
use playhouse_node::{ActorOptions, CallOptions, Concurrency, FullPolicy, Limits, MailboxOptions, Node};

use crate::support::{Stage, actor_type, ask, ask_within, chorus, node, player, route, show, until};

/// A handler that does not end used to take `shutdown` down with it: the stop hook found the value gone and panicked.
#[tokio::test]
async fn a_handler_that_does_not_end_does_not_stop_the_shutdown() {
    let (node, stage) = (node(), Stage::default());
    let hung = player(&node, &stage, "Hung", ActorOptions::default()).await;
    let other = player(&node, &stage, "Other", ActorOptions::default()).await;
    let call = tokio::spawn({
        let hung = hung.clone();
        async move { ask(&hung, "wait", "door").await }
    });
    until(|| hung.status().running == 1).await;
    node.shutdown(Duration::from_millis(20)).await;
    assert_eq!((hung.status().state.name(), other.status().state.name()), ("stopped", "stopped"));
    stage.open("door");
    assert_eq!(call.await.unwrap(), "door");
}

/// A stop whose caller went away used to leave the actor stopping for ever.
#[tokio::test]
async fn a_stop_goes_on_without_its_caller() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    let call = tokio::spawn({
        let actor = actor.clone();
        async move { ask(&actor, "wait", "door").await }
    });
    until(|| actor.status().running == 1).await;
    let given_up = tokio::time::timeout(Duration::from_millis(5), node.stop(actor.id(), Duration::from_secs(10))).await;
    assert!(given_up.is_err());
    assert_eq!(actor.status().state.name(), "stopping");
    stage.open("door");
    node.shutdown(Duration::from_secs(10)).await;
    assert_eq!(call.await.unwrap(), "door");
    assert_eq!((actor.status().state.name(), stage.notes().last().unwrap().as_str()), ("stopped", "stop"));
}

/// The outcome that a repeated request gets is what happened, not that its first caller lost patience.
#[tokio::test]
async fn a_repeated_request_hears_what_happened_after_its_first_caller_gave_up() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    let options = |timeout| CallOptions { timeout, request_id: Some("r-1".parse().unwrap()), ..CallOptions::default() };
    let impatient = options(Duration::from_millis(10));
    let first = show(actor.call_with(route("wait"), Bytes::from_static(b"door"), impatient).await);
    assert!(first.starts_with("timed out"), "{first}");
    stage.open("door");
    let patient = options(Duration::from_secs(10));
    assert_eq!(show(actor.call_with(route("wait"), Bytes::from_static(b"door"), patient).await), "door");
    assert_eq!(ask(&actor, "count", "").await, "2");
}

#[tokio::test]
async fn a_repeated_tell_is_handled_once() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    for _ in 0..3 {
        let options = CallOptions { request_id: Some("t-1".parse().unwrap()), ..CallOptions::default() };
        node.tell(actor.id(), route("note"), Bytes::from_static(b"once"), options).await.unwrap();
    }
    assert_eq!(ask(&actor, "count", "").await, "2");
}

/// An actor with one slot that is entered again by its own call used to wait for itself.
#[tokio::test]
async fn an_actor_with_one_slot_may_be_entered_again() {
    let (node, stage) = (node(), Stage::default());
    let actor = chorus(&node, &stage, Concurrency::Concurrent(NonZeroU32::MIN)).await;
    let argument = format!("{id} call {id} echo hi", id = actor.id());
    assert_eq!(ask_within(&actor, "call", &argument, Duration::from_secs(5)).await, "hi");
}

/// An actor that was stopped while it waited for its restart used to be started all the same.
#[tokio::test]
async fn an_attach_that_is_given_up_leaves_nothing_half_started() {
    let (node, stage) = (node(), Stage::default());
    let starting = node.link(
        actor_type("Player"),
        {
            let stage = stage.clone();
            move || crate::support::Player::new(&stage)
        },
        ActorOptions::default(),
    );
    drop(futures_util::FutureExt::now_or_never(starting));
    // The task that starts it puts it on the node.
    until(|| !node.actors().is_empty()).await;
    until(|| node.actors().iter().all(|actor| actor.state.name() == "running")).await;
    assert_eq!(node.actors().len(), 1);
}

#[tokio::test]
async fn a_node_that_is_dropped_takes_its_actors_along() {
    let stage = Stage::default();
    let node = node();
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    let mut logs = node.logs();
    drop(node);
    assert_eq!(ask(&actor, "echo", "").await, "unavailable: 1@7/test:Player:1 has been stopped [actor-stopped]");
    drop(actor);
    assert!(logs.next().await.is_none());
}

#[tokio::test]
async fn absurd_times_do_not_overflow() {
    let (node, stage) = (node(), Stage::default());
    let limits = Limits { wall: Duration::MAX, ..Limits::default() };
    let actor = player(&node, &stage, "Player", ActorOptions { limits, ..ActorOptions::default() }).await;
    assert_eq!(ask_within(&actor, "echo", "hi", Duration::MAX).await, "hi");
    stage.open("door");
    assert_eq!(ask_within(&actor, "wait", "door", Duration::MAX).await, "door");
    node.shutdown(Duration::MAX).await;
}

/// A panic in the application's handler is the application's failure, not the actor's.
#[tokio::test]
async fn a_shell_that_panics_fails_one_call() {
    let stage = Stage::default();
    let node = Node::builder().shell(|_| async { panic!("no") }).start().unwrap();
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    let expected = "internal error: the application's handler panicked [handler-panic]";
    assert_eq!(ask(&actor, "call", "shell app.Say hi").await, expected);
}

/// A tell that its sender gave up before there was room used to count as sent: the next of its id was swallowed.
#[tokio::test]
async fn a_tell_that_was_given_up_may_be_sent_again() {
    let (node, stage) = (node(), Stage::default());
    let mailbox = MailboxOptions { capacity: 1, full: FullPolicy::Wait, ..MailboxOptions::default() };
    let actor = player(&node, &stage, "Player", ActorOptions { mailbox, ..ActorOptions::default() }).await;
    for text in ["wait", "note"] {
        actor.tell(route(text), Bytes::from_static(b"door")).await.unwrap();
        until(|| actor.status().running == 1).await;
    }
    let options = || CallOptions { request_id: Some("t-1".parse().unwrap()), ..CallOptions::default() };
    let told = || node.tell(actor.id(), route("note"), Bytes::from_static(b"once"), options());
    assert!(told().now_or_never().is_none(), "there is no room");
    // The second waits for what becomes of the first.
    let mut both = Box::pin(async { tokio::join!(told(), told()) });
    assert!((&mut both).now_or_never().is_none());
    stage.open("door");
    let (first, second) = both.await;
    first.unwrap();
    second.unwrap();
    assert_eq!(ask(&actor, "count", "").await, "4");
    assert_eq!(stage.notes()[3..], ["done door", "door", "once"]);
}

/// Requests of two clients for whom the application calls are two requests, whatever ids they chose.
#[tokio::test]
async fn clients_do_not_share_outcomes() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    for (client, expected) in [(0, "1"), (1, "2"), (2, "3"), (1, "2"), (0, "1")] {
        let options = CallOptions { request_id: Some("r-1".parse().unwrap()), client, ..CallOptions::default() };
        assert_eq!(show(actor.call_with(route("count"), Bytes::new(), options).await), expected, "client {client}");
    }
}
