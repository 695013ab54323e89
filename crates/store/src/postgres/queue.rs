use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::core::Flow;
use crate::error::StoreError;
use crate::receipt::Done;

use super::write::Task;

/// Writes that may wait: at ten thousand a second, less than a second.
const WRITES_MAX: u64 = 8192;
/// Bytes of writes that may wait: as many as the largest commit twice.
const BYTES_MAX: u64 = 256 << 20;
/// What only brings in something new may take this share of both, in quarters. The rest is for finishing what is there.
const INWARD_QUARTERS: u64 = 3;
/// Writes of one group: beyond, latency grows and throughput no longer does.
const GROUP_WRITES_MAX: usize = 512;
/// Bytes of one group, but for a single larger write.
const GROUP_BYTES_MAX: u64 = 8 << 20;

/// What waits to be written, bounded. Writes leave it in the order in which they came.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Box<dyn Task>>,
    bytes: u64,
    closed: bool,
    /// Who wants to hear that the last is written.
    closing: Vec<Done<()>>,
    /// The writer has gone.
    done: bool,
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
        drop(waiting);
        self.wake.notify_one();
    }

    /// Refuses what comes from now on; `done` hears when the rest is written.
    pub(super) fn close(&self, done: Done<()>) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        if waiting.done {
            drop(waiting);
            return done.answer(Ok(()));
        }
        waiting.closing.push(done);
        drop(waiting);
        self.wake.notify_one();
    }

    /// The next group; `None` when the queue is closed and empty.
    pub(super) async fn next(&self) -> Option<Vec<Box<dyn Task>>> {
        loop {
            {
                let mut waiting = self.waiting.lock();
                if !waiting.tasks.is_empty() {
                    return Some(waiting.take_group());
                }
                if waiting.closed {
                    return None;
                }
            }
            self.wake.notified().await;
        }
    }

    /// Says that nothing is written any more.
    pub(super) fn finish(&self) {
        let mut waiting = self.waiting.lock();
        waiting.done = true;
        waiting.closed = true;
        let left: Vec<_> = waiting.tasks.drain(..).collect();
        let closing: Vec<_> = waiting.closing.drain(..).collect();
        drop(waiting);
        left.into_iter().for_each(|task| task.fail(StoreError::Closed));
        closing.into_iter().for_each(|done| done.answer(Ok(())));
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.lock().tasks.len()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.waiting.lock().closed
    }
}

impl Waiting {
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
