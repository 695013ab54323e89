//! Many instances in one image.

use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use playhouse_engine::Limits;
use playhouse_engine::native::NativeEngine;
use playhouse_types::{ActorError, HostReply};

use crate::support::{FakeHost, Guest, library, text};

#[tokio::test]
async fn an_image_is_mapped_once() {
    let Some(library) = library("moody", &["IMAGE=1"]) else { return };
    let first = Guest::new(library.clone(), FakeHost::silent()).await;
    // Prepared anew, as if the package was attached again.
    let second = Guest::new(library.clone(), FakeHost::silent()).await;
    let place = first.request("a.A.Where", b"").await.unwrap();
    assert_eq!(second.request("a.A.Where", b"").await.unwrap(), place);
    drop((first, second));
    let third = Guest::new(library, FakeHost::silent()).await;
    assert_eq!(third.request("a.A.Where", b"").await.unwrap(), place);
}

#[tokio::test]
async fn each_keeps_its_own() {
    let Some(library) = library("moody", &[]) else { return };
    let mut guests = Vec::new();
    for _ in 0..8 {
        guests.push(Guest::new(library.clone(), FakeHost::silent()).await);
    }
    for round in 1..=3 {
        for guest in &guests {
            assert_eq!(text(&guest.request("a.A.Count", b"").await), format!("ok \"{round}\""));
        }
    }
}

