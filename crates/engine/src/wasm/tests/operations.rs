//! Every function of the interfaces beside `host`, there and back.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use parking_lot::Mutex;
use playhouse_types::{ActorError, Code, CryptoOp, ErrorKind, HostOp, HostReply, StateEntry, StateKey, Timestamp};

use super::kit::{Actor, FakeHost, OPERATIONS, PLAYHOUSE, SHAPE_A, SHAPE_B, SHAPE_C, Source, load};
use crate::Limits;

/// What the guests name, and what they reply of what their host answered at 1024: `result<list<u8>, error>` is as it is to
/// be replied, and so is every error.
const WORDS: &[(&str, &str)] = &[
    ("KEY", "(i32.const 3000) (i32.const 3)"),
    ("VALUE", "(i32.const 3010) (i32.const 5)"),
    ("INTO", "(i32.const 3020) (i32.const 4)"),
    ("ROUTE", "(i32.const 3030) (i32.const 5)"),
    ("CRON", "(i32.const 3040) (i32.const 9)"),
    ("EMPTY", "(i32.const 0) (i32.const 0)"),
    ("RET", "(i32.const 1024)"),
];
const DATA: &str = "(data (i32.const 3000) \"key\") (data (i32.const 3010) \"value\") (data (i32.const 3020) \"into\")
    (data (i32.const 3030) \"a.B.C\") (data (i32.const 3040) \"0 0 * * *\") (data (i32.const 3050) \"\\ff\\fe\")";

/// Replies with one byte if the answer is yes.
const FLAG: &str = "(if (i32.eqz (i32.load8_u (i32.const 1024)))
    (then (i32.store (i32.const 1036) (i32.load8_u (i32.const 1032)))))";
/// Replies with an optional list.
const OPTIONAL: &str = "(if (i32.eqz (i32.load8_u (i32.const 1024)))
    (then (i32.store (i32.const 1032) (i32.load (i32.const 1036))) (i32.store (i32.const 1036) (i32.load (i32.const 1040)))))";

fn words(text: &str) -> String {
    WORDS.iter().fold(text.to_owned(), |text, (word, meaning)| text.replace(word, meaning))
}

fn source_text() -> String {
    format!("{PLAYHOUSE}{OPERATIONS}")
}

/// An operation with all that it holds.
fn shown(op: &HostOp) -> String {
    let HostOp::Crypto(op) = op else { return format!("{op:?}") };
    match op {
        CryptoOp::PublicKey { key, purpose } => format!("PublicKey {key} {purpose:?}"),
        CryptoOp::Sign { key, message } => format!("Sign {key} {message:?}"),
        CryptoOp::Verify { public_key, message, signature } => {
            format!("Verify {public_key:?} {message:?} {signature:?}")
        }
        CryptoOp::Seal { key, plaintext, context } => format!("Seal {key} {plaintext:?} {context:?}"),
        CryptoOp::Open { key, ciphertext, context } => format!("Open {key} {ciphertext:?} {context:?}"),
        CryptoOp::Agree { key, peer, context, into } => format!("Agree {key} {peer:?} {context:?} {into}"),
        CryptoOp::Derive { key, context, into } => format!("Derive {key} {context:?} {into}"),
        CryptoOp::Hash { algorithm, data } => format!("Hash {algorithm:?} {data:?}"),
        CryptoOp::Mac { key, message } => format!("Mac {key} {message:?}"),
        CryptoOp::VerifyMac { key, message, tag } => format!("VerifyMac {key} {message:?} {tag:?}"),
    }
}

/// What the host was asked for by a guest that does one thing, and what the guest replied with of the answer.
async fn asked(body: &str, answer: Result<HostReply, ActorError>, limits: Limits) -> String {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let host = FakeHost::new(move |op| {
        log.lock().push(shown(op));
        answer.clone()
    });
    let body = format!("{} (i32.const 1024)", words(body));
    let source = Source { wit: &source_text(), bodies: &[("handle", &body)], more: DATA };
    let actor = Actor::within(&source, host, limits).await.unwrap();
    let reply = actor.ask(b"").await;
    let ops = seen.lock().join("\n");
    if ops.is_empty() { reply } else { format!("{ops}\n{reply}") }
}

