use std::time::Duration;

use super::{brief, clock_time, parse_duration, parse_utc, utc};

#[test]
fn moments_are_written_and_read() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_767_225_600, "2026-01-01T00:00:00Z"),
        (1_795_355_423, "2026-11-22T13:50:23Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
    ] {
        assert_eq!(utc(seconds), text);
        assert_eq!(parse_utc(text).unwrap(), seconds);
    }
    assert_eq!(parse_utc("2026-01-01").unwrap(), 1_767_225_600);
    assert_eq!(clock_time(1_795_355_423_007), "13:50:23.007");
    for text in ["", "2026-1", "2026-02-29", "2026-13-01", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "1969-01-01"]
    {
        assert!(parse_utc(text).is_err(), "{text}");
    }
}

#[test]
fn lengths_of_time() {
    for (text, expected) in [("5", 5000), ("500ms", 500), ("2s", 2000), ("1m", 60_000), ("1h", 3_600_000)] {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(expected)), "{text}");
    }
    for text in ["", "s", "-1s", "1.5s", "1y", "99999999999999999999s", "9999999999999999999h"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
    assert_eq!([0.5, 12.34, 999.4, 1500.0, 2e6].map(brief), ["0.50 µs", "12.3 µs", "999 µs", "1.50 ms", "2.00 s"]);
}
