//! Points in time that cannot overflow.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use playhouse_store::Time;
use playhouse_types::Timestamp;

/// The longest time that anything waits. Longer ones mean "for ever".
const FAR: Duration = Duration::from_secs(30 * 86_400);

/// The time so much later, a month at most.
pub(crate) fn after(wait: Duration) -> Instant {
    Instant::now() + wait.min(FAR)
}

/// The time of day, as the store counts it.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The time of day, as actors see it. A clock that is set before 1970 counts as 1970.
pub(crate) fn timestamp() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::clamped(now.as_secs(), now.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    #[test]
    fn no_wait_overflows() {
        assert!(super::after(Duration::MAX) > Instant::now() + Duration::from_secs(86_400));
        assert!(super::after(Duration::ZERO) <= Instant::now());
    }
}
