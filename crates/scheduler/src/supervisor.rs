use std::collections::VecDeque;
use std::time::{Duration, Instant};

use playhouse_types::ActorError;

/// When a crashed actor is started again, and when no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// The wait before the second restart of a window; the first is immediate. Each further one waits twice as long.
    pub backoff_first: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
    /// Restarts within `window`; one crash more and the actor is parked.
    pub restarts_max: u32,
    /// How long a restart counts.
    pub window: Duration,
    /// Crashes after which one message is taken for their cause and goes to the dead letters.
    pub poison_after: u32,
}

/// At once, then after 10 ms doubling up to 10 s, ten restarts in a minute, and three lives per message.
impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            backoff_first: Duration::from_millis(10),
            backoff_max: Duration::from_secs(10),
            restarts_max: 10,
            window: Duration::from_secs(60),
            poison_after: 3,
        }
    }
}

/// What becomes of a message that ran when its actor crashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sentence {
    /// It may run again.
    Retry,
    /// It goes to the dead letters.
    DeadLetter,
}

impl RestartPolicy {
    /// What becomes of a message that has run during `crashes` crashes, this one included.
    #[must_use]
    pub const fn judge(&self, crashes: u32) -> Sentence {
        if crashes < self.poison_after { Sentence::Retry } else { Sentence::DeadLetter }
    }
}

/// What to do about a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restart {
    /// Start the actor again at this time.
    At(Instant),
    /// Do not: it has crashed too often.
    Parked {
        /// The last crash.
        cause: ActorError,
        /// How often the actor was restarted within the window.
        restarts: u32,
    },
}

/// What an actor is doing, as its supervisor sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It runs.
    Running,
    /// It crashed and will be started at that time.
    Waiting(Instant),
    /// It was taken out of service.
    Parked,
}

/// Restarts one actor with exponential back-off, up to a limit; then parks it with the cause.
///
/// ```
/// use playhouse_scheduler::{Restart, RestartPolicy, Supervisor};
/// use playhouse_types::{ActorError, ErrorKind};
///
/// let mut supervisor = Supervisor::new(RestartPolicy { restarts_max: 1, ..RestartPolicy::default() });
/// let now = std::time::Instant::now();
/// let cause = || ActorError::new(ErrorKind::Internal, "trapped");
/// assert!(matches!(supervisor.crashed(now, cause(), 0), Restart::At(_)));
/// supervisor.started();
/// assert!(matches!(supervisor.crashed(now, cause(), 0), Restart::Parked { restarts: 1, .. }));
/// ```
#[derive(Debug)]
pub struct Supervisor {
    policy: RestartPolicy,
    phase: Phase,
    cause: Option<ActorError>,
    /// When the restarts of the window were decided. At most `restarts_max`.
    recent: VecDeque<Instant>,
    restarts: u64,
}

impl Supervisor {
    /// The supervisor of an actor that runs and has never crashed.
    #[must_use]
    pub fn new(policy: RestartPolicy) -> Self {
        Self { policy, phase: Phase::Running, cause: None, recent: VecDeque::new(), restarts: 0 }
    }

    /// The actor crashed, or could not be started. `jitter` is any random number: it lengthens the wait by up to a quarter,
    /// so that actors which crashed together do not start together.
    pub fn crashed(&mut self, now: Instant, cause: ActorError, jitter: u64) -> Restart {
        self.cause = Some(cause.clone());
        while self.recent.front().is_some_and(|at| now.saturating_duration_since(*at) > self.policy.window) {
            self.recent.pop_front();
        }
        let restarts = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
        if self.phase == Phase::Parked || restarts >= self.policy.restarts_max {
            self.phase = Phase::Parked;
            return Restart::Parked { cause, restarts };
        }
        let at = now + self.wait(restarts, jitter);
        self.recent.push_back(now);
        self.restarts += 1;
        self.phase = Phase::Waiting(at);
        Restart::At(at)
    }

    /// The actor runs again.
    pub fn started(&mut self) {
        self.phase = Phase::Running;
    }

    /// Takes a parked actor back into service, because an operator says so. Its crashes no longer count.
    pub fn pardon(&mut self) {
        self.recent.clear();
        self.phase = Phase::Running;
    }

    /// What the actor is doing.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The last crash, if there ever was one.
    #[must_use]
    pub fn cause(&self) -> Option<&ActorError> {
        self.cause.as_ref()
    }

    /// Restarts since the beginning.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// The limits.
    #[must_use]
    pub fn policy(&self) -> &RestartPolicy {
        &self.policy
    }

    fn wait(&self, restarts: u32, jitter: u64) -> Duration {
        let Some(doublings) = restarts.checked_sub(1) else { return Duration::ZERO };
        let doubled = self.policy.backoff_first.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX));
        /// Nobody waits longer, and no clock overflows.
        const WAIT_MAX: Duration = Duration::from_secs(30 * 86_400);
        let wait = doubled.min(self.policy.backoff_max).min(WAIT_MAX);
        let quarter_ns = u64::try_from((wait / 4).as_nanos()).unwrap_or(u64::MAX - 1);
        wait + Duration::from_nanos(jitter % (quarter_ns + 1))
    }
}

#[cfg(test)]
mod tests;
