use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use playhouse_types::{ActorId, RequestId};

/// Duplicates that may wait for one running request. A caller that asks more often than this while it waits is broken.
pub const WAITERS_MAX: usize = 16;

/// What tells one request from every other: ids are the caller's own, so two callers may use the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallId {
    /// Who asks. `None` for the application in whose process the node runs.
    pub caller: Option<ActorId>,
    /// Which client of the application, where it calls for several; 0 for itself.
    pub client: u64,
    /// The id that it gave.
    pub request: RequestId,
}

/// The limits of a [`Dedup`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DedupConfig {
    /// Requests remembered, running and finished.
    pub entries_max: usize,
    /// Bytes of outcomes remembered.
    pub bytes_max: usize,
    /// How long a finished request is remembered.
    pub age_max: Duration,
}

/// 16 Ki requests, 16 MiB of replies, five minutes: longer than any caller retries.
impl Default for DedupConfig {
    fn default() -> Self {
        Self { entries_max: 16 << 10, bytes_max: 16 << 20, age_max: Duration::from_secs(300) }
    }
}

/// What is known of a request.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict<'a, O> {
    /// It has not been seen. It counts as running from now on: end it with [`Dedup::complete`] or [`Dedup::abandon`].
    New,
    /// It runs. [`Dedup::wait`] for its outcome.
    Running,
    /// It has run, and this is how it ended.
    Done(&'a O),
    /// It has run, but its outcome was too large to be kept.
    Spent,
    /// As many requests run as may be remembered. It must not be started.
    Full,
}

/// Which requests have been seen, and how they ended: a bounded cache with one hash look-up per operation, which is
/// never scanned. A request that runs is never forgotten; the one that finished first is the first to be.
///
/// `W` is whatever gets the outcome of a duplicate; `O` is the outcome.
#[derive(Debug)]
pub struct Dedup<W, O> {
    entries: HashMap<CallId, State<W, O>>,
    /// Every finished request, the oldest first.
    finished: VecDeque<(Instant, CallId)>,
    bytes: usize,
    forgotten: u64,
    config: DedupConfig,
}

#[derive(Debug)]
enum State<W, O> {
    Running(Vec<W>),
    Done { outcome: O, bytes: usize },
    Spent,
}

impl<W, O> Dedup<W, O> {
    /// A cache that has seen nothing.
    #[must_use]
    pub fn new(config: DedupConfig) -> Self {
        Self { entries: HashMap::new(), finished: VecDeque::new(), bytes: 0, forgotten: 0, config }
    }

    /// Says what is known of `call`, and registers it as running if it is new.
    pub fn check(&mut self, now: Instant, call: &CallId) -> Verdict<'_, O> {
        self.forget_expired(now);
        if !self.entries.contains_key(call) {
            if self.entries.len() >= self.config.entries_max && !self.forget_oldest() {
                return Verdict::Full;
            }
            self.entries.insert(call.clone(), State::Running(Vec::new()));
            return Verdict::New;
        }
        match self.entries.get(call) {
            Some(State::Done { outcome, .. }) => Verdict::Done(outcome),
            Some(State::Spent) => Verdict::Spent,
            Some(State::Running(_)) | None => Verdict::Running,
        }
    }

    /// Lets `waiter` wait for the outcome of `call`.
    ///
    /// # Errors
    /// The waiter, if `call` does not run or [`WAITERS_MAX`] wait for it.
    pub fn wait(&mut self, call: &CallId, waiter: W) -> Result<(), W> {
        match self.entries.get_mut(call) {
            Some(State::Running(waiters)) if waiters.len() < WAITERS_MAX => {
                waiters.push(waiter);
                Ok(())
            }
            _ => Err(waiter),
        }
    }

    /// Remembers how `call` ended, `bytes` long. Returns who waits for it, in order.
    pub fn complete(&mut self, now: Instant, call: &CallId, outcome: O, bytes: usize) -> Vec<W> {
        let Some(State::Running(waiters)) = self.entries.get_mut(call) else { return Vec::new() };
        let waiters = std::mem::take(waiters);
        let state = if bytes > self.config.bytes_max {
            State::Spent
        } else {
            while self.bytes + bytes > self.config.bytes_max && self.forget_oldest() {}
            self.bytes += bytes;
            State::Done { outcome, bytes }
        };
        if let Some(running) = self.entries.get_mut(call) {
            *running = state;
        }
        self.finished.push_back((now, call.clone()));
        self.forget_expired(now);
        waiters
    }

    /// Forgets `call`, which was not started after all, so that another try is new. Returns who waits for it.
    pub fn abandon(&mut self, call: &CallId) -> Vec<W> {
        if !matches!(self.entries.get(call), Some(State::Running(_))) {
            return Vec::new();
        }
        match self.entries.remove(call) {
            Some(State::Running(waiters)) => waiters,
            _ => Vec::new(),
        }
    }

    /// Requests remembered, running and finished.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of the outcomes remembered.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Finished requests that were forgotten, for whichever limit, since the beginning.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn forget_expired(&mut self, now: Instant) {
        while let Some((since, _)) = self.finished.front()
            && now.saturating_duration_since(*since) > self.config.age_max
        {
            self.forget_oldest();
        }
    }

    /// Forgets the request that finished first. False if none has finished.
    fn forget_oldest(&mut self) -> bool {
        let Some((_, call)) = self.finished.pop_front() else { return false };
        if let Some(State::Done { bytes, .. }) = self.entries.remove(&call) {
            self.bytes -= bytes;
        }
        self.forgotten += 1;
        true
    }
}

#[cfg(test)]
mod tests;
