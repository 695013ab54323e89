//! A store that fails, at every operation in turn: nothing acknowledged is lost, nothing happens twice, nobody waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use playhouse_guest::Bytes;
use playhouse_node::store::{DangerSync, MemoryStore, Retention, SqliteOptions, SqliteStore, Store, StoreError};
use playhouse_node::{ActorOptions, ActorRef, Node};
use tempfile::TempDir;

use super::kit::keeper;
use super::through::{Interpose, Through};
use crate::support::{Stage, ask, route};

/// How a store fails.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// One operation is refused.
    Busy,
    /// One operation cannot be done.
    Unreachable,
    /// From one operation on, none can be done.
    Broken,
}

/// The n-th operation fails.
struct Faulty {
    fault: Fault,
    /// Operations until it fails.
    left: AtomicU64,
}

impl Faulty {
    fn new(fault: Fault, at: u64) -> Self {
        Self { fault, left: AtomicU64::new(at) }
    }

    fn strike(&self) -> Option<StoreError> {
        let before = self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| match (left, self.fault) {
            (0, _) => None,
            (1, Fault::Broken) => Some(1),
            (left, _) => Some(left - 1),
        });
        if before != Ok(1) {
            return None;
        }
        Some(match self.fault {
            Fault::Busy => StoreError::Busy { what: "writes", limit: 0 },
            Fault::Unreachable => StoreError::Unreachable { cause: "pulled".into() },
            Fault::Broken => StoreError::Failed { cause: "pulled".into() },
        })
    }

    /// Nothing fails any more.
    fn is_over(&self) {
        self.left.store(0, Ordering::Release);
    }

    fn has_struck(&self) -> bool {
        matches!((self.left.load(Ordering::Acquire), self.fault), (0, _) | (1, Fault::Broken))
    }
}

impl Interpose for Arc<Faulty> {
    fn before(&self, _operation: &'static str) -> Option<StoreError> {
        self.strike()
    }
}

/// What is behind it, and is well.
enum Ground {
    Memory(MemoryStore),
    Disk(TempDir),
}

impl Ground {
    fn memory() -> Self {
        Self::Memory(MemoryStore::new(Retention::default()))
    }

    fn disk() -> Self {
        Self::Disk(tempfile::tempdir().unwrap())
    }

    /// A store on it, with somebody in between.
    fn open(&self, between: Arc<Faulty>) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(Through { store: store.clone(), between }),
            Self::Disk(folder) => {
                // The disk itself is well, and need not be waited for.
                let options = SqliteOptions { danger_sync: DangerSync::Off, ..SqliteOptions::default() };
                Arc::new(Through { store: SqliteStore::open(folder.path(), options).unwrap(), between })
            }
        }
    }
}

/// What was acknowledged.
#[derive(Default)]
struct Ledger {
    adds: u64,
    told: Vec<String>,
}

/// Uses everything, and takes note of what was acknowledged. Failures have codes.
async fn work(node: &Node, actor: &ActorRef, ledger: &mut Ledger) {
    let check = |reply: &str| assert!(reply.ends_with(']'), "an error without a code: {reply}");
    for round in 0..3 {
        let added = ask(actor, "add", "").await;
        match added.parse::<u64>() {
            Ok(_) => ledger.adds += 1,
            Err(_) => check(&added),
        }
        let text = format!("told-{round}");
        match actor.tell(route("append"), Bytes::from(text.clone())).await {
            Ok(()) => ledger.told.push(text),
            Err(error) => check(&error.to_text()),
        }
        for (name, argument) in
            [("tell", format!("self append sent-{round}")), ("timer", format!("t{round} 1 append rung-{round}"))]
        {
            let reply = ask(actor, name, &argument).await;
            match reply.is_empty() {
                true => ledger.told.push(argument.rsplit_once(' ').unwrap().1.to_owned()),
                false => check(&reply),
            }
        }
    }
    let _ = node.dead_letters().await;
}

/// Whether the fault struck at all; afterwards everything that was acknowledged is there, once.
async fn check(ground: &Ground, fault: Fault, at: u64) -> bool {
    let faulty = Arc::new(Faulty::new(fault, at));
    let node = Node::builder().realm(7).store(ground.open(Arc::clone(&faulty))).start().unwrap();
    let mut ledger = Ledger::default();
    let stage = Stage::default();
    let factory = {
        let stage = stage.clone();
        move || super::kit::Keeper::new(&stage)
    };
    let linked = node.link(crate::support::actor_type("Keeper"), factory, ActorOptions::default()).await;
    match linked {
        Ok(actor) => work(&node, &actor, &mut ledger).await,
        Err(error) => assert_ne!(error.code().text(), "unspecified", "{error}"),
    }
    node.shutdown(Duration::from_secs(5)).await;
    let struck = faulty.has_struck();
    faulty.is_over();
    if let (Ground::Disk(_), Some(store)) = (ground, node.store()) {
        store.close().await.unwrap();
    }
    drop(node);

    // The store is opened again, and is well.
    let node = Node::builder().realm(7).store(ground.open(faulty)).start().unwrap();
    let actor = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    let end = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        let all = ask(&actor, "get", "all").await;
        let told: Vec<_> = all.split(' ').filter(|text| !text.is_empty() && *text != "none").collect();
        let mut once = told.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), told.len(), "{fault:?} at {at}: something happened twice: {all}");
        if ledger.told.iter().all(|text| told.contains(&text.as_str())) {
            break;
        }
        assert!(
            std::time::Instant::now() < end,
            "{fault:?} at {at}: {:?} were acknowledged, there are {all}",
            ledger.told
        );
        tokio::task::yield_now().await;
    }
    let count: u64 = ask(&actor, "count", "").await.parse().unwrap();
    assert!((ledger.adds..=3).contains(&count), "{fault:?} at {at}: {count} of {} acknowledged", ledger.adds);
    struck
}

async fn sweep(ground: impl Fn() -> Ground, fault: Fault) {
    let mut at = 1;
    while tokio::time::timeout(Duration::from_secs(30), check(&ground(), fault, at)).await.unwrap() {
        at += 1;
    }
    assert!(at > 30, "only {at} operations");
}

#[tokio::test]
async fn any_operation_may_be_refused_once() {
    sweep(Ground::memory, Fault::Busy).await;
}

#[tokio::test]
async fn any_operation_may_find_the_store_unreachable_once() {
    sweep(Ground::memory, Fault::Unreachable).await;
}

#[tokio::test]
async fn the_store_may_break_at_any_operation() {
    sweep(Ground::memory, Fault::Broken).await;
}

#[tokio::test]
async fn any_operation_on_a_disk_may_be_refused_once() {
    sweep(Ground::disk, Fault::Busy).await;
}

#[tokio::test]
async fn any_operation_on_a_disk_may_find_it_unreachable_once() {
    sweep(Ground::disk, Fault::Unreachable).await;
}

#[tokio::test]
async fn a_disk_may_break_at_any_operation() {
    sweep(Ground::disk, Fault::Broken).await;
}
