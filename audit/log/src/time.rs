//! Instants as the record writes them: RFC 3339, UTC, always nine digits of a second.

use std::fmt;

/// Nanoseconds since 1970-01-01T00:00:00Z. One instant has one text, 30 bytes long.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(i64);

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

impl Time {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// An instant between 1970 and 2262; nothing before the epoch.
    #[must_use]
    pub const fn from_unix_ns(ns: i64) -> Option<Self> {
        if ns < 0 { None } else { Some(Self(ns)) }
    }

    /// Nanoseconds since the epoch, never negative.
    #[must_use]
    pub const fn unix_ns(self) -> i64 {
        self.0
    }

    /// `now`, or one nanosecond after `last` when the clock has not moved past it: the log's time only increases.
    #[must_use]
    pub fn after(last: Option<Self>, now: Self) -> Self {
        match last {
            Some(last) if now <= last => Self(last.0.saturating_add(1)),
            _ => now,
        }
    }

    /// Reads exactly what `Display` writes, nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 30 || !text.is_ascii() {
            return None;
        }
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
        };
        let days = days_from_civil(number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let seconds = days * DAY + number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
        let ns = seconds.checked_mul(SECOND)?.checked_add(number(20, 29)?)?;
        // The separators, and dates such as 02-30, are checked by writing the instant again.
        Self::from_unix_ns(ns).filter(|time| time.to_string() == text)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / SECOND;
        let (year, month, day) = civil_from_days(seconds / DAY);
        let of_day = seconds % DAY;
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        let ns = self.0 % SECOND;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ns:09}Z")
    }
}

/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`, for years from 0 on.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse, `civil_from_days`, for days from the epoch on.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        for (ns, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
            (1_709_210_096_000_000_001, "2024-02-29T12:34:56.000000001Z"),
            (1_735_689_599_999_999_999, "2024-12-31T23:59:59.999999999Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        ] {
            assert_eq!(Time(ns).to_string(), text);
            assert_eq!(Time::parse(text), Some(Time(ns)));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "2024-02-29T12:34:56Z",
            "2024-02-29t12:34:56.000000001Z",
            "2024-02-29 12:34:56.000000001Z",
            "2024-02-30T12:34:56.000000001Z",
            "2024-02-29T24:34:56.000000001Z",
            "2024-02-29T12:34:60.000000001Z",
            "2024-02-29T12:34:56.00000000+Z",
            "1969-12-31T23:59:59.999999999Z",
            "2262-04-11T23:47:16.854775808Z",
            "9999-12-31T23:59:59.999999999Z",
            "2024-00-29T12:34:56.000000001Z",
            "",
        ] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }

    #[test]
    fn time_only_increases() {
        let (early, late) = (Time(5), Time(9));
        assert_eq!(Time::after(None, early), early);
        assert_eq!(Time::after(Some(early), late), late);
        assert_eq!(Time::after(Some(late), early), Time(10));
        assert_eq!(Time::after(Some(late), late), Time(10));
    }

    proptest::proptest! {
        #[test]
        fn text_and_back(ns in 0..i64::MAX) {
            let time = Time(ns);
            proptest::prop_assert_eq!(Time::parse(&time.to_string()), Some(time));
        }
    }
}
