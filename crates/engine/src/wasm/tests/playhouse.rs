use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use expect_test::{Expect, expect};
use playhouse_types::{
    ActorError, Code, DataChunk, ErrorCategory, ErrorEvent, ErrorKind, Event, PeerEvent, RuntimeEvent, Timestamp,
};

use super::kit::{Actor, PLAYHOUSE, Source, other_id, request};

/// Replies with the payload.
pub(super) const ECHO: &str = "
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1032) (local.get $p2))
    (i32.store (i32.const 1036) (local.get $p3))
    (i32.const 1024)";

async fn check(body: &str, payload: &[u8], expected: &Expect) {
    let actor = Actor::new(&Source { wit: PLAYHOUSE, bodies: &[("handle", body)], more: "" }).await;
    expected.assert_eq(&actor.ask(payload).await);
}

/// A reply that shows the string whose place is stored at an address of the memory.
fn shows(address: u32) -> String {
    let (at, length) = (format!("(i32.load (i32.const {address}))"), format!("(i32.load (i32.const {}))", address + 4));
    ECHO.replace("(local.get $p2)", &at).replace("(local.get $p3)", &length)
}

#[tokio::test]
async fn answers_requests() {
    check(ECHO, b"hello", &expect![[r#"ok "hello""#]]).await;
    check(ECHO, b"", &expect![[r#"ok """#]]).await;
}

#[tokio::test]
async fn tells_the_route() {
    check(&ECHO.replace("$p2", "$p0").replace("$p3", "$p1"), b"", &expect![[r#"ok "echo.Echo.Echo""#]]).await;
}

#[tokio::test]
async fn says_who_is_asked_by_whom_for_what() {
    let shown = |getter: &str, address| format!("(call ${getter} (i32.const 2048)) {}", shows(address));
    check(&shown("self-id", 2048 + 16), b"", &expect![[r#"ok "acme""#]]).await;
    check(&shown("self-id", 2048 + 24), b"", &expect![[r#"ok "Echo""#]]).await;
    check(&shown("self-id", 2048 + 32), b"", &expect![[r#"ok "1.0.0""#]]).await;
    check(&shown("caller", 2048 + 32), b"", &expect![[r#"ok "Other""#]]).await;
    check(&shown("request-id", 2048), b"", &expect![[r#"ok "local-5""#]]).await;
}

/// The reply has as many bytes as the option says milliseconds, or 7 if it says none.
#[tokio::test]
async fn says_how_long_somebody_waits() {
    let body = "
        (call $time-left-ms (i32.const 2048))
        (i32.store (i32.const 1032) (i32.const 4096))
        (i32.store (i32.const 1036) (i32.const 7))
        (if (i32.load8_u (i32.const 2048)) (then (i32.store (i32.const 1036) (i32.load (i32.const 2056)))))
        (i32.const 1024)";
    let actor = Actor::new(&Source { wit: PLAYHOUSE, bodies: &[("handle", body)], more: "" }).await;
    let now = Instant::now();
    let mut seen = Vec::new();
    for deadline in [None, Some(now), Some(now + Duration::from_secs(60))] {
        let event = request(b"");
        let context = crate::Context { deadline, ..actor.context(&event) };
        seen.push(Arc::clone(&actor.workload).run(context, event).await.unwrap().len());
    }
    assert_eq!(seen[..2], [7, 0]);
    assert!((50_000..=60_000).contains(&seen[2]), "{seen:?}");
}

/// Every request allocates its future. 1,704 bytes of it are wasmtime's own call.
#[tokio::test]
async fn a_request_is_small() {
    let actor = Actor::new(&Source { wit: PLAYHOUSE, bodies: &[("handle", ECHO)], more: "" }).await;
    let bytes = size_of_val(&*actor.start(request(b"")));
    assert!(bytes <= 3 << 10, "{bytes} bytes");
}

/// Every hook but the last logs its name, in the data that stands at 2048 + 32 n.
#[tokio::test]
async fn delivers_every_event() {
    let names = ["on-start", "on-ready", "on-stop", "on-error"];
    let mut data = String::new();
    let mut bodies = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let at = 2048 + 32 * n;
        data.push_str(&format!("(data (i32.const {at}) \"{name}\")"));
        bodies.push((
            *name,
            format!("(call $log (i32.const 3) (i32.const {at}) (i32.const {})) (i32.const 1024)", name.len()),
        ));
    }
    let number = "(i32.store8 (i32.const 3000) (i32.add (i32.const 65) (local.get $p0)))
        (call $log (i32.const 1) (i32.const 3000) (i32.const 1))";
    bodies.push(("on-runtime", number.to_owned()));
    let payload = "(call $log (i32.const 0) (i32.load offset=16 (local.get $p0)) (i32.load offset=20 (local.get $p0)))
        (i32.const 1024)";
    bodies.push(("on-chunk", payload.to_owned()));
    let bodies: Vec<_> = bodies.iter().map(|(name, body)| (*name, body.as_str())).collect();
    let actor = Actor::new(&Source { wit: PLAYHOUSE, bodies: &bodies, more: &data }).await;

    for event in all_events() {
        assert_eq!(actor.tell(event).await, r#"ok """#);
    }
    expect![[r#"
        warn: on-start
        warn: on-ready
        debug: A
        debug: B
        debug: C
        debug: D
        debug: E
        debug: F
        debug: G
        debug: H
        debug: I
        debug: J
        debug: K
        debug: L
        trace: piece
        warn: on-error
        warn: on-stop"#]]
    .assert_eq(&actor.host.logs.lock().join("\n"));
}

/// One event of each kind but requests.
pub(super) fn all_events() -> Vec<Event> {
    use RuntimeEvent as E;
    let peer = || PeerEvent { peer: other_id(), relayed: Some(true) };
    let new_expiry = Timestamp::clamped(1_700_000_000, 5);
    let runtime = [
        E::SignalingConnecting,
        E::SignalingConnected,
        E::SignalingDisconnected,
        E::WebsocketConnecting(peer()),
        E::WebsocketConnected(peer()),
        E::WebsocketDisconnected(peer()),
        E::WebrtcConnecting(peer()),
        E::WebrtcConnected(peer()),
        E::WebrtcDisconnected(peer()),
        E::CredentialRenewed { new_expiry },
        E::CredentialExpiring { new_expiry },
        E::MailboxBackpressure { queue_len: 9, threshold: 8 },
    ];
    let chunk = DataChunk {
        stream_id: "s".parse().unwrap(),
        sequence: 3,
        payload: Bytes::from_static(b"piece"),
        metadata: vec![("k".into(), "v".into())],
        timestamp_ms: Some(-1),
    };
    let error = ErrorEvent {
        source: ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "full"),
        category: ErrorCategory::StreamDeliveryUncertain,
        context: "link".into(),
        timestamp: new_expiry,
    };
    let mut events = vec![Event::Start, Event::Ready];
    events.extend(runtime.map(Event::Runtime));
    events.push(Event::Chunk { chunk, sender: other_id() });
    events.push(Event::Error(error));
    events.push(Event::Stop);
    events
}
