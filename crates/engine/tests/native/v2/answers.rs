//! When and where a guest answers.

use expect_test::expect;
use playhouse_engine::Limits;

use crate::support::{FakeHost, Guest, library, text};

async fn guest() -> Option<Guest> {
    Some(Guest::new(library("moody", &[])?, FakeHost::silent()).await)
}

#[tokio::test]
async fn at_once() {
    let Some(guest) = guest().await else { return };
    for size in [0, 1, 64, 320, 321, 5000, 8 << 20] {
        let payload = vec![7; size];
        assert_eq!(guest.request("a.A.Echo", &payload).await.unwrap(), payload);
    }
}

#[tokio::test]
async fn later_from_another_thread() {
    let Some(guest) = guest().await else { return };
    for size in [0, 64, 100_000] {
        let payload = vec![7; size];
        assert_eq!(guest.request("a.A.Later", &payload).await.unwrap(), payload);
        expect![[r#"ok "0""#]].assert_eq(&text(&guest.request("a.A.Code", b"").await));
    }
}

/// Many turns, to meet the moment between the guest's return and the look of whoever waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_very_moment_of_the_return() {
    let Some(guest) = guest().await else { return };
    for _ in 0..500 {
        expect![[r#"ok "first""#]].assert_eq(&text(&guest.request("a.A.LaterTwice", b"").await));
        expect![[r#"ok "-8""#]].assert_eq(&text(&guest.request("a.A.Code", b"").await));
    }
}

#[tokio::test]
async fn only_once() {
    let Some(guest) = guest().await else { return };
    expect![[r#"ok "first""#]].assert_eq(&text(&guest.request("a.A.Twice", b"").await));
    expect![[r#"ok "-8""#]].assert_eq(&text(&guest.request("a.A.Code", b"").await));
}

#[tokio::test]
async fn only_calls_that_there_are() {
    let Some(guest) = guest().await else { return };
    expect![[r#"ok "-8""#]].assert_eq(&text(&guest.request("a.A.Foreign", b"").await));
}

#[tokio::test]
async fn with_codes_and_statuses() {
    let Some(guest) = guest().await else { return };
    expect!["error internal error: the guest answered with status 77 [guest-protocol]"]
        .assert_eq(&text(&guest.request("a.A.OddStatus", b"").await));
    expect!["error internal error: handle returned -7 [guest-protocol]"]
        .assert_eq(&text(&guest.request("a.A.Returns", b"\x07").await));
    expect!["error internal error: handle returned -77 [guest-protocol]"]
        .assert_eq(&text(&guest.request("a.A.Returns", b"\x4d").await));
    expect![[r#"ok "answered""#]].assert_eq(&text(&guest.request("a.A.AnswersAndReturns", b"").await));
    assert!(!guest.workload.is_lost());
    expect!["crash internal error: handle says that the instance is broken [guest-protocol]"]
        .assert_eq(&text(&guest.request("a.A.Returns", b"\x02").await));
    assert!(guest.workload.is_lost());
}

#[tokio::test]
async fn replies_have_a_limit() {
    let Some(library) = library("moody", &[]) else { return };
    let limits = Limits { reply_bytes: 10, ..Limits::default() };
    let guest = Guest::try_new(library, FakeHost::silent(), limits).await.unwrap();
    expect!["error internal error: a reply of 11 bytes, at most 10 are allowed [guest-reply-limit]"]
        .assert_eq(&text(&guest.request("a.A.Echo", &[0; 11]).await));
    expect!["error internal error: a reply of 11 bytes, at most 10 are allowed [guest-reply-limit]"]
        .assert_eq(&text(&guest.request("a.A.Later", &[0; 11]).await));
    assert!(guest.request("a.A.Echo", &[0; 10]).await.is_ok());
}
