//! A bit flips, or a file is cut, anywhere in the database or its log: it is found before it is used, or does not matter. Nothing is
//! delivered that was not written, and nothing panics.

use std::path::{Path, PathBuf};

use playhouse_store::{
    ActorKey, BatchLimits, KeyRange, LetterId, OutId, Position, Priority, SqliteOptions, SqliteStore, Store,
    StoreError, Time,
};

use crate::child;
use crate::ground::rounds;

const ALL: BatchLimits = BatchLimits { items: usize::MAX, bytes: usize::MAX };
const ACTORS: u32 = 4;

/// What a reader is told, line by line.
type Told = Result<Vec<String>, StoreError>;

/// Questions that go over all actors: what is damaged is passed over there.
const ACROSS: usize = 3;

/// Everything that a reader can be told, question by question; those across actors first.
fn told(store: &dyn Store) -> Vec<Told> {
    fn lines<T: std::fmt::Debug>(answer: Result<Vec<T>, StoreError>) -> Told {
        Ok(answer?.iter().map(|value| format!("{value:?}")).collect())
    }
    fn line<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> Told {
        answer.map(|value| vec![format!("{value:?}")])
    }
    let mut told = vec![
        lines(store.outbox(OutId::default(), ALL).wait()),
        lines(store.timers_due(Time::from_millis(u64::MAX), 999).wait()),
        lines(store.sealed_keys((ActorKey::from_number(0), String::new()), ALL).wait()),
        lines(store.letters(LetterId::default(), ALL).wait()),
        line(store.note("note").wait()),
    ];
    for actor in (1..=u64::from(ACTORS)).map(ActorKey::from_number) {
        told.push(line(store.actor(actor).wait()));
        told.push(lines(store.queued(actor, Position::start(Priority::Normal), ALL).wait()));
        told.push(lines(store.scan(actor, KeyRange::all(), ALL).wait()));
        for key in 0..30_u64 {
            told.push(line(store.state(actor, &key.to_be_bytes()).wait()));
        }
        for number in 1..30 {
            let request = child::message(number).request_key().expect("it has an id");
            told.push(line(store.recorded(actor, &request).wait()));
            told.push(line(store.sealed_key(actor, &format!("k{number}")).wait()));
            told.push(line(store.letter(LetterId::from_number(number)).wait()));
        }
    }
    told
}

/// Whether all lines are among others, in the same order.
fn is_part(lines: &[String], of: &[String]) -> bool {
    let mut of = of.iter();
    lines.iter().all(|line| of.any(|other| other == line))
}

/// A store with some of everything, closed or as a kill leaves it.
fn write(folder: &Path) -> SqliteStore {
    let store = SqliteStore::open(folder, SqliteOptions::default()).expect("it opens");
    for actor in 0..ACTORS {
        let lease = child::open(&store, actor).expect("it is free");
        fill(&store, lease);
    }
    store.set_note("note", None, Some("kept".into())).wait().expect("there is none");
    store
}

fn fill(store: &dyn Store, mut lease: playhouse_store::Lease) {
    use playhouse_store::{
        Commit, Consumed, Durability, Enqueue, Expect, Fate, KeyChange, OutMessage, QueueLimits, StateChange,
        TimerChange,
    };
    for number in 1..30 {
        let enqueue = Enqueue {
            to: lease.actor,
            message: child::message(number),
            now: Time::default(),
            limits: QueueLimits::default(),
            durability: Durability::Fsync,
            delivers: None,
        };
        let Ok(playhouse_store::Accepted::Queued(position)) = store.enqueue(enqueue).wait() else {
            panic!("it is new")
        };
        lease.revision = lease.revision.next();
        let mut commit = Commit::new(lease.actor, lease.epoch, lease.revision, Time::default(), Durability::Fsync);
        let fate = match number % 3 {
            0 => Fate::Done { reply: Some("reply".into()) },
            1 => Fate::Dead { cause: "why".to_owned(), reply: None },
            _ => Fate::Again,
        };
        commit.consumed.push(Consumed::Message { position, fate });
        let value = vec![7; usize::try_from(number * 97 % 3000).expect("small")];
        let key = number.to_be_bytes().to_vec().into();
        commit.state.push(StateChange { key, expect: Expect::Any, value: Some(value.into()) });
        commit.timers.push(TimerChange::Set {
            name: format!("t{number}"),
            due: Time::from_millis(number),
            body: "b".into(),
        });
        commit.keys.push(KeyChange::Create { name: format!("k{number}"), blob: "sealed".into() });
        let message = child::message(number);
        commit.outbox.push(OutMessage { target: "to".to_owned(), not_before: Time::default(), message });
        playhouse_store::commit(store, commit).wait().expect("it fits");
    }
}

