//! Guests of the later ABI, whose threads call the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use expect_test::expect;
use playhouse_engine::{Host, Limits};
use playhouse_types::{ActorError, Code, ErrorKind, Event, HostOp, HostReply};
use tokio::sync::{Semaphore, mpsc};

use crate::support::{FakeHost, Guest, library, text};

fn echoing() -> Arc<dyn Host> {
    FakeHost::prompt(|op| match op {
        HostOp::Call { payload, .. } => Ok(HostReply::Bytes(payload)),
        op => Err(ActorError::new(ErrorKind::NotImplemented, format!("{op:?}"))),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_from_any_thread() {
    let Some(library) = library("threads", &[]) else { return };
    let guest = Guest::new(library, echoing()).await;
    expect![[r#"ok """#]].assert_eq(&text(&guest.run(Event::Start).await));
    expect![[r#"ok "mine""#]].assert_eq(&text(&guest.request("now", b"mine").await));
    expect![[r#"ok "other""#]].assert_eq(&text(&guest.request("beside", b"other").await));
    expect![[r#"ok "\u{8}""#]].assert_eq(&text(&guest.request("many", b"x").await));
    expect![[r#"ok "11""#]].assert_eq(&text(&guest.request("stale", b"x").await));
    expect![[r#"ok """#]].assert_eq(&text(&guest.run(Event::Stop).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_after_the_reply() {
    let Some(library) = library("threads", &[]) else { return };
    let (sender, mut calls) = mpsc::unbounded_channel();
    let host = FakeHost::scripted(move |context, op| {
        sender.send(format!("{} {op:?}", context.request_id)).unwrap();
        Box::pin(std::future::ready(Ok(HostReply::Bytes(Bytes::new()))))
    });
    let guest = Guest::new(library, host).await;
    expect![[r#"ok """#]].assert_eq(&text(&guest.request("later", b"on").await));
    expect![[r#"r-1 Call { dest: Shell, route: "a.B.C", payload: b"on" }"#]].assert_eq(&calls.recv().await.unwrap());
}

/// An operation that a guest's thread waits for ends with the actor, and the library is shut down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_end_with_the_actor() {
    let Some(library) = library("threads", &["SHUTDOWN_RETURNS=1"]) else { return };
    let begun = Arc::new(Semaphore::new(0));
    let (dropped, mut is_dropped) = mpsc::unbounded_channel::<()>();
    let signal = Arc::clone(&begun);
    let host = FakeHost::scripted(move |_, _| {
        let (signal, dropped) = (Arc::clone(&signal), dropped.clone());
        Box::pin(async move {
            signal.add_permits(1);
            let sent = std::future::pending::<()>().await;
            let _ = dropped.send(sent);
            Ok(HostReply::Done)
        })
    });
    let guest = Guest::new(library, host).await;
    assert_eq!(text(&guest.request("later", b"").await), r#"ok """#);
    begun.acquire().await.unwrap().forget();
    drop(guest);
    // The host and its operation are gone: nobody can send any more.
    assert_eq!(is_dropped.recv().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retained_contexts_have_a_limit() {
    let Some(library) = library("threads", &[]) else { return };
    let guest = Guest::new(library, echoing()).await;
    for _ in 0..1024 {
        assert!(guest.request("keep", b"").await.is_ok());
    }
    expect!["error unavailable: the native guest retains 1024 contexts, which is the limit [guest-protocol]"]
        .assert_eq(&text(&guest.request("keep", b"").await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_have_a_limit_in_contexts_too() {
    let Some(library) = library("threads", &[]) else { return };
    let limits = Limits { host_calls: 3, ..Limits::default() };
    let guest = Guest::try_new(library, echoing(), limits).await.unwrap();
    expect![[r#"ok "\u{3}""#]].assert_eq(&text(&guest.request("many", b"x").await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_panics_fails_the_operation_alone() {
    let Some(library) = library("threads", &[]) else { return };
    let count = AtomicUsize::new(0);
    let host = FakeHost::scripted(move |_, _| match count.fetch_add(1, Ordering::Relaxed) {
        0 => panic!("on purpose"),
        1 => Box::pin(async { panic!("on purpose") }),
        _ => Box::pin(std::future::ready(Err(ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "later")))),
    });
    let guest = Guest::new(library, host).await;
    for _ in 0..2 {
        expect!["error internal error: the host operation panicked [handler-panic]"]
            .assert_eq(&text(&guest.request("beside", b"").await));
    }
    expect!["error unavailable: later [mailbox-full]"].assert_eq(&text(&guest.request("beside", b"").await));
}

/// A library that can be shut down leaves nothing behind, so that actors may come and go for ever.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn libraries_that_shut_down_are_unmapped() {
    let Some(library) = library("threads", &[]) else { return };
    for _ in 0..3 {
        let guest = Guest::new(library.clone(), echoing()).await;
        let address = guest.request("where", b"").await.unwrap();
        let inode = inode_at(usize::from_ne_bytes(address[..].try_into().unwrap()));
        assert!(is_mapped(&inode));
        drop(guest);
        while is_mapped(&inode) {
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(target_os = "linux")]
fn maps() -> String {
    std::fs::read_to_string("/proc/self/maps").unwrap()
}

/// The number of the file that is mapped at an address: memory files never share one.
#[cfg(target_os = "linux")]
fn inode_at(address: usize) -> String {
    let holds = |line: &&str| {
        let (from, rest) = line.split_once('-').unwrap();
        let to = rest.split(' ').next().unwrap();
        let number = |text| usize::from_str_radix(text, 16).unwrap();
        (number(from)..number(to)).contains(&address)
    };
    maps().lines().find(holds).unwrap().split_ascii_whitespace().nth(4).unwrap().to_owned()
}

#[cfg(target_os = "linux")]
fn is_mapped(inode: &str) -> bool {
    maps().lines().any(|line| line.contains("playhouse-native") && line.split_ascii_whitespace().nth(4) == Some(inode))
}
