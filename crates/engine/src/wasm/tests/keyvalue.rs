//! Components that are written for `wasi:keyvalue`, on a host that keeps a state.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use expect_test::{Expect, expect};
use parking_lot::Mutex;
use playhouse_types::{ActorError, Code, ErrorKind, HostOp, HostReply, StateChange, StateEntry, StateKey, StateOp};

use super::kit::{Actor, FakeHost, PLAYHOUSE, Source};
use crate::Limits;

const DRAFT: &str = "
    package wasi:keyvalue@0.2.0-draft {
        interface store {
            variant error { no-such-store, access-denied, other(string) }
            record key-response { keys: list<string>, cursor: option<u64> }
            open: func(identifier: string) -> result<bucket, error>;
            resource bucket {
                get: func(key: string) -> result<option<list<u8>>, error>;
                set: func(key: string, value: list<u8>) -> result<_, error>;
                delete: func(key: string) -> result<_, error>;
                exists: func(key: string) -> result<bool, error>;
                list-keys: func(cursor: option<u64>) -> result<key-response, error>;
            }
        }
        interface atomics {
            use store.{bucket, error};
            increment: func(bucket: borrow<bucket>, key: string, delta: u64) -> result<u64, error>;
        }
        interface batch {
            use store.{bucket, error};
            get-many: func(bucket: borrow<bucket>, keys: list<string>) -> result<list<option<tuple<string, list<u8>>>>, error>;
            set-many: func(bucket: borrow<bucket>, key-values: list<tuple<string, list<u8>>>) -> result<_, error>;
            delete-many: func(bucket: borrow<bucket>, keys: list<string>) -> result<_, error>;
        }
    }";

type Values = BTreeMap<StateKey, (Bytes, u64)>;

/// A state as the node keeps one, with pages of two.
#[derive(Default)]
struct Kept {
    values: Values,
    writes: u64,
}

impl Kept {
    fn write(&mut self, changes: &[StateChange]) {
        for change in changes {
            self.writes += 1;
            match &change.value {
                Some(value) => drop(self.values.insert(change.key.clone(), (value.clone(), self.writes))),
                None => drop(self.values.remove(&change.key)),
            }
        }
    }

    fn perform(&mut self, op: &HostOp) -> Result<HostReply, ActorError> {
        let HostOp::State(op) = op else { unreachable!("only the state is asked for") };
        let entry = |key: &StateKey, (value, version): &(Bytes, u64)| {
            let version = NonZeroU64::new(*version).unwrap();
            StateEntry { key: key.clone(), value: value.clone(), version }
        };
        Ok(match op {
            StateOp::Get { key } => HostReply::Entry(self.values.get(key).map(|value| entry(key, value))),
            StateOp::Write { changes } => {
                self.write(changes);
                HostReply::Done
            }
            StateOp::CompareAndSet { expected, change } => {
                let same = self.values.get(&change.key).map(|(_, version)| *version) == expected.map(NonZeroU64::get);
                if same {
                    self.write(std::slice::from_ref(change));
                }
                HostReply::Flag(same)
            }
            StateOp::Scan { prefix, after, .. } => {
                let found = self.values.iter().filter(|(key, _)| {
                    key.as_bytes().starts_with(prefix) && after.as_ref().is_none_or(|after| *key > after)
                });
                let mut entries: Vec<_> = found.map(|(key, value)| entry(key, value)).collect();
                let more = entries.len() > 2;
                entries.truncate(2);
                HostReply::Entries { entries, more }
            }
        })
    }
}

pub(super) fn host() -> Arc<FakeHost> {
    let kept = Mutex::new(Kept::default());
    FakeHost::new(move |op| kept.lock().perform(op))
}

/// Opens a bucket into `$b`; a bucket that cannot be opened ends the guest.
const OPEN: &str = "(local $b i32) (call $open (i32.const 3000) (i32.const N) (i32.const 2048))
    (if (i32.load8_u (i32.const 2048)) (then unreachable)) (local.set $b (i32.load (i32.const 2052)))";

