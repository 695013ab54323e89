use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use playhouse_store::{
    Accepted, ActorKey, Commit, Consumed, Durability, Fate, PostgresOptions, PostgresStore, Store, StoreError, commit,
};

use crate::cluster::{Cluster, there};
use crate::say::{effects, enqueue, handle, now, open, payload, put, queued, sound, until};
use crate::way::Way;

const SENDERS: u64 = 8;

/// What senders were told: every payload that was acknowledged, and what went wrong.
#[derive(Default)]
struct Told {
    acknowledged: Vec<String>,
    unknown: Vec<String>,
    errors: Vec<StoreError>,
}

/// Sends until told to stop.
fn send(store: &dyn Store, to: ActorKey, sender: u64, class: Durability, stop: &AtomicBool) -> Told {
    let mut told = Told::default();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let payload = format!("{sender}-{number}");
        match store.enqueue(enqueue(to, &payload, class)).wait() {
            Ok(Accepted::Queued(_)) => told.acknowledged.push(payload),
            Ok(Accepted::Duplicate) => panic!("{payload} has no request id"),
            Err(StoreError::Unknown { .. }) => told.unknown.push(payload),
            Err(error) => told.errors.push(error),
        }
    }
    told
}

/// Senders at work while `disturb` does something to the server.
fn under_load(store: &PostgresStore, to: ActorKey, class: Durability, disturb: impl FnOnce()) -> Told {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stop = &stop;
        let senders: Vec<_> =
            (0..SENDERS).map(|sender| scope.spawn(move || send(store, to, sender, class, stop))).collect();
        disturb();
        stop.store(true, Ordering::Relaxed);
        let mut all = Told::default();
        for sender in senders {
            let told = sender.join().expect("no panic");
            all.acknowledged.extend(told.acknowledged);
            all.unknown.extend(told.unknown);
            all.errors.extend(told.errors);
        }
        all
    })
}

/// How often each payload is in the mailbox.
fn there_now(store: &dyn Store, actor: ActorKey) -> HashMap<String, u64> {
    let mut counts = HashMap::new();
    for queued in queued(store, actor) {
        *counts.entry(payload(&queued.message)).or_insert(0) += 1;
    }
    counts
}

fn ledger(told: &Told, there: &HashMap<String, u64>) {
    let lost: Vec<_> = told.acknowledged.iter().filter(|payload| !there.contains_key(*payload)).collect();
    let twice: Vec<_> = there.iter().filter(|(_, count)| **count > 1).collect();
    assert!(lost.is_empty() && twice.is_empty(), "lost {lost:?}, twice {twice:?}");
    assert!(there.len() <= told.acknowledged.len() + told.unknown.len(), "nothing else is there");
}

/// The server crashes and comes back, again and again. Senders notice a pause.
#[test]
fn a_server_that_crashes_loses_nothing() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let actor = open(&store, "one").actor;
    let told = under_load(&store, actor, Durability::Fsync, || {
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(300));
            cluster.down("immediate");
            cluster.up();
        }
        std::thread::sleep(Duration::from_millis(300));
    });
    let there = there_now(&store, actor);
    println!("5 crashes: {} acknowledged, {} unknown", told.acknowledged.len(), told.unknown.len());
    assert!(told.errors.is_empty() && told.unknown.is_empty(), "{:?} {:?}", told.errors, told.unknown);
    assert!(told.acknowledged.len() > 10, "and something happened in between");
    ledger(&told, &there);
    sound(&store);
}

