//! Spans of age.

/// Days of a year, on average.
const YEAR: f64 = 365.25;
/// Days of a month, on average.
const MONTH: f64 = YEAR / 12.0;

/// `0-28d`, `3-24m`, `15-60y`: first and last day, both included. `15-60y` ends on the last day of being 60.
pub(crate) fn ages(text: &str) -> Option<(u32, u32)> {
    let unit = match text.as_bytes().last()? {
        b'd' => 1.0,
        b'm' => MONTH,
        b'y' => YEAR,
        _ => return None,
    };
    let (from, to) = text.get(..text.len() - 1)?.split_once('-')?;
    let (from, to): (f64, f64) = (from.parse().ok()?, to.parse().ok()?);
    if !(0.0..=130.0 * YEAR).contains(&(from * unit)) || !(0.0..=130.0 * YEAR).contains(&(to * unit)) || from > to {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 131 years of days")]
    let days = |n: f64| n.round() as u32;
    // A whole number of years or months is reached until the next birthday.
    let last = if unit > 1.0 { (to + 1.0) * unit - 1.0 } else { to };
    Some((days(from * unit), days(last)))
}

#[cfg(test)]
mod tests {
    use super::ages;

    #[test]
    fn spans_are_inclusive() {
        assert_eq!(ages("0-28d"), Some((0, 28)));
        assert_eq!(ages("15-60y"), Some((5_479, 22_279)));
        assert_eq!(ages("3-24m"), Some((91, 760)));
        for bad in ["", "y", "3y", "9-3y", "-1-3y", "1-999y", "1-2w", "a-by", "NaN-3y"] {
            assert_eq!(ages(bad), None, "{bad}");
        }
    }
}
