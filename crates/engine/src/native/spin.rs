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
    selfish: Duration,
    since: Option<Instant>,
    looks: u32,
    yielded: bool,
}

impl Spin {
    /// A look for as long as `limit`, as `patience` has it.
    pub(super) fn new(limit: Duration, patience: Patience) -> Self {
        let selfish = if patience.shares > 0 { Duration::ZERO } else { SELFISH };
        Self { limit, selfish, since: None, looks: 0, yielded: false }
    }

    /// Whether to look once more.
    pub(super) fn again(&mut self) -> bool {
        std::hint::spin_loop();
        self.looks += 1;
        if !self.selfish.is_zero() && !self.looks.is_multiple_of(LOOKS_PER_READING) {
            return true;
        }
        let now = Instant::now();
        let spent = now.duration_since(*self.since.get_or_insert(now));
        if spent >= self.selfish {
            self.yielded = true;
            std::thread::yield_now();
        }
        spent < self.limit
    }
}

/// Whether looking has been of use lately. After it was not, it is left out for a while, and longer each time: a side that
/// has long pauses soon sleeps at once. After it was of use only because the core was given away, both sides share a core,
/// and the next looks give it away at once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Patience {
    left_out: u8,
    leave_out: u8,
    shares: u8,
}

impl Patience {
    /// Times that looking is left out at most. One wasted look in so many costs a few per cent.
    const LEAVE_OUT_MAX: u8 = 32;
    /// Looks that give the core away at once before it is tried again whether they need to: the scheduler moves threads apart
    /// within milliseconds if it can.
    const SHARES: u8 = 64;

    pub(super) const fn new() -> Self {
        Self { left_out: 0, leave_out: 0, shares: 0 }
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
    pub(super) fn learn(&mut self, spin: &Spin, was_of_use: bool) {
        self.left_out = 0;
        if was_of_use {
            self.leave_out = 0;
            self.shares = match (spin.yielded, self.shares) {
                (false, _) => 0,
                (true, 0) => Self::SHARES,
                (true, shares) => shares - 1,
            };
        } else {
            self.leave_out = (2 * self.leave_out).clamp(1, Self::LEAVE_OUT_MAX);
            self.shares = 0;
        }
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
