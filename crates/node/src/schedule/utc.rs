use std::cmp::Ordering;

use croner::errors::CronError;
use croner::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday};

const DAY: i64 = 86_400;
/// Seconds before the year 10000, behind which no cron expression is looked for.
const END: i64 = 253_402_300_800;
/// Days from the beginning of year 0, a leap year like every 400th, in March, to 1970: the count below begins there.
const EPOCH_DAYS: i64 = 719_468;
/// Days of 400 years.
const ERA: i64 = 146_097;

/// A moment in UTC, in whole seconds since the Unix epoch, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Utc(i64);

impl Utc {
    /// The second of that moment, up to the year 9999.
    pub(super) fn from_millis(millis: u64) -> Option<Self> {
        let seconds = i64::try_from(millis / 1000).ok()?;
        (seconds < END).then_some(Self(seconds))
    }

    pub(super) fn millis(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0) * 1000
    }

    /// Years are counted from March, so that the leap day is the last of its year: five months in a row have 153 days.
    fn date(self) -> CivilDate {
        let days = self.0.div_euclid(DAY) + EPOCH_DAYS;
        let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let part = |number: i64| u32::try_from(number).unwrap_or_default();
        CivilDate::from_ymd_opt(i32::try_from(year).unwrap_or(i32::MAX), part(month), part(day))
            .unwrap_or_else(first_day)
    }
}

/// Not reached: the parts above are those of a date.
fn first_day() -> CivilDate {
    CivilDate::from_ymd_opt(1970, 1, 1).unwrap_or_else(|| unreachable!("the epoch is a date"))
}

/// Days from the epoch to a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_DAYS
}

impl CronDateTime for Utc {
    fn to_civil(&self) -> CivilDateTime {
        let second = u32::try_from(self.0.rem_euclid(DAY)).unwrap_or_default();
        let time = CivilTime::from_hms_opt(second / 3600, second / 60 % 60, second % 60);
        CivilDateTime::new(self.date(), time.unwrap_or(CivilTime::MIDNIGHT))
    }

    fn civil_weekday(&self) -> Weekday {
        // The epoch was a Thursday.
        Weekday::Thursday.shift(i32::try_from(self.0.div_euclid(DAY).rem_euclid(7)).unwrap_or_default())
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let (date, time) = (civil.date(), civil.time());
        let days = days(i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
        let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
        Ok(Resolution::Single(Self(days * DAY + seconds)))
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(seconds).map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
