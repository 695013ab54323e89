use std::collections::BTreeMap;

use bytes::Bytes;

use crate::contract::KeyRange;
use crate::error::StoreError;
use crate::model::{ActorKey, Commit, Committed, KeyChange, Quota, Revision, Usage};

use super::{BYTES_UNDER_WAY_MAX, COMMITS_UNDER_WAY_MAX};

/// What the commits of one actor that are under way have written.
pub(super) struct Overlay {
    /// The revision of the next commit.
    next: Revision,
    /// How often a commit was refused. What began before it may have read what never came to be.
    generation: u64,
    /// Counts the commits, also those that were refused: revisions are used again after a refusal, tickets are not.
    ticket: u64,
    under_way: usize,
    bytes: u64,
    state: Writes<Bytes>,
    sealed: Writes<String>,
    /// What the actor kept after the last commit that ended.
    usage: Usage,
    /// Why the actor cannot go on.
    ended: Option<StoreError>,
}

/// What commits under way have written, the last one last. All of them, because the last may be refused while the others go on.
type Writes<K> = BTreeMap<K, Vec<Written>>;

struct Written {
    ticket: u64,
    revision: Revision,
    value: Option<Bytes>,
}

/// A commit under way, to find what it covers.
pub(super) struct UnderWay {
    ticket: u64,
    revision: Revision,
    generation: u64,
    bytes: u64,
    keys: Vec<Bytes>,
    sealed: Vec<String>,
}

/// What a key is by the commits under way: a value, or deleted.
pub(super) type Covered = (Revision, Option<Bytes>);

impl Overlay {
    pub(super) fn new(last: Revision, usage: Usage) -> Self {
        Self {
            next: last.next(),
            generation: 0,
            ticket: 0,
            under_way: 0,
            bytes: 0,
            state: BTreeMap::new(),
            sealed: BTreeMap::new(),
            usage,
            ended: None,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// Whether the next message may begin.
    pub(super) fn is_ready(&self, quota: &Quota) -> Result<bool, StoreError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        let room = self.under_way < COMMITS_UNDER_WAY_MAX && self.bytes < BYTES_UNDER_WAY_MAX;
        Ok(self.under_way == 0 || (room && !self.is_near(quota)))
    }

    /// Whether what is under way may use up the last eighth of a quota.
    fn is_near(&self, quota: &Quota) -> bool {
        let near = |used: u64, limit: u64| used > limit - limit / 8;
        let under_way = self.under_way as u64;
        near(self.usage.state_bytes + self.bytes, quota.state_bytes)
            || near(self.usage.state_keys + self.state.len() as u64, quota.state_keys)
            || near(self.usage.outbox + under_way, quota.outbox)
            || near(self.usage.timers + under_way, quota.timers)
            || near(self.usage.sealed_keys + self.sealed.len() as u64, quota.sealed_keys)
    }

    /// The revision for a commit of effects that began in that generation.
    pub(super) fn admit(&mut self, generation: u64, actor: ActorKey) -> Result<Revision, StoreError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        if generation != self.generation {
            let last = Revision::from_number(self.next.number().saturating_sub(1));
            return Err(StoreError::PredecessorFailed { actor, given: self.next, last });
        }
        let revision = self.next;
        self.next = revision.next();
        Ok(revision)
    }

    /// Lets everybody see what a commit writes.
    pub(super) fn cover(&mut self, commit: &Commit) -> UnderWay {
        self.ticket += 1;
        let (ticket, revision) = (self.ticket, commit.revision);
        let mut bytes = 0;
        for change in &commit.state {
            bytes += (change.key.len() + change.value.as_ref().map_or(0, Bytes::len)) as u64;
            let written = Written { ticket, revision, value: change.value.clone() };
            self.state.entry(change.key.clone()).or_default().push(written);
        }
        for change in &commit.keys {
            let value = match change {
                KeyChange::Create { blob, .. } | KeyChange::Replace { blob, .. } => Some(blob.clone()),
                KeyChange::Delete { .. } => None,
            };
            self.sealed.entry(change.name().to_owned()).or_default().push(Written { ticket, revision, value });
        }
        self.under_way += 1;
        self.bytes += bytes;
        let keys = commit.state.iter().map(|change| change.key.clone()).collect();
        let sealed = commit.keys.iter().map(|change| change.name().to_owned()).collect();
        UnderWay { ticket, revision, generation: self.generation, bytes, keys, sealed }
    }

    /// A commit has ended. If it went through, the store shows what it wrote; if not, nobody does.
    pub(super) fn end(&mut self, commit: UnderWay, result: &Result<Committed, StoreError>) {
        self.under_way -= 1;
        self.bytes -= commit.bytes;
        match result {
            Ok(committed) => self.usage = committed.usage,
            Err(error) => self.failed(&commit, error),
        }
        commit.keys.iter().for_each(|key| uncover(&mut self.state, key, commit.ticket));
        commit.sealed.iter().for_each(|name| uncover(&mut self.sealed, name, commit.ticket));
    }

    fn failed(&mut self, commit: &UnderWay, error: &StoreError) {
        let over = matches!(error, StoreError::StaleEpoch { .. } | StoreError::Failed { .. } | StoreError::Closed);
        if over && self.ended.is_none() {
            self.ended = Some(error.clone());
        }
        // Commits of a former generation were under way when theirs failed; the first one has said all.
        if commit.generation == self.generation {
            self.generation += 1;
            self.next = commit.revision;
            uncover_from(&mut self.state, commit.revision);
            uncover_from(&mut self.sealed, commit.revision);
        }
    }

    pub(super) fn state(&self, key: &[u8]) -> Option<Covered> {
        self.state.get(key).and_then(|written| covered(written))
    }

    pub(super) fn sealed(&self, name: &str) -> Option<Covered> {
        self.sealed.get(name).and_then(|written| covered(written))
    }

    pub(super) fn range(&self, range: &KeyRange) -> BTreeMap<Bytes, Covered> {
        let inside = self.state.iter().filter(|(key, _)| range.contains(key));
        inside.filter_map(|(key, written)| Some((key.clone(), covered(written)?))).collect()
    }
}

fn covered(written: &[Written]) -> Option<Covered> {
    written.last().map(|last| (last.revision, last.value.clone()))
}

/// Takes out what one commit has written.
fn uncover<K: Ord>(writes: &mut Writes<K>, key: &K, ticket: u64) {
    let Some(written) = writes.get_mut(key) else { return };
    written.retain(|written| written.ticket != ticket);
    if written.is_empty() {
        writes.remove(key);
    }
}

/// Takes out what a commit and those behind it have written.
fn uncover_from<K: Ord>(writes: &mut Writes<K>, revision: Revision) {
    writes.retain(|_, written| {
        written.retain(|written| written.revision < revision);
        !written.is_empty()
    });
}