async fn check(body: &str, answer: HostReply, expected: &Expect) {
    expected.assert_eq(&asked(body, Ok(answer), Limits::default()).await);
}

fn data(text: &'static str) -> HostReply {
    HostReply::Bytes(Bytes::from_static(text.as_bytes()))
}

fn entry(key: &'static str, value: &'static str, version: u64) -> StateEntry {
    let key = StateKey::new(key.as_bytes()).unwrap();
    StateEntry { key, value: Bytes::from_static(value.as_bytes()), version: NonZeroU64::new(version).unwrap() }
}

#[tokio::test]
async fn state_is_read() {
    let get = format!("(call $get KEY RET) {OPTIONAL}")
        .replace("1036) (i32.load (i32.const 1040", "1036) (i32.load (i32.const 1044")
        .replace("(i32.load (i32.const 1036))", "(i32.load (i32.const 1040))");
    let found = HostReply::Entry(Some(entry("key", "found", 3)));
    check(
        &get,
        found.clone(),
        &expect![[r#"
        State(Get { key: b"key" })
        ok "found""#]],
    )
    .await;
    check(
        &get,
        HostReply::Entry(None),
        &expect![[r#"
        State(Get { key: b"key" })
        ok """#]],
    )
    .await;
    // As many bytes as the version says.
    let version = "(call $get KEY RET) (i32.store (i32.const 1032) (i32.const 4096)) (i32.store (i32.const 1036) (i32.load (i32.const 1048)))";
    check(
        version,
        found,
        &expect![[r#"
            State(Get { key: b"key" })
            ok "ech""#]],
    )
    .await;
}

#[tokio::test]
async fn state_is_written() {
    check(
        "(call $set KEY VALUE RET)",
        HostReply::Done,
        &expect![[r#"
        State(Write { changes: [StateChange { key: b"key", value_bytes: Some(5) }] })
        ok """#]],
    )
    .await;
    check(
        "(call $delete KEY RET)",
        HostReply::Done,
        &expect![[r#"
        State(Write { changes: [StateChange { key: b"key", value_bytes: None }] })
        ok """#]],
    )
    .await;
    // Two changes of 20 bytes at 2048: a key with a value, a key without.
    let write = "(i32.store (i32.const 2048) (i32.const 3000)) (i32.store (i32.const 2052) (i32.const 3))
        (i32.store (i32.const 2056) (i32.const 1)) (i32.store (i32.const 2060) (i32.const 3010)) (i32.store (i32.const 2064) (i32.const 5))
        (i32.store (i32.const 2068) (i32.const 3020)) (i32.store (i32.const 2072) (i32.const 4))
        (call $write (i32.const 2048) (i32.const 2) RET)";
    check(write, HostReply::Done, &expect![[r#"
        State(Write { changes: [StateChange { key: b"key", value_bytes: Some(5) }, StateChange { key: b"into", value_bytes: None }] })
        ok """#]]).await;
}

#[tokio::test]
async fn state_is_compared() {
    let cas = |expected: &str, value: &str| format!("(call $compare-and-set {expected} KEY {value} RET) {FLAG}");
    let some = "(i32.const 1) VALUE";
    check(
        &cas("(i32.const 1) (i64.const 7)", some),
        HostReply::Flag(true),
        &expect![[r#"
            State(CompareAndSet { expected: Some(7), change: StateChange { key: b"key", value_bytes: Some(5) } })
            ok "\0""#]],
    )
    .await;
    check(
        &cas("(i32.const 0) (i64.const 0)", some),
        HostReply::Flag(false),
        &expect![[r#"
        State(CompareAndSet { expected: None, change: StateChange { key: b"key", value_bytes: Some(5) } })
        ok """#]],
    )
    .await;
    check(&cas("(i32.const 1) (i64.const -1)", "(i32.const 0) EMPTY"), HostReply::Flag(true), &expect![[r#"
        State(CompareAndSet { expected: Some(18446744073709551615), change: StateChange { key: b"key", value_bytes: None } })
        ok "\0""#]]).await;
    check(&cas("(i32.const 1) (i64.const 0)", some), HostReply::Flag(true), &expect!["error invalid argument: no value has version 0; a key without a value is expected by none [malformed-operation]"]).await;
}

#[tokio::test]
async fn state_is_scanned() {
    let scan = "(call $scan KEY (i32.const 1) INTO (i32.const -1) RET)";
    let found = HostReply::Entries { entries: vec![entry("a", "one", 1), entry("b", "two", 2)], more: true };
    // An entry has 24 bytes; the value of the second, and whether there are more.
    let second = "(i32.store8 (i32.const 2000) (i32.add (i32.const 48) (i32.load8_u (i32.const 1040))))
        (memory.copy (i32.const 2001) (i32.load offset=32 (i32.load (i32.const 1032))) (i32.load offset=36 (i32.load (i32.const 1032))))
        (i32.store (i32.const 1032) (i32.const 2000)) (i32.store (i32.const 1036) (i32.const 4))";
    check(
        &format!("{scan} {second}"),
        found,
        &expect![[r#"
        State(Scan { prefix: b"key", after: Some(b"into"), limit: 4294967295 })
        ok "1two""#]],
    )
    .await;
    let all = "(call $scan EMPTY (i32.const 0) EMPTY (i32.const 0) RET)";
    check(
        all,
        HostReply::Entries { entries: Vec::new(), more: false },
        &expect![[r#"
        State(Scan { prefix: b"", after: None, limit: 0 })
        ok """#]],
    )
    .await;
}

#[tokio::test]
async fn timers_are_set_and_ended() {
    let set = |schedule: &str| format!("(call $timers-set KEY {schedule} ROUTE VALUE RET)");
    check(
        &set("(i32.const 0) (i64.const 1500) (i32.const 0)"),
        HostReply::Done,
        &expect![[r#"
        Timer(Set(Timer { name: "key", schedule: After(1.5s), route: "a.B.C", payload: b"value" }))
        ok """#]],
    )
    .await;
    check(&set("(i32.const 1) (i64.const -1) (i32.const -1)"), HostReply::Done, &expect![[r#"
        Timer(Set(Timer { name: "key", schedule: At(Timestamp { seconds: 8589934591, nanoseconds: 999999999 }), route: "a.B.C", payload: b"value" }))
        ok """#]]).await;
    check(
        &set("(i32.const 2) (i64.const -1) (i32.const 0)"),
        HostReply::Done,
        &expect![[r#"
        Timer(Set(Timer { name: "key", schedule: Every(18446744073709551.615s), route: "a.B.C", payload: b"value" }))
        ok """#]],
    )
    .await;
    check(
        &set("(i32.const 3) (i64.const 3040) (i32.const 9)"),
        HostReply::Done,
        &expect![[r#"
        Timer(Set(Timer { name: "key", schedule: Cron("0 0 * * *"), route: "a.B.C", payload: b"value" }))
        ok """#]],
    )
    .await;
    check(
        &set("(i32.const 3) (i64.const 3040) (i32.const 2000)"),
        HostReply::Done,
        &expect!["error invalid argument: a text is not in the encoding that the guest promised [malformed-operation]"],
    )
    .await;
    check(
        "(call $cancel KEY RET)",
        HostReply::Done,
        &expect![[r#"
        Timer(Cancel { name: "key" })
        ok """#]],
    )
    .await;
}

#[tokio::test]
async fn keys_are_used() {
    check(
        "(call $public-key KEY (i32.const 0) RET)",
        data("public"),
        &expect![[r#"
        PublicKey key Sign
        ok "public""#]],
    )
    .await;
    check(
        "(call $public-key KEY (i32.const 1) RET)",
        data("public"),
        &expect![[r#"
        PublicKey key Agree
        ok "public""#]],
    )
    .await;
    check(
        "(call $sign KEY VALUE RET)",
        data("signature"),
        &expect![[r#"
        Sign key b"value"
        ok "signature""#]],
    )
    .await;
    check(
        &format!("(call $verify KEY VALUE INTO RET) {FLAG}"),
        HostReply::Flag(true),
        &expect![[r#"
            Verify b"key" b"value" b"into"
            ok "\0""#]],
    )
    .await;
    check(
        "(call $seal KEY VALUE INTO RET)",
        data("sealed"),
        &expect![[r#"
        Seal key b"value" b"into"
        ok "sealed""#]],
    )
    .await;
    check(
        "(call $open KEY VALUE INTO RET)",
        data("opened"),
        &expect![[r#"
        Open key b"value" b"into"
        ok "opened""#]],
    )
    .await;
    check(
        "(call $agree KEY VALUE EMPTY INTO RET)",
        HostReply::Done,
        &expect![[r#"
        Agree key b"value" b"" into
        ok """#]],
    )
    .await;
    check(
        "(call $derive KEY VALUE INTO RET)",
        HostReply::Done,
        &expect![[r#"
        Derive key b"value" into
        ok """#]],
    )
    .await;
    check(
        "(call $hash (i32.const 0) VALUE RET)",
        data("digest"),
        &expect![[r#"
        Hash Sha256 b"value"
        ok "digest""#]],
    )
    .await;
    check(
        "(call $hash (i32.const 1) VALUE RET)",
        data("digest"),
        &expect![[r#"
        Hash Sha512 b"value"
        ok "digest""#]],
    )
    .await;
    check(
        "(call $mac KEY VALUE RET)",
        data("tag"),
        &expect![[r#"
        Mac key b"value"
        ok "tag""#]],
    )
    .await;
    check(
        &format!("(call $verify-mac KEY VALUE INTO RET) {FLAG}"),
        HostReply::Flag(false),
        &expect![[r#"
        VerifyMac key b"value" b"into"
        ok """#]],
    )
    .await;
}

#[tokio::test]
async fn settings_randomness_and_time() {
    let some = |text: &'static [u8]| HostReply::Maybe(Some(Bytes::from_static(text)));
    check(
        &format!("(call $config KEY RET) {OPTIONAL}"),
        some(b"blue"),
        &expect![[r#"
        Config { name: "key" }
        ok "blue""#]],
    )
    .await;
    check(
        &format!("(call $config KEY RET) {OPTIONAL}"),
        some(b"\xff"),
        &expect![[r#"
        Config { name: "key" }
        error decode failure: the setting is not UTF-8"#]],
    )
    .await;
    check(
        &format!("(call $secret KEY RET) {OPTIONAL}"),
        some(b"hidden"),
        &expect![[r#"
        Secret { name: "key" }
        ok "hidden""#]],
    )
    .await;
    check(
        &format!("(call $secret KEY RET) {OPTIONAL}"),
        HostReply::Maybe(None),
        &expect![[r#"
        Secret { name: "key" }
        ok """#]],
    )
    .await;
    check(
        "(call $bytes (i32.const 70000) RET)",
        data("dice"),
        &expect![[r#"
        Random { bytes: 70000 }
        ok "dice""#]],
    )
    .await;
    // The nanoseconds are as many bytes.
    let now = "(call $now RET) (i32.store (i32.const 1036) (i32.load (i32.const 1040))) (i32.store (i32.const 1032) (i32.const 0))";
    check(
        now,
        HostReply::Time(Timestamp::clamped(1, 2)),
        &expect![[r#"
        Now
        ok "\0\0""#]],
    )
    .await;
}

/// Errors of the host reach the guest as they are; an answer to something else is a bug of the host's, and an error.
#[tokio::test]
async fn errors_come_back() {
    let denied = ActorError::coded(ErrorKind::PermissionDenied, Code::GrantMissing, "no grant `state`");
    for call in [
        "(call $get KEY RET)",
        "(call $set KEY VALUE RET)",
        "(call $delete KEY RET)",
        "(call $compare-and-set (i32.const 0) (i64.const 0) KEY (i32.const 0) EMPTY RET)",
        "(call $scan EMPTY (i32.const 0) EMPTY (i32.const 1) RET)",
        "(call $write EMPTY RET)",
        "(call $timers-set KEY (i32.const 0) (i64.const 1) (i32.const 0) ROUTE VALUE RET)",
        "(call $cancel KEY RET)",
        "(call $public-key KEY (i32.const 0) RET)",
        "(call $sign KEY VALUE RET)",
        "(call $verify KEY VALUE INTO RET)",
        "(call $seal KEY VALUE INTO RET)",
        "(call $open KEY VALUE INTO RET)",
        "(call $agree KEY VALUE EMPTY INTO RET)",
        "(call $derive KEY VALUE INTO RET)",
        "(call $hash (i32.const 0) VALUE RET)",
        "(call $mac KEY VALUE RET)",
        "(call $verify-mac KEY VALUE INTO RET)",
        "(call $config KEY RET)",
        "(call $secret KEY RET)",
        "(call $bytes (i32.const 1) RET)",
        "(call $now RET)",
    ] {
        let refused = asked(call, Err(denied.clone()), Limits::default()).await;
        let reply = refused.rsplit('\n').next().unwrap();
        assert_eq!(reply, "error permission denied: no grant `state` [grant-missing]", "{call}");
        let mixed_up = asked(call, Ok(HostReply::Actor(super::kit::other_id())), Limits::default()).await;
        let reply = mixed_up.rsplit('\n').next().unwrap();
        assert_eq!(
            reply, "error internal error: the host answered an operation with Actor(2b@7/acme:Other:2.0.0)",
            "{call}"
        );
    }
}

/// Malformed and giant values are errors for the guest, before the host is asked and mostly before they are copied.
#[tokio::test]
async fn hostile_values() {
    let big = "(drop (memory.grow (i32.const 400)))";
    let list = |bytes: u32| format!("(i32.const 3000) (i32.const {bytes})");
    let mut seen = Vec::new();
    for call in [
        "(call $get EMPTY RET)".to_owned(),
        format!("{big} (call $get {} RET)", list(513)),
        format!("{big} (call $get {} RET)", list(16_000_000)),
        format!("{big} (call $get {} RET)", list(20_000_000)),
        format!("{big} (call $set KEY {} RET)", list((8 << 20) + 1)),
        format!("{big} (call $scan {} (i32.const 0) EMPTY (i32.const 1) RET)", list(513)),
        "(call $scan EMPTY (i32.const 1) EMPTY (i32.const 1) RET)".to_owned(),
        "(call $get (i32.const -8) (i32.const 100) RET)".to_owned(),
        "(call $config EMPTY RET)".to_owned(),
        "(call $config (i32.const 3050) (i32.const 2) RET)".to_owned(),
        format!("(call $sign {} VALUE RET)", list(129)),
        "(call $sign (i32.const 2000) (i32.const 1) VALUE RET)".to_owned(),
        "(call $timers-set KEY (i32.const 0) (i64.const 1) (i32.const 0) EMPTY VALUE RET)".to_owned(),
        format!("(call $timers-set KEY (i32.const 0) (i64.const 1) (i32.const 0) {} VALUE RET)", list(600)),
        "(call $timers-set KEY (i32.const 4) (i64.const 1) (i32.const 0) ROUTE VALUE RET)".to_owned(),
        "(call $hash (i32.const 2) VALUE RET)".to_owned(),
        "(call $compare-and-set (i32.const 2) (i64.const 0) KEY (i32.const 0) EMPTY RET)".to_owned(),
    ] {
        let answer = asked(&call, Ok(HostReply::Done), Limits::default()).await;
        seen.push(super::lifted::short(&answer));
    }
    expect![[r#"
        error invalid argument: state key "" is empty [malformed-operation]
        error invalid argument: a key of the state has 513 bytes, the limit is 512 [malformed-operation]
        error invalid argument: a key of the state has 16000000 bytes, the limit is 512 [malformed-operation]
        crash internal error: the guest gave its host more bytes at once than it may [guest-reply-limit] (lost)
        error invalid argument: a value of the state has 8388609 bytes, the limit is 8388608 [malformed-operation]
        error invalid argument: a key of the state has 513 bytes, the limit is 512 [malformed-operation]
        error invalid argument: state key "" is empty [malformed-operation]
        crash internal error: the guest broke its ABI: list pointer/length out of bounds of memory [guest-protocol] (lost)
        error invalid argument: label "" is empty [malformed-operation]
        error invalid argument: a text is not in the encoding that the guest promised [malformed-operation]
        error invalid argument: a text is not in the encoding that the guest promised [malformed-operation]
        error invalid argument: label "\0" has a control character [malformed-operation]
        error invalid argument: route key "" is empty [malformed-operation]
        error invalid argument: a text is not in the encoding that the guest promised [malformed-operation]
        crash internal error: the guest broke its ABI: unexpected discriminant: 4 [guest-protocol] (lost)
        crash internal error: the guest broke its ABI: unexpected discriminant: 2 [guest-protocol] (lost)
        crash internal error: the guest broke its ABI: invalid option discriminant [guest-protocol] (lost)"#]].assert_eq(&seen.join("\n"));
}

/// Operations count like any other, and what a host hands over must fit the guest.
#[tokio::test]
async fn floods() {
    let limits = Limits { host_calls: 100, cpu: Duration::from_secs(20), ..Limits::default() };
    let page = || HostReply::Entries { entries: vec![entry("a", "one", 1)], more: true };
    let endless = "(loop $on (call $scan EMPTY (i32.const 0) EMPTY (i32.const -1) RET) (br $on))";
    let seen = asked(endless, Ok(page()), limits.clone()).await;
    assert_eq!(seen.lines().filter(|line| line.starts_with("State(Scan")).count(), 100);
    expect!["crash internal error: the guest asked for more than 100 host operations in one event [guest-host-call-limit] (lost)"]
        .assert_eq(&super::lifted::short(seen.lines().last().unwrap()));
    // A hundred thousand changes that all hand over the same mebibyte.
    let overlapping = "(local $at i32) (drop (memory.grow (i32.const 40)))
        (loop $on
            (i32.store offset=65536 (local.get $at) (i32.const 3000)) (i32.store offset=65540 (local.get $at) (i32.const 3))
            (i32.store offset=65544 (local.get $at) (i32.const 1)) (i32.store offset=65548 (local.get $at) (i32.const 65536))
            (i32.store offset=65552 (local.get $at) (i32.const 1048576))
            (br_if $on (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 20))) (i32.const 2000000))))
        (call $write (i32.const 65536) (i32.const 100000) RET)";
    expect!["crash internal error: the guest gave its host more bytes at once than it may [guest-reply-limit] (lost)"]
        .assert_eq(&super::lifted::short(&asked(overlapping, Ok(HostReply::Done), limits).await));
    let value = Bytes::from(vec![7; 4 << 20]);
    let large = HostReply::Entry(Some(StateEntry { value, ..entry("key", "", 1) }));
    let small = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let answer = asked("(call $get KEY RET)", Ok(large), small).await;
    expect!["crash internal error: the guest wanted 4390912 bytes of memory, the limit is 1048576 [guest-memory-limit] (lost)"].assert_eq(&super::lifted::short(answer.lines().last().unwrap()));
}

/// Writes as many fields as that to the log, each `key=into`.
fn log_with(fields: u32) -> String {
    let field = |at: u32| {
        [(0, 3000), (4, 3), (8, 3020), (12, 4)]
            .map(|(part, number)| format!("(i32.store (i32.const {}) (i32.const {number}))", at + part))
            .concat()
    };
    let stores: String = (0..fields).map(|n| field(3100 + 16 * n)).collect();
    format!("{stores} (call $log-write (i32.const 3) VALUE (i32.const 3100) (i32.const {fields}))")
}

/// What a guest that logs says, with a bar before each field; and what came of it.
async fn logged(body: &str, limits: Limits) -> String {
    let body = format!("{} (i32.const 1024)", words(body));
    let source = Source { wit: &source_text(), bodies: &[("handle", &body)], more: DATA };
    let actor = Actor::within(&source, FakeHost::echo(), limits).await.unwrap();
    let reply = super::lifted::short(&actor.ask(b"").await);
    let lines = actor.host.logs.lock().join("\n").replace('\u{1f}', "|");
    format!("{lines}\n{reply}")
}

#[tokio::test]
async fn the_log_has_fields() {
    expect![[r#"
        warn: value|key=into|key=into
        ok """#]]
    .assert_eq(&logged(&log_with(2), Limits::default()).await);
    expect![[r#"
        warn: value
        ok """#]]
    .assert_eq(&logged(&log_with(0), Limits::default()).await);
    let many = logged(&log_with(40), Limits::default()).await;
    assert_eq!(many.matches('|').count(), 32, "{many}");
}

/// Fields count as text does, and lines as operations do.
#[tokio::test]
async fn the_log_has_limits() {
    expect![[r#"
        warn: value|key=into|k
        warn: log text over 16 bytes in one event was dropped
        ok """#]]
    .assert_eq(&logged(&log_with(3), Limits { log_bytes: 16, ..Limits::default() }).await);
    let flood = format!("(loop $on {} (br $on))", log_with(1));
    let ended = logged(&flood, Limits { host_calls: 3, ..Limits::default() }).await;
    expect![[r#"
        warn: value|key=into
        warn: value|key=into
        warn: value|key=into
        crash internal error: the guest asked for more than 3 host operations in one event [guest-host-call-limit] (lost)"#]].assert_eq(&ended);
    let beyond = "(call $log-write (i32.const 3) VALUE (i32.const -16) (i32.const 1))";
    expect![[r#"

        crash internal error: the guest broke its ABI: list pointer/length out of bounds of memory [guest-protocol] (lost)"#]].assert_eq(&logged(beyond, Limits::default()).await);
    // Each value lies within the memory, and all of them are more than one reply may be.
    let giant = log_with(40).replace("(i32.const 4))", "(i32.const 60000))");
    expect![[r#"

        crash internal error: the guest gave its host more bytes at once than it may [guest-reply-limit] (lost)"#]]
    .assert_eq(&logged(&giant, Limits { reply_bytes: 1, ..Limits::default() }).await);
}

/// Components of actr's plain worlds may ask for state as well.
#[tokio::test]
async fn in_the_worlds_of_actr() {
    for shape in [SHAPE_A, SHAPE_B, SHAPE_C] {
        let ours = format!("{PLAYHOUSE}{OPERATIONS}")
            .replace("package playhouse:actor@0.1.0;", "package playhouse:actor@0.1.0 {");
        let wit = shape.replace("    import host;", "    import host;\n    import playhouse:actor/state@0.1.0;");
        let wit = format!("{wit}\n{ours}\n}}");
        let body = words("(call $set KEY VALUE RET) (i32.store (i32.const 1024) (i32.const 0)) (i32.const 1024)");
        let source = Source { wit: &wit, bodies: &[("dispatch", &body)], more: DATA };
        let actor = Actor::within(&source, FakeHost::echo(), Limits::default()).await.unwrap();
        assert_eq!(actor.ask(b"").await, r#"ok """#);
        let expected = r#"local-5 State(Write { changes: [StateChange { key: b"key", value_bytes: Some(5) }] })"#;
        assert_eq!(*actor.host.ops.lock(), [expected]);
    }
}

/// A function that no host has, or of another type, is refused at load.
#[test]
fn other_types_are_refused() {
    let mut seen = Vec::new();
    for (from, to) in [
        ("delete: func(key: list<u8>)", "delete: func(key: string)"),
        ("    cancel: func(name: string)", "    pause: func(name: string)"),
    ] {
        let text = source_text();
        assert!(text.contains(from));
        let binary = Source { wit: &text.replace(from, to), bodies: &[], more: "" }.component();
        seen.push(load(&binary).map(|_| ()).unwrap_err().to_text());
    }
    expect![[r#"
        invalid argument: playhouse:actor/state@0.1.0: delete has another type than the world's: expected `list` found `string` [wasm-shape]
        invalid argument: the component imports playhouse:actor/timers@0.1.0#pause, which no host offers [wasm-import]"#]].assert_eq(&seen.join("\n"));
}
