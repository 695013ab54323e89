//! `actr:workload@0.2.0`: several events at a time in one instance.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use futures_util::future::{join, join_all, poll_immediate};
use playhouse_types::{ActorError, Code, ErrorKind, HostOp, HostReply, RequestId};
use tokio::sync::Semaphore;

use super::kit::{Actor, FakeHost, load};
use super::lifted::{actor, ask};
use super::playhouse::all_events;
use crate::{Concurrency, Failure, Limits, Outcome};

const V2: &[u8] = include_bytes!("../../../tests/fixtures/actr-v2.wasm");

async fn echo() -> Actor {
    actor(V2, FakeHost::echo(), Limits::default()).await
}

/// A host whose calls echo once the semaphore has a permit for each.
fn gated() -> (Arc<FakeHost>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let theirs = Arc::clone(&gate);
    let host = FakeHost::with(Box::new(move |op| {
        let gate = Arc::clone(&theirs);
        let payload = match op {
            HostOp::Call { payload, .. } => payload.clone(),
            _ => bytes::Bytes::new(),
        };
        Box::pin(async move {
            gate.acquire().await.unwrap().forget();
            Ok(HostReply::Bytes(payload))
        })
    }));
    (host, gate)
}

fn text(outcome: Outcome) -> String {
    match outcome {
        Ok(bytes) => format!("ok {}", String::from_utf8_lossy(&bytes)),
        Err(Failure::Error(error)) => format!("error {error:?}"),
        Err(Failure::Crash(error)) => format!("crash {error:?}"),
    }
}

/// Without the guest's stack, which depends on how the guest was compiled.
fn short(text: &str) -> &str {
    text.split("; at ").next().unwrap_or_default()
}

