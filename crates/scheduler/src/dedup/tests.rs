use std::time::{Duration, Instant};

use playhouse_types::RequestId;
use proptest::prelude::*;

use super::{CallId, Dedup, DedupConfig, Verdict, WAITERS_MAX};

const LIMITS: DedupConfig = DedupConfig { entries_max: 3, bytes_max: 100, age_max: Duration::from_secs(10) };

fn call(number: u64) -> CallId {
    CallId { caller: None, client: 0, request: RequestId::from_number(number) }
}

/// Runs a request to its end at once.
fn run(dedup: &mut Dedup<u8, &'static str>, now: Instant, number: u64, bytes: usize) {
    assert_eq!(dedup.check(now, &call(number)), Verdict::New);
    assert!(dedup.complete(now, &call(number), "done", bytes).is_empty());
}

#[test]
fn a_duplicate_waits_for_the_first_or_gets_its_outcome() {
    let (mut dedup, now) = (Dedup::new(LIMITS), Instant::now());
    assert_eq!(dedup.check(now, &call(1)), Verdict::New);
    assert_eq!(dedup.check(now, &call(1)), Verdict::Running);
    assert_eq!(dedup.wait(&call(1), 7), Ok(()));
    assert_eq!(dedup.wait(&call(1), 8), Ok(()));
    assert_eq!(dedup.complete(now, &call(1), "pong", 4), vec![7, 8]);
    assert_eq!(dedup.check(now, &call(1)), Verdict::Done(&"pong"));
    assert_eq!(dedup.wait(&call(1), 9), Err(9), "it does not run any more");
    assert!(dedup.complete(now, &call(1), "again", 4).is_empty());
    assert_eq!(dedup.check(now, &call(1)), Verdict::Done(&"pong"), "the first outcome stays");
}

#[test]
fn two_callers_may_use_the_same_id() {
    let (mut dedup, now) = (Dedup::<u8, &str>::new(LIMITS), Instant::now());
    let other = CallId { caller: "1@7/acme:Echo:1.0.0".parse().ok(), client: 0, request: RequestId::from_number(1) };
    assert_eq!(dedup.check(now, &call(1)), Verdict::New);
    assert_eq!(dedup.check(now, &other), Verdict::New);
}

#[test]
fn an_abandoned_request_is_new_again() {
    let (mut dedup, now) = (Dedup::<u8, &str>::new(LIMITS), Instant::now());
    assert_eq!(dedup.check(now, &call(1)), Verdict::New);
    assert_eq!(dedup.wait(&call(1), 7), Ok(()));
    assert_eq!(dedup.abandon(&call(1)), vec![7]);
    assert!(dedup.is_empty());
    run(&mut dedup, now, 1, 4);
    assert!(dedup.abandon(&call(1)).is_empty(), "what has finished stays known");
    assert_eq!(dedup.len(), 1);
}

#[test]
fn the_oldest_finished_request_makes_room_but_a_running_one_never() {
    let (mut dedup, now) = (Dedup::new(LIMITS), Instant::now());
    assert_eq!(dedup.check(now, &call(1)), Verdict::New);
    run(&mut dedup, now, 2, 4);
    run(&mut dedup, now, 3, 4);
    assert_eq!(dedup.check(now, &call(4)), Verdict::New);
    assert_eq!(dedup.forgotten(), 1);
    assert_eq!(dedup.check(now, &call(1)), Verdict::Running);
    assert_eq!(dedup.check(now, &call(3)), Verdict::Done(&"done"));
    assert_eq!(dedup.check(now, &call(2)), Verdict::New, "2 was forgotten, and 3 makes room now");
    assert_eq!(dedup.check(now, &call(5)), Verdict::Full);
}

#[test]
fn bytes_are_bounded_and_an_outcome_that_is_too_large_is_spent() {
    let (mut dedup, now) = (Dedup::new(LIMITS), Instant::now());
    run(&mut dedup, now, 1, 60);
    run(&mut dedup, now, 2, 60);
    assert_eq!((dedup.len(), dedup.bytes()), (1, 60));
    run(&mut dedup, now, 3, 101);
    assert_eq!(dedup.check(now, &call(3)), Verdict::Spent);
    assert_eq!((dedup.len(), dedup.bytes()), (2, 60));
}

#[test]
fn finished_requests_expire() {
    let (mut dedup, start) = (Dedup::new(LIMITS), Instant::now());
    run(&mut dedup, start, 1, 4);
    run(&mut dedup, start + Duration::from_secs(5), 2, 4);
    assert_eq!(dedup.check(start + Duration::from_secs(10), &call(1)), Verdict::Done(&"done"));
    assert_eq!(dedup.check(start + Duration::from_secs(11), &call(1)), Verdict::New);
    assert_eq!(dedup.check(start + Duration::from_secs(11), &call(2)), Verdict::Done(&"done"));
    assert_eq!(dedup.check(start, &call(2)), Verdict::Done(&"done"), "a clock that goes back expires nothing");
}

#[test]
fn waiters_are_bounded() {
    let (mut dedup, now) = (Dedup::<usize, &str>::new(LIMITS), Instant::now());
    assert_eq!(dedup.check(now, &call(1)), Verdict::New);
    let taken = (0..1000).filter(|n| dedup.wait(&call(1), *n).is_ok()).count();
    assert_eq!(taken, WAITERS_MAX);
}

/// A table that is scanned, or that keeps the dead, shows up here as work that grows: each request may cause at most one
/// entry to be forgotten, and the memory stays what the limits say.
#[test]
fn the_work_per_request_does_not_grow_over_ten_million_operations() {
    let config = DedupConfig { entries_max: 1024, bytes_max: 1 << 20, age_max: Duration::from_secs(3600) };
    let (mut dedup, now) = (Dedup::<(), ()>::new(config), Instant::now());
    for number in 0..5_000_000 {
        let call = call(number);
        assert_eq!(dedup.check(now, &call), Verdict::New);
        let _ = dedup.complete(now, &call, (), 16);
        assert_eq!(dedup.forgotten(), (number + 1).saturating_sub(1024), "one out for one in");
    }
    assert_eq!(dedup.len(), 1024);
    assert!(dedup.entries.capacity() <= 4096 && dedup.finished.capacity() <= 4096);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever is asked, limits hold, and what was finished within them is answered and not run again.
    #[test]
    fn limits_hold(steps in prop::collection::vec((0_u64..6, 0_usize..150, 0_u64..4), 0..200)) {
        let mut dedup = Dedup::<u8, u64>::new(LIMITS);
        let mut now = Instant::now();
        for (number, bytes, seconds) in steps {
            now += Duration::from_secs(seconds);
            match dedup.check(now, &call(number)) {
                Verdict::New if bytes % 5 == 0 => {}
                Verdict::New => { let _ = dedup.complete(now, &call(number), number, bytes); }
                Verdict::Running => { let _ = dedup.abandon(&call(number)); }
                Verdict::Done(outcome) => prop_assert_eq!(*outcome, number),
                Verdict::Spent | Verdict::Full => {}
            }
            prop_assert!(dedup.len() <= LIMITS.entries_max && dedup.bytes() <= LIMITS.bytes_max);
        }
    }
}
