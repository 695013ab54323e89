use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use playhouse_types::{ActorError, ErrorKind};

use super::{Phase, Restart, RestartPolicy, Sentence, Supervisor};

const POLICY: RestartPolicy = RestartPolicy {
    backoff_first: Duration::from_millis(100),
    backoff_max: Duration::from_millis(1000),
    restarts_max: 6,
    window: Duration::from_secs(60),
    poison_after: 3,
};

fn crash(supervisor: &mut Supervisor, now: Instant, jitter: u64) -> String {
    let cause = ActorError::new(ErrorKind::Internal, "trapped");
    match supervisor.crashed(now, cause, jitter) {
        Restart::At(at) => {
            assert_eq!(supervisor.phase(), Phase::Waiting(at));
            supervisor.started();
            format!("{} ms", (at - now).as_millis())
        }
        Restart::Parked { cause, restarts } => format!("parked after {restarts}: {cause}"),
    }
}

/// Crashes at each of these seconds.
fn check(seconds: &[u64], expected: &Expect) {
    let (mut supervisor, start) = (Supervisor::new(POLICY), Instant::now());
    let outcomes: Vec<_> = seconds.iter().map(|s| crash(&mut supervisor, start + Duration::from_secs(*s), 0)).collect();
    expected.assert_eq(&outcomes.join(", "));
}

#[test]
fn waits_double_up_to_the_cap_and_then_the_actor_is_parked() {
    check(
        &[0, 1, 2, 3, 4, 5, 6, 7],
        &expect![
            "0 ms, 100 ms, 200 ms, 400 ms, 800 ms, 1000 ms, parked after 6: internal error: trapped, parked after 6: internal error: trapped"
        ],
    );
}

#[test]
fn a_restart_counts_for_its_window_only() {
    check(&[0, 1, 2, 61, 62, 200], &expect!["0 ms, 100 ms, 200 ms, 200 ms, 200 ms, 0 ms"]);
}

#[test]
fn a_parked_actor_stays_parked_until_it_is_pardoned() {
    let (mut supervisor, now) = (Supervisor::new(RestartPolicy { restarts_max: 0, ..POLICY }), Instant::now());
    assert_eq!(crash(&mut supervisor, now, 0), "parked after 0: internal error: trapped");
    assert_eq!(supervisor.phase(), Phase::Parked);
    let later = now + Duration::from_secs(3600);
    assert_eq!(crash(&mut supervisor, later, 0), "parked after 0: internal error: trapped");
    supervisor.pardon();
    assert_eq!(supervisor.phase(), Phase::Running);
    assert_eq!(supervisor.cause().map(ActorError::message), Some("trapped"));
    assert_eq!(supervisor.restarts(), 0);
}

#[test]
fn jitter_adds_at_most_a_quarter() {
    for jitter in [0, 1, 24_999_999, 25_000_000, 25_000_001, u64::MAX] {
        let (mut supervisor, now) = (Supervisor::new(POLICY), Instant::now());
        let cause = ActorError::new(ErrorKind::Internal, "");
        let _ = supervisor.crashed(now, cause.clone(), jitter);
        let Restart::At(at) = supervisor.crashed(now, cause, jitter) else { panic!("parked") };
        assert!((at - now).as_millis() >= 100 && (at - now).as_millis() <= 125, "{jitter}: {:?}", at - now);
    }
}

#[test]
fn absurd_limits_do_not_overflow() {
    let policy = RestartPolicy { restarts_max: 200, backoff_first: Duration::from_secs(1), ..POLICY };
    let (mut supervisor, now) = (Supervisor::new(policy), Instant::now());
    for _ in 0..200 {
        crash(&mut supervisor, now, u64::MAX);
    }
    assert_eq!(supervisor.restarts(), 200);
    assert!(supervisor.recent.len() <= 200);
}

#[test]
fn a_message_that_keeps_killing_is_a_dead_letter() {
    let sentences: Vec<_> = (1..=4).map(|crashes| POLICY.judge(crashes)).collect();
    assert_eq!(sentences, [Sentence::Retry, Sentence::Retry, Sentence::DeadLetter, Sentence::DeadLetter]);
}