#[tokio::test]
async fn answers_requests_and_asks_its_host() {
    assert_eq!(load(V2).unwrap().concurrency(), Concurrency::Shared);
    let actor = echo().await;
    let mut seen = Vec::new();
    for (route, payload) in [
        ("echo", "hello"),
        ("count", ""),
        ("count", ""),
        ("who", ""),
        ("call", "ping"),
        ("call-raw", "raw"),
        ("tell", "told"),
        ("discover", "Other"),
        ("register", "s1"),
        ("unregister", "s1"),
        ("send", "piece"),
        ("log", "a line"),
        ("fail", "no such thing"),
        ("send-media", "x"),
        ("register", ""),
        ("nothing", ""),
        ("call-forged", "x"),
    ] {
        seen.push(format!("{route}: {}", actor.tell(ask(route, payload)).await));
    }
    seen.append(&mut actor.host.ops.lock());
    seen.append(&mut actor.host.logs.lock());
    expect![[r#""#]].assert_eq(&seen.join("\n"));
}

#[tokio::test]
async fn takes_every_event() {
    let actor = echo().await;
    let mut seen = Vec::new();
    for event in all_events() {
        seen.push(actor.tell(event).await);
    }
    seen.append(&mut actor.host.logs.lock());
    expect![[r#""#]].assert_eq(&seen.join("\n"));
}

#[tokio::test]
async fn errors_of_its_host_pass_through_it() {
    let error = ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "full");
    let host = FakeHost::new(move |_| Err(error.clone()));
    let actor = actor(V2, host, Limits::default()).await;
    expect![[r#""#]].assert_eq(&actor.tell(ask("call", "x")).await);
}

/// Each waits for its host while the others do, and each import is its own event's.
#[tokio::test]
async fn events_interleave_in_one_instance() {
    let (host, gate) = gated();
    let actor = actor(V2, host, Limits::default()).await;
    let run = |n: u64| {
        let event = ask("overlap", if n == 1 { "first" } else { "second" });
        let context = crate::Context { request_id: RequestId::from_number(n), ..actor.context(&event) };
        Arc::clone(&actor.workload).run(context, event)
    };
    let (mut first, mut second) = (run(1), run(2));
    // Polled until both wait for their host, which has given no permit.
    while asked(&actor) < 2 {
        assert!(poll_immediate(&mut first).await.is_none() && poll_immediate(&mut second).await.is_none());
        tokio::task::yield_now().await;
    }
    gate.add_permits(2);
    let (first, second) = join(first, second).await;
    // `overlap` counts how many were under way when it came back.
    let seen = [text(first), text(second), actor.host.ops.lock().join("\n")].join("\n");
    expect![[r#""#]].assert_eq(&seen);
}

#[tokio::test]
async fn many_tasks_share_an_instance() {
    let actor = Arc::new(echo().await);
    let tasks = (0..50).map(|_| {
        let actor = Arc::clone(&actor);
        tokio::spawn(async move { actor.tell(ask("call", "ping")).await })
    });
    for answer in join_all(tasks).await {
        assert_eq!(answer.unwrap(), r#"ok "ping""#);
    }
}

/// The trap of one event fails all that are in progress, and the workload is lost.
#[tokio::test]
async fn a_trap_fails_all_events_in_progress() {
    let (host, _gate) = gated();
    let actor = actor(V2, host, Limits::default()).await;
    let waiting = actor.start(ask("call", "x"));
    let trapping = actor.start(ask("trap", ""));
    let (waiting, trapping) = join(waiting, trapping).await;
    let after = actor.tell(ask("echo", "x")).await;
    let seen = [text(waiting), text(trapping), after];
    expect![[r#""#]].assert_eq(&seen.each_ref().map(|text| short(text)).join("\n"));
    assert!(actor.workload.is_lost());
}

#[tokio::test]
async fn what_it_may_not_do_ends_it() {
    let limits = Limits {
        memory_bytes: 4 << 20,
        cpu: Duration::from_millis(40),
        host_calls: 100,
        log_bytes: 2_500,
        reply_bytes: 1_000,
        ..Limits::default()
    };
    let mut seen = Vec::new();
    for route in ["loop", "memory", "log-flood", "giant"] {
        let actor = actor(V2, FakeHost::echo(), limits.clone()).await;
        let answer = actor.tell(ask(route, "")).await;
        seen.push(format!("{route}: {}; {} lines", short(&answer), actor.host.logs.lock().len()));
    }
    expect![[r#""#]].assert_eq(&seen.join("\n"));
}

/// Dropping a run ends its operations, and the guest goes on with the others.
#[tokio::test]
async fn an_event_that_is_given_up_harms_no_other() {
    let (host, gate) = gated();
    let actor = actor(V2, host, Limits::default()).await;
    give_up(&actor, "call").await;
    assert!(!actor.workload.is_lost());
    assert_eq!(actor.tell(ask("echo", "still here")).await, r#"ok "still here""#);
    gate.add_permits(1);
    assert_eq!(actor.tell(ask("call", "y")).await, r#"ok "y""#);
}

#[tokio::test]
async fn more_events_than_it_may_have_are_refused() {
    let (host, _gate) = gated();
    let actor = actor(V2, host, Limits::default()).await;
    let mut runs: Vec<_> = (0..256).map(|_| actor.start(ask("call", "x"))).collect();
    for run in &mut runs {
        assert!(poll_immediate(run).await.is_none());
    }
    expect![[r#""#]].assert_eq(&actor.tell(ask("echo", "x")).await);
}

/// Events that were given up and never end make the workload useless.
#[tokio::test]
async fn a_hanging_guest_counts_as_lost() {
    let (host, _gate) = gated();
    let actor = actor(V2, host, Limits::default()).await;
    for _ in 0..127 {
        give_up(&actor, "hang").await;
    }
    assert_eq!(actor.tell(ask("echo", "x")).await, r#"ok "x""#);
    give_up(&actor, "hang").await;
    assert_eq!(actor.tell(ask("echo", "x")).await, r#"error unavailable: the workload is lost [actor-restarting] (lost)"#);
}

/// How many operations the host was asked for.
fn asked(actor: &Actor) -> usize {
    actor.host.ops.lock().len()
}

/// Drops an event while the guest waits for its host.
async fn give_up(actor: &Actor, route: &'static str) {
    let before = asked(actor);
    let mut run = actor.start(ask(route, "x"));
    while asked(actor) == before {
        assert!(poll_immediate(&mut run).await.is_none());
        tokio::task::yield_now().await;
    }
}
