//! Guests that call their host wrongly, and hosts that fail.

use bytes::Bytes;
use expect_test::{Expect, expect};
use playhouse_engine::{Host, Limits};
use playhouse_types::{ActorError, Code, ErrorKind, HostOp, HostReply};
use std::sync::Arc;

use crate::support::{FakeHost, Guest, library, text};

fn obliging() -> Arc<dyn Host> {
    FakeHost::prompt(|op| {
        Ok(match op {
            HostOp::Call { payload, .. } => HostReply::Bytes(payload),
            HostOp::Discover { .. } => HostReply::Actor("1@1/a:B:1".parse().unwrap()),
            _ => HostReply::Done,
        })
    })
}

async fn check(route: &str, payload: &[u8], expected: Expect) {
    let Some(library) = library("misuse", &[]) else { return };
    let guest = Guest::new(library, obliging()).await;
    expected.assert_eq(&text(&guest.request(route, payload).await));
    assert!(guest.request("frees", b"").await.is_ok(), "the guest is as good as before");
}

#[tokio::test]
async fn null_pointers() {
    check("null-out", b"", expect![[r#"ok "-5""#]]).await;
    check("null-out-len", b"", expect![[r#"ok "-5""#]]).await;
    check("null-frame", b"", expect![[r#"ok "-5""#]]).await;
}

#[tokio::test]
async fn lengths_over_the_limit() {
    check("endless-frame", b"", expect![[r#"ok "-5""#]]).await;
}

#[tokio::test]
async fn frames_that_are_refused() {
    check("frame", b"", expect![[r#"ok "-5""#]]).await;
    check("frame", b"\xff\xff", expect![[r#"ok "-5""#]]).await;
    check("frame", b"\x08\x02\x10\x05\x1a\x03\x0a\x01s", expect![[r#"ok "-5""#]]).await;
    check("frame", b"\x08\x01\x10\x65\x1a\x03\x0a\x01s", expect![[r#"ok "-7""#]]).await;
    check("frame", b"\x08\x01\x10\x05\x1a\x03\x0a\x01\xff", expect![[r#"ok "-5""#]]).await;
    // Decodes, but the stream id is empty: a reply says so.
    check("frame", b"\x08\x01\x10\x05", expect![[r#"ok "0""#]]).await;
    check("frame", b"\x08\x01\x10\x05\x1a\x03\x0a\x01s", expect![[r#"ok "0""#]]).await;
}

#[tokio::test]
async fn a_thread_without_a_call() {
    check("other-thread", b"", expect![[r#"ok "-1""#]]).await;
}

#[tokio::test]
async fn buffers_given_back_wrongly() {
    check("double-invoke", b"", expect![[r#"ok "0""#]]).await;
}

/// 1024 buffers may be held; the next operation fails with -4 (the reply is ten times the count, less the code).
#[tokio::test]
async fn buffers_never_given_back() {
    check("hoard", b"", expect![[r#"ok "10244""#]]).await;
}

#[tokio::test]
async fn operations_have_a_limit() {
    let Some(library) = library("misuse", &[]) else { return };
    let limits = Limits { host_calls: 10, ..Limits::default() };
    let guest = Guest::try_new(library, obliging(), limits).await.unwrap();
    assert_eq!(text(&guest.request("many", &[10]).await), r#"ok "0""#);
    assert_eq!(text(&guest.request("many", &[15]).await), r#"ok "5""#);
    for _ in 0..10 {
        assert!(guest.request("ask", b"x").await.is_ok(), "the count begins anew with every event");
    }
    let guest = Guest { host: FakeHost::silent(), ..guest };
    assert!(guest.request("frees", b"").await.is_ok());
}

#[tokio::test]
async fn the_limit_names_itself() {
    let Some(library) = library("misuse", &[]) else { return };
    let limits = Limits { host_calls: 0, ..Limits::default() };
    let guest = Guest::try_new(library, obliging(), limits).await.unwrap();
    expect!["error unavailable: more than 0 host operations in one event [guest-host-call-limit]"]
        .assert_eq(&text(&guest.request("pass", b"").await));
}

/// Status (a varint) and payload of the host's reply as the guest sees it.
#[tokio::test]
async fn failures_of_the_host_are_statuses() {
    let ask = async |error: ActorError| {
        let library = library("misuse", &[])?;
        let guest = Guest::new(library, FakeHost::prompt(move |_| Err(error.clone()))).await;
        Some(guest.request("ask", b"").await.unwrap())
    };
    let check = async |kind, status: i64, expected: Expect| {
        let Some(reply) = ask(ActorError::coded(kind, Code::GrantMissing, "no")).await else { return };
        let (seen, message) = reply.split_at(10);
        let value = seen.iter().rev().fold(0_u128, |value, byte| value << 7 | u128::from(byte & 0x7f));
        assert_eq!(value as u64, status.cast_unsigned());
        expected.assert_eq(&String::from_utf8_lossy(message));
    };
    check(ErrorKind::PermissionDenied, -1, expect!["permission denied: no [grant-missing]"]).await;
    check(ErrorKind::InvalidArgument, -5, expect!["invalid argument: no [grant-missing]"]).await;
    check(ErrorKind::DecodeFailure, -5, expect!["decode failure: no [grant-missing]"]).await;
    check(ErrorKind::NotImplemented, -7, expect!["not implemented: no [grant-missing]"]).await;
}

#[tokio::test]
async fn a_host_that_panics_fails_the_operation_alone() {
    let Some(library) = library("misuse", &[]) else { return };
    let at_once = FakeHost::scripted(|_, _| panic!("on purpose"));
    let later = FakeHost::scripted(|_, _| {
        Box::pin(async {
            tokio::task::yield_now().await;
            panic!("on purpose")
        })
    });
    for host in [at_once, later] {
        let guest = Guest::new(library.clone(), host).await;
        expect!["error internal error: the host operation panicked [handler-panic]"]
            .assert_eq(&text(&guest.request("pass", b"").await));
        assert_eq!(text(&guest.request("frees", b"").await), r#"ok "1""#);
    }
}

#[tokio::test]
async fn large_messages_pass_both_ways() {
    let Some(library) = library("misuse", &[]) else { return };
    let guest = Guest::new(library, obliging()).await;
    let payload = Bytes::from(vec![0x55; 4 << 20]);
    assert_eq!(guest.request("pass", &payload).await.unwrap(), payload);
}
