//! Measuring, the same way for every candidate.

use std::future::Future;
use std::time::{Duration, Instant};

/// Calls that are timed together, so that reading the clock does not count.
const BATCH: u32 = 100;

/// The median time of one call, over batches, after a warm-up of a tenth.
pub async fn p50<F: Future>(batches: u32, mut call: impl FnMut() -> F) -> Duration {
    let mut times = Vec::with_capacity(batches as usize);
    for batch in 0..batches + batches / 10 {
        let start = Instant::now();
        for _ in 0..BATCH {
            call().await;
        }
        if batch >= batches / 10 {
            times.push(start.elapsed() / BATCH);
        }
    }
    times.sort();
    times[times.len() / 2]
}

/// Calls per second that so many tasks make together.
pub async fn rate<F, M>(callers: u32, calls_each: u32, make: M) -> f64
where
    F: Future<Output = ()> + Send + 'static,
    M: Fn(u32) -> F,
{
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers).map(|_| tokio::spawn(make(calls_each))).collect();
    for task in tasks {
        task.await.expect("a caller panicked");
    }
    f64::from(callers * calls_each) / start.elapsed().as_secs_f64()
}

/// A row of a table: name, median, rate.
pub fn row(name: &str, p50: Duration, rate: f64) {
    println!("{name:<34} {:>9.3} µs {:>12.0} calls/s", p50.as_nanos() as f64 / 1000.0, rate);
}
