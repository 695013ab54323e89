//! The process that is killed: actors whose messages come in, are handled and send messages on, as fast as the disk lets them. It
//! says each thing on its standard output once it is acknowledged, and not before.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use playhouse_store::{
    Accepted, BatchLimits, Commit, Consumed, DangerSync, Durability, Enqueue, Fate, Identity, Lease, Message,
    MessageKind, OpenActor, OutMessage, Position, Priority, QueueLimits, Receipt, SqliteOptions, SqliteStore,
    StateChange, Store, StoreError, Time, TimerChange, commit,
};
use playhouse_types::Realm;

use crate::ledger::Number;

pub(crate) const ACTORS: u32 = 8;
/// Messages that an actor is sent before it handles some.
const SENT_TOGETHER: u64 = 6;
/// Commits of an actor that are under way together.
const HANDLED_TOGETHER: usize = 5;

const FOLDER: &str = "PLAYHOUSE_FAULT_CHILD";
const SYNC: &str = "PLAYHOUSE_FAULT_SYNC";

/// Starts the process on a store.
pub(crate) fn start(folder: &Path, sync: DangerSync) -> Child {
    Command::new(std::env::current_exe().expect("it runs"))
        .args(["--exact", "child::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(SYNC, format!("{sync:?}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process")
}

/// Not a test of itself: what [`start`] runs.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let danger_sync = match std::env::var(SYNC).as_deref() {
        Ok("Off") => DangerSync::Off,
        Ok("Normal") => DangerSync::Normal,
        _ => DangerSync::Full,
    };
    let options = SqliteOptions { danger_sync, ..SqliteOptions::default() };
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(Path::new(&folder), options).expect("the store opens"));
    let actors: Vec<_> = (0..ACTORS)
        .map(|actor| {
            let store = Arc::clone(&store);
            std::thread::spawn(move || drop(run(&*store, actor)))
        })
        .collect();
    actors.into_iter().for_each(|actor| actor.join().expect("it does not panic"));
}

pub(crate) fn open(store: &dyn Store, actor: u32) -> Result<Lease, StoreError> {
    let identity = Identity {
        realm: Realm::new(1),
        manufacturer: "acme".parse().expect("a name"),
        type_name: "Counter".parse().expect("a name"),
        instance: actor.to_string(),
    };
    let lease_for = Duration::from_secs(60);
    store.open_actor(OpenActor { identity, owner: "child".to_owned(), now: Time::default(), lease_for }).wait()
}

pub(crate) fn message(number: Number) -> Message {
    Message {
        kind: MessageKind::Tell,
        priority: Priority::Normal,
        caller: "sender".to_owned(),
        request: Some(number.to_string()),
        route: "count".to_owned(),
        payload: number_bytes(number),
        deadline: None,
        context: Bytes::new(),
    }
}

/// A number with a tail whose length depends on it, so that rows have many sizes.
fn number_bytes(number: Number) -> Bytes {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(8 + usize::try_from(number % 900).expect("small"), 7);
    bytes.into()
}

pub(crate) fn number_of(message: &Message) -> Number {
    let (number, _) = message.payload.split_first_chunk().expect("eight bytes at least");
    let number = Number::from_be_bytes(*number);
    assert_eq!(message.payload, number_bytes(number), "a message is whole");
    number
}

/// What an actor keeps: how many messages it handled, and their sum.
pub(crate) fn counted(store: &dyn Store, lease: &Lease) -> Result<(u64, u64), StoreError> {
    let found = store.state(lease.actor, b"counted").wait()?;
    Ok(found.map_or((0, 0), |found| {
        let word = |at: usize| u64::from_be_bytes(found.value[at..at + 8].try_into().expect("16 bytes"));
        (word(0), word(8))
    }))
}

fn say(what: char, actor: u32, number: Number) {
    // One write each: lines are whole or not there.
    let line = format!("\n{what} {actor} {number}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).expect("somebody listens");
}

/// Until the store fails.
fn run(store: &dyn Store, actor: u32) -> Result<(), StoreError> {
    let mut lease = open(store, actor)?;
    let mut count = counted(store, &lease)?;
    // Numbers go on where any former process may have been.
    let mut number = lease.epoch.number() << 32;
    loop {
        let sent: Vec<(Number, Receipt<Accepted>)> = (0..SENT_TOGETHER)
            .map(|_| {
                number += 1;
                (number, store.enqueue(enqueue(&lease, number)))
            })
            .collect();
        for (number, receipt) in sent {
            receipt.wait()?;
            say('q', actor, number);
        }
        let limits = BatchLimits { items: HANDLED_TOGETHER, bytes: usize::MAX };
        let mut handled = Vec::new();
        for queued in store.queued(lease.actor, Position::start(Priority::Normal), limits).wait()? {
            let number = number_of(&queued.message);
            count = (count.0 + 1, count.1.wrapping_add(number));
            lease.revision = lease.revision.next();
            handled.push((number, commit(store, handling(&lease, queued.position, number, count))));
        }
        for (number, receipt) in handled {
            receipt.wait()?;
            say('h', actor, number);
        }
    }
}

pub(crate) fn enqueue(lease: &Lease, number: Number) -> Enqueue {
    let (to, limits) = (lease.actor, QueueLimits::default());
    Enqueue {
        to,
        message: message(number),
        now: Time::default(),
        limits,
        durability: Durability::Fsync,
        delivers: None,
    }
}

/// What handling a message does: it counts, in a value and in a timer, and sends a message on.
fn handling(lease: &Lease, position: Position, number: Number, count: (u64, u64)) -> Commit {
    let mut commit = Commit::new(lease.actor, lease.epoch, lease.revision, Time::default(), Durability::Fsync);
    commit.quota.outbox = u64::MAX;
    commit.consumed.push(Consumed::Message { position, fate: Fate::Done { reply: Some(Bytes::from_static(b"ok")) } });
    let (name, due) = ("counted".to_owned(), Time::from_millis(count.0));
    commit.timers.push(TimerChange::Set { name, due, body: Bytes::new() });
    let value = [count.0.to_be_bytes(), count.1.to_be_bytes()].concat();
    commit.state.push(StateChange {
        key: Bytes::from_static(b"counted"),
        expect: playhouse_store::Expect::Any,
        value: Some(value.into()),
    });
    let message = message(number);
    commit.outbox.push(OutMessage { target: "next".to_owned(), not_before: Time::default(), message });
    commit
}
