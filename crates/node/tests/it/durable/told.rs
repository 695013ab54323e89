//! A store that does what is asked of it when it is told to.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use playhouse_guest::Bytes;
use playhouse_node::store::{
    Accepted, ActorInfo, ActorKey, BatchLimits, Bury, Commit, Committed, Done, Durability, Enqueue, Epoch, Identity,
    KeyRange, Lease, Letter, LetterId, MemoryStore, OpenActor, OutId, OutPosted, Position, QueueLimits, Queued,
    Receipt, Recorded, Report, RequestKey, Retention, SealedKey, Stats, Store, StoreError, Time, Timer, Versioned,
};
use playhouse_node::{Node, NodeBuilder};

use crate::support::{Stage, until};

/// What becomes of an operation.
pub(crate) enum Step {
    Through,
    Fails(StoreError),
    /// It is done when that door is opened; of those of which the answer matters, only some can wait.
    Waits(&'static str),
    /// A commit whose outcome is said not to be known, and which is done when that door is opened.
    Unknown(&'static str),
    /// A commit that fails when that door is opened.
    FailsLate(&'static str, StoreError),
    /// It is done after this.
    After(Box<dyn FnOnce() + Send>),
}

/// A store whose next operations of some names do not just go through.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) store: MemoryStore,
    stage: Stage,
    steps: Arc<Mutex<HashMap<&'static str, VecDeque<Step>>>>,
}

impl Told {
    pub(crate) fn new(stage: &Stage) -> Self {
        Self { store: MemoryStore::new(Retention::default()), stage: stage.clone(), steps: Arc::default() }
    }

    pub(crate) fn builder(&self) -> NodeBuilder {
        Node::builder().realm(7).store(Arc::new(self.clone()))
    }

    pub(crate) fn node(&self) -> Node {
        self.builder().start().unwrap()
    }

    /// What becomes of the next operation of that name for which nothing was said yet.
    pub(crate) fn next(&self, name: &'static str, step: Step) {
        self.steps.lock().entry(name).or_default().push_back(step);
    }

    /// Waits, yielding, until all that was said of operations of that name has come about.
    pub(crate) async fn asked(&self, name: &'static str) {
        until(|| self.steps.lock().get(name).is_none_or(VecDeque::is_empty)).await;
    }

    fn step(&self, name: &'static str) -> Step {
        self.steps.lock().get_mut(name).and_then(VecDeque::pop_front).unwrap_or(Step::Through)
    }
}

macro_rules! at_once {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {$(
        fn $name(&self, $($argument: $kind),*) -> Receipt<$answer> {
            match self.step(stringify!($name)) {
                Step::Fails(error) => return Receipt::ready(Err(error)),
                Step::After(act) => act(),
                Step::Through => {}
                Step::Waits(_) | Step::Unknown(_) | Step::FailsLate(..) => panic!("it is done at once"),
            }
            self.store.$name($($argument),*)
        }
    )*};
}

macro_rules! late {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {$(
        fn $name(&self, $($argument: $kind),*) -> Receipt<$answer> {
            match self.step(stringify!($name)) {
                Step::Fails(error) => return Receipt::ready(Err(error)),
                Step::After(act) => act(),
                Step::Through => {}
                Step::Unknown(_) | Step::FailsLate(..) => panic!("it is no commit"),
                Step::Waits(door) => {
                    let (done, receipt) = Receipt::pending();
                    let told = self.clone();
                    tokio::spawn(async move {
                        told.stage.pass(door).await;
                        done.answer(told.store.$name($($argument),*).await);
                    });
                    return receipt;
                }
            }
            self.store.$name($($argument),*)
        }
    )*};
}

impl Store for Told {
    fn strongest(&self) -> Durability {
        self.store.strongest()
    }

    fn commit(&self, commit: Commit, done: Done<Committed>) {
        let (door, done) = match self.step("commit") {
            Step::Fails(error) => return done.answer(Err(error)),
            Step::Unknown(door) => {
                done.answer(Err(StoreError::Unknown { cause: "pulled".into() }));
                (door, Done::call(drop))
            }
            Step::Waits(door) => (door, done),
            Step::FailsLate(door, error) => {
                let stage = self.stage.clone();
                tokio::spawn(async move {
                    stage.pass(door).await;
                    done.answer(Err(error));
                });
                return;
            }
            Step::Through | Step::After(_) => return self.store.commit(commit, done),
        };
        let told = self.clone();
        tokio::spawn(async move {
            told.stage.pass(door).await;
            told.store.commit(commit, done);
        });
    }

    fn hasten(&self) {
        self.store.hasten();
    }

    late! {
        open_actor(open: OpenActor) -> Lease;
        outbox(after: OutId, limits: BatchLimits) -> Vec<OutPosted>;
        retry_letter(id: LetterId, now: Time, limits: QueueLimits) -> Position;
    }

    at_once! {
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
