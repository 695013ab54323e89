//! Guests whose code runs when or where it should not. The host is asked from the wrong place, refuses, and goes on.

use expect_test::expect;

use crate::support::{FakeHost, Guest, library, text};

/// The reply of the second request is what `invoke` returned in the first.
async fn code_of(route: &str) -> Option<String> {
    let guest = Guest::new(library("rude", &[])?, FakeHost::silent()).await;
    guest.request(route, b"").await.unwrap();
    Some(text(&guest.request("code", b"").await))
}

/// The reply has been read by then, and the next event may be on its way: it must not be taken for an operation's reply.
#[tokio::test]
async fn invoke_from_free() {
    let Some(code) = code_of("free-invokes").await else { return };
    expect![[r#"ok "1""#]].assert_eq(&code);
}

#[tokio::test]
async fn invoke_from_another_thread() {
    let Some(code) = code_of("thread").await else { return };
    expect![[r#"ok "1""#]].assert_eq(&code);
}

#[tokio::test]
async fn a_child_of_the_guest() {
    let Some(code) = code_of("fork").await else { return };
    expect![[r#"ok "1""#]].assert_eq(&code);
}

/// A thread of the guest, and a destructor of its thread, call the host after the actor has ended.
#[tokio::test]
async fn callbacks_after_the_end() {
    let Some(library) = library("rude", &[]) else { return };
    let guest = Guest::new(library.clone(), FakeHost::silent()).await;
    for route in ["haunt", "last-words"] {
        guest.request(route, b"").await.unwrap();
    }
    drop(guest);
    for _ in 0..20 {
        let neighbour = Guest::new(library.clone(), FakeHost::silent()).await;
        assert!(neighbour.request("code", b"").await.is_ok());
    }
}
