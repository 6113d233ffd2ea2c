//! Days, in UTC, as numbers: since 1970-01-01, a Thursday.

use std::fmt;

/// A day; one that is not known comes before all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i32);

impl Day {
    pub const UNKNOWN: Self = Self(i32::MIN);

    /// Reads `2026-11-26`.
    pub fn parse(text: &str) -> Option<Self> {
        let has_shape = text.bytes().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
        if text.len() != 10 || !has_shape {
            return None;
        }
        let (year, month, date) = (text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?);
        let day = Self(days(year, month, date));
        // What no calendar has is another day when it is written again.
        (day.to_string() == text).then_some(day)
    }

    /// Reads a day that a person wrote.
    pub fn from_word(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| "no day such as 2026-11-26".into())
    }

    /// Returns the day of a time.
    pub fn of(time: Time) -> Self {
        if time == Time::UNKNOWN { Self::UNKNOWN } else { Self(i32::try_from(time.0.div_euclid(86_400)).unwrap_or(i32::MAX)) }
    }

    #[must_use]
    pub fn monday(self) -> Self {
        if self == Self::UNKNOWN { self } else { Self(self.0 - (self.0 + 3).rem_euclid(7)) }
    }

    /// Whether two days are of one month.
    pub fn is_in_month_of(self, other: Self) -> bool {
        let month = |day: Self| (civil(day.0).0, civil(day.0).1);
        self != Self::UNKNOWN && month(self) == month(other)
    }
}

/// A time in seconds since 1970; one that is not known comes before all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(i64);

impl Time {
    pub const UNKNOWN: Self = Self(i64::MIN);

    /// Reads `2026-11-26T21:20:57.835Z`; what is behind the seconds counts for nothing.
    pub fn parse(text: &str) -> Self {
        let number = |range: std::ops::Range<usize>, end: i64| text.get(range)?.parse().ok().filter(|number| (0..end).contains(number));
        let (Some(day), Some(hour), Some(minute), Some(second)) =
            (text.get(..10).and_then(Day::parse), number(11..13, 24), number(14..16, 60), number(17..19, 61))
        else {
            return Self::UNKNOWN;
        };
        Self(i64::from(day.0) * 86_400 + hour * 3600 + minute * 60 + second)
    }

    pub(super) fn of(seconds: i64) -> Self {
        Self(seconds)
    }

    pub(super) fn seconds(self) -> i64 {
        self.0
    }

    pub fn of_seconds(seconds: u64) -> Self {
        Self(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_day = self.0.rem_euclid(86_400);
        write!(f, "{}T{:02}:{:02}:{:02}Z", Day::of(*self), of_day / 3600, of_day / 60 % 60, of_day % 60)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNKNOWN {
            return f.write_str("unknown");
        }
        let (year, month, date) = civil(self.0);
        write!(f, "{year:04}-{month:02}-{date:02}")
    }
}

/// Howard Hinnant's `days_from_civil`.
fn days(year: i32, month: i32, date: i32) -> i32 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, month_from_march) = (shifted.div_euclid(400), (month + 9) % 12);
    let year_of_era = shifted - era * 400;
    let day_of_year = (153 * month_from_march + 2) / 5 + date - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Howard Hinnant's `civil_from_days`.
fn civil(days: i32) -> (i64, i64, i64) {
    let z = i64::from(days) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn a_week_begins_on_monday() {
        for (of, expected) in [
            ("2026-11-26", "2026-11-23"),
            ("2026-11-23", "2026-11-23"),
            ("2026-11-29", "2026-11-23"),
            ("2027-01-01", "2026-12-28"),
            ("2024-03-01", "2024-02-26"),
            ("2000-02-29", "2000-02-28"),
            ("1969-12-31", "1969-12-29"),
        ] {
            assert_eq!(day(of).monday().to_string(), expected);
        }
        assert_eq!(Day::UNKNOWN.monday().to_string(), "unknown");
    }

    #[test]
    fn what_no_calendar_has_is_no_day() {
        for text in ["2026-02-30", "2026-13-01", "2026-00-10", "2026-11-26T", "26-11-26", "no day at all", "", "2026-11-2é"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_it_was_read() {
        for time in ["2026-11-26T21:20:57Z", "1969-12-31T23:59:59Z", "2024-02-29T00:00:00Z"] {
            assert_eq!(Time::parse(time).to_string(), time);
        }
        assert_eq!(Time::parse("2026-11-26T21:20:57.835+00:00"), Time::of_seconds(1_795_728_057));
        assert_eq!(Day::of(Time::of_seconds(1_795_651_199)), day("2026-11-25"));
        for text in ["", "2026-11-26", "2026-11-26T25:00:00Z", "2026-11-26T2é:00:00Z", "2026-02-30T00:00:00Z"] {
            assert_eq!(Day::of(Time::parse(text)), Day::UNKNOWN, "{text}");
        }
    }

    #[test]
    fn the_last_of_a_month_is_not_the_first_of_the_next() {
        assert!(day("2026-11-30").is_in_month_of(day("2026-11-01")));
        assert!(!day("2026-11-30").is_in_month_of(day("2026-12-01")) && !Day::UNKNOWN.is_in_month_of(Day::UNKNOWN));
    }
}
