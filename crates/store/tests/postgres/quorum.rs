use std::time::{Duration, Instant};

use playhouse_store::{Durability, PostgresOptions, PostgresStore, Store, StoreError};

use crate::cluster::{Cluster, Frozen, there};
use crate::say::{enqueue, open, payload, put, queued, until};
use crate::way::Way;

fn replicated() -> (Cluster, Cluster) {
    let primary = Cluster::start("-c wal_level=replica -c max_wal_senders=4");
    let standby = primary.standby("second");
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (second)'");
    primary.sql("SELECT pg_reload_conf()");
    until("the standby is in step", || {
        primary.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'") == "1"
    });
    (primary, standby)
}

/// What is acknowledged with `quorum` is on the standby, and without a standby nothing is.
#[test]
fn quorum_waits_for_the_standby() {
    if !there() {
        return;
    }
    let (primary, standby) = replicated();
    let options = PostgresOptions { give_up_after: Duration::from_secs(120), ..primary.options() };
    let store = PostgresStore::open(options).expect("it runs");
    assert_eq!(store.strongest(), Durability::Quorum);
    let actor = open(&store, "one").actor;
    store.enqueue(enqueue(actor, "both", Durability::Quorum)).wait().expect("the standby is there");

    standby.down("immediate");
    let waits = std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let start = Instant::now();
            let result = store.enqueue(enqueue(actor, "waits", Durability::Quorum)).wait();
            (start.elapsed(), result)
        });
        std::thread::sleep(Duration::from_secs(2));
        standby.up();
        waits.join().expect("no panic")
    });
    assert!(waits.0 >= Duration::from_secs(2), "it was acknowledged without the standby, after {:?}", waits.0);
    waits.1.expect("the standby is there again");

    // When it is noticed that the standby is gone, quorum is refused at once, and the rest goes on.
    standby.down("immediate");
    until("the store notices", || store.strongest() == Durability::Fsync);
    let refused = store.enqueue(enqueue(actor, "refused", Durability::Quorum)).wait();
    let missing = StoreError::DurabilityMissing { wanted: Durability::Quorum, has: Durability::Fsync };
    assert_eq!(refused, Err(missing));
    put(&store, actor, "here only");
    standby.up();
    until("the store notices", || store.strongest() == Durability::Quorum);
}

/// The primary is lost. What was acknowledged with `quorum` is on the standby, which takes over.
#[test]
fn quorum_survives_the_loss_of_the_primary() {
    if !there() {
        return;
    }
    let (primary, standby) = replicated();
    let both = format!("host={},{} user=postgres dbname=postgres", primary.place(), standby.place());
    let store = PostgresStore::open(PostgresOptions::new(&both)).expect("one of them takes writes");
    let actor = open(&store, "one").actor;
    for number in 0..20 {
        let asked = enqueue(actor, &number.to_string(), Durability::Quorum);
        store.enqueue(asked).wait().expect("the standby is there");
    }
    primary.down("immediate");
    standby.promote();
    standby.sql("ALTER SYSTEM RESET synchronous_standby_names");
    standby.sql("SELECT pg_reload_conf()");
    let payloads: Vec<String> = queued(&store, actor).iter().map(|queued| payload(&queued.message)).collect();
    let wanted: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(payloads, wanted);
    put(&store, actor, "the same store goes on with the other server");
}

/// Replication is switched off under the store: nothing is acknowledged as if it was on.
#[test]
fn quorum_that_is_switched_off_is_refused() {
    if !there() {
        return;
    }
    let (primary, _standby) = replicated();
    let store = primary.open();
    let actor = open(&store, "one").actor;
    primary.sql("ALTER SYSTEM RESET synchronous_standby_names");
    primary.sql("SELECT pg_reload_conf()");
    until("the server noticed", || primary.sql("SHOW synchronous_standby_names").is_empty());
    std::thread::sleep(Duration::from_millis(200));
    let asked = [
        store.enqueue(enqueue(actor, "quorum", Durability::Quorum)),
        store.enqueue(enqueue(actor, "fsync", Durability::Fsync)),
    ];
    let [refused, made] = asked.map(playhouse_store::Receipt::wait);
    assert!(matches!(refused, Err(StoreError::DurabilityMissing { .. })), "{refused:?}");
    made.expect("the neighbour does not mind");
}

fn wait_for_standbys(primary: &Cluster) -> bool {
    primary.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") != "0"
}

