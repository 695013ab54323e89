use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use bytes::Bytes;

use crate::contract::KeyRange;
use crate::core::{Brief, Counters, Known, KnownBrief, Reads, ReplyBrief, Rows, letter_bytes, reply_bytes};
use crate::error::StoreError;
use crate::limits::BATCH_BYTES_MAX;
use crate::model::{
    ActorInfo, ActorKey, BatchLimits, Identity, Letter, LetterId, OutId, OutPosted, Position, Queued, RequestKey,
    Revision, SealedKey, Time, Timer, Versioned,
};

type Result<T> = std::result::Result<T, StoreError>;

/// The rows of a store, as sorted maps. Nothing here can fail.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) counters: Counters,
    actors: BTreeMap<ActorKey, ActorInfo>,
    names: BTreeMap<Identity, ActorKey>,
    mailbox: BTreeMap<(ActorKey, Position), Queued>,
    requests: BTreeMap<(ActorKey, RequestKey), Known>,
    replies_by_age: BTreeSet<(Time, ActorKey, RequestKey)>,
    state: BTreeMap<(ActorKey, Bytes), Versioned>,
    outbox: BTreeMap<OutId, OutPosted>,
    timers: BTreeMap<(ActorKey, String), Timer>,
    timers_by_due: BTreeSet<(Time, ActorKey, String)>,
    letters: BTreeMap<LetterId, Letter>,
    vault: Vault,
}

#[derive(Debug, Default)]
struct Vault {
    keys: BTreeMap<(ActorKey, String), Bytes>,
    notes: BTreeMap<String, Bytes>,
}

impl Tables {
    pub(super) fn records(&self) -> u64 {
        let rows = self.actors.len() + self.mailbox.len() + self.requests.len() + self.state.len();
        let more = self.outbox.len() + self.timers.len() + self.letters.len() + self.vault.keys.len();
        (rows + more + self.vault.notes.len()) as u64
    }
}

/// As many of `items` as the limits allow: at least one.
fn batch<T>(items: impl Iterator<Item = T>, limits: BatchLimits, bytes: impl Fn(&T) -> u64) -> Vec<T> {
    let mut batch = limits.start();
    items.take_while(|item| batch.takes(bytes(item))).collect()
}

/// As many timers as one read returns.
fn timers(timers: impl Iterator<Item = Timer>, items: usize) -> Vec<Timer> {
    batch(timers, BatchLimits { items, bytes: BATCH_BYTES_MAX }, |timer| timer.body.len() as u64)
}

impl Reads for Tables {
    fn counters(&self) -> Result<Counters> {
        Ok(self.counters)
    }

    fn actor(&self, actor: ActorKey) -> Result<Option<ActorInfo>> {
        Ok(self.actors.get(&actor).cloned())
    }

    fn actor_named(&self, identity: &Identity) -> Result<Option<ActorKey>> {
        Ok(self.names.get(identity).copied())
    }

    fn actors(&self, after: ActorKey, items: usize) -> Result<Vec<ActorInfo>> {
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        Ok(self.actors.range(behind).take(items).map(|(_, info)| info.clone()).collect())
    }

    fn queued(&self, actor: ActorKey, after: Position, limits: BatchLimits) -> Result<Vec<Queued>> {
        let last = Position { priority: after.priority, seq: u64::MAX };
        let range = (Bound::Excluded((actor, after)), Bound::Included((actor, last)));
        let rows = self.mailbox.range(range).map(|(_, queued)| queued.clone());
        Ok(batch(rows, limits, |queued| queued.message.bytes()))
    }

    fn queued_at(&self, actor: ActorKey, position: Position) -> Result<Option<Queued>> {
        Ok(self.mailbox.get(&(actor, position)).cloned())
    }

    fn queued_brief(&self, actor: ActorKey, position: Position) -> Result<Option<Brief>> {
        let queued = self.mailbox.get(&(actor, position));
        Ok(queued.map(|q| Brief { bytes: q.message.bytes(), request: q.message.request_key() }))
    }

    fn request(&self, actor: ActorKey, request: &RequestKey) -> Result<Option<Known>> {
        Ok(self.requests.get(&(actor, request.clone())).cloned())
    }

    fn request_brief(&self, actor: ActorKey, request: &RequestKey) -> Result<Option<KnownBrief>> {
        Ok(self.requests.get(&(actor, request.clone())).map(|known| match known {
            Known::Pending(_) => KnownBrief::Pending,
            Known::Answered { reply, .. } => KnownBrief::Answered { bytes: reply_bytes(request, reply.as_ref()) },
        }))
    }

