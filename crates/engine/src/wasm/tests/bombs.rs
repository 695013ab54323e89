//! Guests that mean harm. Each ends alone, with the precise code; the host lives on.

use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use playhouse_types::Event;
use tokio::sync::Notify;

use super::kit::{Actor, FakeHost, PLAYHOUSE, Source, request};
use super::playhouse::all_events;
use crate::{HostFuture, Limits};

/// Small limits, so that bombs go off early.
fn tight() -> Limits {
    Limits {
        memory_bytes: 4 << 20,
        table_elements: 1_000,
        cpu: Duration::from_millis(40),
        host_calls: 100,
        log_bytes: 64,
        reply_bytes: 1_000,
        ..Limits::default()
    }
}

async fn check(body: &str, more: &str, expected: &Expect) {
    let source = Source { wit: PLAYHOUSE, bodies: &[("handle", body)], more };
    match Actor::within(&source, FakeHost::echo(), tight()).await {
        Ok(actor) => expected.assert_eq(&actor.ask(b"x").await),
        Err(error) => expected.assert_eq(&format!("not created: {error:?}")),
    }
}

#[tokio::test]
async fn memory() {
    let body = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable";
    check(body, "", &expect!["crash internal error: the guest wanted 4259840 bytes of memory, the limit is 4194304; at function 12 [guest-memory-limit] (lost)"]).await;
}

#[tokio::test]
async fn table() {
    let body = "(loop $more (br_if $more (i32.ne (table.grow $table (ref.null func) (i32.const 100)) (i32.const -1)))) unreachable";
    check(body, "", &expect!["crash internal error: the guest wanted 1012 table elements, the limit is 1000; at function 12 [guest-memory-limit] (lost)"]).await;
    check(
        "unreachable",
        "(table $big 2000 funcref)",
        &expect![
            "not created: internal error: the guest wanted 2012 table elements, the limit is 1000 [guest-memory-limit]"
        ],
    )
    .await;
}

