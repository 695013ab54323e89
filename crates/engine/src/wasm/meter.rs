use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::failure::LimitBroken;
use super::ticker::{TICK, Ticker, Ticking};

/// How long a guest has been computing in the event at hand.
///
/// Time counts from where the event's future is polled to where it returns, so time that a guest waits for its host is
/// free. An event that ends in its first poll reads no clock; until the first tick inside a poll nothing is counted.
#[derive(Debug)]
pub(super) struct Meter {
    base: Instant,
    budget_ns: u64,
    /// Nanoseconds spent.
    used: AtomicU64,
    /// When the time that is not in `used` yet began, in nanoseconds after `base`; 0 if nobody has looked.
    since: AtomicU64,
}

impl Meter {
    pub(super) fn new(budget: Duration) -> Self {
        let budget_ns = u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX);
        Self { base: Instant::now(), budget_ns, used: AtomicU64::new(0), since: AtomicU64::new(0) }
    }

    /// The epoch went on while the guest computed: counts, and says for how long it computed since it was last asked.
    pub(super) fn tick(&self) -> Result<Duration, LimitBroken> {
        let now = self.now();
        let since = self.since.swap(now, Ordering::Relaxed);
        let tick = ns(TICK);
        // A guest sees every tick. If more than two went by, the system had taken its thread off the core.
        let ran = if since == 0 { tick } else { now.saturating_sub(since).min(2 * tick) };
        let used = self.used.load(Ordering::Relaxed).saturating_add(ran);
        self.used.store(used, Ordering::Relaxed);
        if used > self.budget_ns {
            return Err(LimitBroken::Cpu { limit: Duration::from_nanos(self.budget_ns) });
        }
        Ok(Duration::from_nanos(ran))
    }

    /// A new event begins: nothing is spent.
    pub(super) fn begin(&self) {
        self.used.store(0, Ordering::Relaxed);
    }

    pub(super) fn resume(&self, clock_needed: bool) {
        self.since.store(if clock_needed { self.now() } else { 0 }, Ordering::Relaxed);
    }

    pub(super) fn pause(&self) {
        let since = self.since.load(Ordering::Relaxed);
        if since != 0 {
            self.used.fetch_add(self.now().saturating_sub(since), Ordering::Relaxed);
        }
    }

    /// Never 0, which means "not known".
    fn now(&self) -> u64 {
        ns(self.base.elapsed()) | 1
    }
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A call into a guest whose computing time is counted, and which keeps the ticker running.
pub(super) struct Metered<'a, F> {
    future: F,
    meter: &'a Meter,
    polled: bool,
    _ticking: Ticking<'a>,
}

impl<'a, F: Future> Metered<'a, F> {
    /// Begins a new event.
    pub(super) fn new(meter: &'a Meter, ticker: &'a Ticker, future: F) -> Self {
        meter.begin();
        Self { future, meter, polled: false, _ticking: ticker.guest() }
    }
}

impl<F: Future + Unpin> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        this.meter.resume(this.polled);
        this.polled = true;
        let poll = Pin::new(&mut this.future).poll(cx);
        if poll.is_pending() {
            this.meter.pause();
        }
        poll
    }
}

#[cfg(test)]
mod tests;