/// Words of the bodies. Results lie at 2048; those of 4 bytes' alignment have their payload at 2052, others at 2056.
fn words(text: &str) -> String {
    let show = |at: u32| {
        format!(
            "(i32.store (i32.const 1032) (i32.load (i32.const {at}))) (i32.store (i32.const 1036) (i32.load (i32.const {})))",
            at + 4
        )
    };
    [
        ("NAMED", OPEN.replace('N', "4")),
        ("OPEN", OPEN.replace('N', "0")),
        ("KEY", "(i32.const 3010) (i32.const 3)".to_owned()),
        ("OTHER", "(i32.const 3013) (i32.const 5)".to_owned()),
        ("VALUE", "(i32.const 3020) (i32.const 5)".to_owned()),
        ("RET", "(i32.const 2048)".to_owned()),
        // The list of an option, the text of an error, the number as so many bytes, the flag as a byte or none.
        ("LIST", show(2056)),
        ("TEXT", show(2056)),
        (
            "NUMBER",
            "(i32.store (i32.const 1032) (i32.const 3040)) (i32.store (i32.const 1036) (i32.load (i32.const 2056)))"
                .to_owned(),
        ),
        ("FLAG", "(i32.store (i32.const 1036) (i32.load8_u (i32.const 2052)))".to_owned()),
    ]
    .iter()
    .fold(text.to_owned(), |text, (word, meaning)| text.replace(word, meaning))
}

