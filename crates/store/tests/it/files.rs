//! What only a store in files has to show: who may read them, who may open them, what a restart and a backup keep.

use std::future::Future as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use playhouse_store::{Bury, Consumed, Fate, OpenError, Report, Retention, SqliteOptions, SqliteStore, Store as _};
use playhouse_types::Code;

use crate::support::{Owner, at, done, done_with, enqueue_of, message, payloads, put, queued, request, set};

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, SqliteOptions::default()).expect("it opens")
}

fn refused(folder: &Path) -> OpenError {
    SqliteStore::open(folder, SqliteOptions::default()).expect_err("it is refused")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn private_folder(path: &Path) {
    std::fs::DirBuilder::new().mode(0o700).create(path).expect("a folder");
}

/// `--store .` closed whatever folder was named to all others, and left files in it.
#[test]
fn a_folder_that_is_not_for_a_store_is_left_alone() {
    let ground = tempfile::tempdir().expect("a folder");
    let folder = ground.path().join("folder");
    let mode = |mode| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    let left = |error: OpenError, wanted: &str, files: &[&str]| {
        let text = error.to_string().replace(&*folder.to_string_lossy(), "DIR");
        assert_eq!((text.as_str(), names(&folder)), (wanted, files.iter().map(ToString::to_string).collect()));
    };
    private_folder(&folder);
    mode(0o755);
    std::fs::write(folder.join("letter"), "dear").expect("written");
    left(refused(&folder), "DIR has no store, but \"letter\": a store has a folder of its own", &["letter"]);
    let now = folder.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(now, 0o755);
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&folder, Some(12345), None).expect("root may");
        left(refused(&folder), "DIR belongs to user 12345", &["letter"]);
        std::os::unix::fs::chown(&folder, Some(0), None).expect("root may");
    }
    std::fs::rename(folder.join("letter"), folder.join("master-key")).expect("renamed");
    drop(open(&folder));
    let now = folder.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(now, 0o700, "nothing but the store's is in it");
    std::fs::write(folder.join("letter"), "dear").expect("written");
    drop(open(&folder));
    mode(0o750);
    assert!(refused(&folder).to_string().ends_with(&format!("(mode 750): run `chmod 700 {}`", folder.display())));
}

#[test]
fn nobody_else_can_read_the_files() {
    let ground = tempfile::tempdir().expect("a folder");
    let folder = ground.path().join("a/b/store");
    let store = open(&folder);
    put(&store, Owner::open(&store, "one").key(), message("a"));
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files = names(&folder);
    assert_eq!(files, ["lock", "mark", "playhouse.db", "playhouse.db-shm", "playhouse.db-wal", "reserve"]);
    for name in files {
        assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
    }
    let copy = ground.path().join("copy.db");
    store.backup(&copy).wait().expect("there is room");
    assert_eq!(mode(&copy), 0o600);
}

#[test]
fn two_cannot_open_one_store() {
    let ground = tempfile::tempdir().expect("a folder");
    let first = open(ground.path());
    match refused(ground.path()) {
        OpenError::Locked { pid, .. } => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other}"),
    }
    assert_eq!(refused(ground.path()).code(), Code::StoreLocked);
    drop(first);
    open(ground.path());
}

#[test]
fn everything_is_there_after_a_restart() {
    let ground = tempfile::tempdir().expect("a folder");
    for round in 0..3_u64 {
        let store = open(ground.path());
        let mut owner = Owner::open(&store, "one");
        assert_eq!(owner.lease.epoch.number(), round + 1);
        assert_eq!(owner.lease.revision.number(), round * 2);
        assert_eq!(payloads(&store, owner.key()).len() as u64, round);
        let kept = put(&store, owner.key(), request(&format!("kept-{round}"), "kept"));
        let gone = put(&store, owner.key(), request(&format!("gone-{round}"), "gone"));
        assert!(gone.seq > kept.seq);
        owner.set(&format!("key-{round}"), "value").expect("set");
        owner.commit(|commit| commit.consumed.push(done(gone))).expect("it is there");
        for earlier in 0..=round {
            assert!(owner.get(&format!("key-{earlier}")).is_some());
            let answered = request(&format!("gone-{earlier}"), "").request_key().expect("it has an id");
            assert!(store.recorded(owner.key(), &answered).wait().expect("read").is_some());
        }
    }
}