    fn oldest_replies(&self, items: usize) -> Result<Vec<ReplyBrief>> {
        let brief = |(at, actor, request): &(Time, ActorKey, RequestKey)| {
            let reply = match self.requests.get(&(*actor, request.clone())) {
                Some(Known::Answered { reply, .. }) => reply.as_ref(),
                _ => None,
            };
            ReplyBrief { actor: *actor, request: request.clone(), at: *at, bytes: reply_bytes(request, reply) }
        };
        Ok(self.replies_by_age.iter().take(items).map(brief).collect())
    }

    fn state(&self, actor: ActorKey, key: &[u8]) -> Result<Option<Versioned>> {
        Ok(self.state.get(&(actor, Bytes::copy_from_slice(key))).cloned())
    }

    fn state_bytes(&self, actor: ActorKey, key: &[u8]) -> Result<Option<u64>> {
        Ok(self.state(actor, key)?.map(|found| found.value.len() as u64))
    }

    fn scan(&self, actor: ActorKey, range: &KeyRange, limits: BatchLimits) -> Result<Vec<(Bytes, Versioned)>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let from = match &range.from {
            Bound::Included(key) => Bound::Included((actor, key.clone())),
            Bound::Excluded(key) => Bound::Excluded((actor, key.clone())),
            Bound::Unbounded => Bound::Included((actor, Bytes::new())),
        };
        let rows = self.state.range((from, Bound::Unbounded));
        let rows = rows.take_while(|((of, key), _)| *of == actor && range.contains(key));
        let rows = rows.map(|((_, key), found)| (key.clone(), found.clone()));
        Ok(batch(rows, limits, |(key, found)| (key.len() + found.value.len()) as u64))
    }

    fn outbox(&self, after: OutId, limits: BatchLimits) -> Result<Vec<OutPosted>> {
        let rows = self.outbox.range((Bound::Excluded(after), Bound::Unbounded)).map(|(_, posted)| posted.clone());
        Ok(batch(rows, limits, |posted| posted.out.message.bytes()))
    }

    fn out(&self, id: OutId) -> Result<Option<OutPosted>> {
        Ok(self.outbox.get(&id).cloned())
    }

    fn out_actor(&self, id: OutId) -> Result<Option<ActorKey>> {
        Ok(self.outbox.get(&id).map(|posted| posted.actor))
    }

    fn timer(&self, actor: ActorKey, name: &str) -> Result<Option<Timer>> {
        Ok(self.timers.get(&(actor, name.to_owned())).cloned())
    }

    fn timers(&self, actor: ActorKey, after: &str, items: usize) -> Result<Vec<Timer>> {
        let rows = self.timers.range((Bound::Excluded((actor, after.to_owned())), Bound::Unbounded));
        let rows = rows.take_while(|((of, _), _)| *of == actor);
        Ok(timers(rows.map(|(_, timer)| timer.clone()), items))
    }

    fn timers_due(&self, now: Time, items: usize) -> Result<Vec<Timer>> {
        let due = self.timers_by_due.iter().take_while(|(due, ..)| *due <= now);
        Ok(timers(due.filter_map(|(_, actor, name)| self.timers.get(&(*actor, name.clone())).cloned()), items))
    }

    fn next_due(&self) -> Result<Option<Time>> {
        Ok(self.timers_by_due.first().map(|(due, ..)| *due))
    }

    fn letters(&self, after: LetterId, limits: BatchLimits) -> Result<Vec<Letter>> {
        let rows = self.letters.range((Bound::Excluded(after), Bound::Unbounded)).map(|(_, letter)| letter.clone());
        Ok(batch(rows, limits, |letter| letter.message.bytes()))
    }

    fn letter(&self, id: LetterId) -> Result<Option<Letter>> {
        Ok(self.letters.get(&id).cloned())
    }

    fn letter_bytes(&self, id: LetterId) -> Result<Option<u64>> {
        Ok(self.letters.get(&id).map(|letter| letter_bytes(&letter.cause, &letter.message)))
    }

    fn oldest_letter(&self, after: LetterId) -> Result<Option<(LetterId, u64)>> {
        let oldest = self.letters.range((Bound::Excluded(after), Bound::Unbounded)).next();
        Ok(oldest.map(|(id, letter)| (*id, letter_bytes(&letter.cause, &letter.message))))
    }

    fn sealed_key(&self, actor: ActorKey, name: &str) -> Result<Option<Bytes>> {
        Ok(self.vault.keys.get(&(actor, name.to_owned())).cloned())
    }

    fn sealed_keys(&self, after: &(ActorKey, String), limits: BatchLimits) -> Result<Vec<SealedKey>> {
        let rows = self.vault.keys.range((Bound::Excluded(after.clone()), Bound::Unbounded));
        let rows =
            rows.map(|((actor, name), blob)| SealedKey { actor: *actor, name: name.clone(), blob: blob.clone() });
        Ok(batch(rows, limits, |key| key.blob.len() as u64))
    }

    fn note(&self, name: &str) -> Result<Option<Bytes>> {
        Ok(self.vault.notes.get(name).cloned())
    }
}

