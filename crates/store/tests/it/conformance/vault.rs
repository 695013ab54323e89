use bytes::Bytes;
use playhouse_store::{ActorKey, BatchLimits, KeyChange, Retention, SealedKey, StoreError};

use crate::support::{Make, Owner, all_of_it};

fn blob(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

pub(super) fn a_key_is_made_once(make: Make) {
    let place = make(Retention::default());
    let mut owner = Owner::open(&*place.store, "one");
    let create = |text| KeyChange::Create { name: "sign".to_owned(), blob: blob(text) };
    owner.commit(|commit| commit.keys.push(create("first"))).expect("there is none");
    let again = owner.commit(|commit| commit.keys.push(create("second")));
    assert_eq!(again, Err(StoreError::KeyExists { actor: owner.key(), name: "sign".to_owned() }));
    let read = |name: &str| place.store.sealed_key(owner.lease.actor, name).wait().expect("it can be read");
    assert_eq!((read("sign"), read("seal")), (Some(blob("first")), None));
    owner
        .commit(|commit| commit.keys.push(KeyChange::Replace { name: "sign".to_owned(), blob: blob("third") }))
        .expect("on purpose");
    assert_eq!(place.store.sealed_key(owner.key(), "sign").wait(), Ok(Some(blob("third"))));
    owner.commit(|commit| commit.keys.push(KeyChange::Delete { name: "sign".to_owned() })).expect("on purpose");
    assert_eq!(place.store.sealed_key(owner.key(), "sign").wait(), Ok(None));
    let usage = Owner::open(&*place.store, "one").lease.usage;
    assert_eq!(usage.sealed_keys, 0);
}

pub(super) fn keys_are_sealed_anew(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    for instance in ["one", "two"] {
        let mut owner = Owner::open(store, instance);
        for name in ["seal", "sign"] {
            owner
                .commit(|commit| commit.keys.push(KeyChange::Create { name: name.to_owned(), blob: blob("old") }))
                .expect("new");
        }
    }
    let mut after = (ActorKey::from_number(0), String::new());
    let mut seen = 0;
    loop {
        let limits = BatchLimits { items: 3, bytes: usize::MAX };
        let keys = store.sealed_keys(after.clone(), limits).wait().expect("it can be read");
        let Some(last) = keys.last() else { break };
        after = (last.actor, last.name.clone());
        for key in keys {
            seen += 1;
            let (old, anew) = (key.blob.clone(), SealedKey { blob: blob("new"), ..key });
            assert_eq!(store.reseal(anew.clone(), old.clone()).wait(), Ok(true));
            assert_eq!(store.reseal(anew, old).wait(), Ok(false), "it is not the old one any more");
        }
    }
    assert_eq!(seen, 4);
    let start = (ActorKey::from_number(0), String::new());
    let all = store.sealed_keys(start, all_of_it()).wait().expect("it can be read");
    assert!(all.iter().all(|key| key.blob == blob("new")) && all.len() == 4);
}

pub(super) fn notes_are_compared(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let set = |expect: Option<&'static str>, value: Option<&'static str>| {
        store.set_note("serials", expect.map(blob), value.map(blob)).wait()
    };
    let changed = Err(StoreError::NoteChanged { name: "serials".to_owned() });
    assert_eq!(store.note("serials").wait(), Ok(None));
    assert_eq!(set(Some("1"), Some("2")), changed);
    assert_eq!(set(None, Some("1")), Ok(()));
    assert_eq!(set(None, Some("9")), changed);
    assert_eq!(set(Some("1"), Some("2")), Ok(()));
    assert_eq!(store.note("serials").wait(), Ok(Some(blob("2"))));
    assert_eq!(set(Some("2"), None), Ok(()));
    assert_eq!(store.note("serials").wait(), Ok(None));
    assert!(store.set_note("", None, None).wait().is_err());
    assert!(store.set_note("n", None, Some(vec![0; (1 << 20) + 1].into())).wait().is_err());
}
