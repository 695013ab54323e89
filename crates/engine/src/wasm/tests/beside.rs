//! `actr:workload@0.2.0` with interfaces that have no tokens: several events ask at a time, and each asks for itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::expect;
use futures_util::future::poll_immediate;
use parking_lot::Mutex;
use playhouse_types::{HostOp, HostReply, RequestId, StateEntry, StateKey, StateOp, StateVersion, Timestamp};
use tokio::sync::Semaphore;

use super::kit::{Actor, FakeHost};
use super::lifted::{actor, ask, short};
use crate::{Context, Limits, Outcome};

const OPERATIONS: &[u8] = include_bytes!("../../../tests/fixtures/actr-v2-operations.wasm");

fn answer(op: &HostOp) -> HostReply {
    let entry = |key: &StateKey| StateEntry {
        key: key.clone(),
        value: Bytes::from_static(b"found"),
        version: StateVersion::MIN,
    };
    match op {
        HostOp::State(StateOp::Get { key }) => HostReply::Entry(Some(entry(key))),
        HostOp::Crypto(_) | HostOp::Random { .. } => HostReply::Bytes(Bytes::from_static(b"\x01\x02")),
        HostOp::Config { .. } => HostReply::Maybe(Some(Bytes::from_static(b"set"))),
        HostOp::Now => HostReply::Time(Timestamp::clamped(7, 0)),
        HostOp::Call { payload, .. } => HostReply::Bytes(payload.clone()),
        _ => HostReply::Done,
    }
}

/// Runs an event under a request id of its own.
fn run(actor: &Actor, number: u64, route: &'static str, payload: &str) -> crate::Running {
    let event = ask(route, payload);
    let context = Context { request_id: RequestId::from_number(number), ..actor.context(&event) };
    Arc::clone(&actor.workload).run(context, event)
}

fn text(outcome: Outcome) -> String {
    match outcome {
        Ok(bytes) => format!("ok {}", String::from_utf8_lossy(&bytes)),
        Err(failure) => format!("{:?}", failure.into_error()),
    }
}

#[tokio::test]
async fn every_operation_reaches_the_host() {
    let actor = actor(OPERATIONS, FakeHost::new(|op| Ok(answer(op))), Limits::default()).await;
    let reply = actor.tell(ask("op-each", "key")).await;
    let seen = format!("{reply}\n{}\n{}", actor.host.ops.lock().join("\n"), actor.host.logs.lock().join("\n"));
    let seen = seen.replace('\u{1f}', " | ");
    expect![[r#"
        ok "Some(Stored { value: [102, 111, 117, 110, 100], version: 1 }) [1, 2] Some(\"set\") [1, 2] 7"
        local-5 State(Write { changes: [StateChange { key: b"key", value_bytes: Some(5) }] })
        local-5 State(Get { key: b"key" })
        local-5 Timer(Set(Timer { name: "tick", schedule: Every(1s), route: "app.Service.Method", payload: b"key" }))
        local-5 Timer(Cancel { name: "tick" })
        local-5 Crypto(Hash)
        local-5 Config { name: "name" }
        local-5 Random { bytes: 4 }
        local-5 Now
        info: each was asked | random=[1, 2]"#]]
    .assert_eq(&seen);
}

/// Each writes for itself, also when its call has come back before those of others that began earlier.
#[tokio::test]
async fn each_asks_for_itself() {
    let gates = Arc::new(Mutex::new(HashMap::<Bytes, Arc<Semaphore>>::new()));
    let theirs = Arc::clone(&gates);
    let host = FakeHost::with(Box::new(move |op| {
        let reply = Ok(answer(op));
        let HostOp::Call { payload, .. } = op else { return Box::pin(std::future::ready(reply)) };
        let gate = Arc::clone(theirs.lock().entry(payload.clone()).or_insert_with(|| Arc::new(Semaphore::new(0))));
        Box::pin(async move {
            gate.acquire().await.unwrap().forget();
            reply
        })
    }));
    let actor = actor(OPERATIONS, host, Limits::default()).await;
    let (mut one, mut two) = (run(&actor, 1, "op-around", "one"), run(&actor, 2, "op-around", "two"));
    while gates.lock().len() < 2 {
        assert!(poll_immediate(&mut one).await.is_none() && poll_immediate(&mut two).await.is_none());
        tokio::task::yield_now().await;
    }
    let mut replies = Vec::new();
    for (name, run) in [("two", two), ("one", one)] {
        gates.lock()[name.as_bytes()].add_permits(1);
        replies.push(text(run.await));
    }
    let seen = format!("{}\n{}", replies.join("\n"), actor.host.ops.lock().join("\n"));
    expect![[r#"
        ok two
        ok one
        local-1 State(Write { changes: [StateChange { key: b"one", value_bytes: Some(6) }] })
        local-1 Call { dest: Shell, route: "app.Service.Method", payload: b"one" }
        local-2 State(Write { changes: [StateChange { key: b"two", value_bytes: Some(6) }] })
        local-2 Call { dest: Shell, route: "app.Service.Method", payload: b"two" }
        local-2 State(Write { changes: [StateChange { key: b"two", value_bytes: Some(5) }] })
        local-1 State(Write { changes: [StateChange { key: b"one", value_bytes: Some(5) }] })"#]]
    .assert_eq(&seen);
}

/// What a guest does after its answer is done for nobody.
#[tokio::test]
async fn nobody_asks_who_has_answered() {
    let actor = actor(OPERATIONS, FakeHost::new(|op| Ok(answer(op))), Limits::default()).await;
    let mut seen = vec![text(run(&actor, 1, "op-later", "answered").await)];
    for number in 2..6 {
        assert_eq!(text(run(&actor, number, "echo", "").await), "ok ");
    }
    seen.append(&mut actor.host.ops.lock());
    seen.append(&mut actor.host.logs.lock());
    expect![[r#"
        ok answered
        info: late: Err(ActrError::Internal("ErrorKind::InvalidArgument it is asked for no event in progress; the one that was meant is over, was given up, or never was [malformed-operation]"))"#]].assert_eq(&seen.join("\n"));
}

/// A guest that lets others run between its turns, and has no end. Every event that came gave the guest a new budget, so that it was
/// never over.
#[tokio::test]
async fn a_spin_ends_whatever_else_comes() {
    let limits = Limits { cpu: Duration::from_millis(40), ..Limits::default() };
    let actor = actor(OPERATIONS, FakeHost::echo(), limits).await;
    let mut spinning = actor.start(ask("op-spin", ""));
    assert!(poll_immediate(&mut spinning).await.is_none());
    drop(spinning);
    let end = async {
        loop {
            let answer = actor.tell(ask("echo", "x")).await;
            if answer != r#"ok "x""# {
                return short(&answer);
            }
        }
    };
    let end = tokio::time::timeout(Duration::from_secs(20), end).await.expect("the guest spins for ever");
    expect!["crash internal error: the guest computed longer than 40ms in one event [guest-cpu-limit] (lost)"]
        .assert_eq(&end);
}

#[tokio::test]
async fn what_it_hoards_in_its_host_has_a_limit() {
    let host = FakeHost::with(Box::new(|_| Box::pin(std::future::pending())));
    let actor = actor(OPERATIONS, host, Limits::default()).await;
    let answer = actor.tell(ask("op-hoard", "")).await;
    let asked = actor.host.ops.lock().len();
    expect!["crash internal error: the guest holds more handles, tasks and operations under way than its host keeps for one [guest-host-call-limit] (lost); asked for 16380 operations"].assert_eq(&format!("{}; asked for {asked} operations", short(&answer)));
}