impl Rows for Tables {
    fn writes(&self) -> u64 {
        0
    }

    fn put_counters(&mut self, counters: &Counters) -> Result<()> {
        self.counters = *counters;
        Ok(())
    }

    fn add_actor(&mut self, actor: &ActorInfo) -> Result<()> {
        self.names.insert(actor.identity.clone(), actor.lease.actor);
        self.put_actor(actor)
    }

    fn put_actor(&mut self, actor: &ActorInfo) -> Result<()> {
        self.actors.insert(actor.lease.actor, actor.clone());
        Ok(())
    }

    fn put_queued(&mut self, actor: ActorKey, queued: &Queued) -> Result<()> {
        self.mailbox.insert((actor, queued.position), queued.clone());
        Ok(())
    }

    fn delete_queued(&mut self, actor: ActorKey, first: Position, last: u64) -> Result<()> {
        let range = (actor, first)..=(actor, Position { seq: last, ..first });
        while let Some((&key, _)) = self.mailbox.range(range.clone()).next() {
            self.mailbox.remove(&key);
        }
        Ok(())
    }

    fn add_request(&mut self, actor: ActorKey, request: &RequestKey, waits: Position) -> Result<bool> {
        match self.requests.entry((actor, request.clone())) {
            Entry::Occupied(_) => Ok(false),
            Entry::Vacant(free) => {
                free.insert(Known::Pending(waits));
                Ok(true)
            }
        }
    }

    fn put_request(&mut self, actor: ActorKey, request: &RequestKey, known: &Known) -> Result<()> {
        self.delete_request(actor, request)?;
        if let Known::Answered { at, .. } = known {
            self.replies_by_age.insert((*at, actor, request.clone()));
        }
        self.requests.insert((actor, request.clone()), known.clone());
        Ok(())
    }

    fn delete_request(&mut self, actor: ActorKey, request: &RequestKey) -> Result<()> {
        if let Some(Known::Answered { at, .. }) = self.requests.remove(&(actor, request.clone())) {
            self.replies_by_age.remove(&(at, actor, request.clone()));
        }
        Ok(())
    }

    fn put_state(&mut self, actor: ActorKey, key: &Bytes, value: &Bytes, version: Revision) -> Result<()> {
        self.state.insert((actor, key.clone()), Versioned { value: value.clone(), version });
        Ok(())
    }

    fn delete_state(&mut self, actor: ActorKey, key: &[u8]) -> Result<()> {
        self.state.remove(&(actor, Bytes::copy_from_slice(key)));
        Ok(())
    }

    fn put_out(&mut self, out: &OutPosted) -> Result<()> {
        self.outbox.insert(out.id, out.clone());
        Ok(())
    }

    fn delete_out(&mut self, id: OutId) -> Result<()> {
        self.outbox.remove(&id);
        Ok(())
    }

    fn put_timer(&mut self, timer: &Timer) -> Result<()> {
        self.delete_timer(timer.actor, &timer.name)?;
        self.timers_by_due.insert((timer.due, timer.actor, timer.name.clone()));
        self.timers.insert((timer.actor, timer.name.clone()), timer.clone());
        Ok(())
    }

    fn delete_timer(&mut self, actor: ActorKey, name: &str) -> Result<()> {
        if let Some(timer) = self.timers.remove(&(actor, name.to_owned())) {
            self.timers_by_due.remove(&(timer.due, actor, timer.name));
        }
        Ok(())
    }

    fn put_letter(&mut self, letter: &Letter) -> Result<()> {
        self.letters.insert(letter.id, letter.clone());
        Ok(())
    }

    fn delete_letter(&mut self, id: LetterId) -> Result<()> {
        self.letters.remove(&id);
        Ok(())
    }

    fn put_sealed_key(&mut self, key: &SealedKey) -> Result<()> {
        self.vault.keys.insert((key.actor, key.name.clone()), key.blob.clone());
        Ok(())
    }

    fn delete_sealed_key(&mut self, actor: ActorKey, name: &str) -> Result<()> {
        self.vault.keys.remove(&(actor, name.to_owned()));
        Ok(())
    }

    fn put_note(&mut self, name: &str, value: &Bytes) -> Result<()> {
        self.vault.notes.insert(name.to_owned(), value.clone());
        Ok(())
    }

    fn delete_note(&mut self, name: &str) -> Result<()> {
        self.vault.notes.remove(name);
        Ok(())
    }
}