#[test]
fn a_backup_is_a_store() {
    let ground = tempfile::tempdir().expect("a folder");
    let store = open(&ground.path().join("store"));
    let mut owner = Owner::open(&store, "one");
    owner.set("k", "v").expect("set");
    put(&store, owner.key(), message("a"));
    let folder = ground.path().join("restored");
    private_folder(&folder);
    let copy = folder.join("playhouse.db");
    store.backup(&copy).wait().expect("there is room");
    assert!(store.backup(&copy).wait().is_err(), "a backup is not overwritten");
    owner.set("k", "later").expect("the store goes on");
    let restored = open(&folder);
    assert_eq!(payloads(&restored, owner.key()), ["a"]);
    assert_eq!(Owner { store: &restored, lease: owner.lease }.get("k").map(|(value, _)| value).as_deref(), Some("v"));
    let report = restored.check().wait().expect("it can be read");
    assert_eq!(report, Report { records: report.records, ..Report::default() });
}

#[test]
fn an_older_copy_does_not_pass_for_the_store() {
    let ground = tempfile::tempdir().expect("a folder");
    let store = open(&ground.path().join("store"));
    let mut owner = Owner::open(&store, "one");
    let copy = ground.path().join("copy.db");
    store.backup(&copy).wait().expect("there is room");
    owner.set("k", "v").expect("set");
    drop(store);
    std::fs::copy(&copy, ground.path().join("store/playhouse.db")).expect("copied");
    match refused(&ground.path().join("store")) {
        OpenError::AcknowledgedMissing { acknowledged: 2, found: 1 } => {}
        other => panic!("{other}"),
    }
    let accept = SqliteOptions { danger_accept_loss: true, ..SqliteOptions::default() };
    drop(SqliteStore::open(&ground.path().join("store"), accept).expect("the operator says so"));
    open(&ground.path().join("store"));
}

/// What a kill leaves of a store that is open: its files as they are now, without the index of the log.
fn killed(store: &Path, into: &Path) {
    private_folder(into);
    for name in ["playhouse.db", "playhouse.db-wal", "mark"] {
        std::fs::copy(store.join(name), into.join(name)).expect("copied");
    }
}

/// The log was folded, up to the damage, before anybody looked whether anything was missing.
#[test]
fn a_damaged_log_is_refused_and_left_as_it_is() {
    let ground = tempfile::tempdir().expect("a folder");
    let (live, folder) = (ground.path().join("live"), ground.path().join("killed"));
    let store = open(&live);
    let mut owner = Owner::open(&store, "one");
    for at in 0..9 {
        owner.set("k", &at.to_string()).expect("set");
    }
    killed(&live, &folder);
    let log = folder.join("playhouse.db-wal");
    let mut bytes = std::fs::read(&log).expect("the log");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&log, &bytes).expect("written");
    for danger_drop_damaged in [false, true] {
        let options = SqliteOptions { danger_drop_damaged, ..SqliteOptions::default() };
        let error = SqliteStore::open(&folder, options).expect_err("something is missing");
        assert!(matches!(error, OpenError::AcknowledgedMissing { acknowledged: 10, found: 1..10 }), "{error}");
        assert!(std::fs::read(&log).is_ok_and(|now| now == bytes), "it can still be rescued");
    }
    let accept = SqliteOptions { danger_accept_loss: true, ..SqliteOptions::default() };
    drop(SqliteStore::open(&folder, accept).expect("the operator says so"));
    open(&folder);
}

/// SQLite adds any log that is whole to any file: the newest count of groups was in the log, and agreed with the mark.
#[test]
fn an_older_copy_beside_the_log_of_a_killed_store_is_refused() {
    let ground = tempfile::tempdir().expect("a folder");
    let (live, folder) = (ground.path().join("live"), ground.path().join("killed"));
    let (copy, lead) = (ground.path().join("copy.db"), "lead");
    let store = open(&live);
    let mut owner = Owner::open(&store, "one");
    owner.set("k", lead).expect("set");
    store.backup(&copy).wait().expect("there is room");
    owner.set("k", "gold").expect("set");
    let lease = owner.lease;
    // Closing folds the log.
    drop(store);
    let store = open(&live);
    Owner::open(&store, "two").set("k", "tin").expect("set");
    killed(&live, &folder);
    std::fs::copy(&copy, folder.join("playhouse.db")).expect("copied");
    for _ in 0..2 {
        assert!(matches!(refused(&folder), OpenError::AcknowledgedMissing { acknowledged: 3, found: 2 }));
    }
    // It is the copy that the operator wants, not a mixture.
    let accept = SqliteOptions { danger_accept_loss: true, ..SqliteOptions::default() };
    let restored = SqliteStore::open(&folder, accept).expect("the operator says so");
    assert!(names(&folder).contains(&"playhouse.db-wal.apart".to_owned()));
    let owner = Owner { store: &restored, lease };
    assert_eq!(owner.get("k").map(|(value, _)| value).as_deref(), Some(lead));
    assert_eq!(restored.stats().wait().expect("it can be read").actors, 1);
    drop(restored);
    open(&folder);
}

