use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::contract::KeyRange;
use crate::core::sizes;
use crate::error::StoreError;
use crate::model::{
    BatchLimits, Commit, Consumed, Expect, KeyChange, OutMessage, RecordedReply, Revision, StateChange, Time,
    TimerChange, Versioned,
};

use super::overlay::Covered;
use super::{Shared, merge};

/// Bytes that one message may write, of all kinds together: half of what a commit may be, for the replies that come with it.
pub const EFFECTS_BYTES_MAX: u64 = crate::limits::COMMIT_BYTES_MAX / 2;
/// Changes that one message may make, of all kinds together: what a commit may have, but for what comes with the message itself — that it is
/// consumed, and that its timer is set again.
pub const EFFECTS_CHANGES_MAX: usize = crate::limits::COMMIT_CHANGES_MAX - 2;
/// Versions of values that the message at hand wrote lie above this: they are good for comparing within the message only.
const OWN: u64 = 1 << 62;

/// What handling one message does, before it is committed. The message sees its own writes, those of commits under way, and what
/// the store has, in this order. Dropping it undoes everything.
pub struct Effects {
    shared: Arc<Shared>,
    generation: u64,
    consumed: Vec<Consumed>,
    state: BTreeMap<Bytes, Change>,
    outbox: Vec<OutMessage>,
    timers: BTreeMap<String, TimerChange>,
    keys: BTreeMap<String, KeyChange>,
    reply: Option<RecordedReply>,
    bytes: u64,
    changes: u64,
}

struct Change {
    /// What the first comparison of this message found, to be checked again when it is committed.
    expect: Expect,
    value: Option<Bytes>,
    /// Counts the changes of this message, as versions.
    number: u64,
}

impl Effects {
    pub(super) fn new(shared: Arc<Shared>, generation: u64) -> Self {
        Self {
            shared,
            generation,
            consumed: Vec::new(),
            state: BTreeMap::new(),
            outbox: Vec::new(),
            timers: BTreeMap::new(),
            keys: BTreeMap::new(),
            reply: None,
            bytes: 0,
            changes: 0,
        }
    }

