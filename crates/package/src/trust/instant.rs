use toml::value::{Date, Datetime, Offset, Time};

const SECONDS_PER_DAY: i64 = 86_400;

/// The second since 1970 that a date with time and offset stands for. Dates without a zone have none.
pub(super) fn unix_seconds(datetime: &Datetime) -> Option<u64> {
    let (date, time, offset) = (datetime.date?, datetime.time?, datetime.offset?);
    let minutes = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let days = days_from_civil(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let second = i64::from(time.second.unwrap_or(0));
    let seconds = i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + second - minutes * 60;
    u64::try_from(days * SECONDS_PER_DAY + seconds).ok()
}

/// The date in UTC of a second since 1970; none beyond the year 9999, which TOML cannot write.
pub(super) fn datetime(unix_seconds: u64) -> Option<Datetime> {
    let seconds = i64::try_from(unix_seconds).ok()?;
    let (days, rest) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
    let (year, month, day) = civil_from_days(days)?;
    let part = |n: i64| u8::try_from(n).ok();
    let time =
        Time { hour: part(rest / 3600)?, minute: part(rest / 60 % 60)?, second: part(rest % 60), nanosecond: None };
    Some(Datetime { date: Some(Date { year, month, day }), time: Some(time), offset: Some(Offset::Z) })
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, counted in eras of 400 years that begin in March.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> Option<(u16, u8, u8)> {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let year = u16::try_from(year).ok().filter(|year| *year <= 9999)?;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    Some((year, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}

#[cfg(test)]
mod tests;
