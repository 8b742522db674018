//! Age and sex from words: "53-year-old male", "3 month old girl", "45 y/o F", "67M".

use crate::age;
use bodh_clinical::{Sex, Subject};

/// People in a note who are not the patient: an age beside them is theirs.
const OTHERS: [&str; 14] = [
    "mother",
    "father",
    "brother",
    "sister",
    "son",
    "daughter",
    "wife",
    "husband",
    "uncle",
    "aunt",
    "cousin",
    "partner",
    "sibling",
    "grandmother",
];

/// What the opening words say of the patient.
pub(crate) fn subject(text: &str) -> Subject {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|w| !w.is_empty()).collect();
    let aged = words.iter().enumerate().find_map(|(at, _)| age_at(&words, at));
    match aged {
        Some((days, after)) => {
            let near = words.get(after..).unwrap_or_default().iter().take(6);
            let sex = near.copied().find_map(sex_word).or_else(|| words.iter().copied().take(40).find_map(sex_word));
            Subject { age_days: Some(days), sex: sex.unwrap_or_default() }
        }
        None => {
            let compact = words.iter().find_map(|w| compact(w));
            let sex = || words.iter().copied().take(40).find_map(sex_word).unwrap_or_default();
            compact.unwrap_or_else(|| Subject { age_days: None, sex: sex() })
        }
    }
}

/// `N year(s) old`, `N yo`, `N y o`, `age(d) N`; and the index of the word after it.
fn age_at(words: &[&str], at: usize) -> Option<(u32, usize)> {
    let word = |i: usize| words.get(i).copied().unwrap_or_default();
    let number: f64 = word(at).trim_end_matches('.').parse().ok().filter(|n: &f64| (0.0..=130.0 * 52.0).contains(n))?;
    let before = |n: usize| at.checked_sub(n).map_or("", word);
    if OTHERS.contains(&before(1)) || OTHERS.contains(&before(2)) {
        return None;
    }
    let (unit, used) = match (word(at + 1), word(at + 2)) {
        ("yo" | "yr" | "yrs", "old") => ('y', 3),
        ("yo", _) => ('y', 2),
        ("y", "o") => ('y', 3),
        ("year" | "years", "old") => ('y', 3),
        ("month" | "months" | "mo", "old") => ('m', 3),
        ("week" | "weeks" | "wk", "old") => ('w', 3),
        ("day" | "days", "old") => ('d', 3),
        ("year" | "years", "of") if word(at + 3) == "age" => ('y', 4),
        _ if matches!(before(1), "age" | "aged") => ('y', 1),
        _ => return None,
    };
    if OTHERS.contains(&word(at + used)) {
        return None;
    }
    Some((age::from_count(number, unit)?, at + used))
}

/// `67m`, `34f`, `34yo`.
fn compact(word: &str) -> Option<Subject> {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = word.split_at_checked(digits)?;
    let sex = match rest {
        "m" | "yom" => Sex::Male,
        "f" | "yof" => Sex::Female,
        "yo" => Sex::Unknown,
        _ => return None,
    };
    let years = number.parse::<u8>().ok().filter(|_| (1..=3).contains(&digits))?;
    Some(Subject { age_days: Some(age::from_count(f64::from(years), 'y')?), sex })
}

fn sex_word(word: &str) -> Option<Sex> {
    match word {
        "male" | "man" | "boy" | "gentleman" | "m" | "he" | "his" => Some(Sex::Male),
        "female" | "woman" | "girl" | "lady" | "f" | "she" | "her" => Some(Sex::Female),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sexes() {
        for (text, days, sex) in [
            ("53-year-old male", Some(19_357), Sex::Male),
            ("A 24 year old pregnant woman", Some(8_765), Sex::Female),
            ("3-month-old girl", Some(91), Sex::Female),
            ("10-day-old newborn boy", Some(10), Sex::Male),
            ("45 y/o F with cough", Some(16_435), Sex::Female),
            ("67M with chest pain", Some(24_471), Sex::Male),
            ("Age: 40, Sex: Female", Some(14_609), Sex::Female),
            ("She was aged 30", Some(10_957), Sex::Female),
            ("Patient with 3 days of fever", None, Sex::Unknown),
            ("His 60-year-old father is ill", None, Sex::Male),
            ("father, 60 years old", None, Sex::Unknown),
            ("900-year-old man", None, Sex::Male),
            ("", None, Sex::Unknown),
        ] {
            assert_eq!(subject(text), Subject { age_days: days, sex }, "{text}");
        }
    }
}
