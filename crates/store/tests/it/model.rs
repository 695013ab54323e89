//! Random histories of one actor against a model of maps and vectors: the same answers, and the same contents after each step.

use std::collections::BTreeMap;

use bytes::Bytes;
use playhouse_store::{
    Accepted, Consumed, Expect, Fate, LetterId, MemoryStore, Position, Recorded, Retention, Revision, SqliteOptions,
    SqliteStore, Store, StoreError,
};
use proptest::prelude::*;

use crate::support::{Owner, all_of_it, change, enqueue, message, open, queued, request};

#[derive(Debug, Clone)]
enum Step {
    /// With a request id out of few, or none.
    Enqueue(Option<u8>, u8),
    Commit(Vec<Handle>, Vec<Write>),
    /// A commit of the owner before.
    Stale,
    Reopen,
}

#[derive(Debug, Clone)]
enum Handle {
    Done(u8),
    Again(u8),
    Dead(u8),
}

#[derive(Debug, Clone)]
struct Write {
    key: u8,
    expect: Wish,
    value: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Wish {
    Any,
    Absent,
    /// The version that it has.
    Right,
    Wrong,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let handle = prop_oneof![
        4 => any::<u8>().prop_map(Handle::Done),
        1 => any::<u8>().prop_map(Handle::Again),
        1 => any::<u8>().prop_map(Handle::Dead),
    ];
    let wish = prop_oneof![
        4 => Just(Wish::Any),
        1 => Just(Wish::Absent),
        3 => Just(Wish::Right),
        1 => Just(Wish::Wrong)
    ];
    let write = (0..6_u8, wish, proptest::option::weighted(0.8, any::<u8>())).prop_map(|(key, expect, value)| Write {
        key,
        expect,
        value,
    });
    let commit = (proptest::collection::vec(handle, 0..3), proptest::collection::vec(write, 0..4));
    let step = prop_oneof![
        4 => (proptest::option::of(0..8_u8), any::<u8>()).prop_map(|(request, text)| Step::Enqueue(request, text)),
        5 => commit.prop_map(|(handles, writes)| Step::Commit(handles, writes)),
        1 => Just(Step::Stale),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..40)
}

#[derive(Default)]
struct Model {
    queue: Vec<Entry>,
    state: BTreeMap<String, (u8, Revision)>,
    known: BTreeMap<u8, Option<Position>>,
    letters: u64,
}

struct Entry {
    position: Position,
    request: Option<u8>,
    text: u8,
    attempts: u32,
}

fn run(store: &dyn Store, steps: &[Step]) {
    let mut model = Model::default();
    let mut owner = Owner::open(store, "one");
    for step in steps {
        match step {
            Step::Enqueue(id, text) => model.enqueue(&owner, *id, *text),
            Step::Commit(handles, writes) => model.commit(&mut owner, handles, writes),
            Step::Stale => {
                let mut stale = Owner { store, lease: owner.lease };
                owner.lease = open(store, "one");
                assert!(matches!(stale.set("stale", "x"), Err(StoreError::StaleEpoch { .. })));
            }
            Step::Reopen => owner.lease = open(store, "one"),
        }
        model.compare(&owner);
    }
    let report = store.check().wait().expect("it can be read");
    assert!(report.damage.is_empty(), "{report:?}");
}

impl Model {
    fn enqueue(&mut self, owner: &Owner<'_>, id: Option<u8>, text: u8) {
        let sent = id.map_or_else(|| message(&text.to_string()), |id| request(&id.to_string(), &text.to_string()));
        let answer = enqueue(owner.store, owner.key(), sent).expect("there is room");
        match (answer, id.and_then(|id| self.known.get(&id))) {
            (Accepted::Queued(position), None) => {
                assert!(self.queue.iter().all(|entry| entry.position.seq < position.seq));
                self.queue.push(Entry { position, request: id, text, attempts: 0 });
                if let Some(id) = id {
                    self.known.insert(id, Some(position));
                }
            }
            (Accepted::Duplicate, Some(position)) => {
                let key = id.and_then(|id| request(&id.to_string(), "").request_key()).expect("it has an id");
                let recorded = owner.store.recorded(owner.key(), &key).wait().expect("it can be read");
                match recorded {
                    Some(Recorded::Pending(found)) => assert_eq!(Some(found), *position),
                    Some(Recorded::Answered(_)) => assert_eq!(None, *position),
                    None => panic!("it is known"),
                }
            }
            (answer, known) => panic!("{answer:?}, but {known:?} is known"),
        }
    }

