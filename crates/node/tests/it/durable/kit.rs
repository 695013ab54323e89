//! Stores that outlive nodes, and an actor that keeps what it is told.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use playhouse_guest::{Actor, Bytes, Context, Dest, Dispatch, Error, ErrorKind, RouteKey};
use playhouse_node::store::{MemoryStore, Retention, SqliteOptions, SqliteStore, Store};
use playhouse_node::{ActorOptions, ActorRef, Node};
use tempfile::TempDir;

use crate::support::{Stage, actor_type};

/// Where a store is. It can be left and entered again, as a disk can.
pub(crate) enum Place {
    Memory(Arc<MemoryStore>),
    Disk(TempDir, Mutex<Option<SqliteStore>>),
}

impl Place {
    /// One of each kind.
    pub(crate) fn all() -> Vec<Self> {
        vec![Self::Memory(Arc::new(MemoryStore::new(Retention::default()))), Self::disk()]
    }

    pub(crate) fn disk() -> Self {
        Self::Disk(tempfile::tempdir().unwrap(), Mutex::new(None))
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Disk(..) => Arc::new(self.sqlite()),
        }
    }

    /// The store on a disk.
    pub(crate) fn sqlite(&self) -> SqliteStore {
        let Self::Disk(folder, open) = self else { panic!("there is no disk") };
        let open = &mut *open.lock();
        let store = open
            .get_or_insert_with(|| SqliteStore::open(&folder.path().join("store"), SqliteOptions::default()).unwrap());
        store.clone()
    }

    /// A node on the store.
    pub(crate) fn node(&self) -> Node {
        Node::builder().realm(7).store(self.store()).start().unwrap()
    }

    /// Leaves the store as a process that is killed does: whatever was not acknowledged may be gone.
    pub(crate) async fn kill(&self, node: Node) {
        drop(node);
        if let Self::Disk(_, open) = self {
            let store = open.lock().take();
            if let Some(store) = store {
                store.close().await.unwrap();
            }
        }
    }
}

/// Whether the log of a node has a line with that in it.
pub(crate) fn is_logged(node: &Node, text: &str) -> bool {
    let mut lines = node.logs();
    std::iter::from_fn(|| lines.next_now()).any(|line| line.text.contains(text))
}

/// An actor that does with its state what the route says. Arguments are words.
pub(crate) struct Keeper {
    stage: Stage,
    /// What it has in its own memory, which must never be ahead of its state.
    memory: u64,
}

impl Keeper {
    pub(crate) fn new(stage: &Stage) -> Self {
        Self { stage: stage.clone(), memory: 0 }
    }
}

pub(crate) async fn keeper(node: &Node, stage: &Stage, options: ActorOptions) -> ActorRef {
    let stage = stage.clone();
    node.link(actor_type("Keeper"), move || Keeper::new(&stage), options).await.unwrap()
}

fn number(bytes: Option<Bytes>) -> u64 {
    bytes.map_or(0, |bytes| std::str::from_utf8(&bytes).unwrap().parse().unwrap())
}

impl Actor for Keeper {
    async fn on_start(&mut self, cx: Context<'_>) -> Result<(), Error> {
        self.memory = number(cx.state().get("count").await?);
        self.stage.note(format!("start with {}", self.memory));
        Ok(())
    }

    async fn on_stop(&mut self, _cx: Context<'_>) -> Result<(), Error> {
        self.stage.note("stop");
        Ok(())
    }
}

