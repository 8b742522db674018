//! Numbers in words.

use bodh_clinical::{Presence, Usd};

/// Dollars as the report carries them.
pub(crate) fn dollars(amount: f64) -> String {
    format!("${amount:.2}")
}

/// Whole cents as people read them.
pub(crate) fn dollars_of(cents: u64) -> String {
    Usd::from_cents(cents).to_string()
}

/// Observed or looked for and not found.
pub(crate) fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Present => "present",
        Presence::Excluded => "absent",
    }
}

/// What it takes where two people have to approve, and who has; nothing where one decides.
pub(crate) fn pair(signers: u32, first: &str) -> Option<String> {
    let first = first.rsplit('/').next().unwrap_or_default();
    match (signers, first) {
        (0 | 1, _) => None,
        (_, "") => Some("two different people approve it; nobody has yet".to_owned()),
        (_, first) => {
            Some(format!("one of two: {} has approved; another person has to", crate::terminal::shown(first)))
        }
    }
}

/// A likelihood ratio, given as its log2, in plain words.
pub(crate) fn likelihood(bits: f64) -> String {
    let ratio = bits.abs().exp2();
    let direction = if bits >= 0.0 { "more likely in this disease" } else { "less likely in this disease" };
    // 2^0.2 is a ratio of 1.15: below what anybody would act on.
    if bits.abs() < 0.2 {
        "hardly matters".into()
    } else if ratio > 1000.0 {
        format!("more than 1000 times {direction}")
    } else if ratio >= 10.0 {
        format!("{ratio:.0} times {direction}")
    } else {
        format!("{ratio:.1} times {direction}")
    }
}

/// A probability as a percentage that is never rounded to certainty.
pub(crate) fn percent(probability: f64) -> String {
    let percent = probability * 100.0;
    if percent > 99.9 && probability < 1.0 {
        ">99.9 %".into()
    } else if percent < 0.1 && probability > 0.0 {
        "<0.1 %".into()
    } else {
        format!("{percent:.1} %")
    }
}

/// A prevalence as `1 in N`.
pub(crate) fn prevalence(share: Option<f64>) -> String {
    match share {
        Some(share) if share > 0.0 && share <= 1.0 => format!("1 in {}", thousands((1.0 / share).round())),
        _ => "prevalence unknown, counts as rare".into(),
    }
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// An escalation's kind in words; an unknown one as it is written.
pub(crate) fn kind(kind: &str) -> String {
    match kind {
        "rare" | "rarity" => "the diagnosis is rare".into(),
        "over_budget" => "over the budget".into(),
        "far_over_budget" => "far over the budget".into(),
        "expensive_test" | "over_test_threshold" => "an expensive test".into(),
        "dissent" => "the panel disagrees with itself".into(),
        "low_confidence" => "low confidence".into(),
        "red_flag" => "a condition that must not be missed".into(),
        "refuted_claim" => "a claim did not stand".into(),
        "review_rule" => "a review rule applies".into(),
        other => other.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_in_words() {
        assert_eq!(likelihood(0.1), "hardly matters");
        assert_eq!(likelihood(2.0), "4.0 times more likely in this disease");
        assert_eq!(likelihood(-2.0), "4.0 times less likely in this disease");
        assert_eq!(likelihood(6.0), "64 times more likely in this disease");
        assert_eq!(likelihood(12.0), "more than 1000 times more likely in this disease");
    }

    #[test]
    fn probabilities_are_never_rounded_to_certainty() {
        assert_eq!(percent(0.9999), ">99.9 %");
        assert_eq!(percent(0.0001), "<0.1 %");
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(0.875), "87.5 %");
    }

    #[test]
    fn prevalence_is_one_in_n() {
        assert_eq!(prevalence(Some(0.0002)), "1 in 5,000");
        assert_eq!(prevalence(Some(1.0 / 1_234_567.0)), "1 in 1,234,567");
        assert!(prevalence(None).contains("unknown"));
    }
}
