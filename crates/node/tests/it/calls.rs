//! Requests, tells, the application's end, priorities, duplicates.

use std::num::NonZeroU32;
use std::time::Duration;

use expect_test::expect;
use playhouse_guest::Bytes;
use playhouse_node::{ActorOptions, CallOptions, Concurrency, Grant, Grants, KeyBy, Node, Policy, Priority};

use crate::support::{Stage, actor_type, ask, ask_within, chorus, node, player, route, show, until};

#[tokio::test]
async fn requests_tells_and_errors() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    assert_eq!(ask(&actor, "echo", "hi").await, "hi");
    assert_eq!(ask(&actor, "fail", "no such thing").await, "not found: no such thing");
    assert_eq!(ask(&actor, "nope", "").await, "unknown route: nope");
    expect!["internal error: the handler panicked: oh no [handler-panic]"]
        .assert_eq(&ask(&actor, "panic", "oh no").await);
    assert_eq!(ask(&actor, "count", "").await, "5");
    actor.tell(route("note"), Bytes::from_static(b"told")).await.unwrap();
    assert_eq!(stage.noted(3).await, ["start", "ready", "told"]);
    let status = actor.status();
    assert_eq!((status.tallies.handled, status.tallies.failed), (6, 3));
}

#[tokio::test]
async fn actors_call_each_other_and_the_application() {
    let stage = Stage::default();
    let noted = stage.clone();
    let builder = Node::builder().shell(move |message| {
        noted.note(format!("{} from {} awaited {}", message.route, message.from, message.awaited));
        async move { Ok(message.payload) }
    });
    let node = builder.start().unwrap();
    let quiet = Stage::default();
    let a = player(&node, &quiet, "A", ActorOptions::default()).await;
    let b = player(&node, &quiet, "B", ActorOptions::default()).await;
    assert_eq!(ask(&a, "call", &format!("{} echo hi", b.id())).await, "hi");
    assert_eq!(ask(&a, "call", &format!("{} caller", b.id())).await, format!("Some({})", a.id()));
    assert_eq!(ask(&a, "caller", "").await, "None");
    assert_eq!(ask(&a, "discover", "test:B:1").await, b.id().to_string());
    assert_eq!(
        ask(&a, "discover", "test:C:1").await,
        "not found: no actor of type test:C:1 runs on this node [type-not-found]"
    );
    assert_eq!(
        ask(&a, "call", "99@0/test:X:1 echo").await,
        "not found: no actor 99@0/test:X:1 runs on this node [unknown-actor]"
    );
    assert_eq!(ask(&a, "call", "shell app.Say hello").await, "hello");
    assert_eq!(ask(&a, "tell", "shell app.Hear hello").await, "");
    assert_eq!(
        stage.noted(2).await,
        ["app.Say from 1@0/test:A:1 awaited true", "app.Hear from 1@0/test:A:1 awaited false"]
    );
}

#[tokio::test]
async fn without_a_handler_the_shell_refuses() {
    let (node, stage) = (node(), Stage::default());
    let a = player(&node, &stage, "A", ActorOptions::default()).await;
    let expected = "unavailable: 1@7/test:A:1 sent x.Y to its shell, which has no handler [shell-missing]";
    assert_eq!(ask(&a, "call", "shell x.Y").await, expected);
}

#[tokio::test]
async fn a_missing_grant_is_named() {
    let stage = Stage::default();
    let options = ActorOptions { grants: Some(Grants::NONE.with(Grant::Tell)), ..ActorOptions::default() };
    let node =
        Node::builder().policy(Policy { grants: Grants::NONE.with(Grant::Call), ..Policy::default() }).start().unwrap();
    let a = player(&node, &stage, "A", options).await;
    let b = player(&node, &stage, "B", ActorOptions::default()).await;
    assert_eq!(
        ask(&a, "call", "shell x.Y").await,
        "permission denied: 1@0/test:A:1 has no grant `call`; add \"call\" to `grants` in its manifest and in the node's policy [grant-missing]"
    );
    assert_eq!(
        ask(&a, "tell", "shell x.Y").await,
        "permission denied: 1@0/test:A:1 has no grant `tell`; add \"tell\" to `grants` in its manifest and in the node's policy [grant-missing]"
    );
    assert_eq!(ask(&b, "call", &format!("{} echo hi", a.id())).await, "hi");
}

#[tokio::test]
async fn a_handler_outlives_its_caller() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    let call = tokio::spawn({
        let actor = actor.clone();
        async move { ask(&actor, "wait", "door").await }
    });
    stage.noted(3).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    stage.open("door");
    assert_eq!(stage.noted(4).await[3], "done door");
    assert_eq!(ask(&actor, "count", "").await, "2");
}

#[tokio::test]
async fn a_caller_is_told_when_its_time_is_up() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    let late = ask_within(&actor, "wait", "door", Duration::from_millis(20)).await;
    expect!["timed out: 1@7/test:Player:1 did not reply in time; it is handling 1 and 0 wait [deadline-expired]"]
        .assert_eq(&late);
    // This one gives up before it can begin, and is never started.
    let late = ask_within(&actor, "note", "never", Duration::from_millis(20)).await;
    expect!["timed out: 1@7/test:Player:1 did not reply in time; it is handling 1 and 1 wait [deadline-expired]"]
        .assert_eq(&late);
    stage.open("door");
    assert_eq!(ask(&actor, "count", "").await, "2");
    assert_eq!(stage.notes(), ["start", "ready", "waiting door", "done door"]);
    assert_eq!(actor.status().tallies.expired, 1);
}

