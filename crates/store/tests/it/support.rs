//! What the tests share: stores to test, and short ways to say things to them.

#[cfg(feature = "postgres")]
mod postgres;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use playhouse_store::{
    Accepted, ActorKey, BatchLimits, Commit, Committed, Consumed, Durability, Enqueue, Expect, Fate, Identity, Lease,
    MemoryStore, Message, MessageKind, OpenActor, Position, Priority, QueueLimits, Queued, Retention, Revision,
    SqliteOptions, SqliteStore, StateChange, Store, StoreError, Time, commit,
};
use playhouse_types::Realm;

#[cfg(feature = "postgres")]
pub(crate) use postgres::{postgres, postgres_place, run_on_server};

/// A store and what it stands on, which goes when this does.
pub(crate) struct Place {
    pub(crate) store: Arc<dyn Store>,
    _ground: Box<dyn Any>,
}

/// Makes an empty store.
pub(crate) type Make = fn(Retention) -> Place;

/// Runs a case on a back end.
pub(crate) fn run(make: Make, case: fn(Make)) {
    case(make);
}

pub(crate) fn memory(retention: Retention) -> Place {
    Place { store: Arc::new(MemoryStore::new(retention)), _ground: Box::new(()) }
}

pub(crate) fn sqlite(retention: Retention) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let options = SqliteOptions { retention, ..SqliteOptions::default() };
    let store = SqliteStore::open(&folder.path().join("store"), options).expect("an empty folder opens");
    Place { store: Arc::new(store), _ground: Box::new(folder) }
}

pub(crate) const NOW: Time = Time::from_millis(1_000_000);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn at(seconds: u64) -> Time {
    NOW.after(Duration::from_secs(seconds))
}

pub(crate) fn identity(instance: &str) -> Identity {
    Identity {
        realm: Realm::new(7),
        manufacturer: "acme".parse().expect("a name"),
        type_name: "Echo".parse().expect("a name"),
        instance: instance.to_owned(),
    }
}

pub(crate) fn open_request(instance: &str, owner: &str, now: Time) -> OpenActor {
    OpenActor { identity: identity(instance), owner: owner.to_owned(), now, lease_for: MINUTE }
}

pub(crate) fn open(store: &dyn Store, instance: &str) -> Lease {
    store.open_actor(open_request(instance, "node-a", NOW)).wait().expect("nobody else has it")
}

pub(crate) fn message(payload: &str) -> Message {
    Message {
        kind: MessageKind::Tell,
        priority: Priority::Normal,
        caller: String::new(),
        request: None,
        route: "echo.EchoService.Echo".to_owned(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        deadline: None,
        context: Bytes::new(),
    }
}

pub(crate) fn request(id: &str, payload: &str) -> Message {
    let (kind, caller) = (MessageKind::Call, "1@7/acme:Caller:1.0.0".to_owned());
    Message { kind, caller, request: Some(id.to_owned()), ..message(payload) }
}

pub(crate) fn enqueue_of(store: &dyn Store, to: ActorKey, message: Message) -> Enqueue {
    Enqueue { to, message, now: NOW, limits: QueueLimits::default(), durability: store.strongest(), delivers: None }
}

pub(crate) fn enqueue(store: &dyn Store, to: ActorKey, message: Message) -> Result<Accepted, StoreError> {
    store.enqueue(enqueue_of(store, to, message)).wait()
}

/// Puts a message into a mailbox that has room.
pub(crate) fn put(store: &dyn Store, to: ActorKey, message: Message) -> Position {
    match enqueue(store, to, message) {
        Ok(Accepted::Queued(position)) => position,
        other => panic!("not queued: {other:?}"),
    }
}

pub(crate) fn queued(store: &dyn Store, actor: ActorKey) -> Vec<Queued> {
    let mut all = Vec::new();
    for priority in [Priority::Signal, Priority::Normal] {
        all.extend(store.queued(actor, Position::start(priority), all_of_it()).wait().expect("it can be read"));
    }
    all
}

pub(crate) fn payloads(store: &dyn Store, actor: ActorKey) -> Vec<String> {
    let text = |queued: Queued| String::from_utf8(queued.message.payload.to_vec()).expect("tests send text");
    queued(store, actor).into_iter().map(text).collect()
}

pub(crate) const fn all_of_it() -> BatchLimits {
    BatchLimits { items: usize::MAX, bytes: usize::MAX }
}

/// One actor as its owner has it, counting its revisions.
pub(crate) struct Owner<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) lease: Lease,
}

impl<'a> Owner<'a> {
    pub(crate) fn open(store: &'a dyn Store, instance: &str) -> Self {
        Self { store, lease: open(store, instance) }
    }

    pub(crate) fn key(&self) -> ActorKey {
        self.lease.actor
    }

    /// A commit that does nothing yet, with the next revision.
    pub(crate) fn draft(&self) -> Commit {
        let Lease { actor, epoch, revision, .. } = self.lease;
        Commit::new(actor, epoch, revision.next(), NOW, self.store.strongest())
    }

    /// Commits what `fill` puts into a draft.
    pub(crate) fn commit(&mut self, fill: impl FnOnce(&mut Commit)) -> Result<Committed, StoreError> {
        let mut draft = self.draft();
        fill(&mut draft);
        let result = commit(self.store, draft).wait();
        if result.is_ok() {
            self.lease.revision = self.lease.revision.next();
        }
        result
    }

    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<Committed, StoreError> {
        self.commit(|commit| commit.state.push(set(key, value)))
    }

    pub(crate) fn get(&self, key: &str) -> Option<(String, Revision)> {
        let found = self.store.state(self.key(), key.as_bytes()).wait().expect("it can be read")?;
        Some((String::from_utf8(found.value.to_vec()).expect("tests keep text"), found.version))
    }
}

pub(crate) fn set(key: &str, value: &str) -> StateChange {
    change(key, Expect::Any, Some(value))
}

pub(crate) fn change(key: &str, expect: Expect, value: Option<&str>) -> StateChange {
    let key = Bytes::copy_from_slice(key.as_bytes());
    StateChange { key, expect, value: value.map(|value| Bytes::copy_from_slice(value.as_bytes())) }
}

pub(crate) fn done(position: Position) -> Consumed {
    Consumed::Message { position, fate: Fate::Done { reply: None } }
}

pub(crate) fn done_with(position: Position, reply: &str) -> Consumed {
    let reply = Some(Bytes::copy_from_slice(reply.as_bytes()));
    Consumed::Message { position, fate: Fate::Done { reply } }
}

pub(crate) fn stronger(than: Durability) -> Durability {
    if than == Durability::Memory { Durability::Fsync } else { Durability::Quorum }
}
