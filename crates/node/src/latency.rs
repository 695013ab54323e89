//! How long handling takes, in little memory.

use std::time::Duration;

/// Buckets per doubling of the time: a reading is off by at most a fifth.
const STEPS: u32 = 4;
/// Doublings from 1 ns to over an hour.
const DOUBLINGS: u32 = 42;

/// A histogram of durations with logarithmic buckets, 672 bytes, made when the first reading comes.
#[derive(Default)]
pub(crate) struct Latency(Option<Box<[u32; (STEPS * DOUBLINGS) as usize]>>);

impl Latency {
    pub(crate) fn record(&mut self, time: Duration) {
        let counts = self.0.get_or_insert_with(|| Box::new([0; (STEPS * DOUBLINGS) as usize]));
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1);
        let doubling = nanos.ilog2();
        let within = ((u128::from(nanos) * u128::from(STEPS)) >> doubling) as u32 - STEPS;
        let index = (doubling * STEPS + within).min(STEPS * DOUBLINGS - 1) as usize;
        counts[index] = counts[index].saturating_add(1);
    }

    /// The time that half of the readings stay under; none without readings.
    pub(crate) fn median(&self) -> Option<Duration> {
        let counts = self.0.as_deref()?;
        let total: u64 = counts.iter().map(|n| u64::from(*n)).sum();
        let mut seen = 0;
        let index = counts.iter().position(|n| {
            seen += u64::from(*n);
            seen * 2 >= total
        })?;
        let (doubling, within) = (index as u32 / STEPS, index as u32 % STEPS);
        Some(Duration::from_nanos(((1u64 << doubling) * u64::from(STEPS + within)) / u64::from(STEPS)))
    }
}

#[cfg(test)]
mod tests {
    use super::Latency;
    use std::time::Duration;

    #[test]
    fn the_median_is_near() {
        let mut latency = Latency::default();
        assert_eq!(latency.median(), None);
        for micros in 1..=999 {
            latency.record(Duration::from_micros(micros));
        }
        let median = latency.median().unwrap().as_micros();
        assert!((400..=500).contains(&median), "{median}");
    }

    #[test]
    fn extremes_have_a_bucket() {
        let mut latency = Latency::default();
        latency.record(Duration::ZERO);
        assert_eq!(latency.median(), Some(Duration::from_nanos(1)));
        latency.record(Duration::MAX);
        latency.record(Duration::MAX);
        assert!(latency.median() > Some(Duration::from_secs(3600)));
    }
}
