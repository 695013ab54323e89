use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use playhouse_types::Realm;

use super::*;
use crate::contract::{KeyRange, Retention};
use crate::memory::MemoryStore;
use crate::model::{
    ActorKey, BatchLimits, Consumed, Epoch, Expect, Fate, Identity, KeyChange, OpenActor, OutId, Position, Priority,
    Revision, StateChange, TimerChange, Usage,
};

/// Runs what never waits here: the store in memory answers at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn actor(quota: Quota) -> ActorStore {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Retention::default()));
    let identity = Identity {
        realm: Realm::new(1),
        manufacturer: "acme".parse().expect("a name"),
        type_name: "Echo".parse().expect("a name"),
        instance: "one".to_owned(),
    };
    let open = OpenActor { identity, owner: "a".to_owned(), now: Time::default(), lease_for: Duration::from_secs(1) };
    let lease = store.open_actor(open).wait().expect("nobody else has it");
    ActorStore::new(store, lease, quota)
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn begin(actor: &ActorStore) -> Effects {
    now(actor.begin()).expect("the actor lives")
}

fn commit(actor: &ActorStore, effects: Effects) -> Result<Committed, StoreError> {
    actor.commit(effects, Time::default(), Durability::Memory).wait()
}

fn get(effects: &Effects, key: &str) -> Option<(String, u64)> {
    let found = now(effects.get(key.as_bytes())).expect("it can be read")?;
    Some((String::from_utf8(found.value.to_vec()).expect("text"), found.version.number()))
}

