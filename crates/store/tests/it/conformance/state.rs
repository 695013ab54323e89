use std::ops::Bound;

use bytes::Bytes;
use playhouse_store::{BatchLimits, Expect, KeyRange, Retention, Revision, StoreError};

use crate::support::{Make, Owner, all_of_it, change, set};

pub(super) fn values_have_versions(make: Make) {
    let place = make(Retention::default());
    let mut owner = Owner::open(&*place.store, "one");
    assert_eq!(owner.get("k"), None);
    owner.set("k", "a").expect("set");
    owner.set("other", "x").expect("set");
    assert_eq!(owner.get("k"), Some(("a".to_owned(), Revision::from_number(1))));
    owner.set("k", "b").expect("set");
    assert_eq!(owner.get("k"), Some(("b".to_owned(), Revision::from_number(3))));
    owner.commit(|commit| commit.state.push(change("k", Expect::Any, None))).expect("deleted");
    assert_eq!(owner.get("k"), None);
    owner.commit(|commit| commit.state.push(change("k", Expect::Any, None))).expect("what is not there can be deleted");
    owner.set("k", "").expect("an empty value is a value");
    assert_eq!(owner.get("k"), Some((String::new(), Revision::from_number(6))));
}

pub(super) fn compare_and_set(make: Make) {
    let place = make(Retention::default());
    let mut owner = Owner::open(&*place.store, "one");
    let version = |number| Some(Revision::from_number(number));
    let cases = [
        // What is expected, what is set, and what was found instead.
        (Expect::Version(Revision::from_number(1)), Some("x"), Err(None)),
        (Expect::Absent, Some("a"), Ok(())),
        (Expect::Absent, Some("x"), Err(version(1))),
        (Expect::Version(Revision::from_number(1)), Some("b"), Ok(())),
        (Expect::Version(Revision::from_number(1)), Some("x"), Err(version(2))),
        (Expect::Version(Revision::from_number(1)), None, Err(version(2))),
        (Expect::Version(Revision::from_number(2)), None, Ok(())),
        (Expect::Absent, None, Ok(())),
        (Expect::Absent, Some("c"), Ok(())),
    ];
    for (step, (expect, value, wanted)) in cases.into_iter().enumerate() {
        let result = owner.commit(|commit| commit.state.push(change("k", expect, value)));
        let got = match result {
            Ok(_) => Ok(()),
            Err(StoreError::VersionMismatch { key, found, .. }) if key == b"k" => Err(found),
            Err(other) => panic!("step {step}: {other}"),
        };
        assert_eq!(got, wanted, "step {step}");
    }
    assert_eq!(owner.get("k").map(|(value, _)| value).as_deref(), Some("c"));
}

fn keys(owner: &Owner<'_>, range: KeyRange, limits: BatchLimits) -> Vec<String> {
    let found = owner.store.scan(owner.key(), range, limits).wait().expect("it can be read");
    found.into_iter().map(|(key, _)| String::from_utf8_lossy(&key).into_owned()).collect()
}

pub(super) fn scans_are_ordered_and_bounded(make: Make) {
    let place = make(Retention::default());
    let mut owner = Owner::open(&*place.store, "one");
    owner.commit(|commit| commit.state.extend(["b", "a", "d", "c", "aa"].map(|key| set(key, key)))).expect("set");
    let bound = |key: &'static str| Bytes::from_static(key.as_bytes());
    let range = |from, to| KeyRange { from, to };
    let all = || KeyRange::all();
    assert_eq!(keys(&owner, all(), all_of_it()), ["a", "aa", "b", "c", "d"]);
    assert_eq!(
        keys(&owner, range(Bound::Included(bound("aa")), Bound::Included(bound("c"))), all_of_it()),
        ["aa", "b", "c"]
    );
    assert_eq!(keys(&owner, range(Bound::Excluded(bound("aa")), Bound::Excluded(bound("c"))), all_of_it()), ["b"]);
    assert_eq!(keys(&owner, range(Bound::Unbounded, Bound::Excluded(bound("b"))), all_of_it()), ["a", "aa"]);
    assert_eq!(keys(&owner, all().after(bound("b")), all_of_it()), ["c", "d"]);
    let none: [&str; 0] = [];
    for (from, to) in [
        (Bound::Included(bound("c")), Bound::Included(bound("a"))),
        (Bound::Excluded(bound("b")), Bound::Excluded(bound("b"))),
    ] {
        assert_eq!(keys(&owner, range(from, to), all_of_it()), none);
    }
    assert_eq!(keys(&owner, all(), BatchLimits { items: 2, bytes: usize::MAX }), ["a", "aa"]);
    assert_eq!(keys(&owner, all(), BatchLimits { items: 9, bytes: 6 }), ["a", "aa"]);
    assert_eq!(keys(&owner, all(), BatchLimits { items: 9, bytes: 0 }), ["a"], "one at least");
}

pub(super) fn scans_by_prefix(make: Make) {
    let place = make(Retention::default());
    let mut owner = Owner::open(&*place.store, "one");
    let raw: [&[u8]; 6] = [b"a", b"a\xff", b"a\xff\xff", b"b", b"\xff", b"\xff\xff"];
    owner
        .commit(|commit| {
            commit
                .state
                .extend(raw.map(|key| playhouse_store::StateChange { key: Bytes::from_static(key), ..set("x", "") }));
        })
        .expect("set");
    let count = |prefix: &[u8]| {
        let found = owner.store.scan(owner.lease.actor, KeyRange::prefix(prefix), all_of_it()).wait();
        let found = found.expect("it can be read");
        assert!(found.iter().all(|(key, _)| key.starts_with(prefix)));
        found.len()
    };
    assert_eq!([b"a".as_slice(), b"a\xff", b"b", b"\xff", b"\xff\xff", b"", b"c"].map(count), [3, 2, 1, 2, 1, 6, 0]);
}

pub(super) fn actors_do_not_see_each_other(make: Make) {
    let place = make(Retention::default());
    let mut one = Owner::open(&*place.store, "one");
    let mut two = Owner::open(&*place.store, "two");
    one.set("k", "1").expect("set");
    two.set("k", "2").expect("set");
    two.set("l", "2").expect("set");
    assert_eq!(one.get("k").map(|(value, _)| value).as_deref(), Some("1"));
    assert_eq!(keys(&one, KeyRange::all(), all_of_it()), ["k"]);
    assert_eq!(keys(&two, KeyRange::all(), all_of_it()), ["k", "l"]);
}

pub(super) fn usage_is_exact(make: Make) {
    let place = make(Retention::default());
    let mut owner = Owner::open(&*place.store, "one");
    owner.commit(|commit| commit.state.extend([set("a", "12345"), set("bb", "")])).expect("set");
    owner.set("a", "1").expect("smaller");
    owner
        .commit(|commit| commit.state.push(change("a", Expect::Version(Revision::from_number(2)), Some("123"))))
        .expect("larger");
    let usage = owner.store.actor(owner.key()).wait().expect("it can be read").expect("it is there").lease.usage;
    assert_eq!((usage.state_keys, usage.state_bytes), (2, 4 + 2));
    owner.commit(|commit| commit.state.push(change("bb", Expect::Any, None))).expect("deleted");
    let usage = Owner::open(&*place.store, "one").lease.usage;
    assert_eq!((usage.state_keys, usage.state_bytes), (1, 4));
}