/// Connections break at any moment, under writes and under reads, a hundred times.
#[test]
fn connections_that_break_lose_nothing() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let actor = open(&store, "one").actor;
    let reads = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let told = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                store.actor(actor).wait().expect("reading twice is reading");
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
        let told = under_load(&store, actor, Durability::Fsync, || {
            for _ in 0..100 {
                cluster.sql(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'playhouse'",
                );
            }
        });
        stop.store(true, Ordering::Relaxed);
        told
    });
    let there = there_now(&store, actor);
    let (acknowledged, reads) = (told.acknowledged.len(), reads.into_inner());
    println!("100 breaks: {acknowledged} acknowledged, {reads} reads, {} unknown", told.unknown.len());
    assert!(told.errors.is_empty() && told.unknown.is_empty(), "{:?} {:?}", told.errors, told.unknown);
    assert!(acknowledged > 10 && reads > 10, "and something happened in between");
    ledger(&told, &there);
    assert_eq!(there.len(), acknowledged, "what was sent again was not made twice");
    sound(&store);
}

/// The class that promises nothing loses something, so the ledger would have seen it above.
#[test]
fn the_ledger_sees_loss() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("-c wal_writer_delay=10s -c wal_writer_flush_after=1GB");
    let store = cluster.open();
    let actor = open(&store, "one").actor;
    let told = under_load(&store, actor, Durability::Memory, || {
        std::thread::sleep(Duration::from_millis(500));
        cluster.down("immediate");
        cluster.up();
    });
    let there = there_now(&store, actor);
    let lost = told.acknowledged.iter().filter(|payload| !there.contains_key(*payload)).count();
    println!("memory class, one crash: {} acknowledged, {lost} lost", told.acknowledged.len());
    assert!(lost > 0, "or the other tests show nothing");
    put(&store, actor, "the store goes on");
    sound(&store);
}

/// What was in memory only is gone with the server, and its number is not another's: whoever handled it does not take that one out.
#[test]
fn numbers_are_not_given_out_again() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("-c wal_writer_delay=10s -c wal_writer_flush_after=1GB");
    let store = cluster.open();
    let lease = open(&store, "one");
    let sent = |payload: &str, class| match store.enqueue(enqueue(lease.actor, payload, class)).wait() {
        Ok(Accepted::Queued(position)) => position,
        other => panic!("not queued: {other:?}"),
    };
    let first = sent("first", Durability::Fsync);
    let lost = sent("lost", Durability::Memory);
    cluster.down("immediate");
    cluster.up();
    let kept = sent("kept", Durability::Fsync);
    let there: Vec<_> = queued(&store, lease.actor).iter().map(|queued| payload(&queued.message)).collect();
    assert_eq!(there, ["first", "kept"], "or this shows nothing");
    assert!(lost < kept && first < lost, "{first:?} {lost:?} {kept:?}");
    let mut draft = Commit::new(lease.actor, lease.epoch, lease.revision.next(), now(), Durability::Fsync);
    draft.consumed.push(Consumed::Message { position: lost, fate: Fate::Done { reply: None } });
    let refused = commit(&store, draft).wait();
    assert!(matches!(refused, Err(StoreError::PredecessorFailed { .. })), "{refused:?}");
    sound(&store);
}

/// What waits behind a group that was given up is answered soon after it, not each after as long a time.
#[test]
fn a_lost_server_is_waited_for_once() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let give_up_after = Duration::from_secs(4);
    let store = PostgresStore::open(PostgresOptions { give_up_after, ..cluster.options() }).expect("it runs");
    let actor = open(&store, "one").actor;
    cluster.down("fast");
    let start = Instant::now();
    // Several groups.
    let asked: Vec<_> =
        (0..2500).map(|number| store.enqueue(enqueue(actor, &number.to_string(), Durability::Fsync))).collect();
    for receipt in asked {
        receipt.wait().expect_err("nobody is there");
    }
    assert!(start.elapsed() < give_up_after * 3, "{:?}", start.elapsed());
}

