//! What handlers send: after the commit, once, in order, or not at all.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use playhouse_guest::Bytes;
use playhouse_node::store::{BatchLimits, OutId, QueueLimits, SqliteStore, Store, StoreError, Time};
use playhouse_node::{ActorOptions, Node};

use super::kit::{Keeper, Place, keeper};
use super::through::{Interpose, Through};
use super::told::{Step, Told};
use crate::support::{Stage, actor_type, ask, route, until};

/// A node whose application notes what it is told, and then waits at the door `handled`.
fn hearing(store: Arc<dyn Store>, heard: &Stage) -> Node {
    let heard = heard.clone();
    let builder = Node::builder().realm(7).store(store).shell(move |message| {
        let heard = heard.clone();
        async move {
            heard.note(format!("{} {:?}", String::from_utf8_lossy(&message.payload), message.id));
            heard.pass("handled").await;
            Ok(message.payload)
        }
    });
    builder.start().unwrap()
}

/// Waits, yielding, until nothing is in the outbox.
async fn delivered(store: &dyn Store) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !store.outbox(Default::default(), BatchLimits::default()).await.unwrap().is_empty() {
        assert!(std::time::Instant::now() < end, "the outbox is not empty");
        tokio::task::yield_now().await;
    }
}

async fn other(node: &Node, stage: &Stage) -> playhouse_node::ActorRef {
    let stage = stage.clone();
    node.link(actor_type("Other"), move || Keeper::new(&stage), ActorOptions::default()).await.unwrap()
}

#[tokio::test]
async fn tells_of_handlers_arrive_in_order_and_leave_the_outbox() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
        let receiver = other(&node, &stage).await;
        for at in 0..50 {
            assert_eq!(ask(&sender, "tell", &format!("{} append {at}", receiver.id())).await, "");
        }
        let notes = stage.noted(51).await;
        assert_eq!(notes[1..], (0..50).map(|at| at.to_string()).collect::<Vec<_>>());
        delivered(&*place.store()).await;
    }
}

/// What stood behind a message that a full mailbox refused, in the same batch of the outbox, was on its way already and overtook it.
#[tokio::test]
async fn what_is_behind_a_refused_message_waits_for_it() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
        // Room for the large message alone, or for many small ones.
        let (large, stored) = ("x".repeat(1000), QueueLimits { messages: 99, bytes: 1200 });
        let (receiving, options) = (stage.clone(), ActorOptions { stored, ..ActorOptions::default() });
        let receiver = node.link(actor_type("Other"), move || Keeper::new(&receiving), options).await.unwrap();
        receiver.tell(route("wait"), Bytes::from_static(b"door")).await.unwrap();
        stage.noted(2).await;
        assert_eq!(ask(&sender, "tells", &format!("{} append 0 {large} 2 3", receiver.id())).await, "");
        let store = place.store();
        let left = async || store.outbox(Default::default(), BatchLimits::default()).await.unwrap();
        while left().await.first().is_none_or(|first| first.attempts == 0) {
            tokio::task::yield_now().await;
        }
        stage.open("door");
        assert_eq!(stage.noted(6).await[2..], ["0", &large, "2", "3"]);
    }
}

#[tokio::test]
async fn a_failed_handler_sends_nothing() {
    let place = Place::disk();
    let (node, stage) = (place.node(), Stage::default());
    let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    let receiver = other(&node, &stage).await;
    let refused = ask(&sender, "tell and fail", &format!("{} add", receiver.id())).await;
    assert_eq!(refused, "invalid argument: after all");
    assert_eq!(ask(&sender, "tell", &format!("{} append sent", receiver.id())).await, "");
    assert_eq!(stage.noted(2).await[1..], ["sent"]);
}

#[tokio::test]
async fn what_was_sent_to_an_actor_that_is_away_waits_for_it() {
    for place in Place::all() {
        let stage = Stage::default();
        let node = place.node();
        let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
        let receiver = other(&node, &stage).await;
        let to = receiver.id().clone();
        // The receiver crashes on nothing: it is away because the node ends before it is told.
        receiver.tell(route("wait"), Bytes::from_static(b"door")).await.unwrap();
        stage.noted(2).await;
        for at in 0..3 {
            assert_eq!(ask(&sender, "tell", &format!("{to} append {at}")).await, "");
        }
        place.kill(node).await;

        // First the sender alone, then the receiver.
        let stage = Stage::default();
        stage.open("door");
        let node = place.node();
        let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
        let receiver = other(&node, &stage).await;
        assert_eq!(receiver.id(), &to);
        assert_eq!(ask(&sender, "tell", &format!("{to} append 3")).await, "");
        let notes = stage.noted(6).await;
        assert_eq!(notes, ["start with 0", "waiting door", "0", "1", "2", "3"]);
        assert_eq!(ask(&receiver, "get", "all").await, "0 1 2 3 ");
    }
}