    fn commit(&mut self, owner: &mut Owner<'_>, handles: &[Handle], writes: &[Write]) {
        let consumed: Vec<(usize, Consumed)> = handles.iter().filter_map(|handle| self.consumed(handle)).collect();
        let twice = |index: usize| consumed[..index].iter().any(|(other, _)| *other == consumed[index].0);
        let keys_twice = (0..writes.len()).any(|index| writes[..index].iter().any(|w| w.key == writes[index].key));
        let fails = (0..consumed.len()).any(twice) || keys_twice || writes.iter().any(|write| !self.allows(write));
        let result = owner.commit(|commit| {
            commit.consumed = consumed.iter().map(|(_, consumed)| consumed.clone()).collect();
            commit.state = writes.iter().map(|write| self.state_change(write)).collect();
        });
        assert_eq!(result.is_err(), fails, "{result:?}");
        if fails {
            return;
        }
        for write in writes {
            let key = write.key.to_string();
            match write.value {
                Some(value) => drop(self.state.insert(key, (value, owner.lease.revision))),
                None => drop(self.state.remove(&key)),
            }
        }
        self.settle(consumed);
    }

    fn consumed(&self, handle: &Handle) -> Option<(usize, Consumed)> {
        let (Handle::Done(index) | Handle::Again(index) | Handle::Dead(index)) = handle;
        let index = usize::from(*index).checked_rem(self.queue.len())?;
        let fate = match handle {
            Handle::Done(_) => Fate::Done { reply: Some(Bytes::from_static(b"reply")) },
            Handle::Again(_) => Fate::Again,
            Handle::Dead(_) => Fate::Dead { cause: "why".to_owned(), reply: None },
        };
        Some((index, Consumed::Message { position: self.queue[index].position, fate }))
    }

    fn settle(&mut self, mut consumed: Vec<(usize, Consumed)>) {
        consumed.sort_by_key(|(index, _)| std::cmp::Reverse(*index));
        for (index, consumed) in consumed {
            let Consumed::Message { fate, .. } = consumed else { continue };
            if fate == Fate::Again {
                self.queue[index].attempts += 1;
                continue;
            }
            self.letters += u64::from(matches!(fate, Fate::Dead { .. }));
            if let Some(id) = self.queue.remove(index).request {
                self.known.insert(id, None);
            }
        }
    }

    fn version(&self, key: u8) -> Option<Revision> {
        self.state.get(&key.to_string()).map(|(_, version)| *version)
    }

    fn allows(&self, write: &Write) -> bool {
        match write.expect {
            Wish::Any | Wish::Right => true,
            Wish::Absent => self.version(write.key).is_none(),
            Wish::Wrong => false,
        }
    }

    fn state_change(&self, write: &Write) -> playhouse_store::StateChange {
        let expect = match (write.expect, self.version(write.key)) {
            (Wish::Any, _) => Expect::Any,
            (Wish::Absent, _) | (Wish::Right, None) => Expect::Absent,
            (Wish::Right, Some(version)) => Expect::Version(version),
            (Wish::Wrong, version) => Expect::Version(version.unwrap_or_default().next()),
        };
        change(&write.key.to_string(), expect, write.value.map(|value| value.to_string()).as_deref())
    }

    fn compare(&self, owner: &Owner<'_>) {
        let found: Vec<_> = queued(owner.store, owner.key())
            .into_iter()
            .map(|queued| (queued.position, queued.message.payload, queued.attempts))
            .collect();
        let wanted: Vec<_> = self
            .queue
            .iter()
            .map(|entry| (entry.position, Bytes::from(entry.text.to_string()), entry.attempts))
            .collect();
        assert_eq!(found, wanted);
        let found = owner.store.scan(owner.key(), playhouse_store::KeyRange::all(), all_of_it()).wait().expect("read");
        let wanted: Vec<_> = self
            .state
            .iter()
            .map(|(key, (value, version))| {
                let value = Bytes::from(value.to_string());
                (Bytes::from(key.clone()), playhouse_store::Versioned { value, version: *version })
            })
            .collect();
        assert_eq!(found, wanted);
        let letters = owner.store.letters(LetterId::default(), all_of_it()).wait().expect("read");
        assert_eq!(letters.len() as u64, self.letters);
        let usage = owner.store.actor(owner.key()).wait().expect("read").expect("there").lease.usage;
        assert_eq!((usage.queued, usage.state_keys), (self.queue.len() as u64, self.state.len() as u64));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn memory_is_the_model(steps in steps()) {
        run(&MemoryStore::new(Retention::default()), &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_is_the_model(steps in steps()) {
        let ground = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(ground.path(), SqliteOptions::default()).expect("it opens");
        run(&store, &steps);
    }
}

#[cfg(feature = "postgres")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn postgres_is_the_model(steps in steps()) {
        if let Some(place) = crate::support::postgres_place() {
            run(&*place.store, &steps);
        }
    }
}
