use playhouse_store::{Durability, PostgresStore, Store, StoreError, commit};

use crate::cluster::{Cluster, there};
use crate::say::{enqueue, handle, now, open, put, queued, sound, until};
use crate::way::Way;

/// Somebody opens the store two days after this one was seen.
fn forget(cluster: &Cluster) {
    cluster.sql(
        "SET search_path = playhouse; UPDATE writers SET used = used - interval '2 days' WHERE id > 0; SELECT retire_2(0)",
    );
    assert_eq!(cluster.sql("SELECT count(*) FROM playhouse.writers"), "1");
}

#[test]
fn a_store_that_was_taken_for_gone_goes_on() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let mut lease = open(&store, "one");
    put(&store, lease.actor, "before");
    for round in 0..2 {
        forget(&cluster);
        let message = queued(&store, lease.actor).remove(0);
        commit(&store, handle(&lease, &message, now())).wait().expect("it goes on");
        lease.revision = lease.revision.next();
        put(&store, lease.actor, &format!("after {round}"));
    }
    assert_eq!(cluster.sql("SELECT count(*) FROM playhouse.writers"), "2");
    sound(&store);
}

/// It was taken for gone while a group was under way: nobody knows any more what that was answered, and it is not made twice.
#[test]
fn a_group_under_way_of_a_store_that_was_taken_for_gone_is_unknown() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let way = Way::to(&cluster);
    let store = PostgresStore::open(way.options()).expect("it runs");
    let actor = open(&store, "one").actor;
    way.mute();
    let asked = store.enqueue(enqueue(actor, "made", Durability::Fsync));
    until("it is made", || cluster.sql("SELECT count(*) FROM playhouse.mailbox") == "1");
    way.cut();
    forget(&cluster);
    way.open();
    let asked = asked.wait();
    assert!(matches!(asked, Err(StoreError::Unknown { .. })), "{asked:?}");
    put(&store, actor, "goes on");
    assert_eq!(queued(&store, actor).len(), 2);
    sound(&store);
}

/// A server that does not know the store, and not as one that had gone either, has lost what it acknowledged.
#[test]
fn a_server_without_a_trace_of_the_store_is_found_out() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let actor = open(&store, "one").actor;
    cluster.sql("DELETE FROM playhouse.writers WHERE id > 0");
    let refused = store.enqueue(enqueue(actor, "more", Durability::Fsync)).wait();
    assert!(matches!(refused, Err(StoreError::Failed { .. })), "{refused:?}");
}

#[test]
fn an_idle_store_says_that_it_is_there() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let _store = cluster.open();
    cluster.sql("UPDATE playhouse.writers SET used = used - interval '2 hours' WHERE id > 0");
    until("it is seen", || {
        cluster.sql("SELECT used > clock_timestamp() - interval '1 hour' FROM playhouse.writers WHERE id > 0") == "t"
    });
}
