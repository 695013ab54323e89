//! The disk is full: what is new is refused by name, what is there can be finished and read, and it recovers by itself.

use std::path::Path;

use playhouse_store::{
    Accepted, Consumed, Durability, Enqueue, Fate, Lease, OutId, Position, Priority, QueueLimits, Report, Revision,
    SqliteOptions, SqliteStore, Store, StoreError, Time, commit,
};

use crate::child;
use crate::ground::{Mount, has_root};

const DISK: u64 = 24 << 20;
const RESERVE: u64 = 4 << 20;

fn options() -> SqliteOptions {
    SqliteOptions { reserve_bytes: RESERVE, ..SqliteOptions::default() }
}

fn offer(store: &dyn Store, lease: &Lease, number: u64) -> Result<Position, StoreError> {
    let mut message = child::message(number);
    message.payload = vec![7; 16 << 10].into();
    let limits = QueueLimits::default();
    let enqueue = Enqueue {
        to: lease.actor,
        message,
        now: Time::default(),
        limits,
        durability: Durability::Fsync,
        delivers: None,
    };
    match store.enqueue(enqueue).wait()? {
        Accepted::Queued(position) => Ok(position),
        Accepted::Duplicate => panic!("every number is new"),
    }
}

/// Takes a message out of the mailbox.
fn finish(store: &dyn Store, lease: &mut Lease, position: Position) -> Result<(), StoreError> {
    let revision = lease.revision.next();
    let mut done = playhouse_store::Commit::new(lease.actor, lease.epoch, revision, Time::default(), Durability::Fsync);
    done.consumed.push(Consumed::Message { position, fate: Fate::Done { reply: None } });
    commit(store, done).wait()?;
    lease.revision = revision;
    Ok(())
}

fn fill(store: &dyn Store, lease: &Lease, numbers: std::ops::Range<u64>) -> Vec<Position> {
    let mut taken = Vec::new();
    for number in numbers {
        match offer(store, lease, number) {
            Ok(position) => taken.push(position),
            Err(StoreError::DiskFull { reserve: RESERVE, .. }) => return taken,
            Err(other) => panic!("after {}: {other}", taken.len()),
        }
    }
    panic!("the disk is never full");
}

#[test]
fn new_messages_are_refused_and_old_ones_finished() {
    if !has_root("mounting a small disk") {
        return;
    }
    let ground = tempfile::tempdir().expect("a folder");
    let mount = Mount::new(&ground.path().join("disk"), &["-t", "tmpfs", "-o", &format!("size={DISK}"), "tmpfs"]);
    let folder = mount.0.join("store");
    let store = SqliteStore::open(&folder, options()).expect("it opens");
    let mut lease = child::open(&store, 0).expect("it is free");
    let taken = fill(&store, &lease, 0..9999);
    assert!(taken.len() > 200, "{}", taken.len());
    assert!(store.stats().wait().expect("it can be read").disk_full);

    for position in &taken[..taken.len() / 2] {
        finish(&store, &mut lease, *position).expect("what is there can be finished");
    }
    let left = taken.len() - taken.len() / 2;
    let read = store.queued(lease.actor, Position::start(Priority::Normal), whole()).wait().expect("it can be read");
    assert_eq!(read.len(), left);
    // Folding the log has made room in the database; messages are taken again once the disk has some, too.
    drop(store);
    let store = SqliteStore::open(&folder, options()).expect("it opens on a full disk");
    let lease = child::open(&store, 0).expect("owners can change");
    let read = store.queued(lease.actor, Position::start(Priority::Normal), whole()).wait().expect("it can be read");
    assert_eq!(read.len(), left);
    let report = store.check().wait().expect("it can be read");
    assert_eq!(report, Report { records: report.records, ..Report::default() });
}

fn whole() -> playhouse_store::BatchLimits {
    playhouse_store::BatchLimits { items: usize::MAX, bytes: usize::MAX }
}

/// Takes all that the disk has.
fn take_the_rest(path: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).expect("a file");
    while file.write_all(&[7; 4096]).is_ok() {}
    while file.write_all(&[7; 16]).is_ok() {}
}

#[test]
fn somebody_else_takes_the_reserve_and_gives_it_back() {
    if !has_root("mounting a small disk") {
        return;
    }
    let ground = tempfile::tempdir().expect("a folder");
    let mount = Mount::new(&ground.path().join("disk"), &["-t", "tmpfs", "-o", &format!("size={DISK}"), "tmpfs"]);
    let store = SqliteStore::open(&mount.0.join("store"), options()).expect("it opens");
    let mut lease = child::open(&store, 0).expect("it is free");
    let taken: Vec<Position> = (0..100).map(|number| offer(&store, &lease, number).expect("there is room")).collect();
    let greedy = mount.0.join("greedy");
    take_the_rest(&greedy);
    assert!(matches!(offer(&store, &lease, 500), Err(StoreError::DiskFull { .. })));
    let mut finished = 0;
    for position in &taken {
        match finish(&store, &mut lease, *position) {
            Ok(()) => finished += 1,
            Err(StoreError::DiskFull { .. }) => break,
            Err(other) => panic!("after {finished}: {other}"),
        }
    }
    println!("{finished} of {} finished without any room", taken.len());
    assert!(finished >= 20, "the ballast was there for some");
    let read = store.queued(lease.actor, Position::start(Priority::Normal), whole()).wait().expect("it can be read");
    assert_eq!(read.len(), taken.len() - finished);
    assert!(store.outbox(OutId::default(), whole()).wait().expect("it can be read").is_empty());

    std::fs::remove_file(&greedy).expect("it is there");
    let again = offer(&store, &lease, 501).expect("there is room again");
    finish(&store, &mut lease, again).expect("and all goes on");
    assert!(lease.revision > Revision::from_number(0));
    assert!(!store.stats().wait().expect("it can be read").disk_full);
    let report = store.check().wait().expect("it can be read");
    assert_eq!(report, Report { records: report.records, ..Report::default() });
    store.close().wait().expect("nothing is in its way");
}

/// Opening needs room, for the index of the log and for folding it, and asked for it before the ballast was at hand: what was queued could not be
/// finished after a restart.
#[test]
fn a_killed_store_opens_where_nothing_is_free() {
    if !has_root("mounting a small disk") {
        return;
    }
    let ground = tempfile::tempdir().expect("a folder");
    let mount = Mount::new(&ground.path().join("disk"), &["-t", "tmpfs", "-o", &format!("size={DISK}"), "tmpfs"]);
    let (live, killed) = (mount.0.join("live"), mount.0.join("killed"));
    let store = SqliteStore::open(&live, options()).expect("it opens");
    let lease = child::open(&store, 0).expect("it is free");
    let taken: Vec<Position> = (0..50).map(|number| offer(&store, &lease, number).expect("there is room")).collect();
    crate::ground::private_folder(&killed);
    for name in ["playhouse.db", "playhouse.db-wal", "mark", "reserve"] {
        std::fs::copy(live.join(name), killed.join(name)).expect("there is room");
    }
    drop(store);
    std::fs::remove_dir_all(&live).expect("it is there");
    take_the_rest(&mount.0.join("greedy"));

    let store = SqliteStore::open(&killed, options()).expect("the ballast gives room");
    let mut lease = child::open(&store, 0).expect("owners can change");
    assert!(matches!(offer(&store, &lease, 500), Err(StoreError::DiskFull { .. })));
    taken.into_iter().for_each(|position| finish(&store, &mut lease, position).expect("it can be finished"));
}
