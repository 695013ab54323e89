use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::contract::Stats;
use crate::error::StoreError;
use crate::receipt::Done;
use crate::waiting::{Waiting, When};

use super::task::Task;

/// Writes of one group: beyond, latency grows and throughput no longer does.
const GROUP_WRITES_MAX: usize = 1024;

/// How long a writer that waits for others may sleep rather than yield: Linux wakes it up to 50 µs late.
const SLEEP_MIN: Duration = Duration::from_micros(200);
/// Groups that are written without waiting for all, after it was in vain again and again.
const UNGATHERED_MAX: u32 = 64;

/// What waits to be written.
#[derive(Default)]
pub(super) struct Queue {
    desk: Mutex<Desk>,
    wake: Condvar,
    stats: Mutex<Stats>,
}

#[derive(Default)]
struct Desk {
    waiting: Waiting<Box<dyn Task>>,
    /// Who waits for the end.
    closing: Vec<Done<()>>,
    /// How it ended.
    ended: Option<Result<(), StoreError>>,
    /// The writer sleeps until something comes; or for a while, because what is there can wait, or others are about to come.
    asleep: bool,
    /// How many that somebody waits for it sleeps for, if it knows.
    wanted: usize,
    /// How many there are if all who were answered last come back.
    expected: usize,
    /// How many those are.
    last: usize,
    patience: Patience,
}

/// Whether to wait for all others: not if those who were answered do not come back. Then it is tried again after one group, two, four, …, and
/// half of them are waited for, which busy processors need time for.
#[derive(Debug, Default)]
struct Patience {
    /// Groups until it is tried again.
    pause: u32,
    /// How many it was after the last time.
    last: u32,
}

impl Patience {
    fn is_there(&mut self) -> bool {
        let there = self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        there
    }

    fn learn(&mut self, came: bool) {
        self.last = if came { 0 } else { (self.last * 2).clamp(1, UNGATHERED_MAX) };
        self.pause = self.last;
    }
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
        let enough = desk.waiting.hurried() >= desk.wanted;
        let wake = desk.asleep && enough && (first || desk.waiting.when(Instant::now) == When::Now);
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

    /// A group is written, and those who waited for `group` writes of it are about to be answered: they may come back at once.
    pub(super) fn expect(&self, group: usize) {
        let mut desk = self.desk.lock();
        desk.expected = (desk.waiting.hurried() + group).min(GROUP_WRITES_MAX);
        desk.last = group;
    }

    /// Waits for something to do, and then up to `linger` for those that were just answered.
    pub(super) fn next(&self, linger: Duration) -> Next {
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
        let (all, before) = (std::mem::take(&mut desk.expected), desk.waiting.hurried());
        if (1..all).contains(&before) && !linger.is_zero() && !desk.waiting.closed {
            if desk.patience.is_there() {
                self.gather(&mut desk, all, linger);
                let came = desk.waiting.hurried() - before;
                desk.patience.learn(came >= (all - before).div_ceil(2));
            } else {
                let some = desk.last / 2;
                self.gather(&mut desk, some, linger);
            }
        }
        Next::Write(desk.waiting.take_group(GROUP_WRITES_MAX))
    }

    /// Lets others run until enough wait or the time is over.
    fn gather(&self, desk: &mut MutexGuard<'_, Desk>, expected: usize, linger: Duration) {
        let until = Instant::now() + linger;
        if desk.waiting.hurried() >= expected {
            return;
        }
        if linger >= SLEEP_MIN {
            desk.wanted = expected;
            desk.asleep = true;
            while desk.asleep && !self.wake.wait_until(desk, until).timed_out() {}
            (desk.wanted, desk.asleep) = (0, false);
            return;
        }
        while desk.waiting.hurried() < expected && !desk.waiting.closed && Instant::now() < until {
            MutexGuard::unlocked(desk, std::thread::yield_now);
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

#[cfg(test)]
mod tests;