const DATA: &str =
    "(data (i32.const 3000) \"mine\") (data (i32.const 3010) \"keyother\") (data (i32.const 3020) \"value\")
    (data (i32.const 3040) \"################################\")";

async fn actor(body: &str, host: Arc<FakeHost>) -> Actor {
    actor_for(("0.2.0-draft", DRAFT), body, host).await
}

/// A guest for one draft, which has a version and a text.
pub(super) async fn actor_for((version, wit): (&str, &str), body: &str, host: Arc<FakeHost>) -> Actor {
    let imports = ["store", "atomics", "batch"].map(|name| format!("    import wasi:keyvalue/{name}@{version};\n"));
    let world = PLAYHOUSE.replace("    import host;", &format!("    import host;\n{}", imports.concat()));
    let body = format!("{} (i32.const 1024)", words(body));
    let source = Source { wit: &format!("{world}{wit}"), bodies: &[("handle", &body)], more: DATA };
    Actor::within(&source, host, Limits { host_calls: 2000, ..Limits::default() }).await.unwrap()
}

/// The reply of a guest that does so, and what its host was asked for.
async fn check(body: &str, expected: &Expect) {
    check_for(("0.2.0-draft", DRAFT), body, expected).await;
}

pub(super) async fn check_for(draft: (&str, &str), body: &str, expected: &Expect) {
    let actor = actor_for(draft, body, host()).await;
    let reply = actor.ask(b"").await;
    let mut seen: Vec<_> = actor.host.ops.lock().iter().map(|op| op.replace("local-5 ", "")).collect();
    seen.push(super::lifted::short(&reply));
    expected.assert_eq(&seen.join("\n"));
}

#[tokio::test]
async fn values() {
    check("OPEN (call $_method_bucket_set (local.get $b) KEY VALUE RET) (call $_method_bucket_get (local.get $b) KEY RET) LIST", &expect![[r#"
        State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: Some(5) }] })
        State(Get { key: b"kv/default/key" })
        ok "value""#]]).await;
    check("OPEN (call $_method_bucket_set (local.get $b) KEY VALUE RET) (call $_method_bucket_exists (local.get $b) KEY RET) FLAG", &expect![[r#"
        State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: Some(5) }] })
        State(Get { key: b"kv/default/key" })
        ok "\0""#]]).await;
    check("OPEN (call $_method_bucket_set (local.get $b) KEY VALUE RET) (call $_method_bucket_delete (local.get $b) KEY RET)
        (call $_method_bucket_exists (local.get $b) KEY RET) FLAG", &expect![[r#"
            State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: Some(5) }] })
            State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: None }] })
            State(Get { key: b"kv/default/key" })
            ok """#]]).await;
}

/// What one bucket has, another has not.
#[tokio::test]
async fn buckets() {
    check("NAMED (call $_method_bucket_set (local.get $b) KEY VALUE RET)
        (call $open (i32.const 0) (i32.const 0) RET) (call $_method_bucket_exists (i32.load (i32.const 2052)) KEY RET) FLAG", &expect![[r#"
            State(Write { changes: [StateChange { key: b"kv/mine/key", value_bytes: Some(5) }] })
            State(Get { key: b"kv/default/key" })
            ok """#]]).await;
    for name in ["(i32.const 3000) (i32.const 65)", "(i32.const 3048) (i32.const 1)", "(i32.const 3050) (i32.const 1)"]
    {
        let slash = format!("(i32.store8 (i32.const 3048) (i32.const 47)) (i32.store8 (i32.const 3050) (i32.const 10)) (call $open {name} RET)
            (i32.store (i32.const 1036) (i32.add (i32.const 1) (i32.load8_u (i32.const 2052))))");
        assert_eq!(actor(&slash, host()).await.ask(b"").await, r#"ok "\0""#, "{name}");
    }
}

#[tokio::test]
async fn keys_are_listed_page_by_page() {
    let set = |at: u32| format!("(call $_method_bucket_set (local.get $b) (i32.const {at}) (i32.const 1) VALUE RET)");
    let sets: String = [3010, 3011, 3012, 3013, 3014].map(set).concat();
    // How many keys and which cursor, 0 for none, page by page, as digits.
    let page = |at: u32, cursor: &str| {
        format!(
            "(call $_method_bucket_list-keys (local.get $b) {cursor} RET)
        (i32.store8 (i32.const {at}) (i32.add (i32.const 48) (i32.load (i32.const 2060))))
        (i32.store8 (i32.const {}) (i32.add (i32.const 48) (i32.mul (i32.load8_u (i32.const 2064)) (i32.load (i32.const 2072)))))",
            at + 1
        )
    };
    let cursor = "(i32.load (i32.const 2064)) (i64.load (i32.const 2072))";
    let body = format!(
        "OPEN {sets} {} {} {} (i32.store (i32.const 1032) (i32.const 2200)) (i32.store (i32.const 1036) (i32.const 6))",
        page(2200, "(i32.const 0) (i64.const 0)"),
        page(2202, cursor),
        page(2204, cursor)
    );
    let actor = actor(&body, host()).await;
    expect![[r#"ok "212210""#]].assert_eq(&actor.ask(b"").await);
    // A cursor that was not given.
    check("OPEN (call $_method_bucket_list-keys (local.get $b) (i32.const 1) (i64.const 9) RET)
        (i32.store (i32.const 1032) (i32.load (i32.const 2060))) (i32.store (i32.const 1036) (i32.load (i32.const 2064)))", &expect![[r#"ok "9 is not the last cursor that this bucket gave""#]]).await;
}

#[tokio::test]
async fn numbers_grow() {
    let add = |delta: &str| format!("(call $increment (local.get $b) KEY (i64.const {delta}) RET)");
    check(
        &format!("OPEN {} {} NUMBER", add("3"), add("4")),
        &expect![[r########"
        State(Get { key: b"kv/default/key" })
        State(CompareAndSet { expected: None, change: StateChange { key: b"kv/default/key", value_bytes: Some(1) } })
        State(Get { key: b"kv/default/key" })
        State(CompareAndSet { expected: Some(1), change: StateChange { key: b"kv/default/key", value_bytes: Some(1) } })
        ok "#######""########]],
    )
    .await;
    let text = "(i32.store (i32.const 1032) (i32.load (i32.const 2060))) (i32.store (i32.const 1036) (i32.load (i32.const 2064)))";
    check(
        &format!("OPEN {} {} {text}", add("3"), add("-1")),
        &expect![[r#"
        State(Get { key: b"kv/default/key" })
        State(CompareAndSet { expected: None, change: StateChange { key: b"kv/default/key", value_bytes: Some(1) } })
        State(Get { key: b"kv/default/key" })
        ok "invalid argument: the sum would not fit 64 bits""#]],
    )
    .await;
    check(
        &format!("OPEN (call $_method_bucket_set (local.get $b) KEY VALUE RET) {} {text}", add("1")),
        &expect![[r#"
        State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: Some(5) }] })
        State(Get { key: b"kv/default/key" })
        ok "invalid argument: the value is no decimal number of 64 bits""#]],
    )
    .await;
}

#[tokio::test]
async fn batches() {
    // Two pairs at 2300: (key, value), (other, key).
    let pairs = "(i32.store (i32.const 2300) (i32.const 3010)) (i32.store (i32.const 2304) (i32.const 3)) (i32.store (i32.const 2308) (i32.const 3020)) (i32.store (i32.const 2312) (i32.const 5))
        (i32.store (i32.const 2316) (i32.const 3013)) (i32.store (i32.const 2320) (i32.const 5)) (i32.store (i32.const 2324) (i32.const 3010)) (i32.store (i32.const 2328) (i32.const 3))";
    // The keys at 2400: other, what is not there.
    let keys = "(i32.store (i32.const 2400) (i32.const 3013)) (i32.store (i32.const 2404) (i32.const 5)) (i32.store (i32.const 2408) (i32.const 3020)) (i32.store (i32.const 2412) (i32.const 5))";
    let set = "(call $set-many (local.get $b) (i32.const 2300) (i32.const 2) RET)";
    // The value of the first, whose option has 20 bytes: the case, the key, the value; and the case of the second.
    let first = "(i32.store (i32.const 1032) (i32.load offset=12 (i32.load (i32.const 2052)))) (i32.store (i32.const 1036)
        (i32.add (i32.load offset=16 (i32.load (i32.const 2052))) (i32.load8_u offset=20 (i32.load (i32.const 2052)))))";
    check(
        &format!(
            "OPEN {pairs} {keys} {set} (call $get-many (local.get $b) (i32.const 2400) (i32.const 2) RET) {first}"
        ),
        &expect![[r#"
            State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: Some(5) }, StateChange { key: b"kv/default/other", value_bytes: Some(3) }] })
            State(Get { key: b"kv/default/other" })
            State(Get { key: b"kv/default/value" })
            ok "key""#]],
    )
    .await;
    check(
        &format!(
            "OPEN {pairs} {keys} {set} (call $delete-many (local.get $b) (i32.const 2400) (i32.const 2) RET)
        (call $_method_bucket_exists (local.get $b) OTHER RET) FLAG"
        ),
        &expect![[r#"
            State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: Some(5) }, StateChange { key: b"kv/default/other", value_bytes: Some(3) }] })
            State(Write { changes: [StateChange { key: b"kv/default/other", value_bytes: None }, StateChange { key: b"kv/default/value", value_bytes: None }] })
            State(Get { key: b"kv/default/other" })
            ok """#]],
    )
    .await;
}

/// An actor without the grant is denied; other errors of the host are told as text.
#[tokio::test]
async fn errors() {
    let read = "OPEN (call $_method_bucket_get (local.get $b) KEY RET)";
    let text = "(i32.store (i32.const 1032) (i32.load (i32.const 2056))) (i32.store (i32.const 1036) (i32.load (i32.const 2060)))";
    let denied = ActorError::coded(ErrorKind::PermissionDenied, Code::GrantMissing, "no grant");
    let host_ = FakeHost::new(move |_| Err(denied.clone()));
    // Which case of the error.
    let case = format!("{read} (i32.store (i32.const 1036) (i32.load8_u (i32.const 2052)))");
    assert_eq!(actor(&case, host_).await.ask(b"").await, r#"ok "\0""#);
    let full = ActorError::coded(ErrorKind::Unavailable, Code::StateQuota, "full");
    let host_ = FakeHost::new(move |_| Err(full.clone()));
    expect![[r#"ok "unavailable: full [state-quota]""#]]
        .assert_eq(&actor(&format!("{read} {text}"), host_).await.ask(b"").await);
    let long = format!("OPEN (call $_method_bucket_get (local.get $b) (i32.const 3000) (i32.const 506) RET) {text}");
    check(&long, &expect![[r#"ok "invalid argument: a key, its bucket's prefix included, has 517 bytes, the limit is 512 [malformed-operation]""#]]).await;
    check(
        "(local $b i32) (local.set $b (i32.const 7)) (call $_method_bucket_get (local.get $b) KEY RET)",
        &expect!["crash internal error: the guest broke its ABI: unknown handle index 7 [guest-protocol] (lost)"],
    )
    .await;
}

/// Handles are limited, and what is told of an event that does not end is too.
#[tokio::test]
async fn floods() {
    check(
        "(loop $on (call $open (i32.const 0) (i32.const 0) RET) (br $on))",
        &expect![
            "crash internal error: the guest holds more handles, tasks and operations under way than its host keeps for one [guest-host-call-limit] (lost)"
        ],
    )
    .await;
    // Somebody else always writes first.
    let found = StateEntry {
        key: StateKey::new("kv/default/key").unwrap(),
        value: Bytes::from_static(b"1"),
        version: NonZeroU64::MIN,
    };
    let host_ = FakeHost::new(move |op| {
        Ok(match op {
            HostOp::State(StateOp::Get { .. }) => HostReply::Entry(Some(found.clone())),
            _ => HostReply::Flag(false),
        })
    });
    let busy = actor("OPEN (call $increment (local.get $b) KEY (i64.const 1) RET)", host_).await;
    expect!["crash internal error: the guest asked for more than 2000 host operations in one event [guest-host-call-limit] (lost)"].assert_eq(&super::lifted::short(&busy.ask(b"").await));
}
