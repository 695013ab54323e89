use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{IDLE_TICKS, TICK, Ticker};

/// Waits until `what` holds; the ticker is a thread of its own, on a machine that may be busy.
fn eventually(what: impl Fn() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < Duration::from_secs(20), "it never happened");
        std::thread::yield_now();
    }
}

#[test]
fn sleeps_without_guests_and_wakes_for_one() {
    let ticker = Arc::new(Ticker::start().unwrap());
    let asleep = || ticker.shared.asleep.load(Ordering::SeqCst);
    for _ in 0..3 {
        eventually(asleep);
        let guest = ticker.guest();
        let other = ticker.guest();
        eventually(|| !asleep());
        drop(guest);
        assert_eq!(ticker.shared.running.load(Ordering::SeqCst), 1);
        drop(other);
    }
}

#[test]
fn ends_with_its_owner() {
    let ticker = Arc::new(Ticker::start().unwrap());
    let shared = Arc::downgrade(&ticker.shared);
    drop(ticker.guest());
    drop(ticker);
    assert!(shared.upgrade().is_none(), "the thread still holds its part");
}

#[test]
fn is_idle_for_a_while_before_it_sleeps() {
    assert!(TICK * IDLE_TICKS >= Duration::from_millis(50));
    assert!(TICK <= Duration::from_millis(5), "neighbours of a looping guest wait that long");
}
