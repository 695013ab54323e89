use expect_test::{Expect, expect};

use super::kit::{Actor, SHAPE_A, SHAPE_B, SHAPE_C, Source};
use super::playhouse::all_events;

const SHAPES: [(&str, &str); 3] = [("A", SHAPE_A), ("B", SHAPE_B), ("C", SHAPE_C)];

/// Where the reply stands: behind a discriminant, aligned as the error's widest field, which is a u64 in B and C.
fn reply_at(shape: &str) -> u32 {
    if shape == "A" { 1028 } else { 1032 }
}

/// Replies with what the two values say.
fn replies(shape: &str, pointer: &str, length: &str) -> String {
    let at = reply_at(shape);
    format!("(i32.store (i32.const {at}) {pointer}) (i32.store (i32.const {}) {length}) (i32.const 1024)", at + 4)
}

async fn check(body: impl Fn(&str) -> String, payload: &[u8], expected: &Expect) {
    let mut seen = Vec::new();
    for (shape, wit) in SHAPES {
        let actor = Actor::new(&Source { wit, bodies: &[("dispatch", &body(shape))], more: "" }).await;
        seen.push(format!("{shape}: {}", actor.ask(payload).await));
    }
    expected.assert_eq(&seen.join("\n"));
}

#[tokio::test]
async fn answers_requests_in_every_shape() {
    let echo = |shape: &str| replies(shape, "(local.get $p4)", "(local.get $p5)");
    check(
        echo,
        b"hello",
        &expect![[r#"
            A: ok "hello"
            B: ok "hello"
            C: ok "hello""#]],
    )
    .await;
    let route = |shape: &str| replies(shape, "(local.get $p2)", "(local.get $p3)");
    check(
        route,
        b"",
        &expect![[r#"
            A: ok "echo.Echo.Echo"
            B: ok "echo.Echo.Echo"
            C: ok "echo.Echo.Echo""#]],
    )
    .await;
}

/// The getters write to 2048: an actor id has 40 bytes, the type's name stands at 24; an option of it begins 8 later.
#[tokio::test]
async fn getters_describe_the_invocation() {
    for (getter, name_at, expected) in
        [("get-self-id", 2072, "Echo"), ("get-caller-id", 2080, "Other"), ("get-request-id", 2048, "local-5")]
    {
        let body = |shape: &str| {
            let get = format!("(call ${getter} (i32.const 2048))");
            let pointer = format!("(i32.load (i32.const {name_at}))");
            let length = format!("(i32.load (i32.const {}))", name_at + 4);
            get + &replies(shape, &pointer, &length)
        };
        for (shape, wit) in SHAPES {
            let actor = Actor::new(&Source { wit, bodies: &[("dispatch", &body(shape))], more: "" }).await;
            assert_eq!(actor.ask(b"").await, format!("ok {expected:?}"), "{getter} {shape}");
        }
    }
}

/// Every hook logs its name.
#[tokio::test]
async fn delivers_every_event_in_every_shape() {
    for (shape, wit) in SHAPES {
        let mut names = vec!["on-start", "on-ready"];
        names.extend(["on-signaling-connecting", "on-signaling-connected", "on-signaling-disconnected"]);
        names.extend(["on-websocket-connecting", "on-websocket-connected", "on-websocket-disconnected"]);
        names.extend(["on-webrtc-connecting", "on-webrtc-connected", "on-webrtc-disconnected"]);
        names.extend(["on-credential-renewed", "on-credential-expiring", "on-mailbox-backpressure"]);
        names.push(if shape == "C" { "on-data-chunk" } else { "on-data-stream" });
        names.extend(["on-error", "on-stop"]);
        let mut data = String::from("(data (i32.const 2000) \"debug\")");
        let mut bodies = Vec::new();
        for (n, name) in names.iter().enumerate() {
            let (at, length) = (2048 + 32 * n, name.len());
            data.push_str(&format!("(data (i32.const {at}) \"{name}\")"));
            let mut body =
                format!("(call $log-message (i32.const 2000) (i32.const 5) (i32.const {at}) (i32.const {length}))");
            if ["on-start", "on-ready", "on-stop", "on-error"].contains(name) || name.starts_with("on-data") {
                body.push_str("(i32.const 1024)");
            }
            bodies.push((*name, body));
        }
        let bodies: Vec<_> = bodies.iter().map(|(name, body)| (*name, body.as_str())).collect();
        let actor = Actor::new(&Source { wit, bodies: &bodies, more: &data }).await;
        for event in all_events() {
            assert_eq!(actor.tell(event).await, r#"ok """#);
        }
        let logged: Vec<_> = names.iter().map(|name| format!("debug: {name}")).collect();
        assert_eq!(*actor.host.logs.lock(), logged, "shape {shape}");
    }
}
