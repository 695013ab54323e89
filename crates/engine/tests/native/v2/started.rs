//! Operations that a guest begins and hears of later.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use expect_test::expect;
use playhouse_engine::{Limits, Running};
use playhouse_types::{ActorError, Code, ErrorKind, HostOp, HostReply};
use tokio::sync::Semaphore;

use super::operations::order;
use crate::support::{FakeHost, Guest, context, library, request, text};

fn call() -> Vec<u8> {
    let op = HostOp::Random { bytes: 3 };
    order(op).1
}

/// A host whose operations wait for the test to let them go, and how many there were.
fn gated() -> (Arc<dyn playhouse_engine::Host>, Arc<Semaphore>, Arc<AtomicUsize>) {
    let (gate, count) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (opened, counted) = (Arc::clone(&gate), Arc::clone(&count));
    let host = FakeHost::scripted(move |_, op| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        let gate = Arc::clone(&opened);
        Box::pin(async move {
            if matches!(op, HostOp::Now) {
                return Ok(HostReply::Done);
            }
            gate.acquire().await.unwrap().forget();
            Ok(HostReply::Bytes(format!("r{number}").into()))
        })
    });
    (host, gate, count)
}

/// A run whose guest has begun three operations.
async fn begun(guest: &Guest, count: &AtomicUsize) -> Running {
    let mut run = Arc::clone(&guest.workload).run(context(&guest.host), request("a.A.StartThree", &call()));
    std::future::poll_fn(|cx| {
        assert!(run.as_mut().poll(cx).is_pending());
        if count.load(Ordering::SeqCst) == 3 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    run
}

#[tokio::test]
async fn one_after_the_other() {
    let Some(library) = library("moody", &[]) else { return };
    let guest = Guest::new(library, FakeHost::prompt(|_| Ok(HostReply::Bytes("abc".into())))).await;
    for _ in 0..100 {
        expect![[r#"ok "0:0(abc) ""#]].assert_eq(&text(&guest.request("a.A.Start", &call()).await));
    }
}

#[tokio::test]
async fn several_at_the_same_time() {
    let Some(library) = library("moody", &[]) else { return };
    let (host, gate, count) = gated();
    let guest = Guest::new(library, host).await;
    let run = begun(&guest, &count).await;
    gate.add_permits(3);
    expect![[r#"ok "0:0(r0) 1:0(r1) 2:0(r2) ""#]].assert_eq(&text(&run.await));
}

#[tokio::test]
async fn beside_one_that_the_guest_waits_for() {
    let Some(library) = library("moody", &[]) else { return };
    let (host, gate, _) = gated();
    gate.add_permits(1);
    let guest = Guest::new(library, host).await;
    // The one that is waited for ends first, though it began later: nothing happens to the instance meanwhile.
    expect![[r#"ok "[now 0]0:0(r1) ""#]].assert_eq(&text(&guest.request("a.A.StartAndPerform", &call()).await));
}

#[tokio::test]
async fn from_another_thread() {
    let Some(library) = library("moody", &[]) else { return };
    let guest = Guest::new(library, FakeHost::prompt(|_| Ok(HostReply::Bytes("abc".into())))).await;
    for _ in 0..20 {
        expect![[r#"ok "9:0(abc) ""#]].assert_eq(&text(&guest.request("a.A.StartThere", &call()).await));
        expect![[r#"ok "0""#]].assert_eq(&text(&guest.request("a.A.Code", b"").await));
    }
}

#[tokio::test]
async fn waiting_is_for_the_own_thread() {
    let Some(library) = library("moody", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    expect![[r#"ok "-9""#]].assert_eq(&text(&guest.request("a.A.PerformThere", b"").await));
}

#[tokio::test]
async fn failures_of_all_sorts() {
    let Some(library) = library("moody", &[]) else { return };
    let count = AtomicUsize::new(0);
    let host = FakeHost::scripted(move |_, _| match count.fetch_add(1, Ordering::SeqCst) {
        0 => panic!("on purpose"),
        1 => Box::pin(async { panic!("on purpose") }),
        _ => Box::pin(std::future::ready(Err(ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "later")))),
    });
    let guest = Guest::new(library, host).await;
    let mut heard = String::new();
    for payload in [&call()[..], &call(), &call(), b"\x10"] {
        heard.push_str(&text(&guest.request("a.A.Start", payload).await));
        heard.push('\n');
    }
    expect![[r#"
        ok "0:-3(the host operation panicked) "
        ok "0:-3(the host operation panicked) "
        ok "0:-3(later) "
        ok "0:-3(state key \"\" is empty) "
    "#]]
    .assert_eq(&heard);
}

/// The guest hears of every operation: of these, that they were given up.
#[tokio::test]
async fn what_is_under_way_at_the_end_of_the_event_is_given_up() {
    let Some(library) = library("moody", &[]) else { return };
    let (host, _, _) = gated();
    let guest = Guest::new(library, host).await;
    expect![[r#"ok "done""#]].assert_eq(&text(&guest.request("a.A.StartAndAnswer", &call()).await));
    expect![[r#"ok "303""#]].assert_eq(&text(&guest.request("a.A.Heard", b"").await));
}

/// So it is when the caller goes: the guest is as good as before, and is told without waiting for the next event.
#[tokio::test]
async fn what_is_under_way_when_the_run_is_dropped_is_given_up() {
    let Some(library) = library("moody", &[]) else { return };
    let (host, gate, count) = gated();
    let guest = Guest::new(library, host).await;
    drop(begun(&guest, &count).await);
    assert!(!guest.workload.is_lost());
    // The host's side of them is gone.
    assert_eq!(Arc::strong_count(&gate), 2);
    expect![[r#"ok "303""#]].assert_eq(&text(&guest.request("a.A.Heard", b"").await));
}

/// As above, with the end of the actor instead of another event. The guest checks in its destructor.
#[tokio::test]
async fn what_is_under_way_when_the_actor_ends_is_given_up() {
    let Some(library) = library("moody", &["SELF=1"]) else { return };
    let (host, _, count) = gated();
    let guest = Guest::new(library.clone(), host).await;
    drop(begun(&guest, &count).await);
    drop(guest);
    let witness = Guest::new(library, FakeHost::silent()).await;
    while text(&witness.request("a.A.Destroyed", b"").await) == r#"ok "0""# {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn there_is_a_limit() {
    let Some(library) = library("moody", &[]) else { return };
    let (host, gate, count) = gated();
    let guest = Guest::new(library.clone(), host).await;
    gate.add_permits(5000);
    assert!(guest.request("a.A.StartMany", &call()).await.is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 1024);
    expect![[r#"ok "-10""#]].assert_eq(&text(&guest.request("a.A.Code", b"").await));

    let (host, gate, count) = gated();
    gate.add_permits(5000);
    let limits = Limits { host_calls: 2, ..Limits::default() };
    let guest = Guest::try_new(library, host, limits).await.unwrap();
    assert!(guest.request("a.A.StartThree", &call()).await.is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 2);
    // Each event has as many.
    assert!(guest.request("a.A.StartThree", &call()).await.is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn bytes_under_way_have_a_limit() {
    let Some(library) = library("moody", &[]) else { return };
    let (host, gate, count) = gated();
    gate.add_permits(5000);
    let guest = Guest::new(library, host).await;
    // Three messages of 60 MiB: two fit.
    let large = HostOp::Call {
        dest: playhouse_types::Dest::Shell,
        route: "a.B.C".parse().unwrap(),
        payload: vec![0; 60 << 20].into(),
    };
    assert!(guest.request("a.A.StartThree", &order(large).1).await.is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 2);
    expect![[r#"ok "-10""#]].assert_eq(&text(&guest.request("a.A.Code", b"").await));
}

/// A guest may leave the function away that hears of ends; then nobody hears.
#[tokio::test]
async fn a_guest_without_ears() {
    let Some(library) = library("moody", &["NO_ON_COMPLETE"]) else { return };
    let (host, gate, _) = gated();
    gate.add_permits(3);
    let guest = Guest::new(library, host).await;
    expect![[r#"ok "done""#]].assert_eq(&text(&guest.request("a.A.StartAndAnswer", &call()).await));
    expect![[r#"ok "0""#]].assert_eq(&text(&guest.request("a.A.Heard", b"").await));
}