/// A server that does not come back: everybody is answered, and when it is there again all goes on.
#[test]
fn a_lost_server_is_said_to_be_lost() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let options = PostgresOptions { give_up_after: Duration::from_secs(1), ..cluster.options() };
    let store = PostgresStore::open(options).expect("it runs");
    let lease = open(&store, "one");
    put(&store, lease.actor, "before");
    cluster.down("fast");
    let start = Instant::now();
    let asked: Vec<_> = (0..3)
        .map(|number| store.enqueue(enqueue(lease.actor, &format!("during-{number}"), Durability::Fsync)))
        .collect();
    let mut maybe = 0;
    for receipt in asked {
        match receipt.wait() {
            Err(StoreError::Unreachable { .. }) => {}
            Err(StoreError::Unknown { .. }) => maybe += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(store.actor(lease.actor).wait(), Err(StoreError::Read { .. })));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    cluster.up();
    put(&store, lease.actor, "after");
    let there = there_now(&store, lease.actor);
    assert!(there.contains_key("before") && there.contains_key("after") && there.len() <= 2 + maybe, "{there:?}");
    // The revision says what became of a commit.
    let found = store.actor(lease.actor).wait().expect("it can be read").expect("it is there").lease;
    assert_eq!((found.epoch, found.revision), (lease.epoch, lease.revision));
    sound(&store);
}

/// A server that was put back to yesterday has forgotten what it acknowledged: the store notices and writes no more.
#[test]
fn a_server_that_forgot_is_found_out() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let lease = open(&store, "one");
    let writer = "SELECT last_group FROM playhouse.writers WHERE id > 0";
    let before: i64 = cluster.sql(writer).parse().expect("a number");
    put(&store, lease.actor, "forgotten");
    cluster.sql(&format!(
        "DELETE FROM playhouse.mailbox; UPDATE playhouse.writers SET last_group = {before} WHERE id > 0"
    ));
    cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'playhouse'");
    for _ in 0..2 {
        let refused = store.enqueue(enqueue(lease.actor, "more", Durability::Fsync)).wait();
        assert!(matches!(refused, Err(StoreError::Failed { .. })), "{refused:?}");
    }
    drop(store);
    put(&cluster.open(), lease.actor, "a new store takes it as it is");
}

/// Handling goes on through crashes: each message has one effect, and commits that were sent ahead are in order.
#[test]
fn effects_happen_once_through_crashes() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let mut lease = open(&store, "one");
    for number in 0..400 {
        drop(store.enqueue(enqueue(lease.actor, &number.to_string(), Durability::Fsync)));
    }
    let all = loop {
        let all = queued(&store, lease.actor);
        if all.len() == 400 {
            break all;
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..3 {
                cluster.down("immediate");
                cluster.up();
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        for some in all.chunks(8) {
            let receipts: Vec<_> = some
                .iter()
                .map(|message| {
                    let draft = handle(&lease, message, now());
                    lease.revision = lease.revision.next();
                    commit(&store, draft)
                })
                .collect();
            for receipt in receipts {
                receipt.wait().expect("a crash is a pause");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let wanted: Vec<String> = (0..400).map(|number| number.to_string()).collect();
    assert_eq!(effects(&store), wanted);
    assert!(queued(&store, lease.actor).is_empty());
    sound(&store);
}

/// A group was made and its answer got lost: the next connection has it, and nothing is made twice.
#[test]
fn a_group_that_was_made_is_found() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let way = Way::to(&cluster);
    let store = PostgresStore::open(way.options()).expect("it runs");
    let actor = open(&store, "one").actor;
    let writer = "SELECT incarnation || '.' || last_group FROM playhouse.writers WHERE id > 0";
    assert_eq!(cluster.sql(writer), "1.1");
    way.mute();
    let asked = store.enqueue(enqueue(actor, "made", Durability::Fsync));
    until("it is made", || cluster.sql("SELECT count(*) FROM playhouse.mailbox") == "1");
    way.cut();
    way.open();
    let Ok(Accepted::Queued(position)) = asked.wait() else { panic!("it was made") };
    assert_eq!(queued(&store, actor).iter().map(|queued| queued.position).collect::<Vec<_>>(), [position]);
    assert_eq!(cluster.sql(writer), "2.2", "it was found, not sent again");
    put(&store, actor, "goes on");
    sound(&store);
}
