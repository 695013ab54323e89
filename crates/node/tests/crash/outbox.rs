//! A node dies between the commit of what an actor sends and its delivery, or between that and its being handled: it arrives, once, in
//! order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use playhouse_node::store::{BatchLimits, OpenActor, OutId, QueueLimits, SqliteStore, Store, StoreError, Time};
use playhouse_node::{ActorOptions, ActorRef, Node};

use crate::clerk::{self, BREACH, Book, Entry, route};
use crate::process::{Process, open_store, runtime, say};
use crate::through::{Interpose, Through};
use crate::verify::await_that;

/// How many messages are sent.
const SENT: u64 = 5;
/// Their series.
const SERIES: &str = "p0";
/// Whose actors they are.
const OWNER: &str = "office";

/// An operation of the store that never takes place.
struct Stuck(Option<&'static str>);

impl Interpose for Stuck {
    fn before(&self, operation: &'static str) -> Option<StoreError> {
        (self.0 == Some(operation)).then(|| StoreError::Unreachable { cause: "pulled".into() })
    }
}

struct Pair {
    store: SqliteStore,
    node: Node,
    sender: ActorRef,
    receiver: ActorRef,
}

async fn open(folder: &Path, stuck: Option<&'static str>, of_receiver: ActorOptions) -> Pair {
    let store = open_store(folder);
    let through = Arc::new(Through { store: store.clone(), between: Stuck(stuck) });
    let node = Node::builder().realm(7).owner(OWNER).store(through).start().unwrap();
    let receiver = clerk::link(&node, "Receiver", None, of_receiver).await;
    let sender = clerk::link(&node, "Sender", Some(&receiver), ActorOptions::default()).await;
    Pair { store, node, sender, receiver }
}

impl Pair {
    async fn in_outbox(&self) -> usize {
        self.store.outbox(OutId::default(), BatchLimits::default()).await.unwrap().len()
    }

    async fn received(&self) -> Book {
        Book::read(&self.store, self.receiver.stored().unwrap(), SERIES).await
    }

    async fn queued(&self) -> u64 {
        self.store.actor(self.receiver.stored().unwrap()).await.unwrap().unwrap().lease.usage.queued
    }

    /// Takes the receiver from its node, which stops it when it notices.
    async fn park_receiver(&self) {
        let identity = self.store.actor(self.receiver.stored().unwrap()).await.unwrap().unwrap().identity;
        let lease_for = Duration::from_secs(60);
        let open = OpenActor { identity, owner: OWNER.to_owned(), now: Time::default(), lease_for };
        self.store.open_actor(open).await.unwrap();
        let entry = Entry { series: "other".to_owned(), number: 1 };
        self.receiver.call(route("book"), entry.to_bytes()).await.unwrap_err();
        let parked = async || self.receiver.status().state.name() == "parked";
        assert_eq!(await_that("the receiver is parked", Duration::from_secs(10), parked).await, None);
    }
}

/// The process that is killed: it sends, and says so when nothing more will happen by itself.
pub(crate) async fn run(folder: &Path, case: &str) {
    let (mut stuck, mut options, mut parked) = (None, ActorOptions::default(), false);
    match case {
        "nothing is delivered" => stuck = Some("outbox"),
        "the receiver is parked" => parked = true,
        "the receiver is parked and full" => {
            parked = true;
            options.stored = QueueLimits { messages: 1, ..QueueLimits::default() };
        }
        other => panic!("no case {other}"),
    }
    let pair = open(folder, stuck, options).await;
    if parked {
        pair.park_receiver().await;
    }
    let all = Entry { series: SERIES.to_owned(), number: SENT };
    pair.sender.call(route("pass many"), all.to_bytes()).await.unwrap();
    let settled = await_that("it comes to rest", Duration::from_secs(10), async || match case {
        "nothing is delivered" => true,
        "the receiver is parked" => pair.queued().await == SENT && pair.in_outbox().await == 0,
        _ => pair.queued().await == 1 && pair.in_outbox().await == SENT as usize - 1,
    });
    assert_eq!(settled.await, None);
    say("sent");
    std::future::pending::<()>().await;
}

/// What the killed process left: messages in the outbox, and messages that the receiver has or has handled.
fn check(case: &str, left: (usize, u64)) {
    let ground = tempfile::tempdir().unwrap();
    let folder = ground.path().join("store");
    let mut process = Process::start("outbox", &folder, case);
    process.says(&["sent"]);
    process.kill();
    runtime().block_on(async {
        // A node on which nothing moves yet.
        let pair = open(&folder, Some("outbox"), ActorOptions::default()).await;
        let handled =
            await_that("what the receiver has is handled", Duration::from_secs(10), async || pair.queued().await == 0);
        assert_eq!(handled.await, None, "{case}");
        assert_eq!((pair.in_outbox().await, pair.received().await.count), left, "{case}");
        let Pair { store, node, .. } = pair;
        node.shutdown(Duration::from_secs(5)).await;
        drop(node);
        store.close().await.unwrap();
        drop(store);

        let pair = open(&folder, None, ActorOptions::default()).await;
        let drained = await_that("all is delivered", Duration::from_secs(10), async || {
            pair.in_outbox().await == 0 && pair.queued().await == 0
        });
        assert_eq!(drained.await, None, "{case}");
        assert_eq!(pair.received().await, Book::of_first(SENT), "{case}");
        let breach = pair.store.state(pair.receiver.stored().unwrap(), BREACH.as_bytes()).await.unwrap();
        assert_eq!(breach, None, "{case}");
    });
}

#[test]
fn between_the_commit_and_the_delivery() {
    check("nothing is delivered", (SENT as usize, 0));
}

#[test]
fn while_the_receiver_is_parked() {
    check("the receiver is parked", (0, SENT));
}

#[test]
fn while_the_receiver_takes_no_more() {
    check("the receiver is parked and full", (SENT as usize - 1, 1));
}
