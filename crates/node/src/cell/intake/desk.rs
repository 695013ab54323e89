use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};
use playhouse_store::{Accepted, Message, Position, Priority, Receipt};
use playhouse_types::ActorError;
use tokio::sync::oneshot;

/// What is known of an actor's messages in the store.
#[derive(Default)]
pub(in crate::cell) struct Intake {
    desk: Mutex<Desk>,
    /// Whether messages may be in the store that are not in the mailbox. Changed under the lock only, so that whoever has it can rely
    /// on it.
    behind: AtomicBool,
}

#[derive(Default)]
pub(super) struct Desk {
    /// What was submitted to the store, in that order.
    pub(super) arriving: VecDeque<Arrival>,
    /// Whether a task takes care of it.
    pub(super) attended: bool,
    /// Up to where the store was read, by priority.
    pub(super) read: [u64; 2],
    /// The messages that are in memory: queued, being handled, or waiting for their commit.
    pub(super) inside: HashSet<Position>,
    /// Why the next message in the store was not put in, if that may still be so.
    pub(super) obstacle: Option<Obstacle>,
    /// Whether what was read last is being put into the mailbox.
    reading: bool,
    /// Messages that were committed meanwhile, and may be among what was read.
    gone: Vec<Position>,
}

pub(super) struct Arrival {
    pub(super) receipt: Receipt<Accepted>,
    pub(super) message: Message,
    pub(super) told: oneshot::Sender<Result<(), ActorError>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// It has so many bytes, and there was no room for them.
    Bytes(playhouse_scheduler::Priority, usize),
    /// The store could not be read. Somebody will try again.
    Store,
}

impl Intake {
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock()
    }

    pub(in crate::cell) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Acquire)
    }

    pub(in crate::cell) fn fall_behind(&self) {
        self.set_behind(&self.desk.lock(), true);
    }

    /// Takes note whether messages may be in the store that are not in the mailbox.
    pub(super) fn set_behind(&self, _desk: &Desk, behind: bool) {
        self.behind.store(behind, Ordering::Release);
    }

    /// A message was handled, and the store has forgotten it.
    pub(in crate::cell) fn handled(&self, position: Position) {
        let mut desk = self.desk.lock();
        if desk.reading {
            desk.gone.push(position);
        } else {
            desk.inside.remove(&position);
        }
    }

    /// A message that was in memory is only in the store now.
    pub(in crate::cell) fn take_back(&self, position: Position) {
        let mut desk = self.desk.lock();
        desk.inside.remove(&position);
        let read = &mut desk.read[position.priority as usize];
        *read = (*read).min(position.seq.saturating_sub(1));
        self.set_behind(&desk, true);
    }

    /// Messages may have come to the store by another way.
    pub(in crate::cell) fn look_again(&self) {
        let mut desk = self.desk.lock();
        desk.read = [0, 0];
        self.set_behind(&desk, true);
    }
}

impl Desk {
    /// Where to read on.
    pub(super) fn begin_reading(&mut self, priority: Priority) -> Position {
        self.reading = true;
        self.obstacle = None;
        Position { priority, seq: self.read[priority as usize] }
    }

    pub(super) fn end_reading(&mut self) {
        self.reading = false;
        for position in self.gone.drain(..) {
            self.inside.remove(&position);
        }
    }
}
