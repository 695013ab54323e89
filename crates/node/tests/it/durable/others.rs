//! Messages that come to the store past the node.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use playhouse_guest::Bytes;
use playhouse_node::store::{
    Accepted, ActorInfo, ActorKey, BatchLimits, Bury, Commit, Committed, Done, Durability, Enqueue, Epoch, Identity,
    KeyRange, Lease, Letter, LetterId, MemoryStore, Message, MessageKind, OpenActor, OutId, OutPosted, Position,
    Priority, QueueLimits, Queued, Receipt, Recorded, Report, RequestKey, Retention, SealedKey, Stats, Store, Time,
    Timer, Versioned,
};
use playhouse_node::{ActorOptions, Node};

use super::kit::keeper;
use crate::support::{Stage, ask, until};

/// A store that another node writes to as well.
struct Common {
    store: MemoryStore,
    /// Who waits for what the other has written.
    waiting: Mutex<Option<Done<Vec<ActorKey>>>>,
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {$(
        fn $name(&self, $($argument: $kind),*) -> $answer {
            self.store.$name($($argument),*)
        }
    )*};
}

impl Store for Common {
    fn changed(&self) -> Option<Receipt<Vec<ActorKey>>> {
        let (done, receipt) = Receipt::pending();
        *self.waiting.lock() = Some(done);
        Some(receipt)
    }

    forward! {
        strongest() -> Durability;
        commit(commit: Commit, done: Done<Committed>) -> ();
        hasten() -> ();
        open_actor(open: OpenActor) -> Receipt<Lease>;
        renew(actor: ActorKey, epoch: Epoch, until: Time) -> Receipt<()>;
        release(actor: ActorKey, epoch: Epoch) -> Receipt<()>;
        find_actor(identity: &Identity) -> Receipt<Option<ActorInfo>>;
        actor(actor: ActorKey) -> Receipt<Option<ActorInfo>>;
        actors(after: ActorKey, items: usize) -> Receipt<Vec<ActorInfo>>;
        enqueue(enqueue: Enqueue) -> Receipt<Accepted>;
        queued(actor: ActorKey, after: Position, limits: BatchLimits) -> Receipt<Vec<Queued>>;
        recorded(actor: ActorKey, request: &RequestKey) -> Receipt<Option<Recorded>>;
        expire_replies(now: Time) -> Receipt<u64>;
        state(actor: ActorKey, key: &[u8]) -> Receipt<Option<Versioned>>;
        scan(actor: ActorKey, range: KeyRange, limits: BatchLimits) -> Receipt<Vec<(Bytes, Versioned)>>;
        outbox(after: OutId, limits: BatchLimits) -> Receipt<Vec<OutPosted>>;
        outbox_done(ids: Vec<OutId>) -> Receipt<()>;
        outbox_failed(id: OutId, not_before: Time) -> Receipt<()>;
        timers_due(now: Time, items: usize) -> Receipt<Vec<Timer>>;
        next_due() -> Receipt<Option<Time>>;
        timers(actor: ActorKey, after: &str, items: usize) -> Receipt<Vec<Timer>>;
        bury(bury: Bury) -> Receipt<Option<LetterId>>;
        letters(after: LetterId, limits: BatchLimits) -> Receipt<Vec<Letter>>;
        letter(id: LetterId) -> Receipt<Option<Letter>>;
        retry_letter(id: LetterId, now: Time, limits: QueueLimits) -> Receipt<Position>;
        drop_letter(id: LetterId) -> Receipt<bool>;
        sealed_key(actor: ActorKey, name: &str) -> Receipt<Option<Bytes>>;
        sealed_keys(after: (ActorKey, String), limits: BatchLimits) -> Receipt<Vec<SealedKey>>;
        reseal(key: SealedKey, old: Bytes) -> Receipt<bool>;
        note(name: &str) -> Receipt<Option<Bytes>>;
        set_note(name: &str, expect: Option<Bytes>, value: Option<Bytes>) -> Receipt<()>;
        backup(to: &Path) -> Receipt<()>;
        check() -> Receipt<Report>;
        stats() -> Receipt<Stats>;
        close() -> Receipt<()>;
    }
}

fn tell(text: &str) -> Message {
    Message {
        kind: MessageKind::Tell,
        priority: Priority::Normal,
        caller: String::new(),
        request: None,
        route: crate::support::route("append").to_string(),
        payload: Bytes::copy_from_slice(text.as_bytes()),
        deadline: None,
        context: Bytes::new(),
    }
}

#[tokio::test]
async fn what_another_node_put_into_a_mailbox_is_handled() {
    let memory = MemoryStore::new(Retention::default());
    let common = Arc::new(Common { store: memory.clone(), waiting: Mutex::default() });
    let node = Node::builder().realm(7).store(Arc::clone(&common) as Arc<dyn Store>).start().unwrap();
    let actor = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    let key = memory.actors(ActorKey::from_number(0), 9).await.unwrap()[0].lease.actor;
    for text in ["one", "two"] {
        let (message, limits) = (tell(text), QueueLimits::default());
        let enqueue =
            Enqueue { to: key, message, now: Time::default(), limits, durability: Durability::Memory, delivers: None };
        memory.enqueue(enqueue).await.unwrap();
        until(|| common.waiting.lock().is_some()).await;
        common.waiting.lock().take().unwrap().answer(Ok(vec![key]));
    }
    let both = async {
        while ask(&actor, "get", "all").await != "one two " {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), both).await.unwrap();
}
