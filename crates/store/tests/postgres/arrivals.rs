//! What another store puts into the mailbox of an actor is noticed by the one that has opened it.

use std::time::Duration;

use playhouse_store::{ActorKey, Bury, Durability, PostgresStore, QueueLimits, Store, StoreError};

use crate::cluster::{Cluster, there};
use crate::say::{enqueue, message, now, open, open_request, put};
use crate::way::Way;

/// The next answer, or nothing for a while.
fn changed(store: &PostgresStore, wait: Duration) -> Option<Result<Vec<ActorKey>, StoreError>> {
    let receipt = store.changed().expect("others may write");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(wait, receipt).await.ok() })
}

fn found(store: &PostgresStore) -> Vec<ActorKey> {
    changed(store, Duration::from_secs(10)).expect("it is noticed").expect("it is open")
}

fn nothing(store: &PostgresStore) {
    assert_eq!(changed(store, Duration::from_millis(500)), None);
}

#[test]
fn messages_from_elsewhere_are_noticed() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let (mine, other) = (cluster.open(), cluster.open());
    let (one, two) = (open(&mine, "one").actor, open(&mine, "two").actor);
    let theirs =
        other.open_actor(open_request("theirs", "node-b", now(), crate::say::LEASE)).wait().expect("it is free");
    put(&mine, one, "its own");
    put(&other, theirs.actor, "their own");
    nothing(&mine);
    put(&other, one, "a");
    assert_eq!(found(&mine), [one]);
    nothing(&mine);
    put(&other, one, "b");
    put(&other, two, "c");
    put(&mine, theirs.actor, "d");
    // The second may be noticed at the next look.
    let mut all = found(&mine);
    if all.len() < 2 {
        all.extend(found(&mine));
    }
    all.sort();
    all.dedup();
    assert_eq!(all, [one, two]);
    assert_eq!(found(&other), [theirs.actor]);
    nothing(&mine);

    // A repetition is nothing new; a letter that is retried is.
    let mut asked = enqueue(one, "e", Durability::Fsync);
    asked.message.request = Some("r-1".to_owned());
    mine.enqueue(asked.clone()).wait().expect("there is room");
    other.enqueue(asked).wait().expect("it is known");
    nothing(&mine);
    let bury = Bury { actor: two, now: now(), cause: "why".to_owned(), attempts: 1, message: message("dead") };
    let letter = mine.bury(bury).wait().expect("there is room").expect("it is small");
    other.retry_letter(letter, now(), QueueLimits::default()).wait().expect("there is room");
    assert_eq!(found(&mine), [two]);

    // Whoever opens an actor hears of it from then on.
    let taken = open_request("one", "node-b", now().after(crate::say::LEASE * 2), crate::say::LEASE);
    other.open_actor(taken).wait().expect("the lease has ended");
    put(&mine, one, "f");
    assert_eq!(found(&other), [one]);
    put(&other, one, "g");
    nothing(&mine);
}

/// Connections break while there is something to say, and while somebody waits.
#[test]
fn nothing_is_missed_when_connections_break() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let way = Way::to(&cluster);
    let (mine, other) = (PostgresStore::open(way.options()).expect("it runs"), cluster.open());
    let one = open(&mine, "one").actor;
    for round in 0..20 {
        let receipt = mine.changed().expect("others may write");
        if round % 2 == 0 {
            way.cut();
        }
        put(&other, one, "x");
        way.open();
        assert_eq!(receipt.wait(), Ok(vec![one]), "round {round}");
    }
}

/// Who waits when the store is closed hears that.
#[test]
fn waiting_ends_with_the_store() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let waits = store.changed().expect("others may write");
    store.close().wait().expect("nothing is in its way");
    assert_eq!(waits.wait(), Err(StoreError::Closed));
    assert!(store.changed().is_none());
}
