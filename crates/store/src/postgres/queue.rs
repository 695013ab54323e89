use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::error::StoreError;
use crate::receipt::Done;
use crate::waiting::{Waiting, When};

use super::write::Task;

/// Writes of one group: beyond, latency grows and throughput no longer does.
const GROUP_WRITES_MAX: usize = 512;

/// What waits to be written.
#[derive(Default)]
pub(super) struct Queue {
    desk: Mutex<Desk>,
    wake: Notify,
}

#[derive(Default)]
struct Desk {
    waiting: Waiting<Box<dyn Task>>,
    /// Who wants to hear that the last is written.
    closing: Vec<Done<()>>,
    /// The writer has gone.
    done: bool,
}

impl Queue {
    /// Adds a task, or answers it at once if there is no room.
    pub(super) fn push(&self, task: Box<dyn Task>) {
        let pushed = self.desk.lock().waiting.push(task, Instant::now);
        match pushed {
            Ok(()) => self.wake.notify_one(),
            Err((task, error)) => task.fail(error),
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
        desk.waiting.closed = true;
        if desk.done {
            drop(desk);
            return done.answer(Ok(()));
        }
        desk.closing.push(done);
        drop(desk);
        self.wake.notify_one();
    }

    /// The next group; `None` when the queue is closed and empty.
    pub(super) async fn next(&self) -> Option<Vec<Box<dyn Task>>> {
        loop {
            let when = {
                let mut desk = self.desk.lock();
                let when = desk.waiting.when(Instant::now);
                match when {
                    When::Now => return Some(desk.waiting.take_group(GROUP_WRITES_MAX)),
                    When::Later if desk.waiting.closed => return None,
                    When::At(_) | When::Later => when,
                }
            };
            match when {
                When::At(due) => drop(tokio::time::timeout_at(due.into(), self.wake.notified()).await),
                _ => self.wake.notified().await,
            }
        }
    }

    /// Says that nothing is written any more.
    pub(super) fn finish(&self) {
        let mut desk = self.desk.lock();
        desk.done = true;
        desk.waiting.closed = true;
        let (left, closing) = (desk.waiting.take_all(), std::mem::take(&mut desk.closing));
        drop(desk);
        left.into_iter().for_each(|task| task.fail(StoreError::Closed));
        closing.into_iter().for_each(|done| done.answer(Ok(())));
    }

    pub(super) fn len(&self) -> usize {
        self.desk.lock().waiting.len()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.desk.lock().waiting.closed
    }
}
