//! Commits that are refused, and what they take along: nothing that was computed from them is said, and what the store has comes again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use playhouse_guest::{Bytes, Context, Error, RouteKey, SharedActor, SharedDispatch};
use playhouse_node::store::{
    BatchLimits, Committed, Done, Durability, MemoryStore, Position, Priority, Retention, SqliteOptions, SqliteStore,
    Store, StoreError,
};
use playhouse_node::{ActorOptions, ActorRef, Concurrency, DurabilityPolicy, MailboxOptions, Node};

use super::kit::{is_logged, keeper};
use super::through::{Interpose, Through};
use super::told::{Step, Told};
use crate::support::{Stage, actor_type, ask, route, until};

type Answers = Arc<Mutex<Vec<Box<dyn FnOnce() + Send>>>>;

/// Refuses some commits, keeps the answers back if it is told to, and counts how often mailboxes are read.
#[derive(Default)]
pub(super) struct Censor {
    refused: Mutex<Option<(&'static str, usize, StoreError)>>,
    holding: AtomicBool,
    held: Answers,
    reads: AtomicU64,
}

impl Interpose for Censor {
    fn before(&self, operation: &'static str) -> Option<StoreError> {
        self.reads.fetch_add(u64::from(operation == "queued"), Ordering::AcqRel);
        let mut refused = self.refused.lock();
        let (_, left, cause) = refused.as_mut().filter(|(name, left, _)| *name == operation && *left > 0)?;
        *left -= 1;
        Some(cause.clone())
    }

    fn answer(&self, done: Done<Committed>) -> Done<Committed> {
        if !self.holding.load(Ordering::Acquire) {
            return done;
        }
        let held = Arc::clone(&self.held);
        Done::call(move |result| held.lock().push(Box::new(move || done.answer(result))))
    }
}

impl Censor {
    /// Answers the next operations of that name with an error.
    fn refuse(&self, operation: &'static str, times: usize, cause: StoreError) {
        *self.refused.lock() = Some((operation, times, cause));
    }

    /// Keeps back the answers to commits from now on.
    pub(super) fn hold(&self) {
        self.holding.store(true, Ordering::Release);
    }

