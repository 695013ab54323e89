//! Components of the shape that actr 0.3's toolchain makes, from `guests/actr`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use playhouse_types::{ActorError, Code, DataChunk, ErrorKind, Event, HostOp, HostReply, RouteKey};

use super::kit::{Actor, FakeHost, load, other_id, self_id};
use super::playhouse::all_events;
use crate::{Concurrency, Limits, Seed};

pub(super) const A: &[u8] = include_bytes!("../../../tests/fixtures/actr-a.wasm");
const A_WASI: &[u8] = include_bytes!("../../../tests/fixtures/actr-a-wasip2.wasm");
const B: &[u8] = include_bytes!("../../../tests/fixtures/actr-b.wasm");
const C: &[u8] = include_bytes!("../../../tests/fixtures/actr-c.wasm");

/// One of the components in `tests/fixtures`.
pub(super) async fn actor(component: &[u8], host: Arc<FakeHost>, limits: Limits) -> Actor {
    let prepared = load(component).unwrap();
    let seed = Seed { self_id: self_id(), host: host.clone(), limits: Arc::new(limits) };
    Actor { workload: prepared.create(seed).await.unwrap(), host }
}

pub(super) fn ask(route: &'static str, payload: &str) -> Event {
    Event::Request { route: RouteKey::from_static(route), payload: Bytes::copy_from_slice(payload.as_bytes()) }
}