/// Two instances wait for each other's operations, on one async thread.
#[tokio::test]
async fn they_interleave() {
    let Some(library) = library("moody", &[]) else { return };
    let turns = Arc::new(tokio::sync::Barrier::new(2));
    let host = FakeHost::scripted(move |_, _| {
        let turns = Arc::clone(&turns);
        Box::pin(async move {
            turns.wait().await;
            Ok(HostReply::Bytes("x".into()))
        })
    });
    let pair = [Guest::new(library.clone(), Arc::clone(&host)).await, Guest::new(library, host).await];
    let order = super::operations::order(playhouse_types::HostOp::Random { bytes: 1 }).1;
    for _ in 0..50 {
        let (one, other) = tokio::join!(pair[0].request("a.A.Start", &order), pair[1].request("a.A.Perform", &order));
        expect![[r#"ok "0:0(x) ""#]].assert_eq(&text(&one));
        assert!(other.unwrap().ends_with(b"x"));
    }
}

#[tokio::test]
async fn one_that_hangs_holds_its_own_thread() {
    let Some(library) = library("moody", &[]) else { return };
    let (stuck, free) =
        (Guest::new(library.clone(), FakeHost::silent()).await, Guest::new(library.clone(), FakeHost::silent()).await);
    let run = stuck.request("a.A.Hang", b"");
    assert!(tokio::time::timeout(Duration::from_millis(50), run).await.is_err());
    assert!(stuck.workload.is_lost());
    assert!(NativeEngine::threads().hung >= 1);
    expect!["crash unavailable: the native guest takes no more events [guest-hung]"]
        .assert_eq(&text(&stuck.request("a.A.Echo", b"").await));
    assert!(free.request("a.A.Echo", b"x").await.is_ok());
    assert!(Guest::new(library, FakeHost::silent()).await.request("a.A.Echo", b"x").await.is_ok());
}

/// A start waited for ever where a library never made its instance.
#[tokio::test]
async fn one_that_is_never_made_is_given_up() {
    let Some(library) = library("moody", &["CREATE_HANGS"]) else { return };
    let limits = Limits { wall: Duration::from_millis(50), ..Limits::default() };
    let made = Guest::try_new(library.clone(), FakeHost::silent(), limits).await;
    expect!["timed out: the library did not return within 50ms while an instance was made [guest-hung]"]
        .assert_eq(&made.err().unwrap().to_text());
    assert!(NativeEngine::threads().hung >= 1);
    // So does whoever asks for it and goes.
    let made = Guest::try_new(library, FakeHost::silent(), Limits::default());
    assert!(tokio::time::timeout(Duration::from_millis(50), made).await.is_err());
    assert!(NativeEngine::threads().hung >= 2);
}

/// A guest that says it will answer and never does: its caller's time is up, and the guest is as good as before.
#[tokio::test]
async fn one_that_never_answers_loses_nothing() {
    let Some(library) = library("moody", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    for _ in 0..3 {
        let run = guest.request("a.A.Never", b"");
        assert!(tokio::time::timeout(Duration::from_millis(20), run).await.is_err());
        assert!(!guest.workload.is_lost());
        // The call is over, and the answer comes too late.
        expect![[r#"ok "-8""#]].assert_eq(&text(&guest.request("a.A.AnswerKept", b"").await));
    }
}

/// A guest that waits for an operation when its caller goes is told so, and lives on.
#[tokio::test]
async fn one_in_a_host_call_is_let_go() {
    let Some(library) = library("moody", &[]) else { return };
    let guest = Guest::new(library, FakeHost::scripted(|_, _| Box::pin(std::future::pending()))).await;
    let order = super::operations::order(playhouse_types::HostOp::Now).1;
    for _ in 0..3 {
        let run = guest.request("a.A.Perform", &order);
        assert!(tokio::time::timeout(Duration::from_millis(20), run).await.is_err());
        assert!(!guest.workload.is_lost());
        expect![[r#"ok "x""#]].assert_eq(&text(&guest.request("a.A.Echo", b"x").await));
    }
}

#[tokio::test]
async fn every_instance_is_destroyed_once() {
    let Some(library) = library("moody", &["DESTROY=1"]) else { return };
    for _ in 0..4 {
        let guest = Guest::new(library.clone(), FakeHost::silent()).await;
        let run = guest.request("a.A.Never", b"");
        assert!(tokio::time::timeout(Duration::from_millis(5), run).await.is_err());
    }
    let witness = Guest::new(library, FakeHost::silent()).await;
    let destroyed = async {
        while text(&witness.request("a.A.Destroyed", b"").await) != r#"ok "4""# {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), destroyed).await.unwrap();
}

/// What an instance had on loan stayed in memory after it, without end where its actor is started again and again.
#[tokio::test]
async fn what_one_kept_goes_with_it() {
    let Some(library) = library("moody", &[]) else { return };
    let (before, lives) = (resident_bytes(), 16);
    for _ in 0..lives {
        let host = FakeHost::prompt(|_| Ok(HostReply::Bytes(vec![1; 1 << 20].into())));
        let guest = Guest::new(library.clone(), host).await;
        expect![[r#"ok "1048576""#]].assert_eq(&text(&guest.request("a.A.Hoard", b"").await));
    }
    // Each held 64 MiB. The last may still be ending, and an allocator keeps some.
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < (lives / 2) * (64 << 20), "{grown} bytes");
}

fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    4096 * pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap()
}

async fn check_table(defines: &[&str], expected: Expect) {
    let Some(library) = library("moody", defines) else { return };
    let made = Guest::try_new(library, FakeHost::silent(), Limits::default()).await;
    expected.assert_eq(&made.err().map_or("ok".to_owned(), |error: ActorError| error.to_text()));
}

#[tokio::test]
async fn tables() {
    check_table(&["TABLE=NULL"], expect!["invalid argument: the library does not export actr_init [native-load]"])
        .await;
    let odd = "TABLE=(const ph2_guest*)((const char*)&guest+1)";
    check_table(
        &[odd],
        expect!["invalid argument: the table of playhouse_guest_v2 is unusable: it is not aligned [native-load]"],
    )
    .await;
    check_table(&["GUEST_SIZE=39"], expect!["invalid argument: the table of playhouse_guest_v2 is unusable: it is shorter than any of this version [native-load]"]).await;
    check_table(&["GUEST_SIZE=0"], expect!["invalid argument: the table of playhouse_guest_v2 is unusable: it is shorter than any of this version [native-load]"]).await;
    check_table(
        &["GUEST_VERSION=1"],
        expect!["invalid argument: the table of playhouse_guest_v2 is unusable: its version is below 2 [native-load]"],
    )
    .await;
    check_table(&["NO_CREATE"], expect!["invalid argument: the table of playhouse_guest_v2 is unusable: it lacks create, destroy or handle [native-load]"]).await;
    check_table(&["CREATE_RETURNS=-42"], expect!["internal error: create returned -42 [native-init]"]).await;
}

/// Tables of later versions are longer, and those of guests without ears shorter.
#[tokio::test]
async fn tables_of_other_sizes() {
    for define in ["GUEST_SIZE=80", "GUEST_SIZE=40", "GUEST_SIZE=SIZE_MAX", "GUEST_VERSION=3"] {
        let Some(library) = library("moody", &[define]) else { return };
        let guest = Guest::new(library, FakeHost::silent()).await;
        expect![[r#"ok "x""#]].assert_eq(&text(&guest.request("a.A.Echo", b"x").await));
    }
}
