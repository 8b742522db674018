//! Codes, times and people in words.

use crate::view::{Chip, Tone};
use bodh_clinical::{Sex, Subject};
use bodh_panel::OrderStatus;
use chrono::{DateTime, Utc};

fn chip(tone: Tone, word: &str) -> Chip {
    Chip { tone, word: word.to_owned() }
}

fn at(unix_ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(unix_ms).unwrap_or_default()
}

/// `14:32 UTC`.
pub(crate) fn clock(unix_ms: i64) -> String {
    at(unix_ms).format("%H:%M UTC").to_string()
}

/// `30 Nov 2026, 14:32 UTC`.
pub(crate) fn when(unix_ms: i64) -> String {
    at(unix_ms).format("%-d %b %Y, %H:%M UTC").to_string()
}

/// The same of a time in RFC 3339; empty where it is not one.
pub(crate) fn when_of(rfc3339: &str) -> String {
    let at = chrono::DateTime::parse_from_rfc3339(rfc3339);
    at.map(|at| when(at.timestamp_millis())).unwrap_or_default()
}

/// A reason as signed, `code: words`, without its code where that is one of ours.
pub(crate) fn reason(signed: &str) -> String {
    let known = |code: &str| crate::pages::decide::CODES.iter().any(|(known, _)| *known == code);
    signed.split_once(": ").filter(|(code, _)| known(code)).map_or(signed, |(_, words)| words).to_owned()
}

/// Names and values as a query of an address.
pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let coded = |text: &str| {
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect::<String>()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect::<Vec<_>>().join("&")
}

/// With a capital letter.
pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The last part of a SPIFFE id.
pub(crate) fn person(id: &str) -> String {
    id.rsplit('/').next().unwrap_or(id).to_owned()
}

/// The beginning of a session's id, in two groups: what people say to one another.
pub(crate) fn short(id: &str) -> String {
    match (id.get(..4), id.get(4..8)) {
        (Some(first), Some(second)) => format!("{first} {second}"),
        _ => id.to_owned(),
    }
}

/// The beginning of a review rule's id; it is the incident's that the rule was made of.
pub(crate) fn rule(id: &str) -> String {
    short(id.strip_prefix("rule-").unwrap_or(id))
}

/// What a role may do.
pub(crate) fn role(role: &str) -> &'static str {
    match role {
        "clinician" => "convenes the panel on a patient's case",
        "physician" => "reads every session, decides what the panel may not, marks what is false",
        "compliance" => "reads and verifies the record",
        "operator" => "enrols people and revokes identities",
        _ => "as the policies say",
    }
}

/// An escalation's kind.
pub(crate) fn kind(kind: &str) -> String {
    match kind {
        "rare_diagnosis" => "A rare diagnosis".into(),
        "over_budget" => "Over the budget".into(),
        "far_over_budget" => "Far over the budget".into(),
        "over_test_threshold" => "An expensive test".into(),
        "unknown_price" => "A test of unknown price".into(),
        "dissent" => "The panel disagrees with itself".into(),
        "low_confidence" => "Low confidence".into(),
        "red_flag" => "A condition that must not be missed".into(),
        "refuted_claim" => "A claim did not stand".into(),
        "review_rule" => "A review rule applies".into(),
        other => other.replace('_', " "),
    }
}

/// How serious an escalation of this kind is.
pub(crate) fn tone(kind: &str) -> Tone {
    match kind {
        "red_flag" | "refuted_claim" => Tone::Bad,
        "rare_diagnosis" => Tone::Info,
        _ => Tone::Warning,
    }
}

/// A state as the store names it.
pub(crate) fn state(state: &str) -> Chip {
    match state {
        "awaiting_physician" => chip(Tone::Warning, "waits for a physician"),
        "awaiting_answer" => chip(Tone::Warning, "waits for an answer"),
        "awaiting_results" => chip(Tone::Info, "waits for a result"),
        "concluded" => chip(Tone::Good, "concluded"),
        "withdrawn" => chip(Tone::Quiet, "withdrawn"),
        "expired" => chip(Tone::Quiet, "expired, undecided"),
        _ => chip(Tone::Info, "at work"),
    }
}

/// What became of an escalation.
pub(crate) fn status(status: &str) -> Chip {
    match status {
        "open" => chip(Tone::Warning, "waits"),
        "approve" | "approved" => chip(Tone::Good, "approved"),
        "deny" | "denied" => chip(Tone::Bad, "denied"),
        "amend" | "amended" => chip(Tone::Info, "amended"),
        "ask" | "asked" => chip(Tone::Info, "something else asked for"),
        "lapsed" => chip(Tone::Quiet, "lapsed, undecided"),
        other => chip(Tone::Quiet, other),
    }
}

/// The same, of one that may take two people.
pub(crate) fn waits(item: &bodh_panel_api::pb::InboxItem) -> Chip {
    if item.status == "open" && !item.first_by.is_empty() {
        return chip(Tone::Warning, "one of two approved");
    }
    status(&item.status)
}

/// Where an order stands.
pub(crate) fn order(status: OrderStatus) -> Chip {
    match status {
        OrderStatus::Proposed => chip(Tone::Quiet, "proposed"),
        OrderStatus::AwaitingApproval => chip(Tone::Warning, "waits for a physician"),
        OrderStatus::Approved => chip(Tone::Good, "approved, not ordered"),
        OrderStatus::Committed => chip(Tone::Info, "ordered"),
        OrderStatus::Done => chip(Tone::Good, "done"),
        OrderStatus::Reported => chip(Tone::Good, "result entered"),
        OrderStatus::Declined => chip(Tone::Bad, "declined"),
        OrderStatus::Refused => chip(Tone::Bad, "refused"),
    }
}

/// Age and sex as the panel knows them.
pub(crate) fn subject(subject: &Subject) -> String {
    let age = subject.age_days.map(|days| match days {
        0..28 => format!("{days} days"),
        28..90 => format!("{} weeks", days / 7),
        90..731 => format!("{} months", days * 100 / 3044),
        _ => format!("{} years", days / 365),
    });
    let sex = match subject.sex {
        Sex::Female => Some("female"),
        Sex::Male => Some("male"),
        _ => None,
    };
    match (age, sex) {
        (Some(age), Some(sex)) => format!("{age}, {sex}"),
        (Some(age), None) => format!("{age}, sex not recorded"),
        (None, Some(sex)) => format!("{sex}, age not recorded"),
        (None, None) => "age and sex not recorded".to_owned(),
    }
}

/// Dollars as the report has them, in whole cents.
pub(crate) fn cents(dollars: f64) -> u64 {
    // By way of its digits: no cast, and the same rounding as on the page.
    format!("{:.0}", (dollars.max(0.0) * 100.0)).parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ids_are_read_by_people() {
        assert_eq!(when(1_780_000_000_000), "28 May 2026, 20:26 UTC");
        assert_eq!(short("0123456789abcdef"), "0123 4567");
        assert_eq!(short("ä"), "ä");
        assert_eq!(person("spiffe://bodh.internal/human/ann"), "ann");
        assert_eq!(query(&[("a", "x y&b"), ("c", "ü")]), "a=x%20y%26b&c=%C3%BC");
        assert_eq!((cents(12.346), cents(-1.0), cents(f64::NAN)), (1235, 0, 0));
    }

    #[test]
    fn ages_are_in_the_unit_that_people_use() {
        let of = |age_days| subject(&Subject { age_days: Some(age_days), sex: Sex::Female });
        assert_eq!(
            (of(3).as_str(), of(200).as_str(), of(6209).as_str()),
            ("3 days, female", "6 months, female", "17 years, female")
        );
    }
}
