//! The samples that people start from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use expect_test::expect;
use playhouse_types::{HostOp, HostReply, StateEntry, StateOp, StateVersion, TimerOp};

use crate::support::{AS_CPP, FakeHost, Guest, library, text};

#[tokio::test]
async fn the_durable_sample() {
    check_durable(&[]).await;
}

#[tokio::test]
async fn the_durable_sample_in_another_language() {
    check_durable(&[AS_CPP]).await;
}

async fn check_durable(defines: &[&str]) {
    let Some(library) = library("durable", defines) else { return };
    let state = Arc::new(Mutex::new(HashMap::new()));
    let timers = Arc::new(Mutex::new(Vec::new()));
    let (kept, set) = (Arc::clone(&state), Arc::clone(&timers));
    let host = || {
        let (state, timers) = (Arc::clone(&kept), Arc::clone(&set));
        FakeHost::prompt(move |op| match op {
            HostOp::State(StateOp::Get { key }) => {
                let value = state.lock().unwrap().get(&key).cloned();
                Ok(HostReply::Entry(value.map(|value| StateEntry { key, value, version: StateVersion::MIN })))
            }
            HostOp::State(StateOp::Write { changes }) => {
                for change in changes {
                    state.lock().unwrap().insert(change.key, change.value.unwrap());
                }
                Ok(HostReply::Done)
            }
            HostOp::Timer(TimerOp::Set(timer)) => {
                timers.lock().unwrap().push(format!("{} {:?} {}", timer.name, timer.schedule, timer.route));
                Ok(HostReply::Done)
            }
            HostOp::Timer(TimerOp::Cancel { name }) => {
                timers.lock().unwrap().push(format!("no {name}"));
                Ok(HostReply::Done)
            }
            op => panic!("asked for {op:?}"),
        })
    };
    let guest = Guest::new(library.clone(), host()).await;
    assert_eq!(&guest.request("durable.DurableService.Add", &[8, 5]).await.unwrap()[..], [8, 5]);
    assert_eq!(&guest.request("durable.DurableService.Add", &[8, 3]).await.unwrap()[..], [8, 8]);
    drop(guest);
    // Another instance finds what the first one left.
    let guest = Guest::new(library, host()).await;
    assert_eq!(&guest.request("durable.DurableService.Grow", &[8, 0xdc, 0x0b]).await.unwrap()[..], [8, 8]);
    assert_eq!(&guest.request("durable.DurableService.Tick", &[]).await.unwrap()[..], [8, 9]);
    assert_eq!(&guest.request("durable.DurableService.Grow", &[]).await.unwrap()[..], [8, 9]);
    expect![[r#"tick Every(1.5s) durable.DurableService.Tick, no tick"#]].assert_eq(&timers.lock().unwrap().join(", "));
}

#[tokio::test]
async fn the_echo_sample() {
    let Some(library) = library("echo2", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    expect![[r#"ok "hello""#]].assert_eq(&text(&guest.request("echo.EchoService.Echo", b"hello").await));
    expect!["error unknown route: echo.EchoService.No"]
        .assert_eq(&text(&guest.request("echo.EchoService.No", b"").await));
}
