//! What handing something to another thread and getting it back costs if nothing else is done: one cache line each way.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[repr(align(128))]
#[derive(Default)]
struct Line(AtomicU64);

const STOP: u64 = u64::MAX;

/// The median time of a hand-over there and back between two threads that do nothing but look.
pub fn hand_over(batches: u32) -> Duration {
    let lines = Arc::new((Line::default(), Line::default()));
    let theirs = Arc::clone(&lines);
    let other = std::thread::spawn(move || {
        let mut seen = 0;
        while seen != STOP {
            while theirs.0.0.load(Ordering::Acquire) == seen {
                spin_loop();
            }
            seen = theirs.0.0.load(Ordering::Acquire);
            theirs.1.0.store(seen, Ordering::Release);
        }
    });
    let go = |number| {
        lines.0.0.store(number, Ordering::Release);
        while lines.1.0.load(Ordering::Acquire) != number {
            spin_loop();
        }
    };
    let mut times = Vec::new();
    let mut number = 0;
    for batch in 0..batches + batches / 10 {
        let start = Instant::now();
        for _ in 0..100 {
            number += 1;
            go(number);
        }
        if batch >= batches / 10 {
            times.push(start.elapsed() / 100);
        }
    }
    go(STOP);
    other.join().expect("it ends");
    times.sort();
    times[times.len() / 2]
}