    /// Gives the answers that were kept back, and keeps none any more.
    pub(super) async fn release(&self) {
        until(|| !self.held.lock().is_empty()).await;
        self.holding.store(false, Ordering::Release);
        let held = std::mem::take(&mut *self.held.lock());
        held.into_iter().for_each(|answer| answer());
    }
}

fn unreachable() -> StoreError {
    StoreError::Unreachable { cause: "pulled".into() }
}

fn stage() -> (Arc<Through<Censor>>, Node, Stage) {
    let store = Arc::new(Through { store: MemoryStore::new(Retention::default()), between: Censor::default() });
    let node = Node::builder().realm(7).store(Arc::clone(&store) as Arc<dyn Store>).start().unwrap();
    (store, node, Stage::default())
}

/// Handles two messages at a time: one that changes the state, and one that waits and answers from memory.
struct Twin(Stage);

impl SharedActor for Twin {}

impl SharedDispatch for Twin {
    async fn dispatch(&self, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        let text = String::from_utf8_lossy(&payload).into_owned();
        self.0.note(format!("{} {text}", route.as_str()));
        match route.as_str() {
            "set" => cx.state().set(&text, "x").await?,
            _ => self.0.pass(&text).await,
        }
        Ok(payload)
    }
}

async fn twin(node: &Node, stage: &Stage) -> ActorRef {
    let concurrency = Some(Concurrency::Concurrent(2.try_into().unwrap()));
    let (stage, options) = (stage.clone(), ActorOptions { concurrency, ..ActorOptions::default() });
    node.link_shared(actor_type("Twin"), move || Twin(stage.clone()), options).await.unwrap()
}

/// A call that had begun before a commit of its actor was refused, and ended after that, was answered from a memory that never came to be.
#[tokio::test]
async fn a_reply_from_a_memory_that_never_came_to_be_is_not_said() {
    let (store, node, stage) = stage();
    let twin = twin(&node, &stage).await;
    let waiting = tokio::spawn({
        let twin = twin.clone();
        async move { ask(&twin, "wait", "door").await }
    });
    stage.noted(1).await;
    store.between.refuse("commit", 1, unreachable());
    assert!(ask(&twin, "set", "a").await.ends_with("[store-unreachable]"));
    stage.open("door");
    assert!(waiting.await.unwrap().ends_with("[commit-order]"));
    assert_eq!(ask(&twin, "set", "b").await, "b", "the actor goes on");
}

/// A tell of a workload that was lost ended after the next one had read the mailbox, and was not read again.
#[tokio::test]
async fn a_tell_that_ends_after_its_workload_was_lost_is_handled_again() {
    let (store, node, stage) = stage();
    let twin = twin(&node, &stage).await;
    twin.tell(route("wait"), Bytes::from_static(b"door")).await.unwrap();
    stage.noted(1).await;
    store.between.refuse("commit", 1, unreachable());
    assert!(ask(&twin, "set", "a").await.ends_with("[store-unreachable]"));
    assert_eq!(ask(&twin, "set", "b").await, "b");
    stage.open("door");
    until(|| stage.notes().iter().filter(|note| *note == "wait door").count() == 2).await;
    stage.open("door");
    let (actor, start) = (twin.stored().unwrap(), Position::start(Priority::Normal));
    until(|| store.store.queued(actor, start, BatchLimits::default()).wait().unwrap().is_empty()).await;
    assert!(node.dead_letters().await.unwrap().is_empty());
}

/// The reply to a call waits for its commit, and so does whatever was computed from it.
#[tokio::test]
async fn nothing_is_said_before_the_store_has_answered() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), SqliteOptions::default()).unwrap();
    let store = Arc::new(Through { store, between: Censor::default() });
    let node = Node::builder().realm(7).store(Arc::clone(&store) as Arc<dyn Store>).start().unwrap();
    let actor = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    store.between.hold();
    let calls = ["add", "memory"].map(|name| {
        let actor = actor.clone();
        tokio::spawn(async move { ask(&actor, name, "").await })
    });
    until(|| actor.status().tallies.handled == 2).await;
    assert!(calls.iter().all(|call| !call.is_finished()));
    store.between.release().await;
    for call in calls {
        assert_eq!(call.await.unwrap(), "1");
    }
}

/// A store that takes nothing at the moment was asked again at once, for ever, with the handler run each time.
#[tokio::test]
async fn a_store_that_takes_nothing_is_left_alone_for_a_while() {
    let (store, node, stage) = stage();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    store.between.refuse("commit", 1, StoreError::Busy { what: "writes", limit: 0 });
    actor.tell(route("append"), Bytes::from_static(b"a")).await.unwrap();
    stage.noted(2).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.notes(), ["start with 0", "a"]);
    assert_eq!(stage.noted(4).await[2..], ["start with 0", "a"]);
    assert_eq!(ask(&actor, "get", "all").await, "a ");
    assert_eq!(actor.status().tallies.crashes, 0, "it is nobody's fault");
}

