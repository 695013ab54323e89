use std::sync::mpsc;
use std::time::{Duration, Instant};

use playhouse_store::{Accepted, Commit, Done, Durability, Store};

use crate::cluster::{Cluster, there};
use crate::say::{enqueue, now, open, until};

/// The last clone goes in an answer, on the thread that has to write the rest.
#[test]
fn the_last_clone_may_go_in_an_answer() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let lease = open(&store, "one");
    let (clone, (gone, went)) = (store.clone(), mpsc::channel::<()>());
    let (told, heard) = mpsc::channel();
    let draft = Commit::new(lease.actor, lease.epoch, lease.revision.next(), now(), Durability::Fsync);
    let done = Done::call(move |answer| {
        went.recv().unwrap_or_default();
        drop(clone);
        told.send(answer).expect("somebody listens");
    });
    store.commit(draft, done);
    let behind = store.enqueue(enqueue(lease.actor, "behind", Durability::Fsync));
    let start = Instant::now();
    drop(store);
    drop(gone);
    heard.recv().expect("it is answered").expect("nothing is in its way");
    assert!(matches!(behind.wait(), Ok(Accepted::Queued(_))), "what was submitted is written");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    until("it is closed", || cluster.sql("SELECT count(*) FROM playhouse.writers") == "1");
}