/// How deep a guest can call itself, by the limit of its stack; the default is in the pool.
#[tokio::test]
async fn stacks_are_as_deep_as_their_limits() {
    let body = "(call $deep) (i32.store (i32.const 1032) (i32.const 4096)) (i32.const 1024)";
    // Each call leaves its depth where a reply's length stands, and keeps some values over the next.
    let more = "(func $deep (i32.store (i32.const 1036) (i32.add (i32.const 1) (i32.load (i32.const 1036))))
        (if (i32.lt_u (i32.load (i32.const 1036)) (i32.const 4000)) (then (call $deep)))
        (i32.store (i32.const 1028) (i32.load (i32.const 1036))))";
    let mut seen = Vec::new();
    for depth in ["4000", "30000"] {
        for stack_bytes in [64 << 10, 512 << 10, 4 << 20] {
            let more = more.replace("4000", depth);
            let source = Source { wit: PLAYHOUSE, bodies: &[("handle", body)], more: &more };
            let limits = Limits { stack_bytes, ..Limits::default() };
            let actor = Actor::within(&source, FakeHost::echo(), limits).await.unwrap();
            let answer = actor.ask(b"").await;
            let ended = if answer.contains("[guest-stack-limit]") { "too deep" } else { &answer[..2] };
            seen.push(format!("{depth} in {} KiB: {ended}", stack_bytes >> 10));
        }
    }
    expect![[r#"
        4000 in 64 KiB: too deep
        4000 in 512 KiB: ok
        4000 in 4096 KiB: ok
        30000 in 64 KiB: too deep
        30000 in 512 KiB: too deep
        30000 in 4096 KiB: ok"#]]
    .assert_eq(&seen.join("\n"));
}

#[tokio::test]
async fn stack() {
    let more = "(func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))";
    check("(call $deeper (i32.const 1))", more, &expect!["crash internal error: the guest's stack is full; at deeper; at deeper; at deeper; at deeper; at deeper; at deeper; at deeper; at deeper; and 8 more [guest-stack-limit] (lost)"]).await;
}

#[tokio::test]
async fn endless_loop() {
    check("(loop $on (br $on)) unreachable", "", &expect!["crash internal error: the guest computed longer than 40ms in one event; at function 12 [guest-cpu-limit] (lost)"]).await;
}

#[tokio::test]
async fn start_functions() {
    let endless = "(func $begin (loop $on (br $on))) (start $begin)";
    check(
        "unreachable",
        endless,
        &expect![
            "not created: internal error: the guest computed longer than 40ms in one event; at begin [guest-cpu-limit]"
        ],
    )
    .await;
    check("unreachable", "(func $begin unreachable) (start $begin)", &expect!["not created: internal error: the guest trapped: wasm trap: wasm `unreachable` instruction executed; at begin [guest-trap]"]).await;
}

/// What a start function waits for costs it no computing time, so that its start took for ever. Here it computes for longer than it
/// is waited for.
#[tokio::test]
async fn start_functions_end_by_the_clock() {
    let more = "(func $begin (loop $on (br $on))) (start $begin)";
    let source = Source { wit: PLAYHOUSE, bodies: &[], more };
    let limits = Limits { cpu: Duration::from_secs(3600), wall: Duration::from_millis(50), ..Limits::default() };
    let made = Actor::within(&source, FakeHost::echo(), limits).await;
    expect!["timed out: making an instance took longer than 50ms [deadline-expired]"]
        .assert_eq(&made.err().map_or_else(String::new, |error| error.to_text()));
}

#[tokio::test]
async fn traps() {
    check("unreachable", "", &expect!["crash internal error: the guest trapped: wasm trap: wasm `unreachable` instruction executed; at function 12 [guest-trap] (lost)"]).await;
    check("(i32.div_u (i32.const 1) (i32.const 0))", "", &expect!["crash internal error: the guest trapped: wasm trap: integer divide by zero; at function 12 [guest-trap] (lost)"]).await;
    check("(i32.load (i32.const -8))", "", &expect!["crash internal error: the guest trapped: wasm trap: out of bounds memory access; at function 12 [guest-trap] (lost)"]).await;
}

#[tokio::test]
async fn hostile_results() {
    // A result that lies outside of memory, or is not aligned.
    check(
        "(i32.const -8)",
        "",
        &expect![
            "crash internal error: the guest broke its ABI: pointer out of bounds of memory [guest-protocol] (lost)"
        ],
    )
    .await;
    check(
        "(i32.const 1025)",
        "",
        &expect!["crash internal error: the guest broke its ABI: return pointer not aligned [guest-protocol] (lost)"],
    )
    .await;
    // A list that does.
    let list =
        "(i32.store (i32.const 1032) (i32.const -16)) (i32.store (i32.const 1036) (i32.const 500)) (i32.const 1024)";
    check(list, "", &expect!["crash internal error: the guest broke its ABI: list pointer/length out of bounds of memory [guest-protocol] (lost)"]).await;
    // A case that does not exist.
    check(
        "(i32.store8 (i32.const 1024) (i32.const 9)) (i32.const 1024)",
        "",
        &expect![
            "crash internal error: the guest broke its ABI: invalid expected discriminant [guest-protocol] (lost)"
        ],
    )
    .await;
    // An error whose code is not UTF-8.
    let text = "(i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store (i32.const 1036) (i32.const 2048)) (i32.store (i32.const 1040) (i32.const 4)) (i32.const 1024)";
    check(text, "(data (i32.const 2048) \"\\ff\\fe\\fd\\fc\")", &expect!["crash internal error: the guest broke its ABI: invalid utf-8 sequence of 1 bytes from index 0 [guest-protocol] (lost)"]).await;
}

#[tokio::test]
async fn giant_replies() {
    // Over the limit, the guest has answered badly; far over it, the bytes are not even copied.
    let list = |length: &str| {
        format!(
            "(drop (memory.grow (i32.const 40))) (i32.store (i32.const 1036) (i32.const {length})) (i32.const 1024)"
        )
    };
    check(&list("3"), "", &expect![[r#"ok "\0\0\0""#]]).await;
    check(
        &list("1001"),
        "",
        &expect!["error internal error: the reply has 1001 bytes, the limit is 1000 [guest-reply-limit]"],
    )
    .await;
    check(
        &list("2000000"),
        "",
        &expect![
            "crash internal error: the guest gave its host more bytes at once than it may [guest-reply-limit] (lost)"
        ],
    )
    .await;
}

#[tokio::test]
async fn host_call_flood() {
    let more = "(data (i32.const 2048) \"noise\")";
    let body =
        "(loop $on (call $register-stream (i32.const 2048) (i32.const 5) (i32.const 1024)) (br $on)) unreachable";
    check(body, more, &expect!["crash internal error: the guest asked for more than 100 host operations in one event; at function 7; at function 12 [guest-host-call-limit] (lost)"]).await;
}

#[tokio::test]
async fn log_flood() {
    let more = "(data (i32.const 2048) \"noise noise noise noise\")";
    let body = "(loop $on (call $log (i32.const 2) (i32.const 2048) (i32.const 23)) (br $on)) unreachable";
    let source = Source { wit: PLAYHOUSE, bodies: &[("handle", body)], more };
    let actor = Actor::within(&source, FakeHost::echo(), tight()).await.unwrap();
    expect!["crash internal error: the guest asked for more than 100 host operations in one event; at function 10; at function 12 [guest-host-call-limit] (lost)"].assert_eq(&actor.ask(b"").await);
    expect![[r#"
        info: noise noise noise noise
        info: noise noise noise noise
        info: noise noise noise 
        warn: log text over 64 bytes in one event was dropped"#]]
    .assert_eq(&actor.host.logs.lock().join("\n"));
}

/// The operation never ends; whoever waits gives up by dropping the run.
#[tokio::test]
async fn hanging_in_the_host() {
    let asked = Arc::new(Notify::new());
    let notify = Arc::clone(&asked);
    let host = FakeHost::with(Box::new(move |_| {
        notify.notify_one();
        Box::pin(std::future::pending()) as HostFuture
    }));
    let more = "(data (i32.const 2048) \"quiet\")";
    let body = "(call $register-stream (i32.const 2048) (i32.const 5) (i32.const 1024)) (i32.const 1024)";
    let source = Source { wit: PLAYHOUSE, bodies: &[("handle", body)], more };
    let actor = Actor::within(&source, host, tight()).await.unwrap();
    let run = actor.start(request(b""));
    tokio::select! {
        biased;
        _ = run => unreachable!("the host does not answer"),
        () = asked.notified() => {}
    }
    assert!(actor.workload.is_lost());
    assert_eq!(actor.host.ops.lock().len(), 1);
    expect!["error unavailable: the workload is lost, or handles another event [actor-restarting] (lost)"]
        .assert_eq(&actor.ask(b"").await);
}

/// A run that was never polled has not touched the workload.
#[tokio::test]
async fn a_run_that_never_began_costs_nothing() {
    let source = Source { wit: PLAYHOUSE, bodies: &[("handle", super::playhouse::ECHO)], more: "" };
    let actor = Actor::new(&source).await;
    drop(actor.start(request(b"")));
    assert_eq!(actor.ask(b"still here").await, r#"ok "still here""#);
}

/// On one thread, with a guest that loops, timers fire all the while.
#[tokio::test(flavor = "current_thread")]
async fn neighbours_of_a_loop_run_on() {
    let limits = Limits { cpu: Duration::from_millis(200), ..tight() };
    let source = Source { wit: PLAYHOUSE, bodies: &[("handle", "(loop $on (br $on)) unreachable")], more: "" };
    let actor = Actor::within(&source, FakeHost::echo(), limits).await.unwrap();
    let mut interval = tokio::time::interval(Duration::from_millis(1));
    let mut fired = 0;
    let run = actor.ask(b"");
    tokio::pin!(run);
    let answer = loop {
        tokio::select! {
            answer = &mut run => break answer,
            _ = interval.tick() => fired += 1,
        }
    };
    assert!(answer.contains("guest-cpu-limit"), "{answer}");
    // 200 ms in ticks of 2 ms; half of them, for a machine that is busy.
    assert!(fired >= 50, "the timer fired {fired} times");
}

/// What a guest waits is not what it computes. This takes real time, because computing does.
#[tokio::test]
async fn waiting_is_free() {
    let host = FakeHost::with(Box::new(|_| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            Ok(playhouse_types::HostReply::Done)
        }) as HostFuture
    }));
    let more = "(data (i32.const 2048) \"quiet\")";
    let body = "(call $register-stream (i32.const 2048) (i32.const 5) (i32.const 1024)) (i32.const 1024)";
    let source = Source { wit: PLAYHOUSE, bodies: &[("handle", body)], more };
    let actor = Actor::within(&source, host, tight()).await.unwrap();
    assert_eq!(actor.ask(b"").await, r#"ok """#);
}

/// A fault of the host's own is an error for the guest, which lives on.
#[tokio::test]
async fn a_panic_in_the_host() {
    let host = FakeHost::new(|_| panic!("a bug of the host's"));
    let more = "(data (i32.const 2048) \"quiet\")";
    let body = "(call $register-stream (i32.const 2048) (i32.const 5) (i32.const 1024)) (i32.const 1024)";
    let source = Source { wit: PLAYHOUSE, bodies: &[("on-start", body)], more };
    let actor = Actor::within(&source, host, tight()).await.unwrap();
    for _ in 0..2 {
        expect!["error internal error: the host panicked while it performed an operation"]
            .assert_eq(&actor.tell(Event::Start).await);
    }
}

/// Memory for what the host hands over is the guest's to give: outside of memory, unaligned, or not at all. A chunk is handed
/// over in memory, where it has an alignment of 8.
#[tokio::test]
async fn hostile_allocators() {
    for (result, expected) in [
        (
            "(i32.const -8)",
            expect![
                "crash internal error: the guest broke its ABI: realloc return: beyond end of memory [guest-protocol] (lost)"
            ],
        ),
        (
            "(i32.add (local.get $at) (i32.const 1))",
            expect![
                "crash internal error: the guest broke its ABI: realloc return: result not aligned [guest-protocol] (lost)"
            ],
        ),
        (
            "(loop $on (br $on)) unreachable",
            expect![
                "crash internal error: the guest computed longer than 40ms in one event; at realloc [guest-cpu-limit] (lost)"
            ],
        ),
    ] {
        let source = Source { wit: PLAYHOUSE, bodies: &[], more: "" };
        let binary = source.component_with(|text| text.replace("(local.get $at))", &format!("{result})")));
        let actor = Actor::from(&binary, FakeHost::echo(), tight()).await.unwrap();
        let chunk = all_events().into_iter().find(|event| matches!(event, Event::Chunk { .. })).unwrap();
        expected.assert_eq(&actor.tell(chunk).await);
    }
}