fn copy(from: &Path, to: &Path) {
    drop(std::fs::remove_dir_all(to));
    crate::ground::private_folder(to);
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("an entry");
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("there is room");
        }
    }
}

/// What came of a damage, counted.
#[derive(Debug, Default)]
struct Tally {
    refused: u32,
    found: u32,
    harmless: u32,
}

struct Case {
    ground: tempfile::TempDir,
    sound: PathBuf,
    wanted: Vec<Told>,
    tally: Tally,
}

impl Case {
    fn new(closed: bool) -> Self {
        let ground = tempfile::tempdir().expect("a folder");
        let (store, sound) = (write(&ground.path().join("store")), ground.path().join("sound"));
        let wanted = told(&store);
        if closed {
            drop(store);
        }
        copy(&ground.path().join("store"), &sound);
        Self { ground, sound, wanted, tally: Tally::default() }
    }

    /// Damages a copy, and asks it everything.
    fn damage(&mut self, what: &str, damage: impl FnOnce(&Path)) {
        let folder = self.ground.path().join("damaged");
        copy(&self.sound, &folder);
        damage(&folder);
        let Ok(store) = SqliteStore::open(&folder, SqliteOptions::default()) else {
            self.tally.refused += 1;
            return;
        };
        let told = told(&store);
        let damaged = store.check().wait().map_or(true, |report| !report.damage.is_empty());
        for (index, (told, wanted)) in told.iter().zip(&self.wanted).enumerate() {
            match (told, wanted) {
                (Ok(told), Ok(wanted)) if index < ACROSS && damaged => {
                    assert!(is_part(told, wanted), "{what}: {told:?}")
                }
                (Ok(told), Ok(wanted)) => assert_eq!(told, wanted, "{what}"),
                (Err(StoreError::Corrupt(_) | StoreError::Read { .. }), _) => {
                    assert!(damaged, "{what}: a check sees it")
                }
                other => panic!("{what}: {other:?}"),
            }
        }
        if damaged {
            self.tally.found += 1;
        } else {
            self.tally.harmless += 1;
        }
        let run_on = (0..ACTORS).filter(|actor| child::open(&store, *actor).is_ok()).count();
        assert!(run_on >= ACTORS as usize - 2, "{what}: only {run_on} actors run on");
    }
}

/// Positions all over a file, and bits: the same for the same number of rounds.
fn spots(bytes: u64, rounds: u32) -> impl Iterator<Item = (u64, u8)> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..rounds).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 24) % bytes, (state >> 20) as u8 % 8)
    })
}

fn flip(path: &Path, offset: u64, bit: u8) {
    let mut bytes = std::fs::read(path).expect("it is there");
    bytes[usize::try_from(offset).expect("small")] ^= 1 << bit;
    std::fs::write(path, bytes).expect("there is room");
}

#[test]
fn a_bit_of_the_database() {
    let mut case = Case::new(true);
    let bytes = case.sound.join("playhouse.db").metadata().expect("it is there").len();
    let rounds = rounds(150, 300);
    for (offset, bit) in spots(bytes, rounds) {
        case.damage(&format!("bit {bit} at {offset}"), |folder| flip(&folder.join("playhouse.db"), offset, bit));
    }
    println!("{rounds} bits of {bytes} bytes: {:?}", case.tally);
    assert!(case.tally.refused + case.tally.found > rounds / 4);
}

#[test]
fn a_bit_of_the_log() {
    let mut case = Case::new(false);
    let bytes = case.sound.join("playhouse.db-wal").metadata().expect("it is there").len();
    let rounds = rounds(100, 300);
    for (offset, bit) in spots(bytes, rounds) {
        case.damage(&format!("bit {bit} at {offset}"), |folder| flip(&folder.join("playhouse.db-wal"), offset, bit));
    }
    println!("{rounds} bits of a log of {bytes} bytes: {:?}", case.tally);
    assert_eq!(case.tally.refused, rounds, "every frame of this log was acknowledged");
}

#[test]
fn files_are_cut() {
    let mut case = Case::new(false);
    for name in ["playhouse.db", "playhouse.db-wal", "mark"] {
        let bytes = case.sound.join(name).metadata().expect("it is there").len();
        for (offset, _) in spots(bytes, rounds(30, 300)) {
            case.damage(&format!("{name} cut to {offset}"), |folder| {
                let file = std::fs::OpenOptions::new().write(true).open(folder.join(name)).expect("it is there");
                file.set_len(offset).expect("it can be cut");
            });
        }
    }
    println!("{:?}", case.tally);
}
