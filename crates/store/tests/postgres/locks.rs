use std::time::{Duration, Instant};

use playhouse_store::{Accepted, ActorKey, Durability, OutId, PostgresStore, Receipt, Store, StoreError, commit};

use crate::cluster::{Cluster, there};
use crate::say::{all_of_it, enqueue, handle, now, open, open_request, put, queued, sound};

/// How long a group waits for a lock, and not twice that.
const ONE_WAIT: Duration = Duration::from_millis(3500);

fn actors(store: &PostgresStore) -> Vec<ActorKey> {
    (0..8).map(|number| open(store, &number.to_string()).actor).collect()
}

fn tell_all(store: &PostgresStore, actors: &[ActorKey]) -> Vec<Receipt<Accepted>> {
    actors.iter().map(|actor| store.enqueue(enqueue(*actor, "x", Durability::Fsync))).collect()
}

fn taken(receipts: impl IntoIterator<Item = Receipt<Accepted>>) {
    for receipt in receipts {
        receipt.wait().expect("nobody holds it");
    }
}

fn held_up<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Unreachable { .. })), "{result:?}");
}

/// Somebody sits on the row of one actor. Those who want that actor are told so, the others go on.
#[test]
fn a_locked_actor_does_not_stop_others() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let actors = actors(&store);
    let holder = cluster.hold("SELECT FROM playhouse.actors WHERE actor = 3 FOR UPDATE");
    let start = Instant::now();
    let results: Vec<_> = tell_all(&store, &actors).into_iter().map(Receipt::wait).collect();
    let took = start.elapsed();
    for (actor, result) in actors.iter().zip(results) {
        match actor.number() {
            3 => held_up(&result),
            _ => assert!(result.is_ok(), "actor {actor}: {result:?}"),
        }
    }
    assert!(took < ONE_WAIT, "{took:?}");
    holder.let_go(&cluster);
    put(&store, actors[2], "again");
    assert_eq!(queued(&store, actors[2]).len(), 1, "what was refused was not made");
    sound(&store);
}

/// The same, if the actor is named by what it has sent, by its letter or by its name.
#[test]
fn an_actor_that_is_locked_under_another_name_does_not_stop_others() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let actors = actors(&store);
    let lease = open(&store, "2");
    put(&store, lease.actor, "one");
    commit(&store, handle(&lease, &queued(&store, lease.actor)[0], now())).wait().expect("nothing is in its way");
    let out = store.outbox(OutId::default(), all_of_it()).wait().expect("it can be read")[0].id;
    let bury = playhouse_store::Bury {
        actor: lease.actor,
        now: now(),
        cause: "why".to_owned(),
        attempts: 1,
        message: crate::say::message("dead"),
    };
    let letter = store.bury(bury).wait().expect("there is room").expect("it is small");
    let holder = cluster.hold("SELECT FROM playhouse.actors WHERE actor = 3 FOR UPDATE");
    let start = Instant::now();
    let rest = tell_all(&store, &actors[3..]);
    let done = store.outbox_done(vec![out]);
    let retried = store.retry_letter(letter, now(), playhouse_store::QueueLimits::default());
    let opened = store.open_actor(open_request("2", "node-a", now(), crate::say::LEASE));
    let behind = tell_all(&store, &actors[3..]);
    held_up(&done.wait());
    held_up(&retried.wait());
    held_up(&opened.wait());
    taken(rest.into_iter().chain(behind));
    // The first of them may have gone in a group of its own.
    assert!(start.elapsed() < ONE_WAIT * 2, "{:?}", start.elapsed());
    holder.let_go(&cluster);
    sound(&store);
}

/// A node that posts waits for its standbys, so nobody else can post. The others' messages arrive all the same.
#[test]
fn a_held_outbox_stops_only_posts() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let actors = actors(&store);
    let lease = open(&store, "2");
    put(&store, lease.actor, "one");
    let message = queued(&store, lease.actor).remove(0);
    let holder = cluster.hold("SELECT FROM playhouse.outbox_end FOR UPDATE");
    let start = Instant::now();
    let mut receipts = tell_all(&store, &actors);
    let posted = commit(&store, handle(&lease, &message, now()));
    receipts.extend(tell_all(&store, &actors));
    taken(receipts);
    assert!(start.elapsed() < ONE_WAIT, "{:?}", start.elapsed());
    held_up(&posted.wait());
    holder.let_go(&cluster);
    commit(&store, handle(&lease, &message, now())).wait().expect("it was not made");
    sound(&store);
}
