//! What is damaged: found before it is used, named, and nobody else's.

use std::path::Path;

use playhouse_store::{Bury, Consumed, Fate, OpenError, Report, Retention, SqliteOptions, SqliteStore, Store as _};
use playhouse_types::Code;

use crate::files::{killed, open, refused};
use crate::support::{Owner, at, done, done_with, message, payloads, put, queued, request, set};

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
