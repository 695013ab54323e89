//! The second draft of `wasi:keyvalue`: numbers have signs, cursors are text, and there is compare-and-swap.

use expect_test::{Expect, expect};

use super::keyvalue::{actor_for, check_for, host};

const DRAFT_2: &str = "
    package wasi:keyvalue@0.2.0-draft2 {
        interface store {
            variant error { no-such-store, access-denied, other(string) }
            record key-response { keys: list<string>, cursor: option<string> }
            open: func(identifier: string) -> result<bucket, error>;
            resource bucket {
                get: func(key: string) -> result<option<list<u8>>, error>;
                set: func(key: string, value: list<u8>) -> result<_, error>;
                delete: func(key: string) -> result<_, error>;
                exists: func(key: string) -> result<bool, error>;
                list-keys: func(cursor: option<string>) -> result<key-response, error>;
            }
        }
        interface atomics {
            use store.{bucket, error};
            variant cas-error { store-error(error), cas-failed(cas) }
            resource cas {
                new: static func(bucket: borrow<bucket>, key: string) -> result<cas, error>;
                current: func() -> result<option<list<u8>>, error>;
            }
            increment: func(bucket: borrow<bucket>, key: string, delta: s64) -> result<s64, error>;
            swap: func(cas: cas, value: list<u8>) -> result<_, cas-error>;
        }
        interface batch {
            use store.{bucket, error};
            get-many: func(bucket: borrow<bucket>, keys: list<string>) -> result<list<tuple<string, option<list<u8>>>>, error>;
            set-many: func(bucket: borrow<bucket>, key-values: list<tuple<string, list<u8>>>) -> result<_, error>;
            delete-many: func(bucket: borrow<bucket>, keys: list<string>) -> result<_, error>;
        }
    }";
/// What `get-many` gave until the draft was changed.
const PAIRS: &str = "list<option<tuple<string, list<u8>>>>";

async fn check(body: &str, expected: &Expect) {
    check_for(("0.2.0-draft2", DRAFT_2), body, expected).await;
}

#[tokio::test]
async fn values() {
    check("OPEN (call $_method_bucket_set (local.get $b) KEY VALUE RET) (call $_method_bucket_get (local.get $b) KEY RET) LIST", &expect![[r#"
        State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: Some(5) }] })
        State(Get { key: b"kv/default/key" })
        ok "value""#]]).await;
}