impl Dispatch for Keeper {
    async fn dispatch(&mut self, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        let text = String::from_utf8(payload.to_vec()).unwrap();
        let words: Vec<_> = text.split(' ').collect();
        match route.as_str() {
            // Counts, in memory and in the state.
            "add" => {
                let before = number(cx.state().get("count").await?);
                assert_eq!(before, self.memory, "the memory is what the state is");
                self.memory += 1;
                cx.state().set("count", self.memory.to_string()).await?;
                assert_eq!(number(cx.state().get("count").await?), self.memory, "it reads what it wrote");
                Ok(self.memory.to_string().into())
            }
            "count" => Ok(number(cx.state().get("count").await?).to_string().into()),
            "memory" => Ok(self.memory.to_string().into()),
            "echo" => Ok(payload),
            "set" => cx.state().set(words[0], words[1].to_owned()).await.map(|()| Bytes::new()),
            "get" => Ok(cx.state().get(words[0]).await?.unwrap_or_else(|| "none".into())),
            "fail" => {
                cx.state().set("count", "1000").await?;
                Err(Error::new(ErrorKind::InvalidArgument, text))
            }
            "panic" => {
                cx.state().set("count", "1000").await?;
                panic!("{text}")
            }
            "big" => {
                cx.state().set("big", vec![0; words[0].parse().unwrap()]).await?;
                self.memory += 1000;
                Ok(Bytes::new())
            }
            // Writes until it is refused.
            "flood" => {
                let mut number = 0;
                while cx.state().set(&format!("flood-{number}"), "x").await.is_ok() {
                    number += 1;
                }
                self.stage.note("flooded");
                Ok(Bytes::new())
            }
            "scan" => {
                let found = cx.state().scan(words[0], None, words[1].parse().unwrap()).await?;
                let keys: Vec<_> = found
                    .entries
                    .iter()
                    .map(|entry| String::from_utf8_lossy(entry.key.as_bytes()).into_owned())
                    .collect();
                Ok(format!("{} more {}", keys.join(" "), found.more).into())
            }
            // "key expected value": compares and sets; expected is a value, or none.
            "cas" => {
                let entry = cx.state().entry(words[0]).await?;
                let version = entry.as_ref().map(|entry| entry.version);
                let expected = if words[1] == "stale" { std::num::NonZeroU64::new(77) } else { version };
                let done = cx.state().compare_and_set(words[0], expected, Some(words[2].to_owned().into())).await?;
                Ok(done.to_string().into())
            }
            // Appends to what it has been told, in its state.
            "append" => {
                let mut all = cx.state().get("all").await?.unwrap_or_default().to_vec();
                all.extend_from_slice(text.as_bytes());
                all.push(b' ');
                cx.state().set("all", all).await?;
                self.stage.note(&text);
                Ok(Bytes::new())
            }
            "wait" => {
                self.stage.note(format!("waiting {text}"));
                self.stage.pass(&text).await;
                Ok(payload)
            }
            // "id route argument": tells that actor.
            "tell" => {
                let mut words = text.splitn(3, ' ');
                let to = words.next().unwrap();
                let dest = match to {
                    "shell" => Dest::Shell,
                    "self" => Dest::Local,
                    id => Dest::Actor(id.parse().unwrap()),
                };
                let next = words.next().unwrap().parse().unwrap();
                let rest = Bytes::from(words.next().unwrap_or("").to_owned());
                cx.tell(dest, next, rest).await.map(|()| Bytes::new())
            }
            // "id route argument argument ...": tells that actor several things.
            "tells" => {
                for argument in &words[2..] {
                    let dest = Dest::Actor(words[0].parse().unwrap());
                    cx.tell(dest, words[1].parse().unwrap(), Bytes::from((*argument).to_owned())).await?;
                }
                Ok(Bytes::new())
            }
            // "id route argument": tells that actor, and fails.
            "tell and fail" => {
                let to = words[0].parse().unwrap();
                cx.tell(Dest::Actor(to), words[1].parse().unwrap(), Bytes::new()).await?;
                Err(Error::new(ErrorKind::InvalidArgument, "after all"))
            }
            // "name after-ms route argument".
            "timer" | "every" => {
                let time = Duration::from_millis(words[1].parse().unwrap());
                let (next, rest) = (words[2].parse().unwrap(), Bytes::from(words[3].to_owned()));
                match route.as_str() {
                    "timer" => cx.timers().after(words[0], time, next, rest).await?,
                    _ => cx.timers().every(words[0], time, next, rest).await?,
                }
                Ok(Bytes::new())
            }
            "cron" => {
                cx.timers().cron("cron", &text, "append".parse().unwrap(), "tick".into()).await.map(|()| Bytes::new())
            }
            "cancel" => cx.timers().cancel(&text).await.map(|()| Bytes::new()),
            "appended by" => {
                self.stage.note(format!("{text} from {:?}", cx.caller().is_some_and(|caller| caller == cx.self_id())));
                Ok(Bytes::new())
            }
            "corrupt" => {
                cx.state().set("count", "1000").await?;
                Err(Error::new(ErrorKind::DecodeFailure, text))
            }
            other => Err(Error::new(ErrorKind::UnknownRoute, other)),
        }
    }
}
