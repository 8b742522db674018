//! Ages and dates into days.

/// The oldest verified age is 122 years; what is above this is a mistake in the file.
pub(crate) const MAX_AGE_DAYS: f64 = 130.0 * YEAR;
/// Mean Gregorian year and month, in days.
const YEAR: f64 = 365.2425;
const MONTH: f64 = YEAR / 12.0;

/// Days in an ISO 8601 duration (`P49Y`, `P5Y8M`, `P2W`, `P1DT12H`), or what is wrong with it.
pub(crate) fn from_duration(text: &str) -> Result<u32, &'static str> {
    const MALFORMED: &str = "not an ISO 8601 duration such as P5Y8M";
    if text.contains('-') {
        return Err("a negative age");
    }
    let rest = text.strip_prefix('P').ok_or(MALFORMED)?;
    let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
    if (date.is_empty() && time.is_none()) || time == Some("") {
        return Err(MALFORMED);
    }
    let days = sum(date, &[('Y', YEAR), ('M', MONTH), ('W', 7.0), ('D', 1.0)]).ok_or(MALFORMED)?;
    let hours = sum(time.unwrap_or_default(), &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)]).ok_or(MALFORMED)?;
    to_days(days + hours / 86_400.0)
}

/// `number unit` pairs, each unit at most once and in this order.
fn sum(mut text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut total = 0.0;
    for &(unit, size) in units {
        let Some((number, rest)) = text.split_once(unit) else { continue };
        let plain = !number.is_empty() && number.len() <= 12 && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        total += number.parse::<f64>().ok().filter(|_| plain)? * size;
        text = rest;
    }
    text.is_empty().then_some(total)
}

/// Whole days, if it can be the age of a person.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be between 0 and 130 years")]
pub(crate) fn to_days(days: f64) -> Result<u32, &'static str> {
    // 15 months and 1.25 years must be the same day: a floating-point error is not a day.
    let days = (days + 1e-6).floor();
    if days < 0.0 {
        Err("a negative age")
    } else if days.is_finite() && days <= MAX_AGE_DAYS {
        Ok(days as u32)
    } else {
        Err("an age above 130 years")
    }
}

/// Whole days from years, months, weeks or days, named by their first letter.
pub(crate) fn from_count(count: f64, unit: char) -> Option<u32> {
    let size = match unit {
        'y' => YEAR,
        'm' => MONTH,
        'w' => 7.0,
        'd' => 1.0,
        _ => return None,
    };
    to_days(count * size).ok()
}

/// Days between two RFC 3339 timestamps (or plain dates); times of day and offsets are below a day and left out.
pub(crate) fn between(birth: &str, encounter: &str) -> Result<u32, &'static str> {
    const MALFORMED: &str = "not an RFC 3339 timestamp such as 1990-01-31T00:00:00Z";
    let birth = day_number(birth).ok_or(MALFORMED)?;
    let encounter = day_number(encounter).ok_or(MALFORMED)?;
    match u32::try_from(encounter - birth) {
        Err(_) => Err("a negative age: the encounter is before the birth"),
        Ok(days) => to_days(f64::from(days)),
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
fn day_number(text: &str) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    if !(time.is_empty() || time.starts_with(['T', 't'])) {
        return None;
    }
    let mut parts =
        date.split('-').map(|part| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i64>().ok())?);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let longest = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || !(1..=longest).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, days) in [
            ("P49Y", 17_896),
            ("P5Y8M", 2_069),
            ("P15D", 15),
            ("P2W", 14),
            ("P16M", 486),
            ("P1DT36H", 2),
            ("PT12H", 0),
            ("P0D", 0),
            ("P2.5Y", 913),
        ] {
            assert_eq!(from_duration(text), Ok(days), "{text}");
        }
        for bad in
            ["", "P", "PT", "49Y", "P49", "PY", "P1D1Y", "P1Y1Y", "P1X", "P1e3Y", "P..Y", "P1YT", "PinfY", "P1Yé"]
        {
            assert_eq!(from_duration(bad), Err("not an ISO 8601 duration such as P5Y8M"), "{bad}");
        }
        assert_eq!(from_duration("-P1Y"), Err("a negative age"));
        assert_eq!(from_duration("P-1Y"), Err("a negative age"));
        assert_eq!(from_duration("P131Y"), Err("an age above 130 years"));
        assert_eq!(from_duration("P999999999999Y"), Err("an age above 130 years"));
    }

    #[test]
    fn dates() {
        assert_eq!(day_number("1970-01-01"), Some(0));
        assert_eq!(day_number("2000-02-29T12:00:00Z"), Some(11_016));
        assert_eq!(between("2020-02-29", "2021-03-01T00:00:00Z"), Ok(366));
        assert!(between("2021-01-02", "2021-01-01").unwrap_err().starts_with("a negative age"));
        assert_eq!(between("1800-01-01", "2021-01-01"), Err("an age above 130 years"));
        for bad in ["2021-02-29", "2021-13-01", "2021-1-1", "21-01-01T00", "2021-01-01x", "", "+021-01-01", "2021-01-é"]
        {
            assert_eq!(day_number(bad), None, "{bad}");
        }
    }
}
