use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use playhouse_store::Time;
use playhouse_types::{RouteKey, Schedule, Timer, Timestamp};

use super::TimerRecord;

/// 2026-11-22 17:49:38 UTC, a Sunday.
const NOW: Time = Time::from_millis(1_795_369_778_500);

/// Seconds from now until the timer is due, and due again if it was handled at those seconds.
fn check(schedule: Schedule, handled_at: &[u64], expected: &Expect) {
    let route = RouteKey::from_static("a.B");
    let timer = Timer { name: "t".parse().unwrap(), schedule, route, payload: Bytes::from_static(b"p") };
    let shown = match TimerRecord::new(timer, NOW) {
        Err(error) => error.to_text(),
        Ok((record, due)) => {
            assert_eq!(TimerRecord::from_bytes(record.to_bytes()), Some(record.clone()));
            let since = |time: Time| (time.millis() as f64 - NOW.millis() as f64) / 1000.0;
            let again = handled_at.iter().map(|seconds| {
                let next = record.again(due, NOW.after(Duration::from_secs(*seconds)));
                next.map_or("never".to_owned(), |next| since(next).to_string())
            });
            format!("{}; again {}", since(due), again.collect::<Vec<_>>().join(", "))
        }
    };
    expected.assert_eq(&shown);
}

#[test]
fn once() {
    check(Schedule::After(Duration::from_secs(5)), &[6], &expect!["5; again never"]);
    check(Schedule::After(Duration::ZERO), &[0], &expect!["0; again never"]);
    check(Schedule::At(Timestamp::clamped(1_795_369_780, 1)), &[6], &expect!["1.501; again never"]);
    check(Schedule::At(Timestamp::clamped(0, 0)), &[6], &expect!["-1795369778.5; again never"]);
}

#[test]
fn again_and_again_with_missed_times_as_one() {
    check(Schedule::Every(Duration::from_secs(10)), &[10, 12, 19, 20, 100], &expect!["10; again 20, 20, 20, 30, 110"]);
    check(
        Schedule::Every(Duration::from_millis(99)),
        &[],
        &expect!["invalid argument: a period of 99ms is shorter than 100ms, the limit [malformed-operation]"],
    );
    check(Schedule::Every(Duration::MAX), &[1], &expect!["9223370241484998; again 9223370241484998"]);
}

#[test]
fn by_cron_in_utc() {
    let cron = |text: &str| Schedule::Cron(text.to_owned());
    check(cron("*/5 * * * *"), &[21, 22, 1000], &expect!["21.5; again 321.5, 321.5, 1221.5"]);
    check(cron("30 * * * * *"), &[52], &expect!["51.5; again 111.5"]);
    check(cron("0 0 29 2 *"), &[1], &expect!["40025421.5; again 166255821.5"]);
    check(cron("0 12 * * MON"), &[1], &expect!["65421.5; again 670221.5"]);
    check(
        cron("0 0 30 2 *"),
        &[],
        &expect!["invalid argument: the cron expression names no time to come [malformed-operation]"],
    );
    check(
        cron("a b"),
        &[],
        &expect![
            "invalid argument: the cron expression: Invalid pattern: Pattern must have between 5 and 7 fields. [malformed-operation]"
        ],
    );
    check(
        cron(&"1,".repeat(200)),
        &[],
        &expect!["invalid argument: a cron expression has 400 bytes, the limit is 256 [malformed-operation]"],
    );
}

#[test]
fn every_day_of_400_years_is_what_the_calendar_says() {
    use croner::CronDateTime;
    let mut expected = (1970, 1, 1);
    for day in 0..146_097_u64 {
        let utc = super::Utc::from_millis(day * 86_400_000 + 3_723_000).unwrap();
        let civil = utc.to_civil();
        let (date, time) = (civil.date(), civil.time());
        assert_eq!((date.year(), date.month(), date.day()), expected);
        assert_eq!((time.hour(), time.minute(), time.second()), (1, 2, 3));
        assert!(matches!(utc.resolve_civil(civil), Ok(croner::Resolution::Single(same)) if same == utc));
        let (year, month, today) = expected;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = [31, 28 + u32::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
        expected = match (today == length, month) {
            (false, _) => (year, month, today + 1),
            (true, 12) => (year + 1, 1, 1),
            (true, _) => (year, month + 1, 1),
        };
    }
}
