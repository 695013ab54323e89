//! What only a store in files has to show: who may read them, who may open them, what a restart and a backup keep.

use std::future::Future as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use playhouse_store::{OpenError, Report, SqliteOptions, SqliteStore, Store as _};
use playhouse_types::Code;

use crate::support::{Owner, done, enqueue_of, message, payloads, put, request};

pub(crate) fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, SqliteOptions::default()).expect("it opens")
}

pub(crate) fn refused(folder: &Path) -> OpenError {
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
    std::fs::write(folder.join(playhouse_store::RUNNING_FILE), "nothing").expect("written");
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
pub(crate) fn killed(store: &Path, into: &Path) {
    private_folder(into);
    for name in ["playhouse.db", "playhouse.db-wal", "mark"] {
        std::fs::copy(store.join(name), into.join(name)).expect("copied");
    }
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
    let part = ground.path().join("copy.db.playhouse-part");
    let other = std::fs::File::create(&part).expect("made");
    other.lock().expect("nobody else has it");
    let refused = store.backup(&copy).wait().expect_err("somebody is at it").to_string();
    assert!(refused.ends_with("copy.db: another backup is being written there"), "{refused}");
    // What an interrupted one has left is in nobody's way.
    std::fs::write(&part, "half of one").expect("written");
    std::fs::write(ground.path().join("copy.db.playhouse-part-journal"), "its journal").expect("written");
    drop(other);
    store.backup(&copy).wait().expect("nobody is at it");
    assert_eq!(names(ground.path()), ["copy.db", "store"]);
    let again = store.backup(&copy).wait().expect_err("it is there").to_string();
    assert!(again.contains("File exists"), "{again}");
}
