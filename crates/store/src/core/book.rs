use hashbrown::HashMap;

use crate::contract::{Retention, Stats};
use crate::error::StoreError;
use crate::model::{ActorInfo, ActorKey, Epoch, LetterId, Time};

use super::fresh::Fresh;
use super::rows::{Counters, Rows};

/// Actors whose rows are kept at hand between groups: some 20 MiB. Beyond, all are forgotten and read again.
const ACTORS_CACHED_MAX: usize = 1 << 16;

/// What a writer keeps at hand of the rows: the counters, and the rows of the actors that it met. Written back at
/// the end of each group; forgotten when a group fails.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) retention: Retention,
    pub(super) counters: Counters,
    actors: HashMap<ActorKey, Page>,
    /// Actors of this group whose rows changed.
    changed: Vec<ActorKey>,
    pub(super) fresh: Fresh,
    /// No reply is older than this, as far as is known.
    pub(super) oldest_reply: Option<Time>,
    /// The time that the last change brought.
    pub(super) now: Time,
    /// Replies are not forgotten before, because some are damaged.
    pub(super) forget_again: Option<Time>,
    /// Letters up to this one cannot be taken out, because they are damaged.
    pub(super) letters_stuck: LetterId,
    /// Whether a group failed because of something that none of its changes asked for, and that is left alone from now on.
    pub(super) stumbled: bool,
}

#[derive(Debug)]
struct Page {
    info: ActorInfo,
    changed: bool,
}

impl Book {
    pub(crate) fn new(counters: Counters, retention: Retention) -> Self {
        let now = Time::default();
        Self {
            retention,
            counters,
            actors: HashMap::new(),
            changed: Vec::new(),
            fresh: Fresh::new(counters.seq),
            oldest_reply: None,
            now,
            forget_again: None,
            letters_stuck: LetterId::default(),
            stumbled: false,
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether the group that failed last would go through now.
    pub(crate) fn has_stumbled(&mut self) -> bool {
        std::mem::take(&mut self.stumbled)
    }

    /// Fills in what the counters know.
    pub(crate) fn describe(&self, stats: &mut Stats) {
        stats.actors = self.counters.actor;
        stats.letters = self.counters.letters;
        stats.letters_bytes = self.counters.letters_bytes;
        stats.letters_dropped = self.counters.letters_dropped;
        stats.replies = self.counters.replies;
        stats.replies_bytes = self.counters.replies_bytes;
    }
}

/// A group of changes under way.
pub(crate) struct Ledger<'a> {
    pub(crate) rows: &'a mut dyn Rows,
    pub(crate) book: &'a mut Book,
}

impl Ledger<'_> {
    /// The row of an actor.
    pub(super) fn actor(&mut self, actor: ActorKey) -> Result<&ActorInfo, StoreError> {
        if !self.book.actors.contains_key(&actor) {
            let info = self.rows.actor(actor)?.ok_or(StoreError::UnknownActor { actor })?;
            self.book.actors.insert(actor, Page { info, changed: false });
        }
        match self.book.actors.get(&actor) {
            Some(page) => Ok(&page.info),
            None => Err(StoreError::UnknownActor { actor }),
        }
    }

    /// The row of an actor that runs in that epoch.
    pub(super) fn owned(&mut self, actor: ActorKey, epoch: Epoch) -> Result<&ActorInfo, StoreError> {
        let info = self.actor(actor)?;
        if info.lease.epoch == epoch {
            return Ok(info);
        }
        Err(StoreError::StaleEpoch { actor, given: epoch, current: info.lease.epoch })
    }

    /// Changes the row of an actor that was read in this change already.
    pub(super) fn change_actor(&mut self, actor: ActorKey, change: impl FnOnce(&mut ActorInfo)) {
        let Some(page) = self.book.actors.get_mut(&actor) else {
            debug_assert!(false, "actor {actor} is changed before it is read");
            return;
        };
        change(&mut page.info);
        if !page.changed {
            page.changed = true;
            self.book.changed.push(actor);
        }
    }

    /// Takes the time of a change.
    pub(crate) fn see(&mut self, now: Option<Time>) {
        if let Some(now) = now {
            self.book.now = now;
        }
    }

    /// Counts what the group has changed so far. A change that fails and has not added to it has changed nothing.
    pub(crate) fn writes(&self) -> u64 {
        self.rows.writes() + self.book.fresh.consumed()
    }

    /// Whether the group has changed nothing so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.writes() == 0 && self.book.changed.is_empty()
    }

    /// Writes back what is at hand: the end of a group.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        self.forget_old_replies(super::replies::EXPIRED_PER_GROUP_MAX)?;
        self.delete_consumed()?;
        while let Some(actor) = self.book.changed.pop() {
            if let Some(page) = self.book.actors.get_mut(&actor) {
                self.rows.put_actor(&page.info)?;
                page.changed = false;
            }
        }
        if self.book.actors.len() > ACTORS_CACHED_MAX {
            self.book.actors.clear();
        }
        self.book.counters.group += 1;
        self.rows.put_counters(&self.book.counters)
    }

    /// Forgets what is at hand, because the rows went back to what they were.
    pub(crate) fn roll_back(&mut self) -> Result<(), StoreError> {
        let Book { retention, now, forget_again, letters_stuck, stumbled, .. } = *self.book;
        let fresh = Book::new(self.rows.counters()?, retention);
        *self.book = Book { now, forget_again, letters_stuck, stumbled, ..fresh };
        Ok(())
    }
}
