use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::contract::Stats;
use crate::error::StoreError;
use crate::receipt::Done;
use crate::waiting::{Waiting, When};

use super::task::Task;

/// Writes of one group: beyond, latency grows and throughput no longer does.
const GROUP_WRITES_MAX: usize = 1024;

/// What waits to be written.
#[derive(Default)]
pub(super) struct Queue {
    desk: Mutex<Desk>,
    wake: Condvar,
    stats: Mutex<Stats>,
    /// How many of the last group somebody waited for, for the writer to guess how many are about to come.
    last_group: AtomicU32,
}

#[derive(Default)]
struct Desk {
    waiting: Waiting<Box<dyn Task>>,
    /// Who waits for the end.
    closing: Vec<Done<()>>,
    /// How it ended.
    ended: Option<Result<(), StoreError>>,
    /// The writer sleeps until something comes; or for a while, because what is there can wait.
    asleep: bool,
}

/// What the writer does next.
pub(super) enum Next {
    Write(Vec<Box<dyn Task>>),
    Close,
}

impl Queue {
    /// Adds a task, or answers it at once if there is no room.
    pub(super) fn push(&self, task: Box<dyn Task>) {
        let mut desk = self.desk.lock();
        // The first one wakes the writer in any case, to look at the time.
        let first = desk.waiting.len() == 0;
        if let Err((task, error)) = desk.waiting.push(task, Instant::now) {
            drop(desk);
            return task.fail(error);
        }
        let wake = desk.asleep && (first || desk.waiting.when(Instant::now) == When::Now);
        desk.asleep &= !wake;
        drop(desk);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Has what waits written at once.
    pub(super) fn hasten(&self) {
        self.desk.lock().waiting.hasten();
        self.wake.notify_one();
    }

    /// Refuses what comes from now on; `done` hears when the rest is written.
    pub(super) fn close(&self, done: Done<()>) {
        let mut desk = self.desk.lock();
        if let Some(ended) = desk.ended.clone() {
            drop(desk);
            return done.answer(ended);
        }
        desk.waiting.closed = true;
        desk.asleep = false;
        desk.closing.push(done);
        drop(desk);
        self.wake.notify_one();
    }

    /// Refuses what waits and what comes: nobody writes any more.
    pub(super) fn abandon(&self) {
        let mut desk = self.desk.lock();
        desk.waiting.closed = true;
        let (tasks, closing) = (desk.waiting.take_all(), std::mem::take(&mut desk.closing));
        desk.ended.get_or_insert(Ok(()));
        drop(desk);
        // Promises that are dropped answer that the store is closed.
        drop((tasks, closing));
    }

    /// Says to all who wait for it how the store ended, and to all who come.
    pub(super) fn end(&self, result: &Result<(), StoreError>) {
        let mut desk = self.desk.lock();
        desk.ended = Some(result.clone());
        let closing = std::mem::take(&mut desk.closing);
        drop(desk);
        closing.into_iter().for_each(|done| done.answer(result.clone()));
    }

    /// Waits for something to do. If the last group was shared by several, others are about to come back: it waits up to `linger` for
    /// half as many.
    pub(super) fn next(&self, linger: Duration) -> Next {
        let expected = (self.last_group.load(Ordering::Relaxed) / 2) as usize;
        let mut desk = self.desk.lock();
        loop {
            match desk.waiting.when(Instant::now) {
                When::Now => break,
                When::At(due) => {
                    desk.asleep = true;
                    let _ = self.wake.wait_until(&mut desk, due);
                }
                When::Later => {
                    if desk.waiting.closed {
                        return Next::Close;
                    }
                    desk.asleep = true;
                    self.wake.wait(&mut desk);
                }
            }
        }
        desk.asleep = false;
        let few = (1..expected).contains(&desk.waiting.hurried());
        if few && !desk.waiting.closed && !linger.is_zero() {
            drop(desk);
            self.linger(expected, linger);
            desk = self.desk.lock();
        }
        let hurried = desk.waiting.hurried();
        let group = desk.waiting.take_group(GROUP_WRITES_MAX);
        drop(desk);
        self.last_group.store(u32::try_from(hurried.min(group.len())).unwrap_or(u32::MAX), Ordering::Relaxed);
        Next::Write(group)
    }

    /// Lets others run until enough wait or the time is over.
    fn linger(&self, expected: usize, linger: Duration) {
        let start = Instant::now();
        while start.elapsed() < linger {
            std::thread::yield_now();
            if self.desk.lock().waiting.hurried() >= expected {
                return;
            }
        }
    }

    pub(super) fn stats(&self) -> Stats {
        let waiting = self.desk.lock().waiting.len() as u64;
        Stats { waiting, ..*self.stats.lock() }
    }

    /// Changes the figures.
    pub(super) fn note(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.stats.lock());
    }
}
