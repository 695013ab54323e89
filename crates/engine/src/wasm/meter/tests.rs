use std::time::Duration;

use super::Meter;
use crate::wasm::failure::LimitBroken;
use crate::wasm::ticker::TICK;

/// Ticks that pass until the budget is spent, with what happens between two of them.
fn ticks(budget: Duration, between: impl Fn(&Meter)) -> u32 {
    let meter = Meter::new(budget);
    meter.begin();
    meter.resume(false);
    for n in 0..10_000 {
        match meter.tick() {
            Ok(_) => between(&meter),
            Err(error) => {
                assert!(matches!(error, LimitBroken::Cpu { limit } if limit == budget));
                return n;
            }
        }
    }
    panic!("the budget is never spent")
}

/// The system takes a thread off its core between any two lines; a tick counts as two at most.
#[test]
fn a_thread_that_does_not_run_does_not_compute() {
    let stalled = |_: &Meter| std::thread::sleep(3 * TICK);
    assert_eq!(ticks(8 * TICK, stalled), 4);
}

/// Each poll begins with a tick, and nothing is known of the time before it.
#[test]
fn a_tick_without_a_clock_counts_as_one() {
    let paused = |meter: &Meter| {
        meter.pause();
        meter.resume(false);
    };
    let seen = ticks(8 * TICK, paused);
    assert!((7..=8).contains(&seen), "{seen}");
}

#[test]
fn a_new_event_has_the_whole_budget() {
    let meter = Meter::new(TICK / 2);
    meter.begin();
    meter.resume(false);
    assert!(meter.tick().is_err());
    meter.begin();
    assert_eq!(meter.used.load(std::sync::atomic::Ordering::Relaxed), 0);
}