    /// The generation of the actor's store when the effects began.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether committing it would do nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let reads_only = self.state.is_empty() && self.timers.is_empty() && self.keys.is_empty();
        reads_only && self.consumed.is_empty() && self.outbox.is_empty() && self.reply.is_none()
    }

    /// Whether it only says that messages were handled, as [`Commit::is_forgettable`].
    #[must_use]
    pub fn is_forgettable(&self) -> bool {
        let rest = self.timers.is_empty() && self.keys.is_empty() && self.reply.is_none();
        rest && self.state.is_empty() && self.outbox.is_empty() && self.consumed.iter().all(Consumed::is_forgettable)
    }

    /// The value of a key, and its version.
    ///
    /// # Errors
    /// If the store cannot read it.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        if let Some(change) = self.state.get(key) {
            return Ok(change.versioned());
        }
        // The overlay first: what leaves it is in the store by then.
        let covered = self.shared.overlay().state(key);
        match covered {
            Some((version, value)) => Ok(value.map(|value| Versioned { value, version })),
            None => self.shared.store.state(self.shared.lease.actor, key).await,
        }
    }

    /// Sets a key.
    ///
    /// # Errors
    /// If the key, the value or the message's effects would be too large.
    pub fn set(&mut self, key: Bytes, value: Bytes) -> Result<(), StoreError> {
        self.change(key, Expect::Any, Some(value))
    }

    /// Deletes a key, which need not be there.
    ///
    /// # Errors
    /// If the message's effects would be too large.
    pub fn delete(&mut self, key: Bytes) -> Result<(), StoreError> {
        self.change(key, Expect::Any, None)
    }

    /// Sets a key, or deletes it, if it is at the version that a [`get`](Self::get) gave.
    ///
    /// # Errors
    /// [`StoreError::VersionMismatch`] if it is not; otherwise as [`set`](Self::set).
    pub async fn compare_and_set(
        &mut self,
        key: Bytes,
        expect: Expect,
        value: Option<Bytes>,
    ) -> Result<(), StoreError> {
        let found = self.get(&key).await?.map(|found| found.version);
        let expected = match expect {
            Expect::Any => found,
            Expect::Absent => None,
            Expect::Version(version) => Some(version),
        };
        if found != expected {
            return Err(StoreError::VersionMismatch { key: key.to_vec(), expected, found });
        }
        self.change(key, expect, value)
    }

    /// Keys and values in ascending order within the limits. To go on, ask from behind the last key; an empty answer is the end.
    ///
    /// # Errors
    /// If the store cannot read them.
    pub async fn scan(&self, range: KeyRange, limits: BatchLimits) -> Result<Vec<(Bytes, Versioned)>, StoreError> {
        let mut over = self.shared.overlay().range(&range);
        for (key, change) in self.state.iter().filter(|(key, _)| range.contains(key)) {
            over.insert(key.clone(), change.covered());
        }
        merge::scan(&*self.shared.store, self.shared.lease.actor, range, limits, over).await
    }

    fn change(&mut self, key: Bytes, expect: Expect, value: Option<Bytes>) -> Result<(), StoreError> {
        let bytes = (key.len() + value.as_ref().map_or(0, Bytes::len)) as u64;
        let mut change = StateChange { key, expect, value };
        sizes::check_state(&change)?;
        self.count(bytes)?;
        if let Some(before) = self.state.get(&change.key) {
            change.expect = before.expect;
        }
        let StateChange { key, expect, value } = change;
        self.state.insert(key, Change { expect, value, number: self.changes });
        Ok(())
    }

    /// Takes note of a change of so many bytes. Also one that replaces another counts, so that a message ends.
    fn count(&mut self, bytes: u64) -> Result<(), StoreError> {
        let refuse = |what, found, limit| Err(StoreError::TooLarge { what, found, limit });
        if self.changes >= EFFECTS_CHANGES_MAX as u64 {
            return refuse("changes of one message", self.changes + 1, EFFECTS_CHANGES_MAX as u64);
        }
        if self.bytes + bytes > EFFECTS_BYTES_MAX {
            return refuse("bytes that one message writes", self.bytes + bytes, EFFECTS_BYTES_MAX);
        }
        self.changes += 1;
        self.bytes += bytes;
        Ok(())
    }

    /// Sends a message once the effects are committed.
    ///
    /// # Errors
    /// If it is too large, alone or with what else the message does.
    pub fn send(&mut self, out: OutMessage) -> Result<(), StoreError> {
        sizes::check_out(&out)?;
        self.count(out.target.len() as u64 + out.message.bytes())?;
        self.outbox.push(out);
        Ok(())
    }

    /// Sets or cancels a timer.
    ///
    /// # Errors
    /// If its name or body is too large.
    pub fn change_timer(&mut self, change: TimerChange) -> Result<(), StoreError> {
        sizes::check_timer(&change)?;
        let (name, bytes) = match &change {
            TimerChange::Set { name, body, .. } => (name, name.len() + body.len()),
            TimerChange::Cancel { name } => (name, name.len()),
        };
        self.count(bytes as u64)?;
        self.timers.insert(name.clone(), change);
        Ok(())
    }

    /// Sets the timer that the message comes from again. There is room for it whatever the message has done, or it would be the end of the timer.
    ///
    /// # Errors
    /// If its name or body is too large.
    pub fn set_again(&mut self, name: String, due: Time, body: Bytes) -> Result<(), StoreError> {
        let change = TimerChange::Set { name: name.clone(), due, body };
        sizes::check_timer(&change)?;
        self.timers.insert(name, change);
        Ok(())
    }

    /// A sealed key.
    ///
    /// # Errors
    /// If the store cannot read it.
    pub async fn sealed_key(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        match self.keys.get(name) {
            Some(KeyChange::Create { blob, .. } | KeyChange::Replace { blob, .. }) => return Ok(Some(blob.clone())),
            Some(KeyChange::Delete { .. }) => return Ok(None),
            None => {}
        }
        let covered = self.shared.overlay().sealed(name);
        match covered {
            Some((_, blob)) => Ok(blob),
            None => self.shared.store.sealed_key(self.shared.lease.actor, name).await,
        }
    }

    /// Keeps, replaces or forgets a sealed key.
    ///
    /// # Errors
    /// If its name or blob is too large.
    pub fn change_key(&mut self, change: KeyChange) -> Result<(), StoreError> {
        sizes::check_key(&change)?;
        self.count(crate::limits::SEALED_KEY_BYTES_MAX as u64)?;
        let change = match (self.keys.get(change.name()), change) {
            // Made and changed by the same message: it is still made.
            (Some(KeyChange::Create { .. }), KeyChange::Replace { name, blob }) => KeyChange::Create { name, blob },
            (Some(KeyChange::Delete { .. }), KeyChange::Create { name, blob }) => KeyChange::Replace { name, blob },
            (_, change) => change,
        };
        self.keys.insert(change.name().to_owned(), change);
        Ok(())
    }

    /// Says what was handled: the message itself, or the timer that fired.
    pub fn consume(&mut self, consumed: Consumed) {
        self.consumed.push(consumed);
    }

    /// Records the reply to a request that was not queued.
    pub fn record_reply(&mut self, reply: RecordedReply) {
        self.reply = Some(reply);
    }

    /// Undoes everything but what was consumed and recorded: the message failed, and its caller hears why.
    pub fn undo(&mut self) {
        self.state.clear();
        self.outbox.clear();
        self.timers.clear();
        self.keys.clear();
        self.bytes = 0;
        self.changes = 0;
    }

    pub(super) fn fill(self, commit: &mut Commit) {
        commit.consumed = self.consumed;
        commit.state = self
            .state
            .into_iter()
            .map(|(key, change)| StateChange { key, expect: change.expect, value: change.value })
            .collect();
        commit.outbox = self.outbox;
        commit.timers = self.timers.into_values().collect();
        commit.keys = self.keys.into_values().collect();
        commit.reply = self.reply;
    }
}

impl Change {
    fn version(&self) -> Revision {
        Revision::from_number(OWN + self.number)
    }

    fn versioned(&self) -> Option<Versioned> {
        self.value.clone().map(|value| Versioned { value, version: self.version() })
    }

    fn covered(&self) -> Covered {
        (self.version(), self.value.clone())
    }
}

impl std::fmt::Debug for Effects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Effects({} changes, {} bytes)", self.changes, self.bytes)
    }
}
