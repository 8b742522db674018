//! United States dollars, exact to the cent.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount that is never negative and never NaN: whole cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usd(u64);

/// Why a text is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a number.
    #[error("not an amount in US dollars (expected e.g. 2500 or 49.90)")]
    NotANumber,
    /// Below zero.
    #[error("an amount cannot be negative")]
    Negative,
    /// More than 1,000,000,000 dollars.
    #[error("an amount cannot exceed 1000000000 dollars")]
    TooLarge,
}

impl Usd {
    /// Nothing.
    pub const ZERO: Usd = Usd(0);
    const MAX_CENTS: u64 = 100_000_000_000;

    /// From whole cents.
    #[must_use]
    pub const fn from_cents(cents: u64) -> Self {
        Self(cents)
    }

    /// Whole cents.
    #[must_use]
    pub const fn cents(self) -> u64 {
        self.0
    }

    /// Reads `2500`, `49.9` or `49.90`; at most two decimals.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix('-') {
            return Err(if rest.starts_with(|c: char| c.is_ascii_digit()) {
                MoneyError::Negative
            } else {
                MoneyError::NotANumber
            });
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 2 || text.ends_with('.') {
            return Err(MoneyError::NotANumber);
        }
        if whole.len() > 10 {
            return Err(MoneyError::TooLarge);
        }
        let cents: u64 = format!("{whole}{fraction:0<2}").parse().map_err(|_| MoneyError::NotANumber)?;
        if cents > Self::MAX_CENTS { Err(MoneyError::TooLarge) } else { Ok(Self(cents)) }
    }

    /// The sum; saturates, which no budget reaches.
    #[must_use]
    pub const fn plus(self, other: Usd) -> Usd {
        Usd(self.0.saturating_add(other.0))
    }

    /// What is left of `self` after `other`, or nothing when `other` is more.
    #[must_use]
    pub const fn minus(self, other: Usd) -> Usd {
        Usd(self.0.saturating_sub(other.0))
    }

    /// In dollars, for reports and ratios only: sums are made in cents.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "amounts stay far below 2^53 cents")]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 100.0
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_not_money() {
        for bad in ["", " ", "NaN", "inf", "1e3", "1,000", "1.", ".5", "1.234", "$5", "--1", "-x", "١"] {
            assert_eq!(Usd::parse(bad), Err(MoneyError::NotANumber), "{bad:?}");
        }
        assert_eq!(Usd::parse("-1"), Err(MoneyError::Negative));
        assert_eq!(Usd::parse("1000000000.01"), Err(MoneyError::TooLarge));
        assert_eq!(Usd::parse("99999999999999999999"), Err(MoneyError::TooLarge));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(cents in 0u64..=100_000_000_000) {
            let shown = Usd::from_cents(cents).to_string();
            prop_assert_eq!(Usd::parse(shown.trim_start_matches('$')), Ok(Usd::from_cents(cents)));
        }
    }
}
