//! A store with somebody in between, who may fail operations or keep answers back.

use std::path::Path;

use playhouse_guest::Bytes;
use playhouse_node::store::{
    Accepted, ActorInfo, ActorKey, BatchLimits, Bury, Commit, Committed, Done, Durability, Enqueue, Epoch, Identity,
    KeyRange, Lease, Letter, LetterId, MemoryStore, OpenActor, OutId, OutPosted, Position, QueueLimits, Queued,
    Receipt, Recorded, Report, RequestKey, SealedKey, Stats, Store, StoreError, Time, Timer, Versioned,
};

pub(super) trait Interpose: Send + Sync + 'static {
    /// Called before each operation; an error is its answer.
    fn before(&self, operation: &'static str) -> Option<StoreError>;

    /// Called before the outbox is read behind that message.
    fn reads_outbox(&self, _after: OutId) {}

    /// How the answer to a commit gets to whoever waits for it.
    fn answer(&self, done: Done<Committed>) -> Done<Committed> {
        done
    }
}

pub(super) struct Through<I, S = MemoryStore> {
    pub(super) store: S,
    pub(super) between: I,
}

macro_rules! pass_on {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {$(
        fn $name(&self, $($argument: $kind),*) -> Receipt<$answer> {
            match self.between.before(stringify!($name)) {
                Some(error) => Receipt::ready(Err(error)),
                None => self.store.$name($($argument),*),
            }
        }
    )*};
}

impl<I: Interpose, S: Store> Store for Through<I, S> {
    fn strongest(&self) -> Durability {
        self.store.strongest()
    }

    fn hasten(&self) {
        self.store.hasten();
    }

    fn local_folder(&self) -> Option<&Path> {
        self.store.local_folder()
    }

    fn outbox(&self, after: OutId, limits: BatchLimits) -> Receipt<Vec<OutPosted>> {
        self.between.reads_outbox(after);
        match self.between.before("outbox") {
            Some(error) => Receipt::ready(Err(error)),
            None => self.store.outbox(after, limits),
        }
    }

    fn commit(&self, commit: Commit, done: Done<Committed>) {
        match self.between.before("commit") {
            Some(error) => self.between.answer(done).answer(Err(error)),
            None => self.store.commit(commit, self.between.answer(done)),
        }
    }

    pass_on! {
        open_actor(open: OpenActor) -> Lease;
        renew(actor: ActorKey, epoch: Epoch, until: Time) -> ();
        release(actor: ActorKey, epoch: Epoch) -> ();
        find_actor(identity: &Identity) -> Option<ActorInfo>;
        actor(actor: ActorKey) -> Option<ActorInfo>;
        actors(after: ActorKey, items: usize) -> Vec<ActorInfo>;
        enqueue(enqueue: Enqueue) -> Accepted;
        queued(actor: ActorKey, after: Position, limits: BatchLimits) -> Vec<Queued>;
        recorded(actor: ActorKey, request: &RequestKey) -> Option<Recorded>;
        expire_replies(now: Time) -> u64;
        state(actor: ActorKey, key: &[u8]) -> Option<Versioned>;
        scan(actor: ActorKey, range: KeyRange, limits: BatchLimits) -> Vec<(Bytes, Versioned)>;
        outbox_done(ids: Vec<OutId>) -> ();
        outbox_failed(id: OutId, not_before: Time) -> ();
        timers_due(now: Time, items: usize) -> Vec<Timer>;
        next_due() -> Option<Time>;
        timers(actor: ActorKey, after: &str, items: usize) -> Vec<Timer>;
        bury(bury: Bury) -> Option<LetterId>;
        letters(after: LetterId, limits: BatchLimits) -> Vec<Letter>;
        letter(id: LetterId) -> Option<Letter>;
        retry_letter(id: LetterId, now: Time, limits: QueueLimits) -> Position;
        drop_letter(id: LetterId) -> bool;
        sealed_key(actor: ActorKey, name: &str) -> Option<Bytes>;
        sealed_keys(after: (ActorKey, String), limits: BatchLimits) -> Vec<SealedKey>;
        reseal(key: SealedKey, old: Bytes) -> bool;
        note(name: &str) -> Option<Bytes>;
        set_note(name: &str, expect: Option<Bytes>, value: Option<Bytes>) -> ();
        backup(to: &Path) -> ();
        check() -> Report;
        stats() -> Stats;
        close() -> ();
    }
}
