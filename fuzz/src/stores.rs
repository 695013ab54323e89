use std::path::Path;

use playhouse_store::{
    ActorKey, BatchLimits, KeyRange, LetterId, OpenActor, OutId, Position, Priority, SqliteOptions, SqliteStore, Store,
    Time,
};

/// A store with one of everything.
const SOUND: &[u8] = include_bytes!("../../crates/store/tests/fixtures/schema-1.db");
/// What SQLite writes at the beginning of a database.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// A database of any bytes, or a sound one with some bytes changed (three of the input say where and to what), is refused or
/// answers: it does not panic, hang or take more than it is given.
pub fn store_open(bytes: &[u8]) {
    let database = if bytes.starts_with(MAGIC) { bytes.to_vec() } else { changed(bytes) };
    let folder = tempfile::tempdir_in(scratch()).expect("there is room");
    std::fs::write(folder.path().join("playhouse.db"), database).expect("there is room");
    // The disk of this test may be small.
    let options = SqliteOptions { reserve_bytes: 0, ..SqliteOptions::default() };
    if let Ok(store) = SqliteStore::open(folder.path(), options) {
        ask(&store);
    }
}

/// Memory, where there is such a folder: a fuzzer that waits for a disk learns little.
fn scratch() -> &'static Path {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { Path::new("/tmp") }
}

fn changed(bytes: &[u8]) -> Vec<u8> {
    let mut database = SOUND.to_vec();
    for change in bytes.chunks_exact(4) {
        let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize % database.len();
        database[at] = change[3];
    }
    database
}

fn ask(store: &SqliteStore) {
    let all = BatchLimits { items: 1000, bytes: 1 << 20 };
    drop(store.check().wait());
    drop(store.outbox(OutId::default(), all).wait());
    drop(store.letters(LetterId::default(), all).wait());
    drop(store.timers_due(Time::from_millis(u64::MAX), 1000).wait());
    drop(store.next_due().wait());
    drop(store.sealed_keys((ActorKey::from_number(0), String::new()), all).wait());
    for info in store.actors(ActorKey::from_number(0), 1000).wait().into_iter().flatten() {
        let actor = info.lease.actor;
        drop(store.queued(actor, Position::start(Priority::Normal), all).wait());
        drop(store.scan(actor, KeyRange::all(), all).wait());
        let open = OpenActor {
            identity: info.identity,
            owner: "fuzz".to_owned(),
            now: Time::from_millis(u64::MAX),
            lease_for: std::time::Duration::from_secs(1),
        };
        drop(store.open_actor(open).wait());
    }
    drop(store.expire_replies(Time::from_millis(u64::MAX)).wait());
}
