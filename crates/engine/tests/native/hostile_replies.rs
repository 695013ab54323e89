//! Guests whose answers break the ABI. Each is one failed request: the guest answers the next.

use expect_test::{Expect, expect};
use playhouse_engine::Limits;

use crate::support::{FakeHost, Guest, library, text};

async fn check(route: &str, payload: &[u8], expected: Expect) {
    let Some(library) = library("misuse", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    expected.assert_eq(&text(&guest.request(route, payload).await));
    assert!(!guest.workload.is_lost());
    assert!(guest.request("frees", b"").await.is_ok(), "the guest is as good as before");
}

#[tokio::test]
async fn missing_replies() {
    let expected = || expect!["error internal error: actr_handle left no reply [guest-protocol]"];
    check("null-reply", b"", expected()).await;
    check("nothing", b"", expected()).await;
    check("zero-length", b"", expected()).await;
}

#[tokio::test]
async fn replies_of_a_wrong_length() {
    check("short-length", b"", expect!["error internal error: the guest's reply does not decode [guest-protocol]"])
        .await;
    check("over-limit", b"", expect!["error internal error: actr_handle left a reply of 18446744073709551615 bytes, at most 67108864 are allowed [guest-protocol]"]).await;
}

#[tokio::test]
async fn replies_that_are_none() {
    check("garbage", b"", expect!["error internal error: the guest's reply does not decode [guest-protocol]"]).await;
    check(
        "version-9",
        b"",
        expect!["error internal error: the guest's reply has ABI version 9, not 1 [guest-protocol]"],
    )
    .await;
    check("version-0", b"", expect![[r#"ok "ok""#]]).await;
}

#[tokio::test]
async fn odd_statuses() {
    check("positive-status", b"", expect!["error not found: a text"]).await;
    check(
        "unknown-status",
        b"",
        expect!["error internal error: the guest failed with status -77 and no text [guest-protocol]"],
    )
    .await;
    check("not-utf8", b"", expect!["error permission denied: \u{fffd}\u{fffd}"]).await;
}

#[tokio::test]
async fn return_codes() {
    for code in [1, 3, 4, 5, 6, 7, 100] {
        let Some(library) = library("misuse", &[]) else { return };
        let guest = Guest::new(library, FakeHost::silent()).await;
        let expected = format!("error internal error: actr_handle returned -{code} [guest-protocol]");
        assert_eq!(text(&guest.request("code", &[code]).await), expected);
        // The reply beside the error was given back.
        assert_eq!(text(&guest.request("frees", b"").await), r#"ok "1""#);
    }
    check("positive-code", b"", expect!["error internal error: actr_handle returned 5 [guest-protocol]"]).await;
}

/// -2 says that the guest is not initialised, which it was: it is of no more use.
#[tokio::test]
async fn return_code_of_a_lost_guest() {
    let Some(library) = library("misuse", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    expect!["crash internal error: actr_handle says that the guest is not initialised [guest-protocol]"]
        .assert_eq(&text(&guest.request("code", &[2]).await));
    assert!(guest.workload.is_lost());
    expect!["crash unavailable: the native guest takes no more events [guest-hung]"]
        .assert_eq(&text(&guest.request("frees", b"").await));
}

/// Every reply is given back exactly once.
#[tokio::test]
async fn replies_are_given_back() {
    let Some(library) = library("misuse", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    for route in ["null-reply", "nothing", "zero-length"] {
        let _ = guest.request(route, b"").await;
    }
    assert_eq!(text(&guest.request("frees", b"").await), r#"ok "0""#);
    for route in ["short-length", "over-limit", "garbage", "version-9", "no such route"] {
        let _ = guest.request(route, b"").await;
    }
    assert_eq!(text(&guest.request("frees", b"").await), r#"ok "6""#);
}

#[tokio::test]
async fn replies_have_a_limit() {
    let Some(library) = library("misuse", &[]) else { return };
    let limits = Limits { reply_bytes: 2 << 20, ..Limits::default() };
    let guest = Guest::try_new(library, FakeHost::silent(), limits).await.unwrap();
    assert_eq!(guest.request("huge", &[2]).await.unwrap().len(), 2 << 20);
    expect!["error internal error: a reply of 3145728 bytes, at most 2097152 are allowed [guest-reply-limit]"]
        .assert_eq(&text(&guest.request("huge", &[3]).await));
    expect!["error internal error: actr_handle left a reply of 67108871 bytes, at most 67108864 are allowed [guest-protocol]"]
        .assert_eq(&text(&guest.request("huge", &[64]).await));
}
