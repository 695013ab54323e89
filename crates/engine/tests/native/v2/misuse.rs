//! Guests that call their host as they should not. The host refuses, and goes on.

use expect_test::expect;
use playhouse_engine::Limits;
use playhouse_types::{HostOp, HostReply};

use crate::support::{FakeHost, Guest, library, text};

#[tokio::test]
async fn giant_lengths_and_null() {
    let Some(library) = library("moody", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    // The last answer is null of the greatest length, which counts as none.
    expect![[r#"ok """#]].assert_eq(&text(&guest.request("a.A.Giants", b"0123456789").await));
}

#[tokio::test]
async fn operations_before_the_first_event() {
    let Some(library) = library("moody", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    expect![[r#"ok "-8""#]].assert_eq(&text(&guest.request("a.A.Code", b"").await));
}

#[tokio::test]
async fn operations_have_a_limit() {
    let Some(library) = library("moody", &[]) else { return };
    let limits = Limits { host_calls: 1, ..Limits::default() };
    let guest = Guest::try_new(library, FakeHost::prompt(|_| Ok(HostReply::Done)), limits).await.unwrap();
    let order = super::operations::order(HostOp::Now).1;
    expect![[r#"ok "[now -3]0:0() ""#]].assert_eq(&text(&guest.request("a.A.StartAndPerform", &order).await));
}