/// Nothing opened such a store, not even for mending it.
#[test]
fn damaged_counters_are_made_anew() {
    let ground = tempfile::tempdir().expect("a folder");
    let store = open(ground.path());
    let mut owner = Owner::open(&store, "one");
    let (kept, gone) = (put(&store, owner.key(), message("kept")), put(&store, owner.key(), message("gone")));
    owner.commit(|commit| commit.consumed.push(done(gone))).expect("it is there");
    let actor = owner.key();
    drop(store);
    tamper(ground.path(), "UPDATE counters SET body = x'0807'");
    match refused(ground.path()) {
        OpenError::Damaged(damage) => assert_eq!(damage.table, "counters"),
        other => panic!("{other}"),
    }
    mend(ground.path());
    let store = open(ground.path());
    let next = put(&store, actor, message("next"));
    assert!(next.seq > gone.seq, "{next:?}");
    assert!(queued(&store, actor).iter().any(|queued| queued.position == kept));
    assert!(Owner::open(&store, "another").key() > actor);
}

#[test]
fn what_is_not_a_store_is_refused() {
    let ground = tempfile::tempdir().expect("a folder");
    let database = ground.path().join("playhouse.db");
    std::fs::write(&database, "this is a text, and a long one at that: ".repeat(99)).expect("written");
    assert!(matches!(refused(ground.path()), OpenError::NotAStore { .. }));
    std::fs::remove_file(&database).expect("removed");

    let other = rusqlite::Connection::open(&database).expect("a database");
    other.execute_batch("CREATE TABLE t (a)").expect("a table");
    drop(other);
    assert!(matches!(refused(ground.path()), OpenError::NotAStore { .. }));
    std::fs::remove_file(&database).expect("removed");

    drop(open(ground.path()));
    let newer = rusqlite::Connection::open(&database).expect("a database");
    newer.pragma_update(None, "user_version", 2).expect("a pragma");
    drop(newer);
    assert!(matches!(refused(ground.path()), OpenError::Newer { found: 2, known: 1 }));
    assert_eq!(refused(ground.path()).code(), Code::StoreSchema);
}

/// Views and triggers run when a table is read: such a file kept `open` busy for ever, with our numbers in its header.
#[test]
fn what_the_schema_does_not_have_is_refused() {
    let endless =
        "CREATE VIEW notes AS WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT i, i, i FROM n";
    let cases = [
        (format!("DROP TABLE notes; {endless}"), "notes"),
        ("CREATE TRIGGER t AFTER INSERT ON notes BEGIN SELECT 1; END".to_owned(), "t"),
        ("CREATE TABLE other (a)".to_owned(), "other"),
        ("DROP INDEX timers_by_due".to_owned(), "timers_by_due"),
    ];
    for (sql, named) in cases {
        let ground = tempfile::tempdir().expect("a folder");
        drop(open(ground.path()));
        let database = rusqlite::Connection::open(ground.path().join("playhouse.db")).expect("a database");
        database.execute_batch(&sql).expect("a change");
        drop(database);
        match refused(ground.path()) {
            OpenError::Damaged(damage) => assert_eq!((&*damage.table, &*damage.row), ("sqlite_schema", named)),
            other => panic!("{other}"),
        }
    }
}

/// More than is listed is counted; those whose it is stand still all the same.
#[test]
fn much_damage_is_counted() {
    let ground = tempfile::tempdir().expect("a folder");
    let store = open(ground.path());
    let mut owner = Owner::open(&store, "one");
    owner.commit(|commit| commit.state.extend((0..1500).map(|key| set(&format!("k{key}"), "v")))).expect("it fits");
    let mut last = Owner::open(&store, "two");
    last.set("k", "v").expect("set");
    let key = last.key();
    drop(store);
    tamper(ground.path(), "UPDATE state SET value = x'77'");
    let store = open(ground.path());
    let report = store.check().wait().expect("it can be read");
    assert_eq!((report.damage.len(), report.more), (1000, 501));
    assert_eq!(store.state(key, b"k").wait().expect_err("it is damaged").code(), Code::StoreCorrupt);
    drop(store);
    mend(ground.path());
}