/// A write of `quorum` is under way when the standby goes and does not come back. What is behind it goes on, and the write itself is not said to
/// be on two machines.
fn the_rest_goes_on(lose: impl FnOnce(&Cluster) -> Option<Frozen>) {
    if !there() {
        return;
    }
    let (primary, standby) = replicated();
    let store = primary.open();
    let actor = open(&store, "one").actor;
    let frozen = lose(&standby);
    let waits = store.enqueue(enqueue(actor, "waits", Durability::Quorum));
    until("it waits for the standby", || wait_for_standbys(&primary));
    let start = Instant::now();
    put(&store, actor, "behind it");
    let behind = start.elapsed();
    assert!(behind < Duration::from_secs(28), "the store stood still for {behind:?}");
    let waits = waits.wait();
    assert!(matches!(waits, Err(StoreError::Unknown { .. })), "{waits:?}");

    let start = Instant::now();
    let refused = store.enqueue(enqueue(actor, "refused", Durability::Quorum)).wait();
    put(&store, actor, "at once");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let missing = StoreError::DurabilityMissing { wanted: Durability::Quorum, has: Durability::Fsync };
    assert_eq!(refused, Err(missing));
    let payloads: Vec<String> = queued(&store, actor).iter().map(|queued| payload(&queued.message)).collect();
    assert_eq!(payloads, ["waits", "behind it", "at once"]);

    match frozen {
        Some(frozen) => drop(frozen),
        None => standby.up(),
    }
    until("the standby is believed again", || store.strongest() == Durability::Quorum);
    store.enqueue(enqueue(actor, "both", Durability::Quorum)).wait().expect("the standby is there");
}

#[test]
fn a_standby_that_is_lost_holds_up_only_quorum() {
    the_rest_goes_on(|standby| {
        standby.down("immediate");
        None
    });
}

/// The server does not know for a minute that the standby is gone, and says that it is attached.
#[test]
fn a_standby_that_vanishes_holds_up_only_quorum() {
    the_rest_goes_on(|standby| Some(standby.freeze()));
}

/// As many standbys as the operator asked for, or there is no quorum.
#[test]
fn one_standby_of_two_is_not_a_quorum() {
    if !there() {
        return;
    }
    let (primary, _standby) = replicated();
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'any 2 (second, third)'");
    primary.sql("SELECT pg_reload_conf()");
    until("the server noticed", || primary.sql("SHOW synchronous_standby_names").starts_with("any 2"));
    assert_eq!(primary.open().strongest(), Durability::Fsync);
}

fn switch_off(primary: &Cluster) {
    primary.sql("ALTER SYSTEM RESET synchronous_standby_names");
    primary.sql("SELECT pg_reload_conf()");
    until("the server noticed", || primary.sql("SHOW synchronous_standby_names").is_empty());
}

/// A write is under way when replication is switched off, which lets it through; also one whose connection broke before.
fn switched_off_under_a_write(breaks: bool) {
    if !there() {
        return;
    }
    let (primary, standby) = replicated();
    let way = Way::to(&primary);
    let store = PostgresStore::open(way.options()).expect("it runs");
    let actor = open(&store, "one").actor;
    let _frozen = standby.freeze();
    let asked = store.enqueue(enqueue(actor, "quorum", Durability::Quorum));
    until("it waits for the standby", || wait_for_standbys(&primary));
    let behind = store.enqueue(enqueue(actor, "fsync", Durability::Fsync));
    if breaks {
        way.cut();
    }
    switch_off(&primary);
    way.open();
    let asked = asked.wait();
    assert!(matches!(asked, Err(StoreError::Unknown { .. })), "it is on one machine: {asked:?}");
    behind.wait().expect("the neighbour does not mind");
    let payloads: Vec<String> = queued(&store, actor).iter().map(|queued| payload(&queued.message)).collect();
    assert_eq!(payloads, ["quorum", "fsync"]);
}

#[test]
fn quorum_that_is_switched_off_under_a_write_is_not_claimed() {
    switched_off_under_a_write(false);
}

#[test]
fn quorum_that_is_switched_off_while_the_connection_is_broken_is_not_claimed() {
    switched_off_under_a_write(true);
}

/// A write was made, its answer got lost, and the server that takes over has no standby.
#[test]
fn quorum_that_a_failover_ended_is_not_claimed() {
    if !there() {
        return;
    }
    let (primary, standby) = replicated();
    let way = Way::to(&primary);
    let both = format!("host=127.0.0.1,{} port={},5432 user=postgres dbname=postgres", standby.place(), way.port());
    let store = PostgresStore::open(PostgresOptions::new(&both)).expect("one of them takes writes");
    let actor = open(&store, "one").actor;
    way.mute();
    let asked = store.enqueue(enqueue(actor, "quorum", Durability::Quorum));
    until("it is made", || standby.sql("SELECT count(*) FROM playhouse.mailbox") == "1");
    primary.down("immediate");
    way.cut();
    standby.promote();
    let asked = asked.wait();
    assert!(matches!(asked, Err(StoreError::Unknown { .. })), "it is on one machine: {asked:?}");
    put(&store, actor, "goes on");
    assert_eq!(queued(&store, actor).len(), 2);
}
