//! A database of every released schema stays openable. `PLAYHOUSE_WRITE_FIXTURE=1` writes the one of the present schema, once.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use playhouse_store::{
    Consumed, Fate, KeyChange, LetterId, OutId, OutMessage, Report, SqliteOptions, SqliteStore, Store, TimerChange,
};

use crate::support::{NOW, Owner, all_of_it, at, done_with, identity, message, payloads, put, request, set};

fn fixture(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/schema-{version}.db"))
}

/// One of everything.
fn fill(store: &dyn Store) {
    let mut owner = Owner::open(store, "fixture");
    put(store, owner.key(), request("waits", "waits"));
    let answered = put(store, owner.key(), request("answered", "answered"));
    let dead = put(store, owner.key(), message("dead"));
    let fate = Fate::Dead { cause: "it broke".to_owned(), reply: None };
    owner
        .commit(|commit| {
            commit.consumed.push(done_with(answered, "the reply"));
            commit.consumed.push(Consumed::Message { position: dead, fate });
            commit.state.extend([set("a", "1"), set("b", &"long ".repeat(2000))]);
            commit.timers.push(TimerChange::Set {
                name: "tick".to_owned(),
                due: at(9),
                body: Bytes::from_static(b"t"),
            });
            commit.keys.push(KeyChange::Create { name: "sign".to_owned(), blob: Bytes::from_static(b"sealed") });
            commit.outbox.push(OutMessage { target: "b".to_owned(), not_before: NOW, message: request("out", "out") });
        })
        .expect("it fits");
    store.set_note("node", None, Some(Bytes::from_static(b"note"))).wait().expect("there is none");
}

#[test]
fn schema_1_opens() {
    if std::env::var_os("PLAYHOUSE_WRITE_FIXTURE").is_some() {
        let ground = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(ground.path(), SqliteOptions::default()).expect("it opens");
        fill(&store);
        store.backup(&fixture(1)).wait().expect("there is none yet");
    }
    let ground = tempfile::tempdir().expect("a folder");
    std::fs::copy(fixture(1), ground.path().join("playhouse.db")).expect("the fixture is there");
    let store = SqliteStore::open(ground.path(), SqliteOptions::default()).expect("it opens");
    let report = store.check().wait().expect("it can be read");
    assert_eq!(report, Report { records: 12, ..Report::default() });
    let found = store.find_actor(&identity("fixture")).wait().expect("read").expect("it is there");
    let mut owner = Owner { store: &store, lease: found.lease };
    assert_eq!(payloads(&store, owner.key()), ["waits"]);
    assert_eq!(owner.get("a").map(|(value, _)| value).as_deref(), Some("1"));
    assert_eq!(owner.get("b").map(|(value, _)| value.len()), Some(10_000));
    assert_eq!(store.outbox(OutId::default(), all_of_it()).wait().expect("read")[0].out.message, request("out", "out"));
    assert_eq!(store.timers_due(at(9), 9).wait().expect("read")[0].name, "tick");
    assert_eq!(store.letters(LetterId::default(), all_of_it()).wait().expect("read")[0].message, message("dead"));
    assert_eq!(store.sealed_key(owner.key(), "sign").wait(), Ok(Some(Bytes::from_static(b"sealed"))));
    assert_eq!(store.note("node").wait(), Ok(Some(Bytes::from_static(b"note"))));
    let answered = request("answered", "").request_key().expect("it has an id");
    assert!(store.recorded(owner.key(), &answered).wait().expect("read").is_some());
    owner.set("new", "value").expect("and it goes on");
    assert_eq!(store.expire_replies(NOW.after(Duration::from_secs(99_999))).wait(), Ok(1));
}