/// What comes of requests, the operations that they led to, and the log, the same for all components given.
async fn check(components: &[&[u8]], requests: &[(&'static str, &str)], expected: &Expect) {
    for component in components {
        let actor = actor(component, FakeHost::echo(), Limits::default()).await;
        let mut seen = Vec::new();
        for (route, payload) in requests {
            seen.push(format!("{route}: {}", actor.tell(ask(route, payload)).await));
        }
        seen.append(&mut actor.host.ops.lock());
        seen.append(&mut actor.host.logs.lock());
        expected.assert_eq(&seen.join("\n"));
    }
}

#[tokio::test]
async fn they_run_one_event_at_a_time() {
    for component in [A, A_WASI, B, C] {
        assert_eq!(load(component).unwrap().concurrency(), Concurrency::Serial);
    }
}

#[tokio::test]
async fn answer_requests_and_keep_their_state() {
    check(
        &[A, A_WASI, B, C],
        &[("echo", "hello"), ("count", ""), ("count", ""), ("who", ""), ("nothing", "")],
        &expect![[r#"
            echo: ok "hello"
            count: ok "1"
            count: ok "2"
            who: ok "1a@7/acme:Echo:1.0.0 asked by 2b@7/acme:Other:2.0.0 in local-5 as local-5"
            nothing: error unknown route: nothing"#]],
    )
    .await;
}

#[tokio::test]
async fn ask_their_host() {
    check(
        &[A, A_WASI, B, C],
        &[
            ("call", "ping"),
            ("call-twice", "both"),
            ("call-raw", "raw"),
            ("tell", "told"),
            ("discover", "Other"),
            ("register", "s1"),
            ("unregister", "s1"),
            ("send", "piece"),
            ("log", "a line"),
        ],
        &expect![[r#"
            call: ok "ping"
            call-twice: ok "bothboth"
            call-raw: ok "raw"
            tell: ok ""
            discover: ok "2b@7/acme:Other:2.0.0"
            register: ok ""
            unregister: ok ""
            send: ok ""
            log: ok ""
            local-5 Call { dest: Shell, route: "app.Service.Method", payload: b"ping" }
            local-5 Call { dest: Shell, route: "app.Service.First", payload: b"both" }
            local-5 Call { dest: Shell, route: "app.Service.Second", payload: b"both" }
            local-5 Call { dest: Actor(1a@7/acme:Echo:1.0.0), route: "peer.Service.Method", payload: b"raw" }
            local-5 Tell { dest: Shell, route: "app.Service.Method", payload: b"told" }
            local-5 Discover { actor_type: acme:Other:1.0.0 }
            local-5 RegisterStream { stream_id: "s1" }
            local-5 UnregisterStream { stream_id: "s1" }
            local-5 SendChunk { dest: Shell, chunk: DataChunk { stream_id: "s1", sequence: 7, payload_bytes: 5, metadata_entries: 1, timestamp_ms: Some(-1) }, class: StreamReliable }
            warn: a line"#]],
    )
    .await;
}

#[tokio::test]
async fn errors_reach_their_callers() {
    check(
        &[A, A_WASI, B, C],
        &[("fail", "no such thing"), ("send-media", "x"), ("register", ""), ("discover", "a b")],
        &expect![[r#"
            fail: error invalid argument: no such thing
            send-media: error invalid argument: chunks travel as stream-reliable or stream-latency-first [stream-class]
            register: error invalid argument: stream id "" is empty [malformed-operation]
            discover: error invalid argument: name "a b" has a character other than letters, digits, '-', '_' and '.' [malformed-operation]"#]],
    )
    .await;
}

#[tokio::test]
async fn errors_of_their_host_pass_through_them() {
    let mut seen = Vec::new();
    let not_ready = ActorError::connection_not_ready(Some(50), "");
    let full = ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "full");
    let missing = ActorError::dependency_not_found("svc", "not listed");
    for error in [full, missing, not_ready, ActorError::new(ErrorKind::TimedOut, "")] {
        for component in [A, B] {
            let error = error.clone();
            let host = FakeHost::new(move |_| Err(error.clone()));
            seen.push(actor(component, host, Limits::default()).await.tell(ask("call", "x")).await);
        }
    }
    expect![[r#"
        error unavailable: full [mailbox-full]
        error unavailable: full [mailbox-full]
        error dependency 'svc' not found: not listed
        error dependency 'svc' not found: not listed
        error unavailable: connection not ready, retry after 50 ms: 
        error unavailable: 
        error timed out
        error timed out"#]]
    .assert_eq(&seen.join("\n"));
}

#[tokio::test]
async fn take_every_event() {
    for component in [A, A_WASI, B, C] {
        let actor = actor(component, FakeHost::echo(), Limits::default()).await;
        let mut seen = Vec::new();
        for event in all_events() {
            let answer = actor.tell(event).await;
            if answer != r#"ok """# {
                seen.push(answer);
            }
        }
        seen.append(&mut actor.host.logs.lock());
        expect![[r#"
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
}

#[tokio::test]
async fn take_chunks_of_their_streams() {
    let chunk = |stream: &str| DataChunk {
        stream_id: stream.parse().unwrap(),
        sequence: 3,
        payload: Bytes::from_static(b"piece"),
        metadata: vec![("k".into(), "v".into())],
        timestamp_ms: Some(-1),
    };
    for component in [A, C] {
        let actor = actor(component, FakeHost::echo(), Limits::default()).await;
        let known = actor.tell(Event::Chunk { chunk: chunk("s1"), sender: other_id() }).await;
        let unknown = actor.tell(Event::Chunk { chunk: chunk("s2"), sender: other_id() }).await;
        expect![[r#"
            ok ""
            error not found: s2
            data-stream:s1:3 Tell { dest: Shell, route: "app.Service.Chunk", payload: b"piece" }"#]]
        .assert_eq(&format!("{known}\n{unknown}\n{}", actor.host.ops.lock().join("\n")));
    }
}

/// The guest waits in its event loop, for two operations at once: neither ends before both have begun.
#[tokio::test]
async fn wait_for_slow_operations() {
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let host = FakeHost::with(Box::new(move |op| {
        let reply = match op {
            HostOp::Call { route, .. } => route.to_string(),
            other => format!("{other:?}"),
        };
        let both = Arc::clone(&both);
        Box::pin(async move {
            both.wait().await;
            Ok(HostReply::Bytes(reply.into()))
        })
    }));
    let actor = actor(A, host, Limits::default()).await;
    assert_eq!(actor.tell(ask("call-twice", "x")).await, r#"ok "app.Service.Firstapp.Service.Second""#);
}

/// Each ends alone, with its code; another instance takes the next event.
#[tokio::test]
async fn what_they_may_not_do_ends_them() {
    let limits = Limits {
        memory_bytes: 4 << 20,
        cpu: Duration::from_millis(40),
        host_calls: 100,
        log_bytes: 2_500,
        reply_bytes: 1_000,
        ..Limits::default()
    };
    let mut seen = Vec::new();
    for route in ["trap", "loop", "memory", "log-flood", "giant"] {
        let actor = actor(A, FakeHost::echo(), limits.clone()).await;
        let answer = actor.tell(ask(route, "")).await;
        seen.push(format!("{route}: {}; {} lines logged", short(&answer), actor.host.logs.lock().len()));
    }
    expect![[r#"
        trap: crash internal error: the guest trapped: wasm trap: wasm `unreachable` instruction executed [guest-trap] (lost); 0 lines logged
        loop: crash internal error: the guest computed longer than 40ms in one event [guest-cpu-limit] (lost); 0 lines logged
        memory: crash internal error: the guest wanted 4521984 bytes of memory, the limit is 4194304 [guest-memory-limit] (lost); 0 lines logged
        log-flood: crash internal error: the guest asked for more than 100 host operations in one event [guest-host-call-limit] (lost); 4 lines logged
        giant: error internal error: the reply has 1048576 bytes, the limit is 1000 [guest-reply-limit]; 0 lines logged"#]].assert_eq(&seen.join("\n"));
}

/// What a guest on WASI says before it aborts goes to its log.
#[tokio::test]
async fn panics_of_genuine_guests_are_logged() {
    let limits = Limits { memory_bytes: 4 << 20, ..Limits::default() };
    let actor = actor(A_WASI, FakeHost::echo(), limits).await;
    let answer = actor.tell(ask("memory", "")).await;
    expect![[r#"
        crash internal error: the guest wanted 4325376 bytes of memory, the limit is 4194304 [guest-memory-limit] (lost)
        warn: memory allocation of 1048576 bytes failed"#]]
    .assert_eq(&format!("{}\n{}", short(&answer), actor.host.logs.lock().join("\n")));
}

/// Without the guest's stack, which depends on how the guest was compiled.
pub(super) fn short(text: &str) -> String {
    match (text.split_once("; at "), text.rsplit_once(" [")) {
        (Some((message, _)), Some((_, code))) => format!("{message} [{code}"),
        _ => text.to_owned(),
    }
}
