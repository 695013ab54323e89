//! Guests that take long or never return, and runs that are given up.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use expect_test::expect;
use playhouse_engine::native::NativeEngine;
use playhouse_types::HostReply;
use tokio::sync::Semaphore;

use crate::support::{FakeHost, Guest, context, library, request, text};

#[tokio::test]
async fn a_guest_that_never_returns_is_given_up() {
    let Some(library) = library("misuse", &[]) else { return };
    let guest = Guest::new(library.clone(), FakeHost::silent()).await;
    let run = guest.request("never", b"");
    assert!(tokio::time::timeout(Duration::from_millis(50), run).await.is_err());
    assert!(guest.workload.is_lost());
    let threads = NativeEngine::threads();
    assert!(threads.hung >= 1 && threads.alive >= threads.hung, "{threads:?}");
    expect!["crash unavailable: the native guest takes no more events [guest-hung]"]
        .assert_eq(&text(&guest.request("frees", b"").await));
    // Its neighbours, of the same package even, go on.
    let neighbour = Guest::new(library, FakeHost::silent()).await;
    assert!(neighbour.request("frees", b"").await.is_ok());
}

#[tokio::test]
async fn a_slow_guest_is_waited_for() {
    let Some(library) = library("misuse", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    expect![[r#"ok "at last""#]].assert_eq(&text(&guest.request("slow", b"").await));
    assert!(!guest.workload.is_lost());
}

/// A run that was never polled has not reached the guest; one that is over has left it. Dropping either loses nothing.
#[tokio::test]
async fn runs_dropped_early_or_late_lose_nothing() {
    let Some(library) = library("misuse", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    drop(Arc::clone(&guest.workload).run(context(&guest.host), request("never", b"")));
    assert!(!guest.workload.is_lost());
    let mut run = Arc::clone(&guest.workload).run(context(&guest.host), request("frees", b""));
    assert!((&mut run).await.is_ok());
    drop(run);
    assert!(!guest.workload.is_lost());
    assert!(guest.request("frees", b"").await.is_ok());
}

/// A guest that waits for an operation of a run that is given up is told so, and ends.
#[tokio::test]
async fn a_guest_in_a_host_call_is_let_go() {
    let Some(library) = library("misuse", &[]) else { return };
    let gone = Arc::new(Semaphore::new(0));
    let signal = Arc::clone(&gone);
    let host = FakeHost::scripted(move |_, _| {
        let signal = Arc::clone(&signal);
        Box::pin(async move {
            signal.add_permits(1);
            std::future::pending().await
        })
    });
    let guest = Guest::new(library, host).await;
    {
        let mut run = pin!(guest.request("pass", b""));
        let begun = gone.acquire();
        let mut begun = pin!(begun);
        std::future::poll_fn(|cx| {
            assert!(run.as_mut().poll(cx).is_pending());
            begun.as_mut().poll(cx).map(drop)
        })
        .await;
    }
    assert!(guest.workload.is_lost());
}

/// Many guests wait for their hosts at the same time on one async thread.
#[tokio::test]
async fn guests_that_wait_hold_nobody_up() {
    let Some(library) = library("misuse", &[]) else { return };
    let doors = Arc::new(Semaphore::new(0));
    let mut runs = Vec::new();
    let mut guests = Vec::new();
    for _ in 0..6 {
        let doors = Arc::clone(&doors);
        let host = FakeHost::scripted(move |_, _| {
            let doors = Arc::clone(&doors);
            Box::pin(async move {
                doors.acquire().await.unwrap().forget();
                Ok(HostReply::Done)
            })
        });
        let guest = Arc::new(Guest::new(library.clone(), host).await);
        guests.push(Arc::clone(&guest));
        runs.push(tokio::spawn(async move { guest.request("pass", b"").await }));
    }
    tokio::task::yield_now().await;
    let free = Guest::new(library, FakeHost::silent()).await;
    assert!(free.request("frees", b"").await.is_ok());
    doors.add_permits(6);
    for run in runs {
        assert_eq!(text(&run.await.unwrap()), r#"ok """#);
    }
}

/// The contract allows one run at a time. A second is refused and harms nothing.
#[tokio::test]
async fn a_second_run_is_refused() {
    let Some(library) = library("misuse", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    let run = || Arc::clone(&guest.workload).run(context(&guest.host), request("slow", b""));
    let mut first = run();
    let mut cx = TaskContext::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut cx).is_pending());
    let Poll::Ready(outcome) = run().as_mut().poll(&mut cx) else { panic!("the second run waits") };
    expect!["error internal error: the native guest is busy with another event [guest-protocol]"]
        .assert_eq(&text(&outcome));
    expect![[r#"ok "at last""#]].assert_eq(&text(&first.await));
}