#[tokio::test]
async fn numbers_have_signs() {
    let add = |delta: &str| format!("(call $increment (local.get $b) KEY (i64.const {delta}) RET)");
    let get = "(call $_method_bucket_get (local.get $b) KEY RET) LIST";
    check(
        &format!("OPEN {} {} {get}", add("3"), add("-10")),
        &expect![[r#"
        State(Get { key: b"kv/default/key" })
        State(CompareAndSet { expected: None, change: StateChange { key: b"kv/default/key", value_bytes: Some(1) } })
        State(Get { key: b"kv/default/key" })
        State(CompareAndSet { expected: Some(1), change: StateChange { key: b"kv/default/key", value_bytes: Some(2) } })
        State(Get { key: b"kv/default/key" })
        ok "-7""#]],
    )
    .await;
    let text = "(i32.store (i32.const 1032) (i32.load (i32.const 2060))) (i32.store (i32.const 1036) (i32.load (i32.const 2064)))";
    let least = add("-9223372036854775808");
    check(
        &format!("OPEN {least} {} {text}", add("-1")),
        &expect![[r#"
        State(Get { key: b"kv/default/key" })
        State(CompareAndSet { expected: None, change: StateChange { key: b"kv/default/key", value_bytes: Some(20) } })
        State(Get { key: b"kv/default/key" })
        ok "invalid argument: the sum would not fit 64 bits""#]],
    )
    .await;
}

/// Makes a handle for the key, which is kept at 2500.
const NEW: &str = "(call $_static_cas_new (local.get $b) KEY RET)
    (if (i32.load8_u (i32.const 2048)) (then unreachable)) (i32.store (i32.const 2500) (i32.load (i32.const 2052)))";
const SWAP: &str = "(call $swap (i32.load (i32.const 2500)) VALUE RET)";
const SET: &str = "(call $_method_bucket_set (local.get $b) KEY OTHER RET)";
const CURRENT: &str = "(call $_method_cas_current (i32.load (i32.const 2500)) RET) LIST";
const GET: &str = "(call $_method_bucket_get (local.get $b) KEY RET) LIST";

#[tokio::test]
async fn a_swap_goes_by_what_was_there() {
    check(
        &format!("OPEN {NEW} {SWAP} {GET}"),
        &expect![[r#"
        State(Get { key: b"kv/default/key" })
        State(CompareAndSet { expected: None, change: StateChange { key: b"kv/default/key", value_bytes: Some(5) } })
        State(Get { key: b"kv/default/key" })
        ok "value""#]],
    )
    .await;
    check(
        &format!("OPEN {SET} {NEW} {CURRENT}"),
        &expect![[r#"
        State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: Some(5) }] })
        State(Get { key: b"kv/default/key" })
        State(Get { key: b"kv/default/key" })
        ok "other""#]],
    )
    .await;
}

/// Somebody else has written since: the guest is given another handle, and succeeds.
#[tokio::test]
async fn a_swap_that_came_late_is_tried_again() {
    let again = "(if (i32.ne (i32.load8_u (i32.const 2052)) (i32.const 1)) (then unreachable)) (i32.store (i32.const 2500) (i32.load (i32.const 2056)))";
    check(
        &format!("OPEN {NEW} {SET} {SWAP} {again} {SWAP} {GET}"),
        &expect![[r#"
        State(Get { key: b"kv/default/key" })
        State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: Some(5) }] })
        State(CompareAndSet { expected: None, change: StateChange { key: b"kv/default/key", value_bytes: Some(5) } })
        State(Get { key: b"kv/default/key" })
        State(CompareAndSet { expected: Some(1), change: StateChange { key: b"kv/default/key", value_bytes: Some(5) } })
        State(Get { key: b"kv/default/key" })
        ok "value""#]],
    )
    .await;
}

#[tokio::test]
async fn a_handle_is_used_up_by_its_swap() {
    check(
        &format!("OPEN {NEW} {SWAP} {SWAP}"),
        &expect![[r#"
        State(Get { key: b"kv/default/key" })
        State(CompareAndSet { expected: None, change: StateChange { key: b"kv/default/key", value_bytes: Some(5) } })
        crash internal error: the guest broke its ABI: unknown handle index 2 [guest-protocol] (lost)"#]],
    )
    .await;
}

#[tokio::test]
async fn handles_have_a_limit() {
    let flood = "OPEN (loop $on (call $_static_cas_new (local.get $b) KEY RET) (br $on))";
    let actor = actor_for(("0.2.0-draft2", DRAFT_2), flood, host()).await;
    expect!["crash internal error: the guest holds more handles, tasks and operations under way than its host keeps for one [guest-host-call-limit] (lost)"].assert_eq(&super::lifted::short(&actor.ask(b"").await));
}

#[tokio::test]
async fn keys_are_listed_page_by_page() {
    let set = |at: u32| format!("(call $_method_bucket_set (local.get $b) (i32.const {at}) (i32.const 1) VALUE RET)");
    let sets: String = [3010, 3011, 3012, 3013, 3014].map(set).concat();
    // How many keys and whether there is a cursor, page by page, as digits.
    let page = |at: u32, cursor: &str| {
        format!(
            "(call $_method_bucket_list-keys (local.get $b) {cursor} RET)
        (i32.store8 (i32.const {at}) (i32.add (i32.const 48) (i32.load (i32.const 2056))))
        (i32.store8 (i32.const {}) (i32.add (i32.const 48) (i32.load8_u (i32.const 2060))))",
            at + 1
        )
    };
    let (first, next) = (
        "(i32.const 0) (i32.const 0) (i32.const 0)",
        "(i32.load8_u (i32.const 2060)) (i32.load (i32.const 2064)) (i32.load (i32.const 2068))",
    );
    let pages = [page(2200, first), page(2202, next), page(2204, next)].concat();
    let shown = "(i32.store (i32.const 1032) (i32.const 2200)) (i32.store (i32.const 1036) (i32.const 6))";
    let actor = actor_for(("0.2.0-draft2", DRAFT_2), &format!("OPEN {sets} {pages} {shown}"), host()).await;
    expect![[r#"ok "212110""#]].assert_eq(&actor.ask(b"").await);
    // The cursor itself: the last key.
    let cursor = "(i32.store (i32.const 1032) (i32.load (i32.const 2064))) (i32.store (i32.const 1036) (i32.load (i32.const 2068)))";
    let body = format!("OPEN {sets} {} {cursor}", page(2200, first));
    let actor = actor_for(("0.2.0-draft2", DRAFT_2), &body, host()).await;
    expect![[r#"ok "6b""#]].assert_eq(&actor.ask(b"").await);
    // What is no cursor, and one that comes before every key.
    let text = "(i32.store (i32.const 1032) (i32.load (i32.const 2056))) (i32.store (i32.const 1036) (i32.load (i32.const 2060)))";
    for (cursor, expected) in [
        (
            "(i32.const 1) VALUE",
            expect![[r#"ok "invalid argument: the cursor is none that a bucket gives [malformed-operation]""#]],
        ),
        (
            "(i32.const 1) (i32.const 0) (i32.const 0)",
            expect![[r#"
            State(Scan { prefix: b"kv/default/", after: Some(b"kv/default/"), limit: 1000 })
            ok """#]],
        ),
    ] {
        check(&format!("OPEN (call $_method_bucket_list-keys (local.get $b) {cursor} RET) {text}"), &expected).await;
    }
}

/// In both of its forms, which components have under one name.
#[tokio::test]
async fn batches() {
    let pairs = "(i32.store (i32.const 2300) (i32.const 3010)) (i32.store (i32.const 2304) (i32.const 3)) (i32.store (i32.const 2308) (i32.const 3020)) (i32.store (i32.const 2312) (i32.const 5))";
    // The keys at 2400: the one that is there and the one that is not.
    let keys = "(i32.store (i32.const 2400) (i32.const 3010)) (i32.store (i32.const 2404) (i32.const 3)) (i32.store (i32.const 2408) (i32.const 3013)) (i32.store (i32.const 2412) (i32.const 5))";
    let set = "(call $set-many (local.get $b) (i32.const 2300) (i32.const 1) RET)";
    let get = "(call $get-many (local.get $b) (i32.const 2400) (i32.const 2) RET)";
    // The value of the first, with what says that the second has none added to its length. Both forms have 20 bytes.
    let shown = |none: u32| {
        format!(
            "(i32.store (i32.const 1032) (i32.load offset=12 (i32.load (i32.const 2052)))) (i32.store (i32.const 1036)
        (i32.add (i32.load offset=16 (i32.load (i32.const 2052))) (i32.load8_u offset={none} (i32.load (i32.const 2052)))))"
        )
    };
    let expected = expect![[r#"
        State(Write { changes: [StateChange { key: b"kv/default/key", value_bytes: Some(5) }] })
        State(Get { key: b"kv/default/key" })
        State(Get { key: b"kv/default/other" })
        ok "value""#]];
    check(&format!("OPEN {pairs} {keys} {set} {get} {}", shown(28)), &expected).await;
    let older = DRAFT_2.replace("list<tuple<string, option<list<u8>>>>", PAIRS);
    assert_ne!(older, DRAFT_2);
    let body = format!("OPEN {pairs} {keys} {set} {get} {}", shown(20));
    check_for(("0.2.0-draft2", &older), &body, &expected).await;
}
