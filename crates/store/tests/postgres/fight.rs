use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use playhouse_store::{Durability, Lease, PostgresOptions, PostgresStore, Receipt, Store, StoreError, Time, commit};

use crate::cluster::{Cluster, there};
use crate::say::{effects, enqueue, handle, now, open_request, put, queued, sound};

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Time {
    Time::from_millis(1_000_000).after(SECOND * u32::try_from(seconds).expect("small"))
}

fn take(store: &dyn Store, node: &str, now: Time) -> Result<Lease, StoreError> {
    store.open_actor(open_request("one", node, now, SECOND * 10)).wait()
}

/// The owner pauses with work in its hands, its lease ends, somebody else does the work; the owner wakes up and writes what it had.
#[test]
fn a_paused_owner_changes_nothing() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let (a, b) = (cluster.open(), cluster.open());
    let mut mine = take(&a, "node-a", at(0)).expect("it is free");
    for text in ["one", "two", "three"] {
        put(&b, mine.actor, text);
    }
    let work = queued(&a, mine.actor);
    commit(&a, handle(&mine, &work[0], at(1))).wait().expect("it owns the actor");
    mine.revision = mine.revision.next();
    let held: Vec<_> = work[1..].iter().map(|message| handle(&mine, message, at(2))).collect();

    assert!(matches!(take(&b, "node-b", at(5)), Err(StoreError::OwnedElsewhere { .. })));
    let mut theirs = take(&b, "node-b", at(11)).expect("the lease has ended");
    assert_eq!(theirs.revision, mine.revision, "the new owner knows what the old one did");
    let again = queued(&b, theirs.actor);
    commit(&b, handle(&theirs, &again[0], at(12))).wait().expect("it owns the actor now");
    theirs.revision = theirs.revision.next();

    let stale = StoreError::StaleEpoch { actor: mine.actor, given: mine.epoch, current: theirs.epoch };
    for draft in held {
        assert_eq!(commit(&a, draft).wait(), Err(stale.clone()));
    }
    assert_eq!(a.renew(mine.actor, mine.epoch, at(99)).wait(), Err(stale.clone()));
    assert_eq!(a.release(mine.actor, mine.epoch).wait(), Err(stale));
    commit(&b, handle(&theirs, &again[1], at(13))).wait().expect("the new owner does not notice");
    assert_eq!(effects(&a), ["one", "two", "three"]);
    sound(&a);
}