/// A request whose actor is damaged is missed by nobody but its actor; finding that took a look at the whole reply for each actor.
#[test]
fn the_owner_of_a_stray_request_stands_still() {
    let ground = tempfile::tempdir().expect("a folder");
    let store = open(ground.path());
    let mut owner = Owner::open(&store, "one");
    let position = put(&store, owner.key(), request("r", "a"));
    owner.commit(|commit| commit.consumed.push(done_with(position, "the reply"))).expect("it is there");
    let (actor, other) = (owner.key(), Owner::open(&store, "two").key());
    drop(store);
    tamper(ground.path(), "UPDATE requests SET actor = 4097");
    let store = open(ground.path());
    assert_eq!(store.actor(actor).wait().expect_err("it is damaged").code(), Code::StoreCorrupt);
    assert!(store.actor(other).wait().expect("it is sound").is_some());
}

/// Opens without a look at everything, as a large store does.
fn open_unseen(folder: &Path) -> SqliteStore {
    let file = std::fs::OpenOptions::new().write(true).open(folder.join("playhouse.db")).expect("a database");
    file.set_len(300 << 20).expect("a hole");
    open(folder)
}

/// Damages the pages that have nothing but that byte: where the rest of a long value is said to be.
fn break_chains(folder: &Path, byte: u8) {
    let path = folder.join("playhouse.db");
    let mut bytes = std::fs::read(&path).expect("a database");
    let mut found = 0;
    for page in bytes.chunks_mut(4096).filter(|page| page[4..].iter().all(|found| *found == byte)) {
        page[..4].copy_from_slice(&[0xff; 4]);
        found += 1;
    }
    assert!(found > 0);
    std::fs::write(&path, bytes).expect("written");
}

/// Whatever is too old goes with the next write, whoever's; as long as it could not, nobody's writes went through.
#[test]
fn damage_of_what_has_to_go_stops_nobody() {
    let ground = tempfile::tempdir().expect("a folder");
    let retention = Retention { letters: 1, ..Retention::default() };
    let options = SqliteOptions { retention, ..SqliteOptions::default() };
    let store = SqliteStore::open(ground.path(), options.clone()).expect("it opens");
    let mut owner = Owner::open(&store, "one");
    let long = "x".repeat(20_000);
    for (id, fate) in [
        ("r", Fate::Done { reply: Some(long.clone().into()) }),
        ("d", Fate::Dead { cause: "why".to_owned(), reply: None }),
        ("s", Fate::Done { reply: None }),
    ] {
        let position = put(&store, owner.key(), request(id, &long));
        owner.commit(|commit| commit.consumed.push(Consumed::Message { position, fate })).expect("it is there");
    }
    drop(store);
    break_chains(ground.path(), b'x');
    drop(open_unseen(ground.path()));
    let store = SqliteStore::open(ground.path(), options).expect("it opens");
    let mut other = Owner::open(&store, "two");
    other.commit(|commit| commit.now = at(9999)).expect("replies are too old by now");
    let (actor, now, cause, message) = (other.key(), at(9999), "why".to_owned(), message("another"));
    let buried = store.bury(Bury { actor, now, cause, attempts: 1, message }).wait().expect("there is room");
    assert!(buried.is_some());
    store.expire_replies(at(9999)).wait().expect("it is no damage of whoever asks");
}

#[test]
fn another_program_that_writes_is_waited_for() {
    let ground = tempfile::tempdir().expect("a folder");
    let store = open(ground.path());
    let mut owner = Owner::open(&store, "one");
    let other = rusqlite::Connection::open(ground.path().join("playhouse.db")).expect("a database");
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody writes");
    let error = owner.set("k", "v").expect_err("somebody else writes");
    assert_eq!(error.code(), Code::StoreUnreachable);
    drop(other);
    owner.set("k", "v").expect("and the store goes on");
}

#[test]
fn every_close_waits_for_what_was_submitted() {
    let ground = tempfile::tempdir().expect("a folder");
    let store = open(ground.path());
    let actor = Owner::open(&store, "one").key();
    let enqueue = || store.enqueue(enqueue_of(&store, actor, message(&"x".repeat(1000))));
    let receipts: Vec<_> = (0..3000).map(|_| enqueue()).collect();
    let (first, second) = (store.close(), store.close());
    assert_eq!(second.wait(), Ok(()));
    assert_eq!(first.wait(), Ok(()));
    assert_eq!(store.close().wait(), Ok(()), "and it stays so");
    let mut context = Context::from_waker(Waker::noop());
    for mut receipt in receipts {
        assert!(matches!(Pin::new(&mut receipt).poll(&mut context), Poll::Ready(Ok(_))));
    }
}

