//! How many threads guests have, and how many of them hang.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use super::error::LoadError;

/// Threads of guests in one process, hung ones included. Each native workload needs one; a thousand leave room for the
/// rest under the usual limit of a few thousand tasks per container.
pub(super) const THREADS_MAX: usize = 1024;

static ALIVE: AtomicUsize = AtomicUsize::new(0);
static HUNG: AtomicUsize = AtomicUsize::new(0);

/// The threads of native guests in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NativeThreads {
    /// Threads that have not ended. Each native actor has one.
    pub alive: usize,
    /// Those of them whose guests did not return in time. They cannot be stopped, and end when their guests return.
    pub hung: usize,
}

impl NativeThreads {
    pub(super) fn now() -> Self {
        Self { alive: ALIVE.load(Ordering::Relaxed), hung: HUNG.load(Ordering::Relaxed) }
    }
}

const IN_USE: u8 = 0;
const GIVEN_UP: u8 = 1;
const ENDED: u8 = 2;

/// One of [`THREADS_MAX`], held by the thread.
pub(super) struct Slot(Arc<AtomicU8>);

/// The slot as the runs see it.
pub(super) struct Occupant(Arc<AtomicU8>);

impl Slot {
    pub(super) fn acquire() -> Result<Self, LoadError> {
        let more = |count| (count < THREADS_MAX).then_some(count + 1);
        match ALIVE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(Self(Arc::new(AtomicU8::new(IN_USE)))),
            Err(_) => Err(LoadError::Threads { limit: THREADS_MAX, hung: HUNG.load(Ordering::Relaxed) }),
        }
    }

    pub(super) fn occupant(&self) -> Occupant {
        Occupant(Arc::clone(&self.0))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.0.swap(ENDED, Ordering::Relaxed) == GIVEN_UP {
            HUNG.fetch_sub(1, Ordering::Relaxed);
        }
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Occupant {
    /// Takes note that nobody waits for the thread any more, though it has not ended.
    pub(super) fn give_up(&self) {
        // Counted first, so that the thread's end cannot take away what is not there yet.
        HUNG.fetch_add(1, Ordering::Relaxed);
        if self.0.compare_exchange(IN_USE, GIVEN_UP, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            HUNG.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