/// A message for which the mailbox had no bytes was read from the store again and again until it had.
#[tokio::test]
async fn what_does_not_fit_by_its_bytes_is_not_read_over_and_over() {
    let (store, node, stage) = stage();
    let mailbox = MailboxOptions { bytes_max: 100, ..MailboxOptions::default() };
    let actor = keeper(&node, &stage, ActorOptions { mailbox, ..ActorOptions::default() }).await;
    actor.tell(route("wait"), Bytes::from_static(b"door")).await.unwrap();
    stage.noted(2).await;
    let texts = ["a", "b", "c"].map(|text| text.repeat(80));
    for text in &texts {
        actor.tell(route("append"), Bytes::from(text.clone())).await.unwrap();
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let reads = store.between.reads.load(Ordering::Acquire);
    assert!(reads < 10, "{reads}");
    stage.open("door");
    assert_eq!(stage.noted(5).await[2..], texts);
}

/// What was in an outbox when its node died was delivered only when somebody sent something more.
#[tokio::test]
async fn an_outbox_that_was_left_behind_is_delivered_without_further_ado() {
    let (store, node, stage) = stage();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    store.between.refuse("enqueue", usize::MAX, unreachable());
    assert_eq!(ask(&actor, "tell", "self append sent").await, "");
    until(|| store.between.refused.lock().as_ref().is_some_and(|(_, left, _)| *left < usize::MAX)).await;
    drop(node);

    let node = Node::builder().realm(7).store(Arc::new(store.store.clone())).start().unwrap();
    for _ in 0..1000 {
        // The node looks into the outboxes of the actors that it has: none.
        tokio::task::yield_now().await;
    }
    let _actor = keeper(&node, &stage, ActorOptions::default()).await;
    until(|| stage.notes().contains(&"sent".to_owned())).await;
}

/// An actor whose tells are in memory only.
async fn forgetful(node: &Node, stage: &Stage) -> ActorRef {
    let durability = DurabilityPolicy { tells: Some(Durability::Memory), ..DurabilityPolicy::default() };
    keeper(node, stage, ActorOptions { durability, ..ActorOptions::default() }).await
}

/// The refusal of its commit parked the actor, and then the tell was nowhere.
#[tokio::test]
async fn a_tell_in_memory_whose_refusal_parks_the_actor_becomes_a_dead_letter() {
    let (store, node, stage) = stage();
    let actor = forgetful(&node, &stage).await;
    store.between.refuse("commit", 1, StoreError::Failed { cause: "pulled".into() });
    actor.tell(route("append"), Bytes::from_static(b"a")).await.unwrap();
    until(|| actor.status().state.name() == "parked").await;
    until(|| actor.status().tallies.dead_letters == 1).await;
    let dead = node.dead_letters().await.unwrap();
    assert_eq!((dead.len(), &dead[0].payload[..]), (1, &b"a"[..]));
}

/// Nothing is consumed for such a tell: where the server had made the commit, it happened twice.
#[tokio::test]
async fn a_tell_in_memory_is_not_handled_again_that_may_have_been_committed() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = forgetful(&node, &stage).await;
    told.next("commit", Step::Unknown("made"));
    actor.tell(route("append"), Bytes::from_static(b"a")).await.unwrap();
    until(|| actor.status().tallies.dead_letters == 1).await;
    stage.open("made");
    assert_eq!(ask(&actor, "count", "").await, "0");
    assert_eq!(stage.notes(), ["start with 0", "a", "start with 0"]);
    assert!(node.dead_letters().await.unwrap()[0].cause.to_string().contains("is not known"));
}

/// It was counted as a dead letter, and nobody could say where it was.
#[tokio::test]
async fn the_log_says_which_tell_could_not_become_a_dead_letter() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = forgetful(&node, &stage).await;
    told.next("bury", Step::Fails(StoreError::DiskFull { free: 0, reserve: 1 }));
    actor.tell(route("corrupt"), Bytes::from_static(b"a")).await.unwrap();
    told.asked("bury").await;
    assert_eq!(ask(&actor, "echo", "after").await, "after");
    assert!(is_logged(&node, "a tell of corrupt is lost"));
    assert_eq!(actor.status().tallies.dead_letters, 0);
}

/// A read that was refused because so many others wait was a crash of the actor; thousands of actors that are told something at once were
/// parked of it.
#[tokio::test]
async fn a_read_for_which_a_store_has_no_time_is_no_crash() {
    let (store, node, stage) = stage();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    store.between.refuse("state", 1, StoreError::Busy { what: "reads", limit: 0 });
    actor.tell(route("add"), Bytes::new()).await.unwrap();
    assert_eq!(stage.noted(2).await, ["start with 0", "start with 0"]);
    until(|| actor.status().tallies.handled == 2).await;
    assert_eq!(ask(&actor, "count", "").await, "1");
    assert_eq!(actor.status().tallies.crashes, 0);
}

/// When the server is there again, all actors are opened at once, and those for which it had no time were parked.
#[tokio::test]
async fn a_start_for_which_a_store_has_no_time_is_no_crash() {
    let stage = Stage::default();
    let told = Told::new(&stage);
    let node = told.node();
    let actor = keeper(&node, &stage, ActorOptions::default()).await;
    told.next("commit", Step::Fails(unreachable()));
    told.next("timers", Step::Fails(StoreError::Busy { what: "reads", limit: 0 }));
    assert!(ask(&actor, "add", "").await.ends_with("[store-unreachable]"));
    told.asked("timers").await;
    assert_eq!(ask(&actor, "add", "").await, "1");
    assert_eq!(actor.status().tallies.crashes, 1, "that of the commit");
}