#[test]
fn two_backups_to_one_path_are_one() {
    let ground = tempfile::tempdir().expect("a folder");
    let store = open(&ground.path().join("store"));
    Owner::open(&store, "one");
    let copy = ground.path().join("copy.db");
    let part = ground.path().join("copy.db.part");
    std::fs::write(&part, "somebody else's").expect("written");
    assert!(store.backup(&copy).wait().is_err());
    assert_eq!(std::fs::read_to_string(&part).expect("it is there"), "somebody else's");
    std::fs::remove_file(&part).expect("removed");
    store.backup(&copy).wait().expect("nobody is at it");
}

/// What a test does behind a store's back.
fn tamper(folder: &Path, sql: &str) {
    let database = rusqlite::Connection::open(folder.join("playhouse.db")).expect("a database");
    assert!(database.execute(sql, []).expect("a change") > 0, "{sql} changed nothing");
}

#[test]
fn damage_is_named_and_others_run_on() {
    let cases = [
        ("UPDATE state SET value = x'00'", "state, actor 1 key \"k\""),
        ("UPDATE state SET version = 9", "state, actor 1 key \"k\""),
        ("UPDATE mailbox SET body = x'00'", "mailbox, actor 1 lane 1 seq 1"),
        ("UPDATE mailbox SET head = x'00'", "mailbox, actor 1 lane 1 seq 1"),
        ("UPDATE mailbox SET seq = 77", "mailbox, actor 1 lane 1 seq 77"),
        ("UPDATE requests SET bytes = 99", "requests, actor 1 request"),
        ("UPDATE actors SET body = x'08' WHERE actor = 1", "actors, actor 1"),
        ("DELETE FROM state", "keeps [0, 0"),
        ("DELETE FROM mailbox", "keeps [1, 2, 0, 0, 0"),
    ];
    for (sql, named) in cases {
        let ground = tempfile::tempdir().expect("a folder");
        let store = open(ground.path());
        let mut owner = Owner::open(&store, "one");
        put(&store, owner.key(), request("r", "a"));
        owner.set("k", "v").expect("set");
        Owner::open(&store, "two");
        drop(store);
        tamper(ground.path(), sql);
        let store = open(ground.path());
        let report = store.check().wait().expect("it can be read");
        let found: Vec<String> = report.damage.iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|found| found.contains(named)), "{sql}: {found:?}");
        let mut other = Owner::open(&store, "two");
        other.set("k", "v").expect("another actor runs on");
        if !sql.contains("UPDATE actors") {
            Owner::open(&store, "three").set("k", "v").expect("and new ones are made");
        }
        put(&store, other.key(), message("a"));
        assert_eq!(payloads(&store, other.key()), ["a"]);
        drop(store);
        drop_damaged(ground.path());
    }
}

/// Where there is no backup: what is damaged goes, and the rest runs on.
fn mend(folder: &Path) {
    let options = SqliteOptions { danger_drop_damaged: true, ..SqliteOptions::default() };
    drop(SqliteStore::open(folder, options).expect("the operator says so"));
    let report = open(folder).check().wait().expect("it can be read");
    assert_eq!(report, Report { records: report.records, ..Report::default() });
}

/// The damaged actor, and the other one, after mending.
fn drop_damaged(folder: &Path) {
    mend(folder);
    let store = open(folder);
    let mut owner = Owner::open(&store, "one");
    owner.set("k", "again").expect("it runs on");
    put(&store, owner.key(), request("again", "a"));
    assert_eq!(payloads(&store, Owner::open(&store, "two").key()), ["a"]);
}

#[test]
fn damaged_values_are_not_delivered() {
    let ground = tempfile::tempdir().expect("a folder");
    let store = open(ground.path());
    let mut owner = Owner::open(&store, "one");
    owner.set("k", "v").expect("set");
    let key = owner.key();
    let mut other = Owner::open(&store, "two");
    other.set("k", "v").expect("set");
    let sound = other.key();
    drop(store);
    tamper(ground.path(), "UPDATE state SET value = x'77' WHERE actor = 1");
    let store = open(ground.path());
    let error = store.state(key, b"k").wait().expect_err("it is damaged");
    assert_eq!(error.code(), Code::StoreCorrupt);
    // Nothing of this actor is said to be missing that only cannot be found.
    assert_eq!(store.state(key, b"never").wait().expect_err("nobody knows").code(), Code::StoreCorrupt);
    assert!(store.state(sound, b"k").wait().expect("it is sound").is_some());
}
