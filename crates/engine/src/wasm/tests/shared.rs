//! `actr:workload@0.2.0`: several events at a time in one instance.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use futures_util::future::{join, join_all, poll_immediate};
use playhouse_types::{ActorError, Code, ErrorKind, HostOp, HostReply, RequestId};
use tokio::sync::Semaphore;

use super::kit::{Actor, FakeHost, load};
use super::lifted::{A, actor, ask, short};
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
    expect![[r#"
        echo: ok "hello"
        count: ok "1"
        count: ok "2"
        who: ok "1a@7/acme:Echo:1.0.0 asked by 2b@7/acme:Other:2.0.0 in local-5 as local-5"
        call: ok "ping"
        call-raw: ok "raw"
        tell: ok ""
        discover: ok "2b@7/acme:Other:2.0.0"
        register: ok ""
        unregister: ok ""
        send: ok ""
        log: ok ""
        fail: error invalid argument: no such thing
        send-media: error invalid argument: chunks travel as stream-reliable or stream-latency-first [stream-class]
        register: error invalid argument: stream id "" is empty [malformed-operation]
        nothing: error unknown route: nothing
        call-forged: error invalid argument: it is asked for no event in progress; the one that was meant is over, was given up, or never was [malformed-operation]
        local-5 Call { dest: Shell, route: "app.Service.Method", payload: b"ping" }
        local-5 Call { dest: Actor(1a@7/acme:Echo:1.0.0), route: "peer.Service.Method", payload: b"raw" }
        local-5 Tell { dest: Shell, route: "app.Service.Method", payload: b"told" }
        local-5 Discover { actor_type: acme:Other:1.0.0 }
        local-5 RegisterStream { stream_id: "s1" }
        local-5 UnregisterStream { stream_id: "s1" }
        local-5 SendChunk { dest: Shell, chunk: DataChunk { stream_id: "s1", sequence: 7, payload_bytes: 5, metadata_entries: 1, timestamp_ms: Some(-1) }, class: StreamReliable }
        warn: a line"#]].assert_eq(&seen.join("\n"));
}

#[tokio::test]
async fn takes_every_event() {
    let actor = echo().await;
    let mut seen = Vec::new();
    for event in all_events() {
        seen.push(actor.tell(event).await);
    }
    seen.append(&mut actor.host.logs.lock());
    expect![[r#"
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        ok ""
        error not found: s
        error unavailable: full [mailbox-full]
        error internal error: would rather not
        info: start lifecycle:on_start
        info: ready lifecycle:on_ready
        info: signaling connecting hook:on_signaling_connecting
        info: signaling connected hook:on_signaling_connected
        info: signaling disconnected hook:on_signaling_disconnected
        info: 2b@7/acme:Other:2.0.0 hook:on_websocket_connecting
        info: 2b@7/acme:Other:2.0.0 hook:on_websocket_connected
        info: 2b@7/acme:Other:2.0.0 hook:on_websocket_disconnected
        info: 2b@7/acme:Other:2.0.0 hook:on_webrtc_connecting
        info: 2b@7/acme:Other:2.0.0 relayed Some(true) hook:on_webrtc_connected
        info: 2b@7/acme:Other:2.0.0 hook:on_webrtc_disconnected
        info: 1700000000 hook:on_credential_renewed
        info: 1700000000 hook:on_credential_expiring
        info: 9 of 8 hook:on_mailbox_backpressure
        info: chunk 3 of s from 2b@7/acme:Other:2.0.0 data-stream:s:3
        info: link hook:on_error
        info: stop lifecycle:on_stop"#]]
    .assert_eq(&seen.join("\n"));
}

#[tokio::test]
async fn errors_of_its_host_pass_through_it() {
    let error = ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "full");
    let host = FakeHost::new(move |_| Err(error.clone()));
    let actor = actor(V2, host, Limits::default()).await;
    expect!["error unavailable: full [mailbox-full]"].assert_eq(&actor.tell(ask("call", "x")).await);
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
    expect![[r#"
        ok first 2
        ok second 1
        local-1 Call { dest: Shell, route: "app.Service.Method", payload: b"first" }
        local-2 Call { dest: Shell, route: "app.Service.Method", payload: b"second" }"#]]
    .assert_eq(&seen);
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
    expect![[r#"
        crash internal error: the guest trapped: wasm trap: wasm `unreachable` instruction executed [guest-trap]
        crash internal error: the guest trapped: wasm trap: wasm `unreachable` instruction executed [guest-trap]
        error unavailable: the workload is lost [actor-restarting] (lost)"#]]
    .assert_eq(&seen.map(|text| short(&text)).join("\n"));
    assert!(actor.workload.is_lost());
}

/// A loop keeps the instance to itself: events that come meanwhile do not begin, and so give it no new budget. All end
/// with it, those too that waited for their host.
#[tokio::test]
async fn a_loop_ends_all_events_in_progress() {
    let (host, _gate) = gated();
    let actor = actor(V2, host, Limits { cpu: Duration::from_millis(40), ..Limits::default() }).await;
    let waiting = actor.start(ask("call", "x"));
    let looping = actor.start(ask("loop", ""));
    let late = async {
        let mut late = Vec::new();
        for _ in 0..100 {
            let mut run = actor.start(ask("echo", "x"));
            late.extend(poll_immediate(&mut run).await);
            tokio::task::yield_now().await;
        }
        late.retain(|outcome| outcome.is_ok());
        late.len()
    };
    let ((waiting, looping), late) = join(join(waiting, looping), late).await;
    let seen = [waiting, looping].map(|outcome| short(&text(outcome)));
    expect![[r#"
        crash internal error: the guest computed longer than 40ms in one event [guest-cpu-limit]
        crash internal error: the guest computed longer than 40ms in one event [guest-cpu-limit]
        0 echoes"#]]
    .assert_eq(&format!("{}\n{late} echoes", seen.join("\n")));
    assert!(actor.workload.is_lost());
}

/// A panic of the host's is an error for the event that asked, and for no other.
#[tokio::test]
async fn a_panic_of_its_host_is_one_error() {
    for when_called in [true, false] {
        let host = FakeHost::with(Box::new(move |_| {
            assert!(!when_called, "a bug of the host's");
            Box::pin(async { panic!("a bug of the host's") })
        }));
        for component in [V2, A] {
            let actor = actor(component, Arc::clone(&host), Limits::default()).await;
            let answers = [actor.tell(ask("call", "x")).await, actor.tell(ask("echo", "still here")).await];
            expect![[r#"
                error internal error: the host panicked while it performed an operation
                ok "still here""#]]
            .assert_eq(&answers.join("\n"));
        }
    }
}

#[tokio::test]
async fn runs_with_a_stack_of_another_size() {
    let actor = actor(V2, FakeHost::echo(), Limits { stack_bytes: 200 << 10, ..Limits::default() }).await;
    assert_eq!(actor.tell(ask("call", "ping")).await, r#"ok "ping""#);
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
    expect![[r#"
        loop: crash internal error: the guest computed longer than 40ms in one event [guest-cpu-limit] (lost); 0 lines
        memory: crash internal error: the guest wanted 4521984 bytes of memory, the limit is 4194304 [guest-memory-limit] (lost); 0 lines
        log-flood: crash internal error: the guest asked for more than 100 host operations in one event [guest-host-call-limit] (lost); 4 lines
        giant: error internal error: the reply has 1048576 bytes, the limit is 1000 [guest-reply-limit]; 0 lines"#]].assert_eq(&seen.join("\n"));
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
    expect!["error unavailable: 256 events are in progress in the workload [mailbox-full]"]
        .assert_eq(&actor.tell(ask("echo", "x")).await);
}

/// Events that were given up end when the guest next runs. Until then they count, and with half of all that there can
/// be the workload counts as lost.
#[tokio::test]
async fn too_many_events_that_were_given_up_make_it_lost() {
    let (host, _gate) = gated();
    let actor = actor(V2, host, Limits::default()).await;
    for given_up in [127, 128] {
        let mut runs: Vec<_> = (0..given_up).map(|_| actor.start(ask("call", "x"))).collect();
        for run in &mut runs {
            assert!(poll_immediate(run).await.is_none());
        }
        assert!(!actor.workload.is_lost());
        drop(runs);
        let answer = actor.tell(ask("echo", "x")).await;
        match given_up {
            127 => assert_eq!(answer, r#"ok "x""#),
            _ => assert_eq!(answer, "error unavailable: the workload is lost [actor-restarting] (lost)"),
        }
    }
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
        assert_eq!(poll_immediate(&mut run).await.map(text), None);
        tokio::task::yield_now().await;
    }
}
