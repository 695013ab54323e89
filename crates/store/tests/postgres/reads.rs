use std::time::Duration;

use playhouse_store::{PostgresOptions, PostgresStore, Store};

use crate::cluster::{Cluster, there};
use crate::say::open;
use crate::way::Way;

/// The server stops to answer on a connection: reads go on, on one new connection and not on one for each of them.
#[test]
fn late_reads_share_a_new_connection() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let way = Way::to(&cluster);
    let options = PostgresOptions { readers: 1, statement_timeout: Duration::from_secs(1), ..way.options() };
    let store = PostgresStore::open(options).expect("it runs");
    let actor = open(&store, "one").actor;
    store.actor(actor).wait().expect("it can be read");
    let before = way.count();
    way.mute();
    let reads: Vec<_> = (0..4)
        .map(|_| {
            // Each gives up a little later than the one before, when that has made the new connection.
            std::thread::sleep(Duration::from_millis(300));
            store.actor(actor)
        })
        .collect();
    reads.into_iter().for_each(|read| drop(read.wait().expect("it is asked again")));
    assert_eq!(way.count() - before, 1);
}

/// More than may be under way wait; none is refused, because whoever asks has no other way.
#[test]
fn reads_wait_for_their_turn() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let actor = open(&store, "one").actor;
    let reads: Vec<_> = (0..4000).map(|_| store.actor(actor)).collect();
    for read in reads {
        read.wait().expect("it can be read");
    }
}
