//! How long the two sides of a turnstile look for a message before they go to sleep.
//!
//! Going to sleep and being woken costs 5 to 50 µs, a handler of a small actor less than 1 µs: for a stream of calls it pays
//! to look a little longer. Both limits are far below what a person or a scheduler notices, and only as many guests
//! spin at a time as leave one core free.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a guest's thread looks for its next message. About one wake-up: waiting longer than what it saves is waste.
pub(super) const GUEST_SPIN: Duration = Duration::from_micros(30);
/// How long a task looks for the answer of a guest that was awake. Longer handlers are better waited for asleep, and
/// the worker's other tasks wait no longer than this.
pub(super) const TASK_SPIN: Duration = Duration::from_micros(5);

/// How long either looks without giving its core away. Both sides may share a core if the others are busy; then the
/// other side cannot go on before this one yields.
const SELFISH: Duration = Duration::from_micros(2);
/// Looks between two readings of the clock, which costs as much as several looks.
const LOOKS_PER_READING: u32 = 16;

static SPINNERS: AtomicUsize = AtomicUsize::new(0);

fn spinners_max() -> usize {
    static MAX: OnceLock<usize> = OnceLock::new();
    *MAX.get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get).saturating_sub(1))
}

/// A time of looking, from the first question on.
pub(super) struct Spin {
    limit: Duration,
    since: Option<Instant>,
    looks: u32,
}

impl Spin {
    pub(super) const fn new(limit: Duration) -> Self {
        Self { limit, since: None, looks: 0 }
    }

    /// Whether to look once more.
    pub(super) fn again(&mut self) -> bool {
        std::hint::spin_loop();
        self.looks += 1;
        if !self.looks.is_multiple_of(LOOKS_PER_READING) {
            return true;
        }
        let now = Instant::now();
        let spent = now.duration_since(*self.since.get_or_insert(now));
        if spent > SELFISH {
            std::thread::yield_now();
        }
        spent < self.limit
    }
}

/// Whether looking has been of use lately. After it was not, it is left out for a while, and longer each time: a side that
/// shares its core with the other, or has long pauses, soon sleeps at once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Patience {
    left_out: u8,
    leave_out: u8,
}

impl Patience {
    /// Times that looking is left out at most. One wasted look in so many costs a few per cent.
    const LEAVE_OUT_MAX: u8 = 32;

    pub(super) const fn new() -> Self {
        Self { left_out: 0, leave_out: 0 }
    }

    /// Whether to look this time.
    pub(super) fn allows(&mut self) -> bool {
        if self.left_out < self.leave_out {
            self.left_out += 1;
            return false;
        }
        true
    }

    /// What came of looking.
    pub(super) fn learn(&mut self, was_of_use: bool) {
        self.left_out = 0;
        self.leave_out = if was_of_use { 0 } else { (2 * self.leave_out).clamp(1, Self::LEAVE_OUT_MAX) };
    }
}

/// The right of one guest's thread to spin.
pub(super) struct SpinPermit(());

impl SpinPermit {
    /// A permit, if a core stays free.
    pub(super) fn acquire() -> Option<Self> {
        let more = |count| (count < spinners_max()).then_some(count + 1);
        SPINNERS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Self(()))
    }
}

impl Drop for SpinPermit {
    fn drop(&mut self) {
        SPINNERS.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
