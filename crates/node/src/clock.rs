//! Points in time that cannot overflow.

use std::time::{Duration, Instant};

/// The longest time that anything waits. Longer ones mean "for ever".
const FAR: Duration = Duration::from_secs(30 * 86_400);

/// The time so much later, a month at most.
pub(crate) fn after(wait: Duration) -> Instant {
    Instant::now() + wait.min(FAR)
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
