use bytes::Bytes;
use playhouse_store::{
    Commit, Durability, KeyChange, LetterId, OutId, OutMessage, Receipt, RecordedReply, RequestKey, StateChange, Store,
    StoreError, TimerChange, commit,
};

use crate::cluster::{Cluster, there};
use crate::say::{all_of_it, handle, message, now, open, put, queued};

fn damage<T: std::fmt::Debug>(receipt: Receipt<T>) -> String {
    match receipt.wait() {
        Err(StoreError::Corrupt(damage)) => format!("{}, {}", damage.table, damage.row),
        other => panic!("not found: {other:?}"),
    }
}

/// One of everything.
fn fill(store: &dyn Store) -> (playhouse_store::Lease, RequestKey) {
    let mut lease = open(store, "one");
    put(store, lease.actor, "dies");
    let first = queued(store, lease.actor).remove(0);
    let mut draft = handle(&lease, &first, now());
    let fate = playhouse_store::Fate::Dead { cause: "why".to_owned(), reply: None };
    draft.consumed = vec![playhouse_store::Consumed::Message { position: first.position, fate }];
    let blob = Bytes::from_static(b"sealed");
    draft.keys.push(KeyChange::Create { name: "sign".to_owned(), blob });
    draft.timers.push(TimerChange::Set { name: "tick".to_owned(), due: now(), body: Bytes::from_static(b"body") });
    let request = RequestKey { caller: "caller".to_owned(), request: "r-1".to_owned() };
    draft.reply = Some(RecordedReply { request: request.clone(), reply: Bytes::from_static(b"reply") });
    commit(store, draft).wait().expect("nothing is in its way");
    lease.revision = lease.revision.next();
    put(store, lease.actor, "waits");
    store.set_note("note", None, Some(Bytes::from_static(b"value"))).wait().expect("it is new");
    (lease, request)
}

/// A byte is changed in every kind of record: reading it names it, and so does the check.
#[test]
fn damage_is_found_and_named() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let (lease, request) = fill(&store);
    let clean = store.check().wait().expect("it can be read");
    assert!(clean.damage.is_empty(), "{clean:?}");
    for (table, column) in [
        ("state", "value"),
        ("mailbox", "body"),
        ("letters", "body"),
        ("outbox", "body"),
        ("timers", "body"),
        ("sealed_keys", "blob"),
        ("notes", "value"),
        ("requests", "reply"),
    ] {
        cluster.sql(&format!(
            "UPDATE playhouse.{table} SET {column} = set_byte({column}, octet_length({column}) - 1, get_byte({column}, \
             octet_length({column}) - 1) # 4) WHERE {column} IS NOT NULL"
        ));
    }
    let actor = lease.actor;
    let found = [
        damage(store.state(actor, b"handled")),
        damage(store.queued(actor, playhouse_store::Position::start(playhouse_store::Priority::Normal), all_of_it())),
        damage(store.letters(LetterId::default(), all_of_it())),
        damage(store.timers(actor, "", 9)),
        damage(store.sealed_key(actor, "sign")),
        damage(store.note("note")),
        damage(store.recorded(actor, &request)),
    ];
    expect_test::expect![[r#"
        state, actor 1, key "handled"
        mailbox, actor 1, message 2
        letters, letter 1
        timers, actor 1, timer "tick"
        sealed_keys, actor 1, key "sign"
        notes, note "note"
        requests, actor 1"#]]
    .assert_eq(&found.join("\n"));
    // What is of many actors is read on behind it.
    let other = open(&store, "other");
    let mut draft = Commit::new(other.actor, other.epoch, other.revision.next(), now(), Durability::Memory);
    draft.outbox.push(OutMessage { target: "b".to_owned(), not_before: now(), message: message("sound") });
    draft.timers.push(TimerChange::Set { name: "tock".to_owned(), due: now(), body: Bytes::new() });
    commit(&store, draft).wait().expect("nothing is in its way");
    let sent = store.outbox(OutId::default(), all_of_it()).wait().expect("it goes on behind damage");
    assert_eq!(sent.iter().map(|posted| posted.actor).collect::<Vec<_>>(), [other.actor]);
    let due = store.timers_due(now(), 9).wait().expect("it goes on behind damage");
    assert_eq!(due.iter().map(|timer| &*timer.name).collect::<Vec<_>>(), ["tock"]);
    let report = store.check().wait().expect("it goes on behind damage");
    let mut listed: Vec<String> = report.damage.iter().map(|found| format!("{}, {}", found.table, found.row)).collect();
    let mut found = found.to_vec();
    found.push("outbox, message 1".to_owned());
    found.sort();
    listed.sort();
    assert_eq!(listed, found);
}

/// Rows that vanish are missed.
#[test]
fn missing_rows_are_missed() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let (lease, _) = fill(&store);
    let mut asked = Commit::new(lease.actor, lease.epoch, lease.revision.next(), now(), Durability::Fsync);
    let (key, value) = (Bytes::from_static(b"k"), Some(Bytes::from_static(b"v")));
    asked.state.push(StateChange { key, expect: playhouse_store::Expect::Any, value });
    commit(&store, asked).wait().expect("nothing is in its way");
    let request = playhouse_store::Message {
        caller: "caller".to_owned(),
        request: Some("r-2".to_owned()),
        ..message("a request")
    };
    let enqueue =
        playhouse_store::Enqueue { message: request, ..crate::say::enqueue(lease.actor, "", Durability::Fsync) };
    store.enqueue(enqueue).wait().expect("there is room");
    cluster.sql("DELETE FROM playhouse.mailbox; DELETE FROM playhouse.letters; DELETE FROM playhouse.state");
    let report = store.check().wait().expect("it can be read");
    let mut listed: Vec<String> =
        report.damage.iter().map(|found| format!("{}, {}: {}", found.table, found.row, found.what)).collect();
    listed.sort();
    expect_test::expect![[r#"
        actors, actor 1: keeps {0,0,1,1,1,0,0} where its row says {2,10,1,1,1,2,193} (keys, bytes, timers, outgoing, sealed keys, queued, their bytes)
        requests, actor 1, message 3: a request waits for a message that is not there
        writers, all: they count {1,78,1,156} where there are {1,78,0,0} (replies, their bytes, letters, their bytes)"#]].assert_eq(&listed.join("\n"));
}
