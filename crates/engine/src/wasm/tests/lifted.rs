//! Components of the shape that actr 0.3's toolchain makes, from `guests/actr`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use playhouse_types::{ActorError, Code, DataChunk, ErrorKind, Event, HostOp, HostReply, RouteKey};

use super::kit::{Actor, FakeHost, load, other_id, self_id};
use super::playhouse::all_events;
use crate::{Concurrency, Limits, Seed};

const A: &[u8] = include_bytes!("../../../tests/fixtures/actr-a.wasm");
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
        &expect![[r#""#]],
    )
    .await;
}

#[tokio::test]
async fn ask_their_host() {
    check(
        &[A, A_WASI, B],
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
        &expect![[r#""#]],
    )
    .await;
    check(&[C], &[("call", "ping"), ("send", "piece")], &expect![[r#""#]]).await;
}

#[tokio::test]
async fn errors_reach_their_callers() {
    check(
        &[A, A_WASI, B, C],
        &[("fail", "no such thing"), ("send-media", "x"), ("register", ""), ("discover", "a b")],
        &expect![[r#""#]],
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
    expect![[r#""#]].assert_eq(&seen.join("\n"));
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
        expect![[r#""#]].assert_eq(&seen.join("\n"));
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
        expect![[r#""#]].assert_eq(&format!("{known}\n{unknown}\n{}", actor.host.ops.lock().join("\n")));
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
    expect![[r#""#]].assert_eq(&actor.tell(ask("call-twice", "x")).await);
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
    for component in [A, A_WASI] {
        let mut seen = Vec::new();
        for route in ["trap", "hang", "loop", "memory", "log-flood", "giant"] {
            let actor = actor(component, FakeHost::echo(), limits.clone()).await;
            let answer = actor.tell(ask(route, "")).await;
            // Where in the guest it was depends on how the guest was compiled.
            let answer = answer.split("; at ").next().unwrap_or_default().to_owned();
            let logged = actor.host.logs.lock().len();
            seen.push(format!("{route}: {answer}; {logged} lines; lost {}", actor.workload.is_lost()));
        }
        expect![[r#""#]].assert_eq(&seen.join("\n"));
    }
}