#[tokio::test]
async fn messages_keep_their_order_and_signals_overtake() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    let busy = tokio::spawn({
        let actor = actor.clone();
        async move { ask(&actor, "wait", "door").await }
    });
    stage.noted(3).await;
    for text in ["1", "2", "3"] {
        actor.tell(route("note"), Bytes::from_static(text.as_bytes())).await.unwrap();
    }
    let urgent = CallOptions { priority: Priority::Signal, ..CallOptions::default() };
    node.tell(actor.id(), route("note"), Bytes::from_static(b"urgent"), urgent).await.unwrap();
    stage.open("door");
    busy.await.unwrap();
    assert_eq!(stage.noted(8).await[3..], ["done door", "urgent", "1", "2", "3"]);
}

#[tokio::test]
async fn a_repeated_request_is_handled_once() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    let options = || CallOptions { request_id: Some("r-1".parse().unwrap()), ..CallOptions::default() };
    let first = tokio::spawn({
        let (actor, options) = (actor.clone(), options());
        async move { show(actor.call_with(route("wait"), Bytes::from_static(b"door"), options).await) }
    });
    stage.noted(3).await;
    let second = tokio::spawn({
        let (actor, options) = (actor.clone(), options());
        async move { show(actor.call_with(route("wait"), Bytes::from_static(b"door"), options).await) }
    });
    stage.open("door");
    assert_eq!((first.await.unwrap().as_str(), second.await.unwrap().as_str()), ("door", "door"));
    assert_eq!(show(actor.call_with(route("wait"), Bytes::from_static(b"door"), options()).await), "door");
    assert_eq!(ask(&actor, "count", "").await, "2");
}

#[tokio::test]
async fn concurrent_and_keyed_actors_overlap_as_declared() {
    let (node, stage) = (node(), Stage::default());
    let two = NonZeroU32::new(2).unwrap();
    let actor = chorus(&node, &stage, Concurrency::Concurrent(two)).await;
    let ask_in_task = |actor: &playhouse_node::ActorRef, text: &'static str| {
        let actor = actor.clone();
        tokio::spawn(async move { ask(&actor, "wait", text).await })
    };
    let calls: Vec<_> = ["a", "b", "c"].map(|text| ask_in_task(&actor, text)).into();
    stage.noted(2).await;
    until(|| actor.status().queued == 1).await;
    assert_eq!(actor.status().running, 2);
    for door in ["a", "b", "c"] {
        stage.open(door);
    }
    for call in calls {
        call.await.unwrap();
    }

    // Keyed by field 1: two messages with one key never overlap, those of another key do.
    let stage = Stage::default();
    let keyed = chorus(&node, &stage, Concurrency::Keyed { by: KeyBy::Field(vec![1]), lanes: two }).await;
    let calls: Vec<_> =
        ["\n\u{1}x\u{12}\u{1}1", "\n\u{1}x\u{12}\u{1}2", "\n\u{1}y"].map(|text| ask_in_task(&keyed, text)).into();
    stage.noted(2).await;
    until(|| keyed.status().queued == 1).await;
    let waiting = stage.notes();
    assert!(waiting.contains(&"waiting \n\u{1}y".to_owned()), "{waiting:?}");
    for door in ["\n\u{1}x\u{12}\u{1}1", "\n\u{1}x\u{12}\u{1}2", "\n\u{1}y"] {
        stage.open(door);
    }
    for call in calls {
        call.await.unwrap();
    }
}

#[tokio::test]
async fn a_serial_program_cannot_be_concurrent() {
    let (node, stage) = (node(), Stage::default());
    let concurrency = Some(Concurrency::Concurrent(NonZeroU32::new(2).unwrap()));
    let factory = move || crate::support::Player::new(&stage);
    let linked = node.link(actor_type("A"), factory, ActorOptions { concurrency, ..ActorOptions::default() }).await;
    expect!["test:A:1 runs on an engine that handles one message at a time; it cannot be concurrent or keyed"]
        .assert_eq(&linked.unwrap_err().to_string());
}

#[tokio::test]
async fn stopping_answers_everybody_and_runs_the_last_hook() {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    let tasks = ["wait", "echo"].map(|name| {
        let actor = actor.clone();
        tokio::spawn(async move { ask(&actor, name, "door").await })
    });
    until(|| actor.status().running == 1 && actor.status().queued == 1).await;
    let stopped = tokio::spawn({
        let node = node.clone();
        async move { node.shutdown(Duration::from_secs(5)).await }
    });
    until(|| actor.status().state.name() == "stopping").await;
    stage.open("door");
    stopped.await.unwrap();
    let [first, second] = tasks;
    assert_eq!(first.await.unwrap(), "door");
    assert_eq!(second.await.unwrap(), "unavailable: 1@7/test:Player:1 has been stopped [actor-stopped]");
    assert_eq!(stage.notes().last().unwrap(), "stop");
    assert_eq!(ask(&actor, "echo", "").await, "unavailable: 1@7/test:Player:1 has been stopped [actor-stopped]");
    assert!(node.actors().is_empty());
}

#[test]
fn calls_work_from_outside_the_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (node, stage) = (runtime.block_on(async { node() }), Stage::default());
    let actor = runtime.block_on(player(&node, &stage, "Player", ActorOptions::default()));
    stage.open("door");
    assert_eq!(futures_util::FutureExt::now_or_never(ask(&actor, "echo", "hi")).unwrap(), "hi");
    let reply = std::thread::spawn(move || pollster(ask(&actor, "wait", "door"))).join().unwrap();
    assert_eq!(reply, "door");
}

/// The smallest executor.
fn pollster<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
