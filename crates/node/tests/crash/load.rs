//! The process that is killed: actors that are told, asked, tell each other and set timers, as fast as the disk lets them. It says
//! each thing once it is acknowledged, and not before.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use playhouse_guest::Bytes;
use playhouse_node::store::{Durability, Store};
use playhouse_node::types::{ActorError, RequestId};
use playhouse_node::{ActorOptions, ActorRef, CallOptions, DurabilityPolicy, Node};

use crate::clerk::{self, Entry, route};
use crate::process::{open_store, say};

/// How often a message is sent again after a restart although it was acknowledged.
pub(crate) const AGAIN: u64 = 3;
/// Tells of one sender that are on their way together.
const TOLD_TOGETHER: u64 = 6;

/// What the application does with a series of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tell,
    Ask,
    /// A tell that goes from the first actor to the second and to the third.
    Pass,
    Arm,
}

/// The series, and for which actor each is.
pub(crate) const SERIES: [(&str, Kind, usize); 12] = [
    ("t0", Kind::Tell, 0),
    ("t1", Kind::Tell, 0),
    ("t2", Kind::Tell, 1),
    ("t3", Kind::Tell, 2),
    ("c0", Kind::Ask, 0),
    ("c1", Kind::Ask, 0),
    ("c2", Kind::Ask, 1),
    ("c3", Kind::Ask, 2),
    ("p0", Kind::Pass, 0),
    ("p1", Kind::Pass, 0),
    ("a0", Kind::Arm, 2),
    ("a1", Kind::Arm, 2),
];

impl Kind {
    fn route(self) -> &'static str {
        match self {
            Self::Tell => "book",
            Self::Ask => "ask",
            Self::Pass => "pass",
            Self::Arm => "arm",
        }
    }

    fn is_told(self) -> bool {
        matches!(self, Self::Tell | Self::Pass)
    }
}

/// A node on a store and its actors, the first of which passes on to the second, and so on.
pub(crate) struct Office {
    pub(crate) node: Node,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clerks: [ActorRef; 3],
}

impl Office {
    pub(crate) async fn open(folder: &Path, options: &ActorOptions) -> Self {
        let store: Arc<dyn Store> = Arc::new(open_store(folder));
        let node = Node::builder().realm(7).owner("office").store(Arc::clone(&store)).start().unwrap();
        // Whoever is passed on to is there before those who pass on to it.
        let third = clerk::link(&node, "Third", None, options.clone()).await;
        let second = clerk::link(&node, "Second", Some(&third), options.clone()).await;
        let first = clerk::link(&node, "First", Some(&second), options.clone()).await;
        Self { node, store, clerks: [first, second, third] }
    }

    /// Sends a message, with an id by which it is known when it comes again.
    pub(crate) async fn send(&self, (kind, to): (Kind, usize), entry: &Entry, id: Option<RequestId>) -> Sent {
        let options = CallOptions { request_id: id, ..CallOptions::default() };
        let (to, route, payload) = (self.clerks[to].id(), route(kind.route()), entry.to_bytes());
        match kind.is_told() {
            true => self.node.tell(to, route, payload, options).await.map(|()| Bytes::new()),
            false => self.node.call(to, route, payload, options).await,
        }
    }
}

type Sent = Result<Bytes, ActorError>;

/// The id of a message.
pub(crate) fn id_of(entry: &Entry) -> RequestId {
    format!("{}-{}", entry.series, entry.number).parse().unwrap()
}

/// How a process differs from what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// What is acknowledged is in memory only.
    Forgets,
    /// What is sent again has no id.
    Nameless,
}

/// What a process needs to know: its flaw, and how far each series was acknowledged.
pub(crate) fn word(flaw: Flaw, acknowledged: &HashMap<String, u64>) -> String {
    let series = acknowledged.iter().map(|(series, number)| format!(" {series}={number}"));
    format!("{flaw:?}{}", series.collect::<String>())
}

/// Until it is killed.
pub(crate) async fn run(folder: &Path, word: &str) {
    let start = Instant::now();
    let mut words = word.split(' ');
    let flaw = match words.next() {
        Some("Forgets") => Flaw::Forgets,
        Some("Nameless") => Flaw::Nameless,
        _ => Flaw::None,
    };
    let acknowledged: HashMap<&str, u64> = words
        .map(|word| word.split_once('=').unwrap())
        .map(|(series, number)| (series, number.parse().unwrap()))
        .collect();
    let office = Arc::new(Office::open(folder, &options(flaw)).await);
    say(&format!("ready {}", start.elapsed().as_millis()));
    let first = CallOptions { request_id: Some("ticking".parse().unwrap()), ..CallOptions::default() };
    office.node.call(office.clerks[2].id(), route("start ticking"), Bytes::new(), first).await.unwrap();
    let senders = SERIES.map(|(series, kind, to)| {
        let next = acknowledged.get(series).map_or(1, |last| last.saturating_sub(AGAIN) + 1);
        tokio::spawn(send_on(Arc::clone(&office), (series, kind, to), next, flaw))
    });
    join_all(senders).await.into_iter().for_each(Result::unwrap);
}

fn options(flaw: Flaw) -> ActorOptions {
    let class = (flaw == Flaw::Forgets).then_some(Durability::Memory);
    let durability = DurabilityPolicy { tells: class, effects: class, ..DurabilityPolicy::default() };
    ActorOptions { durability, ..ActorOptions::default() }
}

async fn send_on(office: Arc<Office>, (series, kind, to): (&str, Kind, usize), mut next: u64, flaw: Flaw) {
    let together = if kind.is_told() { TOLD_TOGETHER } else { 1 };
    loop {
        let sent = join_all((next..next + together).map(|number| {
            let entry = Entry { series: series.to_owned(), number };
            send_one(&office, (kind, to), entry, flaw)
        }));
        sent.await;
        next += together;
    }
}

async fn send_one(office: &Office, how: (Kind, usize), entry: Entry, flaw: Flaw) {
    let id = (flaw != Flaw::Nameless).then(|| id_of(&entry));
    match office.send(how, &entry, id).await {
        Ok(reply) => say(&format!("ack {} {} {}", entry.series, entry.number, String::from_utf8_lossy(&reply))),
        Err(error) => say(&format!("refused {} {} {error}", entry.series, entry.number)),
    }
}
