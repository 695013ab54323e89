//! Questions to a store and their answers: by the node if it runs, or by the command itself if it does not.

use std::time::{SystemTime, UNIX_EPOCH};

use playhouse_store::{ActorInfo, ActorKey, BatchLimits, KeyRange, Position, Priority, Store, StoreError, Time};
use playhouse_types::{ActorError, Code, ErrorKind};
use serde::Serialize;

use super::records::{
    Finding, QueuedMessage, StateEntry, StateScan, StoreInfo, StoreRequest, StoredActor, StoredTimer,
};
use super::select::{each, select};
use crate::control::protocol::{Payload, WireError};

/// What is read at a time: values of 1 MiB, or one larger one.
const BATCH: BatchLimits = BatchLimits { items: 1000, bytes: 1 << 20 };

/// Why there are no more answers.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Nobody listens any more.
    Gone,
    /// The store, or a rule.
    Failed(WireError),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Failed(ActorError::from(error).into())
    }
}

impl From<WireError> for Ended {
    fn from(error: WireError) -> Self {
        Self::Failed(error)
    }
}

/// Takes one answer; `false` if nobody wants more.
pub(crate) type Take<'a> = dyn FnMut(serde_json::Value) -> bool + 'a;

/// Answers a question. Waits for the store on this thread.
pub(crate) fn answer(store: &dyn Store, request: StoreRequest, take: &mut Take<'_>) -> Result<(), Ended> {
    let mut answers = Answers(take);
    match request {
        StoreRequest::Info => answers.give(&info(store)?),
        StoreRequest::Actors => actors(store, &mut answers),
        StoreRequest::Find { actor } => {
            let actor = select(store, &actor)?;
            answers.give(&stored_actor(store, &actor)?)
        }
        StoreRequest::StateGet { actor, key } => state_get(store, &actor, key, &mut answers),
        StoreRequest::StateScan(scan) => state_scan(store, scan, &mut answers),
        StoreRequest::Mailbox { actor, limit } => mailbox(store, &actor, limit, &mut answers),
        StoreRequest::Timers { actor: Some(actor), limit } => {
            timers(store, &select(store, &actor)?, limit, &mut answers)
        }
        StoreRequest::Timers { actor: None, limit } => all_timers(store, limit, &mut answers),
        StoreRequest::Backup { to } => Ok(store.backup(to.as_ref()).wait()?),
        StoreRequest::Check => check(store, &mut answers),
    }
}

struct Answers<'a, 'b>(&'a mut Take<'b>);

impl Answers<'_, '_> {
    fn give(&mut self, answer: &impl Serialize) -> Result<(), Ended> {
        let value = serde_json::to_value(answer)
            .map_err(|error| Ended::Failed(ActorError::new(ErrorKind::Internal, error.to_string()).into()))?;
        if (self.0)(value) { Ok(()) } else { Err(Ended::Gone) }
    }
}

fn info(store: &dyn Store) -> Result<StoreInfo, StoreError> {
    let stats = store.stats().wait()?;
    Ok(StoreInfo {
        durability: store.strongest().to_string(),
        actors: stats.actors,
        dead_letters: stats.letters,
        dead_letters_bytes: stats.letters_bytes,
        dead_letters_dropped: stats.letters_dropped,
        replies: stats.replies,
        replies_bytes: stats.replies_bytes,
        disk_bytes: stats.disk_bytes,
        writes: stats.writes,
        groups: stats.groups,
        waiting: stats.waiting,
        disk_full: stats.disk_full,
    })
}

fn actors(store: &dyn Store, answers: &mut Answers<'_, '_>) -> Result<(), Ended> {
    let mut given = Ok(());
    each(store, |actor| {
        if given.is_ok() {
            given = stored_actor(store, &actor).map_err(Ended::from).and_then(|actor| answers.give(&actor));
        }
    })?;
    given
}

/// An actor that the store lists. One in a folder says that an actor is damaged when it is asked for that one; a server is asked what it is asked for.
fn stored_actor(store: &dyn Store, actor: &ActorInfo) -> Result<StoredActor, StoreError> {
    if store.local_folder().is_none() {
        return Ok(StoredActor::from(actor));
    }
    let damage = match store.actor(actor.lease.actor).wait() {
        Ok(_) => None,
        Err(StoreError::Corrupt(damage)) => Some(damage.to_string()),
        Err(error) => return Err(error),
    };
    Ok(StoredActor { damage, ..StoredActor::from(actor) })
}