/// A node on a disk with somebody in between.
fn node_through<I: Interpose>(place: &Place, between: I) -> (Arc<Through<I, SqliteStore>>, Node) {
    let store = Arc::new(Through { store: place.sqlite(), between });
    let node = Node::builder().realm(7).store(Arc::clone(&store) as Arc<dyn Store>).start().unwrap();
    (store, node)
}

/// The outbox cannot be read.
struct Unread;

impl Interpose for Unread {
    fn before(&self, operation: &'static str) -> Option<StoreError> {
        (operation == "outbox").then(|| StoreError::Unreachable { cause: "pulled".into() })
    }
}

/// A disk on which a node has left `0`, `1` and `2` in the outbox for the other actor.
async fn three_left() -> Place {
    let place = Place::disk();
    let (store, node) = node_through(&place, Unread);
    let receiver = other(&node, &Stage::default()).await;
    let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    for at in 0..3 {
        assert_eq!(ask(&sender, "tell", &format!("{} append {at}", receiver.id())).await, "");
    }
    drop((store, sender, receiver));
    place.kill(node).await;
    place
}

/// A node looked at its outbox when it started, before its actors were there, and then only when one of them sent something more: what
/// a killed node had left there stayed there.
#[tokio::test]
async fn what_was_left_is_delivered_when_its_sender_is_there() {
    let place = three_left().await;
    let (node, stage) = (place.node(), Stage::default());
    // It looks, and finds nobody.
    tokio::task::yield_now().await;
    let _receiver = other(&node, &stage).await;
    let _sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    assert_eq!(stage.noted(4).await[1..], ["0", "1", "2"]);
}

/// The second time that the outbox is read takes until somebody says so.
struct SecondLate {
    reads: AtomicU32,
    reached: AtomicBool,
    go: Barrier,
}

impl Interpose for SecondLate {
    fn before(&self, operation: &'static str) -> Option<StoreError> {
        if operation == "outbox" && self.reads.fetch_add(1, Ordering::AcqRel) == 1 {
            self.reached.store(true, Ordering::Release);
            self.go.wait();
        }
        None
    }
}