fn keys(effects: &Effects, limits: BatchLimits) -> Vec<String> {
    let found = now(effects.scan(KeyRange::all(), limits)).expect("it can be read");
    found.into_iter().map(|(key, found)| format!("{}={}", text(&key), text(&found.value))).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_message_sees_its_own_writes_and_others_do_not() {
    let actor = actor(Quota::default());
    let mut mine = begin(&actor);
    mine.set(bytes("a"), bytes("1")).expect("small");
    assert_eq!(get(&mine, "a").map(|(value, _)| value).as_deref(), Some("1"));
    assert_eq!(get(&begin(&actor), "a"), None);
    mine.delete(bytes("a")).expect("small");
    assert_eq!(get(&mine, "a"), None);
    mine.set(bytes("b"), bytes("2")).expect("small");
    commit(&actor, mine).expect("nothing is in its way");
    assert_eq!(get(&begin(&actor), "b"), Some(("2".to_owned(), 1)));
}

#[test]
fn what_is_dropped_or_undone_never_was() {
    let actor = actor(Quota::default());
    let mut dropped = begin(&actor);
    dropped.set(bytes("a"), bytes("1")).expect("small");
    drop(dropped);
    let mut undone = begin(&actor);
    undone.set(bytes("a"), bytes("1")).expect("small");
    undone.change_timer(TimerChange::Cancel { name: "t".to_owned() }).expect("small");
    undone.undo();
    assert!(undone.is_empty());
    assert_eq!(commit(&actor, undone).expect("it does nothing").usage.state_keys, 0);
    assert_eq!(get(&begin(&actor), "a"), None);
}

#[test]
fn comparing_works_within_a_message_and_across() {
    let actor = actor(Quota::default());
    let compare = |effects: &mut Effects, expect, value: &str| {
        now(effects.compare_and_set(bytes("k"), expect, Some(bytes(value)))).is_ok()
    };
    let version = |effects: &Effects| Expect::Version(Revision::from_number(get(effects, "k").expect("set").1));
    let mut first = begin(&actor);
    assert!(compare(&mut first, Expect::Absent, "1"));
    assert!(!compare(&mut first, Expect::Absent, "x"));
    let own = version(&first);
    assert!(compare(&mut first, own, "2"));
    assert!(!compare(&mut first, own, "x"));
    commit(&actor, first).expect("it was absent");
    let (mut left, mut right) = (begin(&actor), begin(&actor));
    let stored = version(&left);
    assert!(!compare(&mut left, own, "x"), "a version of another message");
    assert!(compare(&mut left, stored, "left") && compare(&mut right, stored, "right"));
    commit(&actor, left).expect("it is the first");
    assert!(matches!(commit(&actor, right), Err(StoreError::VersionMismatch { .. })));
    assert_eq!(get(&begin(&actor), "k").map(|(value, _)| value).as_deref(), Some("left"));
}

#[test]
fn what_began_before_a_refusal_is_refused_and_the_next_goes_on() {
    let actor = actor(Quota { state_keys: 1, ..Quota::default() });
    let (mut large, mut late) = (begin(&actor), begin(&actor));
    large.set(bytes("a"), bytes("1")).expect("small");
    large.set(bytes("b"), bytes("1")).expect("small");
    late.set(bytes("a"), bytes("late")).expect("small");
    assert!(matches!(commit(&actor, large), Err(StoreError::QuotaExceeded { what: "state_keys", .. })));
    assert!(matches!(commit(&actor, late), Err(StoreError::PredecessorFailed { .. })));
    let mut again = begin(&actor);
    assert_eq!(get(&again, "a"), None);
    again.set(bytes("a"), bytes("again")).expect("small");
    commit(&actor, again).expect("it fits");
}

#[test]
fn a_stale_owner_hears_it_at_once() {
    let actor = actor(Quota::default());
    let identity = actor.store().actor(actor.lease().actor).wait().expect("read").expect("there").identity;
    let open = OpenActor { identity, owner: "a".to_owned(), now: Time::default(), lease_for: Duration::from_secs(1) };
    actor.store().open_actor(open).wait().expect("the same owner");
    let mut effects = begin(&actor);
    effects.set(bytes("a"), bytes("1")).expect("small");
    assert!(matches!(commit(&actor, effects), Err(StoreError::StaleEpoch { .. })));
    assert!(matches!(now(actor.begin()), Err(StoreError::StaleEpoch { .. })));
}

#[test]
fn effects_have_limits() {
    let actor = actor(Quota::default());
    let mut effects = begin(&actor);
    let value = Bytes::from(vec![0; crate::limits::STATE_VALUE_BYTES_MAX]);
    let taken = (0..99).take_while(|n| effects.set(bytes(&n.to_string()), value.clone()).is_ok()).count();
    assert_eq!(taken as u64, EFFECTS_BYTES_MAX / (value.len() as u64 + 1));
    let mut effects = begin(&actor);
    let taken = (0..99_999).take_while(|_| effects.set(bytes("k"), bytes("v")).is_ok()).count();
    assert_eq!(taken, EFFECTS_CHANGES_MAX);
    assert!(effects.set(Bytes::new(), Bytes::new()).is_err());
}

/// A message that wrote until it was refused could neither be consumed nor have its timer set again.
#[test]
fn what_comes_with_a_message_has_room_beside_what_it_does() {
    let actor = actor(Quota::default());
    let (name, due) = ("often".to_owned(), Time::default());
    let mut effects = begin(&actor);
    effects.change_timer(TimerChange::Set { name: name.clone(), due, body: bytes("tick") }).expect("small");
    commit(&actor, effects).expect("nothing is in its way");
    let mut effects = begin(&actor);
    let taken = (0..99_999).take_while(|n| effects.set(bytes(&n.to_string()), bytes("v")).is_ok()).count();
    assert_eq!(taken, EFFECTS_CHANGES_MAX);
    effects.consume(Consumed::Timer { name: name.clone(), due });
    effects.set_again(name, Time::from_millis(1), bytes("tick")).expect("small");
    commit(&actor, effects).expect("it has room");
    let timers = now(actor.store().timers(actor.lease().actor, "", 9)).expect("read");
    assert_eq!(timers.iter().map(|timer| timer.due.millis()).collect::<Vec<_>>(), [1]);
}

#[test]
fn keys_are_made_replaced_and_deleted_in_one_message() {
    let actor = actor(Quota::default());
    let read = |effects: &Effects| now(effects.sealed_key("k")).expect("it can be read").map(|blob| text(&blob));
    let create = |blob| KeyChange::Create { name: "k".to_owned(), blob: bytes(blob) };
    let mut effects = begin(&actor);
    effects.change_key(create("1")).expect("small");
    effects.change_key(KeyChange::Replace { name: "k".to_owned(), blob: bytes("2") }).expect("small");
    assert_eq!(read(&effects).as_deref(), Some("2"));
    commit(&actor, effects).expect("there was none");
    let mut second = begin(&actor);
    assert_eq!(read(&second).as_deref(), Some("2"));
    second.change_key(create("3")).expect("small");
    assert!(matches!(commit(&actor, second), Err(StoreError::KeyExists { .. })), "the first one stays");
}

#[test]
fn everything_reaches_the_store() {
    let actor = actor(Quota::default());
    let store = Arc::clone(actor.store());
    let message = crate::model::Message {
        kind: crate::model::MessageKind::Tell,
        priority: Priority::Normal,
        caller: String::new(),
        request: None,
        route: "a".to_owned(),
        payload: bytes("p"),
        deadline: None,
        context: Bytes::new(),
    };
    let mut effects = begin(&actor);
    let out = crate::model::OutMessage { target: "b".to_owned(), not_before: Time::default(), message };
    effects.send(out).expect("small");
    effects
        .change_timer(TimerChange::Set { name: "t".to_owned(), due: Time::default(), body: Bytes::new() })
        .expect("small");
    assert!(commit(&actor, effects).expect("it fits").first_out.is_some());
    assert_eq!(store.outbox(OutId::default(), BatchLimits::default()).wait().expect("read").len(), 1);
    assert_eq!(store.timers_due(Time::default(), 9).wait().expect("read").len(), 1);
    let mut effects = begin(&actor);
    effects.consume(Consumed::Message {
        position: Position { priority: Priority::Normal, seq: 9 },
        fate: Fate::Done { reply: None },
    });
    assert!(matches!(commit(&actor, effects), Err(StoreError::NotQueued { .. })));
}

#[test]
fn scans_merge_what_lies_over_the_store() {
    // Against a map, for all small shapes: keys in the store, keys over it set or deleted, and every limit.
    const KEYS: [&str; 4] = ["a", "b", "c", "d"];
    for stored in 0..16_u32 {
        for over in 0..81_u32 {
            let actor = actor(Quota::default());
            let mut expected = BTreeMap::new();
            let mut below = begin(&actor);
            for (index, key) in KEYS.into_iter().enumerate().filter(|(index, _)| stored >> index & 1 == 1) {
                below.set(bytes(key), bytes(&index.to_string())).expect("small");
                expected.insert(key, index.to_string());
            }
            commit(&actor, below).expect("it fits");
            let mut effects = begin(&actor);
            for (index, key) in KEYS.into_iter().enumerate() {
                match over / 3_u32.pow(u32::try_from(index).expect("small")) % 3 {
                    1 => {
                        effects.set(bytes(key), bytes("new")).expect("small");
                        expected.insert(key, "new".to_owned());
                    }
                    2 => {
                        effects.delete(bytes(key)).expect("small");
                        expected.remove(key);
                    }
                    _ => {}
                }
            }
            let all: Vec<String> = expected.iter().map(|(key, value)| format!("{key}={value}")).collect();
            for items in 0..=KEYS.len() {
                let limits = BatchLimits { items, bytes: 1000 };
                assert_eq!(keys(&effects, limits), all[..items.min(all.len())], "{stored:b} {over}");
            }
        }
    }
}

/// What a commit of that revision writes.
fn writes(revision: u64, changes: &[(&str, &str)]) -> Commit {
    let (actor, epoch) = (ActorKey::from_number(1), Epoch::from_number(1));
    let mut commit = Commit::new(actor, epoch, Revision::from_number(revision), Time::default(), Durability::Memory);
    commit.state.extend(changes.iter().map(|(key, value)| StateChange {
        key: bytes(key),
        expect: Expect::Any,
        value: Some(bytes(value)),
    }));
    commit
}

fn shown(overlay: &Overlay, key: &str) -> Option<String> {
    overlay.state(key.as_bytes()).and_then(|(_, value)| value).map(|value| text(&value))
}

fn busy() -> Result<Committed, StoreError> {
    Err(StoreError::Busy { what: "writes", limit: 0 })
}

/// Revisions are used again after a refusal: a late answer to a former commit of that number took out what the new one had written, and
/// the next message read the value of before.
#[test]
fn a_late_refusal_leaves_what_came_since() {
    let mut overlay = Overlay::new(Revision::from_number(4), Usage::default());
    let (first, second) = (overlay.cover(&writes(5, &[("a", "old")])), overlay.cover(&writes(6, &[("k", "old")])));
    overlay.end(first, &busy());
    assert_eq!((shown(&overlay, "a"), shown(&overlay, "k")), (None, None));
    let _again = [overlay.cover(&writes(5, &[("a", "new")])), overlay.cover(&writes(6, &[("k", "new")]))];
    overlay.end(second, &busy());
    assert_eq!(shown(&overlay, "k").as_deref(), Some("new"));
}

/// A commit that finds no room to wait is refused at once, while the one before it is still under way.
#[test]
fn an_early_refusal_shows_what_was_before() {
    let mut overlay = Overlay::new(Revision::from_number(4), Usage::default());
    let first = overlay.cover(&writes(5, &[("k", "first")]));
    let second = overlay.cover(&writes(6, &[("k", "second")]));
    overlay.end(second, &busy());
    assert_eq!(shown(&overlay, "k").as_deref(), Some("first"));
    overlay.end(first, &Ok(Committed { first_out: None, usage: Usage::default() }));
    assert_eq!(shown(&overlay, "k"), None, "the store has it");
}