/// A commit of the owner and the opening by another node meet in the database, many times over. Either the commit comes first, and the new owner
/// knows it, or it is refused.
#[test]
fn a_commit_and_a_new_owner_meet() {
    if !there() {
        return;
    }
    const ROUNDS: u64 = 300;
    let cluster = Cluster::start("-c fsync=off");
    let nodes = [cluster.open(), cluster.open()];
    let mut lease = take(&nodes[0], "node-0", at(0)).expect("it is free");
    let receipts: Vec<_> = (0..ROUNDS)
        .map(|number| nodes[0].enqueue(enqueue(lease.actor, &number.to_string(), Durability::Memory)))
        .collect();
    assert!(receipts.into_iter().all(|receipt| receipt.wait().is_ok()));
    let (mut before, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let (owner, other) = (&nodes[(round % 2) as usize], &nodes[((round + 1) % 2) as usize]);
        let Some(message) = queued(owner, lease.actor).into_iter().next() else { break };
        let mut draft = handle(&lease, &message, at(round * 100));
        draft.durability = Durability::Memory;
        let name = format!("node-{}", (round + 1) % 2);
        let opening = || other.open_actor(open_request("one", &name, at((round + 1) * 100), SECOND * 10));
        // Now the one is sent first and now the other.
        let (committed, opened) = match round % 3 {
            0 => (commit(owner, draft), opening()),
            _ => {
                let opened = opening();
                (commit(owner, draft), opened)
            }
        };
        let (committed, opened) = (committed.wait(), opened.wait().expect("the lease has ended"));
        match committed {
            Ok(_) => {
                assert_eq!(opened.revision, lease.revision.next(), "the new owner knows the commit");
                before += 1;
            }
            Err(StoreError::StaleEpoch { current, .. }) => {
                assert_eq!((current, opened.revision), (opened.epoch, lease.revision));
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
        lease = opened;
    }
    println!("{ROUNDS} rounds: {before} commits came first, {refused} were refused");
    assert!(before > 0 && refused > 0, "both orders were tried: {before}, {refused}");
    let mut done = effects(&nodes[0]);
    let count = done.len();
    done.sort();
    done.dedup();
    assert_eq!((done.len(), count), (before, before), "no effect twice");
    sound(&nodes[0]);
}

/// Many nodes write to many actors at once, in all orders. Locks are taken in one order, so nobody waits in a circle.
#[test]
fn groups_of_many_nodes_do_not_deadlock() {
    if !there() {
        return;
    }
    const NODES: usize = 4;
    const EACH: usize = 1000;
    let cluster = Cluster::start("-c fsync=off -c deadlock_timeout=10s");
    let stores: Vec<PostgresStore> = (0..NODES).map(|_| cluster.open()).collect();
    let actors: Vec<_> = (0..20)
        .map(|number| {
            let open = open_request(&number.to_string(), "node", at(0), SECOND);
            stores[0].open_actor(open).wait().expect("it is free").actor
        })
        .collect();
    let refused = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for (node, store) in stores.iter().enumerate() {
            let (actors, refused) = (&actors, &refused);
            scope.spawn(move || {
                let mut receipts: Vec<Receipt<_>> = Vec::new();
                for number in 0..EACH {
                    // Forwards and backwards through the actors, with steps that differ from node to node.
                    let step = number * (2 * node + 3);
                    let index = if node % 2 == 0 { step % 20 } else { 19 - step % 20 };
                    receipts.push(store.enqueue(enqueue(actors[index], "x", Durability::Memory)));
                }
                let failed = receipts.into_iter().filter_map(|receipt| receipt.wait().err()).count();
                refused.fetch_add(failed as u64, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(refused.into_inner(), 0);
    let total: usize = actors.iter().map(|actor| queued(&stores[1], *actor).len()).sum();
    assert_eq!(total, NODES * EACH);
    assert_eq!(cluster.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'"), "0");
    sound(&stores[0]);
}

const PROCESS: &str = "PLAYHOUSE_TEST_NODE";
const LEASE: Duration = Duration::from_millis(150);

/// What a node does in a process of its own: it takes the actor when it can, and works until it is not its own any more. By the clock, with
/// leases so short that they end while it is stopped.
#[test]
fn node_in_a_process() {
    let Ok(server) = std::env::var(PROCESS) else { return };
    let store = PostgresStore::open(PostgresOptions::new(&server)).expect("the server runs");
    let name = format!("process {}", std::process::id());
    let (mut stale, mut idle) = (0_u64, 0);
    while idle < 200 {
        let Ok(mut lease) = store.open_actor(open_request("one", &name, now(), LEASE)).wait() else {
            idle += 1;
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        // A node that is stopped in here works on with what it had.
        loop {
            let work = queued(&store, lease.actor);
            if work.is_empty() {
                break;
            }
            idle = 0;
            let results: Vec<_> = work
                .iter()
                .take(5)
                .map(|message| {
                    let draft = handle(&lease, message, now());
                    lease.revision = lease.revision.next();
                    commit(&store, draft)
                })
                .collect();
            let failed = results.into_iter().filter_map(|receipt| receipt.wait().err()).next();
            if let Some(error) = failed {
                assert!(matches!(error, StoreError::StaleEpoch { .. }), "{error}");
                stale += 1;
                break;
            }
        }
        idle += 1;
    }
    println!("STALE {stale}");
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

/// Three processes fight for one actor while each is stopped and woken up again. Every message has one effect.
#[test]
fn processes_that_are_stopped_make_no_effect_twice() {
    if !there() {
        return;
    }
    const MESSAGES: usize = 1500;
    let cluster = Cluster::start("");
    let store = cluster.open();
    let lease = store.open_actor(open_request("one", "parent", at(0), SECOND)).wait().expect("it is free");
    let receipts: Vec<_> = (0..MESSAGES)
        .map(|number| store.enqueue(enqueue(lease.actor, &number.to_string(), Durability::Memory)))
        .collect();
    assert!(receipts.into_iter().all(|receipt| receipt.wait().is_ok()));
    let program = std::env::current_exe().expect("it has a name");
    let node = || {
        Command::new(&program)
            .args(["--exact", "fight::node_in_a_process", "--nocapture"])
            .env(PROCESS, cluster.server())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs")
    };
    let nodes = [node(), node(), node()];
    let mut turn = 0;
    while effects(&store).len() < MESSAGES {
        let stopped = &nodes[turn % nodes.len()];
        signal(stopped, "-STOP");
        std::thread::sleep(LEASE * 2);
        signal(stopped, "-CONT");
        turn += 1;
        assert!(turn < 300, "they do not get on: {} of {MESSAGES}", effects(&store).len());
    }
    let mut stale = 0;
    for node in nodes {
        let output = node.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}");
        let said = text.lines().find_map(|line| line.split("STALE ").nth(1)).expect("it says so");
        stale += said.trim().parse::<u64>().expect("a number");
    }
    println!("{MESSAGES} messages, {turn} stops, {stale} times a stale owner was refused");
    let mut done = effects(&store);
    done.sort();
    done.dedup();
    assert_eq!((done.len(), effects(&store).len()), (MESSAGES, MESSAGES));
    assert!(stale > 0, "or nothing was shown");
    sound(&store);
}