/// A message whose sender was not there when the outbox was read was passed over, and what the sender posted then went first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_overtakes_what_was_left() {
    let place = three_left().await;
    let late = SecondLate { reads: AtomicU32::new(0), reached: AtomicBool::new(false), go: Barrier::new(2) };
    let (store, node) = node_through(&place, late);
    until(|| store.between.reached.load(Ordering::Acquire)).await;
    let stage = Stage::default();
    let receiver = other(&node, &stage).await;
    let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    assert_eq!(ask(&sender, "tell", &format!("{} append 3", receiver.id())).await, "");
    store.between.go.wait();
    assert_eq!(stage.noted(5).await[1..], ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn the_application_is_told_after_the_commit() {
    let (place, heard) = (Place::disk(), Stage::default());
    let hearing = heard.clone();
    let builder = Node::builder().realm(7).store(place.store()).shell(move |message| {
        hearing.note(format!("{} from {} awaited {}", message.route, message.from, message.awaited));
        async move { Ok(message.payload) }
    });
    let node = builder.start().unwrap();
    let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    assert_eq!(ask(&sender, "tell", "shell app.Hear hello").await, "");
    assert_eq!(heard.noted(1).await, ["app.Hear from 1@7/test:Keeper:1 awaited false"]);
    assert_eq!(ask(&sender, "tell", "self append hello").await, "");
    until(|| sender.status().tallies.handled >= 3).await;
    assert_eq!(ask(&sender, "get", "all").await, "hello ");
}

/// It left the outbox when the application had it in a queue, and was lost with the process.
#[tokio::test]
async fn what_the_application_has_not_handled_is_told_again_with_its_number() {
    for place in Place::all() {
        let heard = Stage::default();
        let node = hearing(place.store(), &heard);
        let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
        assert_eq!(ask(&sender, "tell", "shell app.Hear first").await, "");
        let first = heard.noted(1).await;
        place.kill(node).await;

        let heard = Stage::default();
        let node = hearing(place.store(), &heard);
        let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
        assert_eq!(ask(&sender, "tell", "shell app.Hear second").await, "");
        heard.open("handled");
        let notes = heard.noted(2).await;
        assert_eq!(notes[0], first[0]);
        assert!(notes[0].starts_with("first Some(") && notes[1].starts_with("second Some("), "{notes:?}");
        heard.open("handled");
        delivered(&*place.store()).await;
        assert_eq!(heard.notes(), notes);
    }
}

/// Each message that the application was not ready for held up everybody's for a second.
#[tokio::test]
async fn a_slow_application_holds_up_only_what_is_for_it() {
    /// More than wait for the application.
    const TELLS: usize = 1100;
    let (heard, stage) = (Stage::default(), Stage::default());
    let told = Told::new(&stage);
    let node = hearing(Arc::new(told.clone()), &heard);
    let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    let receiver = other(&node, &stage).await;
    // All are found at once.
    told.next("outbox", Step::Waits("outbox"));
    for at in 0..TELLS {
        assert_eq!(ask(&sender, "tell", &format!("shell app.Hear {at}")).await, "");
    }
    assert_eq!(ask(&sender, "tell", &format!("{} append through", receiver.id())).await, "");
    stage.open("outbox");
    assert_eq!(stage.noted(2).await[1], "through");
    assert_eq!(heard.notes().len(), 1);
    (0..TELLS).for_each(|_| heard.open("handled"));
    let notes = heard.noted(TELLS).await;
    let numbers: Vec<_> = notes.iter().map(|note| note.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(numbers, (0..TELLS).map(|at| at.to_string()).collect::<Vec<_>>());
    delivered(&told).await;
    assert_eq!(heard.notes().len(), TELLS);
}

/// It was put off by a clock that was years ahead, and waited for years with all that was behind it.
#[tokio::test]
async fn a_message_is_not_put_off_by_a_clock_that_was_ahead() {
    let place = three_left().await;
    let store = place.store();
    let first = store.outbox(Default::default(), BatchLimits::default()).await.unwrap()[0].id;
    store.outbox_failed(first, Time::from_millis(u64::MAX / 4)).await.unwrap();
    let (node, stage) = (place.node(), Stage::default());
    let _receiver = other(&node, &stage).await;
    let _sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
    assert_eq!(stage.noted(4).await[1..], ["0", "1", "2"]);
}

/// Counts how often the outbox is read from its beginning.
#[derive(Default)]
struct Beginnings(AtomicU32);

impl Interpose for Beginnings {
    fn before(&self, _operation: &'static str) -> Option<StoreError> {
        None
    }

    fn reads_outbox(&self, after: OutId) {
        self.0.fetch_add(u32::from(after == OutId::default()), Ordering::AcqRel);
    }
}

/// With each message that anybody sent, all that waited for a receiver that takes nothing was read once more.
#[tokio::test]
async fn what_waits_is_not_read_again_with_each_message_of_others() {
    let (place, stage, own) = (Place::disk(), Stage::default(), Stage::default());
    let (store, node) = node_through(&place, Beginnings::default());
    let sender = keeper(&node, &own, ActorOptions::default()).await;
    // Room for one, which waits.
    let (stored, receiving) = (QueueLimits { messages: 1, bytes: 1000 }, stage.clone());
    let options = ActorOptions { stored, ..ActorOptions::default() };
    let receiver = node.link(actor_type("Other"), move || Keeper::new(&receiving), options).await.unwrap();
    receiver.tell(route("wait"), Bytes::from_static(b"door")).await.unwrap();
    stage.noted(2).await;
    let left = async || store.outbox(Default::default(), BatchLimits::default()).await.unwrap();
    assert_eq!(ask(&sender, "tell", &format!("{} append 0", receiver.id())).await, "");
    while left().await.first().is_none_or(|first| first.attempts == 0) {
        tokio::task::yield_now().await;
    }
    let before = store.between.0.load(Ordering::Acquire);
    for at in 0..40 {
        assert_eq!(ask(&sender, "tell", &format!("self append {at}")).await, "");
        own.noted(at + 2).await;
    }
    let read = store.between.0.load(Ordering::Acquire) - before;
    assert!(read < 20, "{read} times from the beginning");
    // What comes later for the same receiver does not go first.
    assert_eq!(ask(&sender, "tell", &format!("{} append 1", receiver.id())).await, "");
    stage.open("door");
    assert_eq!(stage.noted(4).await[2..], ["0", "1"]);
}

/// What a receiver had no room for waited until its sender ran again, which may be never.
#[tokio::test]
async fn what_a_stopped_actor_has_sent_arrives() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let sender = keeper(&node, &Stage::default(), ActorOptions::default()).await;
        // Room for one, which waits.
        let (stored, receiving) = (QueueLimits { messages: 1, bytes: 1000 }, stage.clone());
        let options = ActorOptions { stored, ..ActorOptions::default() };
        let receiver = node.link(actor_type("Other"), move || Keeper::new(&receiving), options).await.unwrap();
        receiver.tell(route("wait"), Bytes::from_static(b"door")).await.unwrap();
        stage.noted(2).await;
        assert_eq!(ask(&sender, "tells", &format!("{} append 0 1", receiver.id())).await, "");
        let store = place.store();
        let left = async || store.outbox(Default::default(), BatchLimits::default()).await.unwrap();
        while left().await.first().is_none_or(|first| first.attempts == 0) {
            tokio::task::yield_now().await;
        }
        node.stop(sender.id(), std::time::Duration::from_secs(1)).await.unwrap();
        stage.open("door");
        assert_eq!(stage.noted(4).await[2..], ["0", "1"]);
        delivered(&*store).await;
    }
}
