//! What is said of a measure beside its name: a number, or a word for one.

use crate::token::{Gap, Token};

/// Words that may stand between a measure's name and its result.
#[rustfmt::skip]
const BETWEEN: [&str; 34] = [
    "is", "was", "of", "at", "to", "a", "were", "are", "now", "measured", "reading", "level", "levels", "count", "oral", "rectal", "currently", "the", "serum",
    "mildly", "slightly", "markedly", "significantly", "moderately", "severely", "result", "results", "value", "test", "shows", "found", "be", "an", "very",
];
/// How many of them.
const REACH: usize = 5;
#[rustfmt::skip]
const HIGH: [&str; 9] = ["elevated", "high", "increased", "raised", "elevation", "increase", "above", "supratherapeutic", "prolonged"];
const LOW: [&str; 9] =
    ["low", "decreased", "reduced", "depressed", "below", "diminished", "undetectable", "subtherapeutic", "suppressed"];
const NORMAL: [&str; 5] = ["normal", "unremarkable", "wnl", "euthyroid", "nl"];
const POSITIVE: [&str; 6] = ["positive", "reactive", "detected", "present", "grew", "growth"];
#[rustfmt::skip]
const NEGATIVE: [&str; 8] = ["negative", "nonreactive", "non", "absent", "none", "not", "undetected", "no"];
/// What a result says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Said {
    Number(f64),
    High,
    Low,
    Normal,
    Positive,
    Negative,
}

/// The result after a name: a number, or a word for one, with nothing but idle words between.
pub(crate) fn result(sentence: &[Token], from: usize) -> Option<(usize, Said)> {
    for (at, token) in sentence.iter().enumerate().skip(from).take(REACH) {
        let word = token.word.as_str();
        if at > from && token.gap == Gap::Comma && !word.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return word.replace(',', "").parse().ok().map(|value| (at, Said::Number(value)));
        }
        let next = sentence.get(at + 1).map_or("", |t| t.word.as_str());
        let said = match word {
            "within" if matches!(next, "normal" | "reference") => return Some((at + 1, Said::Normal)),
            "not" if HIGH.contains(&next) || LOW.contains(&next) => return Some((at + 1, Said::Normal)),
            w if HIGH.contains(&w) => Said::High,
            w if LOW.contains(&w) => Said::Low,
            w if NORMAL.contains(&w) => Said::Normal,
            w if NEGATIVE.contains(&w) => Said::Negative,
            w if POSITIVE.contains(&w) => Said::Positive,
            w if BETWEEN.contains(&w) => continue,
            _ => return None,
        };
        return Some((at, said));
    }
    None
}

/// "Elevated troponin", "low serum sodium", "positive monospot".
pub(crate) fn before(sentence: &[Token], name: usize) -> Option<(usize, Said)> {
    for back in 1..=2 {
        let at = name.checked_sub(back)?;
        if sentence.get(at + 1)?.gap >= Gap::Comma {
            return None;
        }
        let word = sentence.get(at)?.word.as_str();
        let said = match word {
            w if HIGH.contains(&w) => Said::High,
            w if LOW.contains(&w) => Said::Low,
            "normal" => Said::Normal,
            "positive" => Said::Positive,
            "negative" => Said::Negative,
            w if BETWEEN.contains(&w) => continue,
            _ => return None,
        };
        return Some((at, said));
    }
    None
}
