use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::contract::Stats;
use crate::core::Flow;
use crate::error::StoreError;
use crate::receipt::Done;

use super::task::Task;

/// Writes that may wait: at a hundred thousand a second, a wait of some tens of milliseconds.
const WRITES_MAX: usize = 8192;
/// Bytes of writes that may wait: as many as the largest commit twice.
const BYTES_MAX: u64 = 256 << 20;
/// What only brings in something new may take this share of both, in quarters. The rest is for finishing what is there: an actor whose
/// commit is refused has worked for nothing.
const INWARD_QUARTERS: u64 = 3;
/// Writes of one group: beyond, latency grows and throughput no longer does.
const GROUP_WRITES_MAX: usize = 1024;
/// Bytes of one group, but for a single larger write.
const GROUP_BYTES_MAX: u64 = 8 << 20;

/// What waits to be written, bounded. Writes leave it in the order in which they came.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    /// How many waited when the last group was taken, for the writer to guess how many are about to come.
    stats: Mutex<Stats>,
    last_group: AtomicU32,
}

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Box<dyn Task>>,
    bytes: u64,
    closing: Option<Done<()>>,
    closed: bool,
    /// The writer sleeps until something comes.
    asleep: bool,
}

/// What the writer does next.
pub(super) enum Next {
    Write(Vec<Box<dyn Task>>),
    Close(Done<()>),
}

impl Queue {
    /// Adds a task, or answers it at once if there is no room.
    pub(super) fn push(&self, task: Box<dyn Task>) {
        let bytes = task.bytes();
        let mut waiting = self.waiting.lock();
        if let Err(error) = waiting.check_room(task.flow(), bytes) {
            drop(waiting);
            return task.fail(error);
        }
        waiting.bytes += bytes;
        waiting.tasks.push_back(task);
        let wake = waiting.asleep;
        waiting.asleep = false;
        drop(waiting);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Refuses what comes from now on; `done` hears when the rest is written.
    pub(super) fn close(&self, done: Done<()>) {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            drop(waiting);
            return done.answer(Ok(()));
        }
        waiting.closed = true;
        waiting.asleep = false;
        waiting.closing = Some(done);
        drop(waiting);
        self.wake.notify_one();
    }

    /// Refuses what waits and what comes: nobody writes any more.
    pub(super) fn abandon(&self) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        waiting.bytes = 0;
        let (tasks, closing) = (std::mem::take(&mut waiting.tasks), waiting.closing.take());
        drop(waiting);
        // Promises that are dropped answer that the store is closed.
        drop((tasks, closing));
    }

    /// Waits for something to do. If the last group was shared by several, others are about to come back: it waits up to `linger` for
    /// half as many.
    pub(super) fn next(&self, linger: Duration) -> Next {
        let expected = (self.last_group.load(Ordering::Relaxed) / 2) as usize;
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.tasks.is_empty() {
                if let Some(done) = waiting.closing.take() {
                    return Next::Close(done);
                }
                waiting.asleep = true;
                self.wake.wait(&mut waiting);
                continue;
            }
            if waiting.tasks.len() < expected && !waiting.closed && !linger.is_zero() {
                drop(waiting);
                self.linger(expected, linger);
                waiting = self.waiting.lock();
            }
            let group = waiting.take_group();
            self.last_group.store(u32::try_from(group.len()).unwrap_or(u32::MAX), Ordering::Relaxed);
            return Next::Write(group);
        }
    }

    /// Lets others run until enough wait or the time is over.
    fn linger(&self, expected: usize, linger: Duration) {
        let start = std::time::Instant::now();
        while start.elapsed() < linger {
            std::thread::yield_now();
            if self.waiting.lock().tasks.len() >= expected {
                return;
            }
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let waiting = self.waiting.lock().tasks.len() as u64;
        Stats { waiting, ..*self.stats.lock() }
    }

    /// Changes the figures.
    pub(super) fn note(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.stats.lock());
    }
}

impl Waiting {
    fn check_room(&self, flow: Flow, bytes: u64) -> Result<(), StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        let quarters = if flow == Flow::Inward { INWARD_QUARTERS } else { 4 };
        let (writes_max, bytes_max) = (WRITES_MAX as u64 * quarters / 4, BYTES_MAX * quarters / 4);
        if self.tasks.len() as u64 >= writes_max {
            return Err(StoreError::Busy { what: "writes", limit: writes_max });
        }
        if self.bytes + bytes > bytes_max && !self.tasks.is_empty() {
            return Err(StoreError::Busy { what: "bytes", limit: bytes_max });
        }
        Ok(())
    }

    fn take_group(&mut self) -> Vec<Box<dyn Task>> {
        let mut bytes = 0;
        let mut count = 0;
        for task in self.tasks.iter().take(GROUP_WRITES_MAX) {
            bytes += task.bytes();
            if count > 0 && bytes > GROUP_BYTES_MAX {
                break;
            }
            count += 1;
        }
        let group: Vec<_> = self.tasks.drain(..count).collect();
        self.bytes -= group.iter().map(|task| task.bytes()).sum::<u64>();
        group
    }
}
