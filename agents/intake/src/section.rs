//! Headings: "Family history:" at the beginning of a line, and "Key: value" lines that state a result.

use crate::token::{Gap, Token};

/// Longest heading, in words.
const LONGEST: usize = 6;

/// Whose findings a section tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Section {
    /// The patient's, now.
    #[default]
    Present,
    /// The patient's, before.
    Past,
    /// The family's.
    Family,
    /// Plans and instructions: nothing in them was found.
    Plan,
}

/// How many tokens the heading of a line takes, if the sentence begins with one.
pub(crate) fn heading(sentence: &[Token]) -> Option<usize> {
    if !sentence.first()?.line_start {
        return None;
    }
    let end = sentence.iter().skip(1).take(LONGEST).position(|t| t.gap == Gap::Colon).map(|n| n + 1)?;
    sentence.get(1..end)?.iter().all(|t| t.gap < Gap::Colon).then_some(end)
}

/// The section that a heading opens, if its words name one.
pub(crate) fn named(heading: &[Token]) -> Section {
    let says = |word: &str| heading.iter().any(|t| t.word == word);
    if says("family") || says("fh") || says("fhx") {
        Section::Family
    } else if says("plan") || says("instructions") || says("recommendations") {
        Section::Plan
    } else if (says("past") && (says("history") || says("medical"))) || says("pmh") || says("pmhx") {
        Section::Past
    } else {
        Section::Present
    }
}

/// What the value of a "Key: value" line says of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// It is there, or something more is said of it.
    Says,
    /// It is not there.
    Absent,
    /// Not known.
    Unknown,
}

/// Reads the first words after a colon.
pub(crate) fn value(rest: &[Token]) -> Value {
    let word = |n: usize| rest.get(n).map_or("", |t| t.word.as_str());
    match (word(0), word(1)) {
        ("not", "done" | "performed" | "assessed" | "tested" | "available" | "applicable") | ("n", "a") => {
            Value::Unknown
        }
        ("pending" | "unknown" | "deferred" | "unavailable" | "", _) => Value::Unknown,
        ("none" | "absent" | "negative" | "normal" | "denies" | "denied" | "nil" | "unremarkable", _) => Value::Absent,
        ("no", "") | ("within", "normal") | ("not", "present" | "seen" | "noted" | "found" | "observed") => {
            Value::Absent
        }
        _ => Value::Says,
    }
}
