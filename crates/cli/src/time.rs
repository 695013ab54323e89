use std::time::{Duration, SystemTime, UNIX_EPOCH};

use playhouse_types::{Code, ErrorKind};

use crate::error::{CliError, Result};

const DAY: u64 = 86_400;

/// Seconds since the Unix epoch, by this machine's clock.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A moment as RFC 3339 in UTC, such as `2026-01-01T00:00:00Z`.
pub(crate) fn utc(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The time of day with milliseconds, for log lines.
pub(crate) fn clock_time(millis: u64) -> String {
    let seconds = millis / 1000;
    format!("{:02}:{:02}:{:02}.{:03}", seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60, millis % 1000)
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    let mut rest = days;
    while rest >= year_length(year) {
        rest -= year_length(year);
        year += 1;
    }
    let mut month = 1;
    while rest >= month_length(year, month) {
        rest -= month_length(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn year_length(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn month_length(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Seconds since the Unix epoch of `2026-01-31` (its start) or of an RFC 3339 moment in UTC.
pub(crate) fn parse_utc(text: &str) -> Result<u64> {
    let moment = |text: &str| -> Option<u64> {
        let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
        let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
        let (year, month, day) = (date.next()??, date.next()??, date.next()??);
        let mut time = time.strip_suffix('Z')?.splitn(3, ':').map(|part| part.parse::<u64>().ok());
        let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
        let valid = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=month_length(year, month)).contains(&day)
            && (hour < 24 && minute < 60 && second < 60);
        let days = (1970..year).map(year_length).sum::<u64>() + (1..month).map(|m| month_length(year, m)).sum::<u64>();
        valid.then(|| (days + day - 1) * DAY + hour * 3600 + minute * 60 + second)
    };
    moment(text).ok_or_else(|| {
        CliError::new(Code::Usage, ErrorKind::InvalidArgument, format!("{text:?} is not a date in UTC"))
            .fix("Write it as 2027-01-31 or 2027-01-31T12:00:00Z.")
    })
}

/// A length of time such as `500ms`, `2s`, `1m`; a bare number counts seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 =
        number.parse().map_err(|_| format!("{text:?} is not a length of time such as 500ms, 2s or 1m"))?;
    let seconds = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "" | "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        "d" => number.checked_mul(DAY),
        _ => return Err(format!("{unit:?} is not one of the units ms, s, m, h, d")),
    };
    seconds.map(Duration::from_secs).ok_or_else(|| format!("{text:?} is too long"))
}

/// A length of time for people: three digits and a unit.
pub(crate) fn brief(micros: f64) -> String {
    match micros {
        m if m < 1000.0 => format!("{} µs", digits(m)),
        m if m < 1_000_000.0 => format!("{} ms", digits(m / 1000.0)),
        m => format!("{} s", digits(m / 1_000_000.0)),
    }
}

fn digits(value: f64) -> String {
    match value {
        v if v < 10.0 => format!("{v:.2}"),
        v if v < 100.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

#[cfg(test)]
mod tests;