fn state_get(store: &dyn Store, actor: &str, key: Payload, answers: &mut Answers<'_, '_>) -> Result<(), Ended> {
    let actor = select(store, actor)?.lease.actor;
    match store.state(actor, &key.0).wait()? {
        Some(found) => answers.give(&StateEntry {
            key,
            bytes: found.value.len() as u64,
            version: found.version.number(),
            value: Some(Payload(found.value)),
        }),
        None => Ok(()),
    }
}

fn state_scan(store: &dyn Store, scan: StateScan, answers: &mut Answers<'_, '_>) -> Result<(), Ended> {
    let actor = select(store, &scan.actor)?.lease.actor;
    let mut range = KeyRange::prefix(&scan.prefix.0);
    if let Some(after) = scan.after {
        range = range.after(after.0);
    }
    let mut left = scan.limit.unwrap_or(usize::MAX);
    while left > 0 {
        let page = store.scan(actor, range.clone(), BatchLimits { items: BATCH.items.min(left), ..BATCH }).wait()?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        range = range.after(last.clone());
        left -= page.len();
        for (key, found) in page {
            let bytes = found.value.len() as u64;
            let value = scan.values.then_some(Payload(found.value));
            answers.give(&StateEntry { key: Payload(key), value, bytes, version: found.version.number() })?;
        }
    }
    Ok(())
}

fn mailbox(store: &dyn Store, actor: &str, limit: usize, answers: &mut Answers<'_, '_>) -> Result<(), Ended> {
    let actor = select(store, actor)?.lease.actor;
    let mut left = limit;
    for priority in [Priority::Signal, Priority::Normal] {
        let mut after = Position::start(priority);
        while left > 0 {
            let page = store.queued(actor, after, BatchLimits { items: BATCH.items.min(left), ..BATCH }).wait()?;
            let Some(last) = page.last() else { break };
            after = last.position;
            left -= page.len();
            page.into_iter().try_for_each(|queued| answers.give(&QueuedMessage::from(queued)))?;
        }
    }
    Ok(())
}

fn timers(store: &dyn Store, actor: &ActorInfo, limit: usize, answers: &mut Answers<'_, '_>) -> Result<(), Ended> {
    let (mut left, mut after) = (limit, String::new());
    while left > 0 {
        let page = store.timers(actor.lease.actor, &after, BATCH.items.min(left)).wait()?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.name);
        left -= page.len();
        page.into_iter().try_for_each(|timer| answers.give(&stored_timer(&actor.identity.to_string(), timer)))?;
    }
    Ok(())
}

/// The timers of all actors, the earliest first. One read tells them, so that its limit is theirs.
fn all_timers(store: &dyn Store, limit: usize, answers: &mut Answers<'_, '_>) -> Result<(), Ended> {
    let mut names: std::collections::HashMap<ActorKey, String> = std::collections::HashMap::new();
    for timer in store.timers_due(Time::from_millis(u64::MAX), limit).wait()? {
        let name = match names.get(&timer.actor) {
            Some(name) => name.clone(),
            None => {
                let known = store.actor(timer.actor).wait()?;
                let name = known.map_or_else(|| format!("actor {}", timer.actor), |actor| actor.identity.to_string());
                names.entry(timer.actor).or_insert(name).clone()
            }
        };
        answers.give(&stored_timer(&name, timer))?;
    }
    Ok(())
}

fn stored_timer(actor: &str, timer: playhouse_store::Timer) -> StoredTimer {
    let (due_ms, bytes) = (timer.due.millis(), timer.body.len() as u64);
    StoredTimer { actor: actor.to_owned(), name: timer.name, due_ms, bytes }
}

fn check(store: &dyn Store, answers: &mut Answers<'_, '_>) -> Result<(), Ended> {
    let report = store.check().wait()?;
    report.damage.into_iter().try_for_each(|damage| answers.give(&Finding::from(damage)))?;
    answers.give(&Finding::Checked { records: report.records, more: report.more })
}

/// The time as stores take it.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The answer of a node that keeps no store.
pub(crate) fn no_store() -> WireError {
    ActorError::coded(ErrorKind::Unavailable, Code::StoreMissing, "the node keeps no store").into()
}
