//! Short ways to say things to a store.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use playhouse_store::{
    Accepted, ActorKey, BatchLimits, Commit, Consumed, Durability, Enqueue, Expect, Fate, Identity, Lease, Message,
    MessageKind, OpenActor, OutId, OutMessage, Position, Priority, QueueLimits, Queued, StateChange, Store, Time,
};
use playhouse_types::Realm;

pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// The time by this machine's clock.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is past 1970");
    Time::default().after(since)
}

pub(crate) fn open_request(instance: &str, owner: &str, now: Time, lease_for: Duration) -> OpenActor {
    let identity = Identity {
        realm: Realm::new(7),
        manufacturer: "acme".parse().expect("a name"),
        type_name: "Echo".parse().expect("a name"),
        instance: instance.to_owned(),
    };
    OpenActor { identity, owner: owner.to_owned(), now, lease_for }
}

pub(crate) fn open(store: &dyn Store, instance: &str) -> Lease {
    store.open_actor(open_request(instance, "node-a", now(), LEASE)).wait().expect("nobody else has it")
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

pub(crate) fn enqueue(to: ActorKey, payload: &str, durability: Durability) -> Enqueue {
    Enqueue { to, message: message(payload), now: now(), limits: QueueLimits::default(), durability, delivers: None }
}

pub(crate) fn put(store: &dyn Store, to: ActorKey, payload: &str) -> Position {
    match store.enqueue(enqueue(to, payload, Durability::Fsync)).wait() {
        Ok(Accepted::Queued(position)) => position,
        other => panic!("not queued: {other:?}"),
    }
}

pub(crate) fn all_of_it() -> BatchLimits {
    BatchLimits { items: usize::MAX, bytes: usize::MAX }
}

/// The mailbox, all of it.
pub(crate) fn queued(store: &dyn Store, actor: ActorKey) -> Vec<Queued> {
    let mut all: Vec<Queued> = Vec::new();
    loop {
        let after = all.last().map_or(Position::start(Priority::Normal), |last| last.position);
        let batch = store.queued(actor, after, all_of_it()).wait().expect("it can be read");
        if batch.is_empty() {
            return all;
        }
        all.extend(batch);
    }
}

pub(crate) fn payload(message: &Message) -> String {
    String::from_utf8(message.payload.to_vec()).expect("tests send text")
}

/// A commit that handles a message: its effect is a message to the outbox that says what was handled, and a count.
pub(crate) fn handle(lease: &Lease, message: &Queued, now: Time) -> Commit {
    let mut commit = Commit::new(lease.actor, lease.epoch, lease.revision.next(), now, Durability::Fsync);
    commit.consumed.push(Consumed::Message { position: message.position, fate: Fate::Done { reply: None } });
    let effect = self::message(&payload(&message.message));
    commit.outbox.push(OutMessage { target: "ledger".to_owned(), not_before: now, message: effect });
    let count = Bytes::from(lease.revision.next().number().to_string());
    commit.state.push(StateChange { key: Bytes::from_static(b"handled"), expect: Expect::Any, value: Some(count) });
    commit
}

/// What was handled, by the effects that are there.
pub(crate) fn effects(store: &dyn Store) -> Vec<String> {
    let mut after = OutId::default();
    let mut all = Vec::new();
    loop {
        let batch = store.outbox(after, all_of_it()).wait().expect("it can be read");
        let Some(last) = batch.last() else { return all };
        after = last.id;
        all.extend(batch.iter().map(|posted| payload(&posted.out.message)));
    }
}

pub(crate) fn sound(store: &dyn Store) {
    let report = store.check().wait().expect("it can be read");
    assert!(report.damage.is_empty() && report.records > 0, "{report:?}");
}

/// Waits for something to become true.
pub(crate) fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
