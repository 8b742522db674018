//! Numbers and times as the pages show them.

use super::parts::{Cost, Link};

/// Whole cents as people read them: `$1,250.00`.
pub(crate) fn dollars(cents: u64) -> String {
    format!("${}.{:02}", thousands(cents / 100), cents % 100)
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

/// A share as whole thousandths, for a bar; never outside 0 to 1000.
pub(crate) fn permille(share: f64) -> u32 {
    let clamped = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    // By way of its digits: no cast, and the same rounding as everywhere else on the page.
    format!("{:.0}", clamped * 1000.0).parse().unwrap_or(0)
}

/// A log2 likelihood ratio with its sign: `+5.9`, `−1.3`.
pub(crate) fn bits(bits: f64) -> String {
    let sign = if bits < 0.0 { "−" } else { "+" };
    format!("{sign}{:.1}", bits.abs())
}

/// A log2 likelihood ratio's size in thousandths, for a bar: full at a ratio of about 1000.
pub(crate) fn strength(bits: f64) -> u32 {
    permille(bits.abs() / 10.0)
}

/// A log2 likelihood ratio in plain words: `60 times more likely`.
pub(crate) fn likelihood(bits: f64) -> String {
    let ratio = bits.abs().exp2();
    let direction = if bits >= 0.0 { "more likely" } else { "less likely" };
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

/// A prevalence as `1 in N`.
pub(crate) fn prevalence(share: Option<f64>) -> String {
    match share {
        Some(share) if share > 0.0 && share <= 1.0 => {
            let digits = format!("{:.0}", 1.0 / share);
            format!("1 in {}", grouped(&digits))
        }
        _ => "prevalence unknown, counts as rare".into(),
    }
}

/// How long ago: `4 min`, `2 h 10 min`, `3 days`.
pub(crate) fn age(milliseconds: i64) -> String {
    let minutes = milliseconds.max(0) / 60_000;
    match (minutes / 1440, minutes / 60, minutes % 60) {
        (0, 0, 0) => "less than a minute".into(),
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (1, ..) => "1 day".into(),
        (days, ..) => format!("{days} days"),
    }
}

/// A source or a term with the page that describes it, where its kind has one.
pub(crate) fn source(id: &str) -> Link {
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let href = match id.split_once(':') {
        Some(("PMID", n)) if plain(n) => Some(format!("https://pubmed.ncbi.nlm.nih.gov/{n}/")),
        Some(("OMIM", n)) if plain(n) => Some(format!("https://omim.org/entry/{n}")),
        Some(("ORPHA", n)) if plain(n) => Some(format!("https://www.orpha.net/en/disease/detail/{n}")),
        Some(("HP", n)) if plain(n) => Some(format!("https://hpo.jax.org/browse/term/HP:{n}")),
        _ => None,
    };
    Link { label: id.to_owned(), href }
}

/// The cost bar: what is committed, what is asked on top, and the budget, in cents.
pub(crate) fn cost(spent: u64, asked: u64, budget: u64) -> Cost {
    let after = spent.saturating_add(asked);
    // A tenth of air behind the longest, so that the cap's line never sits on the edge when it is passed.
    let scale = if after > budget { after.saturating_add(after / 10) } else { budget }.max(1);
    let at = |cents: u64| u32::try_from(u128::from(cents) * 1000 / u128::from(scale)).unwrap_or(1000).min(1000);
    Cost {
        spent: dollars(spent),
        after: (asked > 0).then(|| dollars(after)),
        budget: dollars(budget),
        over: (after > budget).then(|| dollars(after - budget)),
        spent_at: at(spent),
        after_at: at(after),
        budget_at: at(budget).min(994),
    }
}

/// Whole numbers in groups of three digits.
pub(crate) fn thousands(number: u64) -> String {
    grouped(&number.to_string())
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
