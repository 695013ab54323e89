//! What waits for the one writer of a store: bounded, in order, and for how long. The same for every back end that has a writer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::core::Flow;
use crate::error::StoreError;

/// Writes that may wait: at ten thousand a second less than a second, at a hundred thousand some tens of milliseconds.
const WRITES_MAX: u64 = 8192;
/// Bytes of writes that may wait: as many as the largest commit twice.
const BYTES_MAX: u64 = 256 << 20;
/// What only brings in something new may take this share of both, in quarters. The rest is for finishing what is there: an actor whose
/// commit is refused has worked for nothing.
const INWARD_QUARTERS: u64 = 3;
/// Bytes of one group, but for a single larger write.
const GROUP_BYTES_MAX: u64 = 8 << 20;
/// How long a write waits for others that nobody waits for. Under load a group comes by within a wait for the disk or two, which is
/// less; and no more than this is done again after a kill.
const UNHURRIED_FOR: Duration = Duration::from_millis(25);
/// Unhurried writes that wait for a group: half of what one actor may have under way, so that it goes on while the others are written.
const UNHURRIED_MAX: usize = crate::actor::COMMITS_UNDER_WAY_MAX / 2;

/// A write that waits.
pub(crate) trait Waits {
    fn flow(&self) -> Flow;
    fn bytes(&self) -> u64;
    /// Whether nobody waits for it.
    fn is_unhurried(&self) -> bool;
}

impl<T: Waits + ?Sized> Waits for Box<T> {
    fn flow(&self) -> Flow {
        (**self).flow()
    }

    fn bytes(&self) -> u64 {
        (**self).bytes()
    }

    fn is_unhurried(&self) -> bool {
        (**self).is_unhurried()
    }
}

/// What waits. Writes leave in the order in which they came.
pub(crate) struct Waiting<T> {
    tasks: VecDeque<T>,
    bytes: u64,
    /// How many of them somebody waits for.
    hurried: usize,
    /// Until when they wait if they are all unhurried; none if no longer.
    due: Option<Instant>,
    pub(crate) closed: bool,
}

/// When the writer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Now,
    /// Unless something hurried comes before.
    At(Instant),
    /// When something comes.
    Later,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { tasks: VecDeque::new(), bytes: 0, hurried: 0, due: None, closed: false }
    }
}

impl<T: Waits> Waiting<T> {
    /// Adds a task; gives it back if there is no room. `now` is asked for only if it counts.
    pub(crate) fn push(&mut self, task: T, now: impl FnOnce() -> Instant) -> Result<(), (T, StoreError)> {
        if let Err(error) = self.check_room(task.flow(), task.bytes()) {
            return Err((task, error));
        }
        self.bytes += task.bytes();
        if !task.is_unhurried() {
            self.hurried += 1;
        } else if self.tasks.is_empty() {
            self.due = Some(now() + UNHURRIED_FOR);
        }
        self.tasks.push_back(task);
        Ok(())
    }

    /// When to write what waits.
    pub(crate) fn when(&self, now: impl FnOnce() -> Instant) -> When {
        if self.tasks.is_empty() {
            return When::Later;
        }
        if self.hurried > 0 || self.closed || self.tasks.len() >= UNHURRIED_MAX {
            return When::Now;
        }
        match self.due {
            Some(due) if due > now() => When::At(due),
            _ => When::Now,
        }
    }

    /// Has what waits written at once.
    pub(crate) fn hasten(&mut self) {
        self.due = None;
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// How many of them somebody waits for.
    pub(crate) fn hurried(&self) -> usize {
        self.hurried
    }

    /// Takes the first, up to so many; what is left behind of the unhurried ones is due.
    pub(crate) fn take_group(&mut self, writes_max: usize) -> Vec<T> {
        let mut bytes = 0;
        let mut count = 0;
        for task in self.tasks.iter().take(writes_max) {
            bytes += task.bytes();
            if count > 0 && bytes > GROUP_BYTES_MAX {
                break;
            }
            count += 1;
        }
        let group: Vec<_> = self.tasks.drain(..count).collect();
        self.bytes -= group.iter().map(Waits::bytes).sum::<u64>();
        self.hurried -= group.iter().filter(|task| !task.is_unhurried()).count();
        self.due = None;
        group
    }

    /// Takes all, because nobody writes any more.
    pub(crate) fn take_all(&mut self) -> Vec<T> {
        (self.bytes, self.hurried, self.due) = (0, 0, None);
        self.tasks.drain(..).collect()
    }

    fn check_room(&self, flow: Flow, bytes: u64) -> Result<(), StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        let quarters = if flow == Flow::Inward { INWARD_QUARTERS } else { 4 };
        let (writes_max, bytes_max) = (WRITES_MAX * quarters / 4, BYTES_MAX * quarters / 4);
        if self.tasks.len() as u64 >= writes_max {
            return Err(StoreError::Busy { what: "writes", limit: writes_max });
        }
        if self.bytes + bytes > bytes_max && !self.tasks.is_empty() {
            return Err(StoreError::Busy { what: "bytes", limit: bytes_max });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
