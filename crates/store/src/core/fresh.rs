use std::collections::{BTreeMap, BTreeSet};

use crate::error::StoreError;
use crate::model::{ActorKey, Position, Queued};

use super::book::Ledger;
use super::rows::Brief;

/// Messages that are kept at hand: what many senders have under way, and some 10 MiB at worst. Beyond, all are forgotten and looked up.
const WAITING_MAX: usize = 1 << 14;

/// What a writer knows of messages that came lately: most are handled soon, and then their rows need not be looked up, and those of one
/// actor go together.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// All messages with a greater number that are in a mailbox are in `waiting`.
    since: u64,
    waiting: BTreeMap<(ActorKey, Position), Brief>,
    /// Those that this group consumed. Their rows are still there.
    consumed: BTreeSet<(ActorKey, Position)>,
}

/// Rows of one mailbox that lie side by side.
struct Run {
    actor: ActorKey,
    first: Position,
    last: u64,
}

impl Fresh {
    /// `last` is the greatest number that was given out.
    pub(super) fn new(last: u64) -> Self {
        Self { since: last, ..Self::default() }
    }

    /// How many this group has consumed.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed.len() as u64
    }

    fn add(&mut self, actor: ActorKey, queued: &Queued) {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.clear();
            self.since = queued.position.seq;
            return;
        }
        let brief = Brief { bytes: queued.message.bytes(), request: queued.message.request_key() };
        self.waiting.insert((actor, queued.position), brief);
    }

    /// Whether the rows between two of one mailbox are none but those that were consumed.
    fn are_neighbours(&self, run: &Run, actor: ActorKey, position: Position) -> bool {
        let same = (run.actor, run.first.priority) == (actor, position.priority) && run.first.seq > self.since;
        let last = Position { seq: run.last, ..run.first };
        same && self.waiting.range((actor, last)..(actor, position)).next().is_none()
    }
}

impl Ledger<'_> {
    /// Takes note of a message that was put into a mailbox.
    pub(super) fn note_queued(&mut self, actor: ActorKey, queued: &Queued) {
        self.book.fresh.add(actor, queued);
    }

    /// What consuming a message needs to know of it, if it is in the mailbox.
    pub(super) fn brief(&self, actor: ActorKey, position: Position) -> Result<Option<Brief>, StoreError> {
        let fresh = &self.book.fresh;
        match fresh.waiting.get(&(actor, position)) {
            Some(brief) => Ok(Some(brief.clone())),
            None if fresh.consumed.contains(&(actor, position)) => Ok(None),
            None => self.rows.queued_brief(actor, position),
        }
    }

    /// Takes a message out of its mailbox. Its row goes at the end of the group.
    pub(super) fn consume(&mut self, actor: ActorKey, position: Position) {
        self.book.fresh.waiting.remove(&(actor, position));
        self.book.fresh.consumed.insert((actor, position));
    }

    /// Deletes the rows of what was consumed.
    pub(super) fn delete_consumed(&mut self) -> Result<(), StoreError> {
        let consumed = std::mem::take(&mut self.book.fresh.consumed);
        let mut run: Option<Run> = None;
        for (actor, position) in consumed {
            match &mut run {
                Some(run) if self.book.fresh.are_neighbours(run, actor, position) => run.last = position.seq,
                _ => {
                    let next = Run { actor, first: position, last: position.seq };
                    run.replace(next).map_or(Ok(()), |run| self.delete(&run))?;
                }
            }
        }
        run.map_or(Ok(()), |run| self.delete(&run))
    }

    fn delete(&mut self, run: &Run) -> Result<(), StoreError> {
        self.rows.delete_queued(run.actor, run.first, run.last)
    }
}

#[cfg(test)]
mod tests;
