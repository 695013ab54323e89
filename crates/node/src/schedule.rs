//! When timers are due, and how the store keeps what comes with them.

mod utc;

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use croner::Cron;
use playhouse_store::Time;
use playhouse_types::{ActorError, Code, ErrorKind, RouteKey, Schedule, Timer};
use prost::Message;

use utc::Utc;

/// The shortest period. Each time costs a commit, which on a slow disk takes some tens of milliseconds.
pub(crate) const PERIOD_MIN: Duration = Duration::from_millis(100);
/// Bytes of a cron expression. People write them; the longest lists have some dozens.
const CRON_BYTES_MAX: usize = 256;

/// What the store keeps with a timer.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TimerRecord {
    #[prost(string, tag = "1")]
    route: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) payload: Bytes,
    /// The period in milliseconds, of one that comes again and again.
    #[prost(uint64, optional, tag = "3")]
    every: Option<u64>,
    #[prost(string, optional, tag = "4")]
    cron: Option<String>,
}

impl TimerRecord {
    /// What is kept of a timer that is set now, and when it is due first.
    pub(crate) fn new(timer: Timer, now: Time) -> Result<(Self, Time), ActorError> {
        let Timer { schedule, route, payload, .. } = timer;
        let mut record = Self { route: route.as_str().to_owned(), payload, every: None, cron: None };
        let due = match schedule {
            Schedule::After(delay) => now.after(delay),
            Schedule::At(time) => {
                Time::from_millis(time.seconds() * 1000 + u64::from(time.nanoseconds()).div_ceil(1_000_000))
            }
            Schedule::Every(period) if period < PERIOD_MIN => {
                return Err(refused(format!("a period of {period:?} is shorter than {PERIOD_MIN:?}, the limit")));
            }
            Schedule::Every(period) => {
                record.every = Some(u64::try_from(period.as_millis()).unwrap_or(u64::MAX));
                now.after(period)
            }
            Schedule::Cron(expression) => {
                let due = next_of(&expression, now)?;
                record.cron = Some(expression);
                due.ok_or_else(|| refused("the cron expression names no time to come".to_owned()))?
            }
        };
        Ok((record, due))
    }

    /// When it is due again after it was due at `due` and has been handled now. Times that were missed are one.
    pub(crate) fn again(&self, due: Time, now: Time) -> Option<Time> {
        if let Some(period) = self.every.filter(|period| *period > 0) {
            let missed = now.millis().saturating_sub(due.millis()) / period;
            return Some(Time::from_millis(due.millis().saturating_add(period.saturating_mul(missed + 1))));
        }
        next_of(self.cron.as_deref()?, now.max(due)).ok()?
    }

    pub(crate) fn route(&self) -> Option<RouteKey> {
        self.route.parse().ok()
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        self.encode_to_vec().into()
    }

    pub(crate) fn from_bytes(bytes: Bytes) -> Option<Self> {
        Self::decode(bytes).ok()
    }
}

/// The first time after `now` that a cron expression names.
fn next_of(expression: &str, now: Time) -> Result<Option<Time>, ActorError> {
    if expression.len() > CRON_BYTES_MAX {
        return Err(refused(format!(
            "a cron expression has {} bytes, the limit is {CRON_BYTES_MAX}",
            expression.len()
        )));
    }
    let cron = Cron::from_str(expression).map_err(|error| refused(format!("the cron expression: {error}")))?;
    let Some(now) = Utc::from_millis(now.millis()) else { return Ok(None) };
    Ok(cron.find_next_occurrence(&now, false).ok().map(|next| Time::from_millis(next.millis())))
}

fn refused(text: String) -> ActorError {
    ActorError::coded(ErrorKind::InvalidArgument, Code::MalformedOperation, text)
}

#[cfg(test)]
mod tests;
