//! Numbers and results of a note that are a finding by definition: vital signs and laboratory values against the pack's
//! ranges by age and sex, and words such as "elevated", "positive" and "within normal limits" beside a measure's name.
//!
//! A number whose unit cannot be told, or that no living person has, says nothing. A normal result excludes what a high and a
//! low one would be, weakly: where the note says otherwise in words, the words stand.

use crate::result::{Said, before, result};
use crate::token::{Gap, Token, lower, spans};
use bodh_clinical::{Presence, Sex};
use bodh_knowledge::Measure;
use std::collections::HashMap;

/// A measurement found in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measured<'m> {
    /// The finding's id.
    pub(crate) term: &'m str,
    /// There, or not there.
    pub(crate) presence: Presence,
    /// A normal number: other words outweigh it.
    pub(crate) weak: bool,
    /// First token.
    pub(crate) start: usize,
    /// One past the last token.
    pub(crate) end: usize,
}

/// Who was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) age_days: Option<u32>,
    pub(crate) sex: Sex,
}

/// Everything that is measured, by the first word of its names.
#[derive(Default)]
pub(crate) struct Measures {
    all: Vec<Measure>,
    by_first: HashMap<String, Vec<(Vec<String>, usize)>>,
    /// Places of the two parts of a blood pressure.
    pressure: Option<(usize, usize)>,
}

/// Names of a blood pressure as a whole.
const PRESSURE: [&[&str]; 3] = [&["blood", "pressure"], &["bp"], &["blood", "pressures"]];

impl Measures {
    pub(crate) fn new(all: Vec<Measure>) -> Self {
        let mut by_first: HashMap<String, Vec<(Vec<String>, usize)>> = HashMap::new();
        for (place, measure) in all.iter().enumerate() {
            for name in &measure.names {
                let words: Vec<String> = spans(name).filter_map(|(s, e)| name.get(s..e)).map(lower).collect();
                if let Some(first) = words.first().cloned() {
                    by_first.entry(first).or_default().push((words, place));
                }
            }
        }
        let named = |name: &str| all.iter().position(|m| m.names.first().is_some_and(|n| n == name));
        let pressure = named("systolic blood pressure").zip(named("diastolic blood pressure"));
        Self { all, by_first, pressure }
    }

    /// Every measurement of a sentence that says something.
    pub(crate) fn read<'m>(&'m self, note: &str, sentence: &[Token], person: Person) -> Vec<Measured<'m>> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < sentence.len() {
            if let Some(end) = self.pressure(note, sentence, at, person, &mut found) {
                at = end;
                continue;
            }
            let Some((measure, length)) = self.named(sentence, at) else {
                at += 1;
                continue;
            };
            let said = result(sentence, at + length).or_else(|| before(sentence, at));
            if let Some((place, said)) = said {
                let end = (at + length).max(place + 1);
                self.tell(measure, said, &unit(note, sentence, place), person, (at.min(place), end), &mut found);
            }
            at += length;
        }
        found
    }

    /// The longest name that begins here.
    fn named(&self, sentence: &[Token], at: usize) -> Option<(&Measure, usize)> {
        let candidates = self.by_first.get(sentence.get(at)?.word.as_str())?;
        let fits = |words: &[String]| {
            let mut each = words.iter().enumerate();
            each.all(|(n, word)| {
                sentence.get(at + n).is_some_and(|t| t.word == *word && (n == 0 || t.gap < Gap::Colon))
            })
        };
        let longest = candidates.iter().filter(|(words, _)| fits(words)).max_by_key(|(words, _)| words.len())?;
        Some((self.all.get(longest.1)?, longest.0.len()))
    }

    /// Blood pressure: two numbers with a stroke.
    fn pressure<'m>(
        &'m self,
        note: &str,
        sentence: &[Token],
        at: usize,
        person: Person,
        found: &mut Vec<Measured<'m>>,
    ) -> Option<usize> {
        let says =
            |name: &&&[&str]| name.iter().enumerate().all(|(n, w)| sentence.get(at + n).is_some_and(|t| t.word == *w));
        let length = PRESSURE.iter().find(says)?.len();
        let (place, Said::Number(high)) = result(sentence, at + length)? else { return None };
        let second = sentence.get(place + 1)?;
        let over = second.gap == Gap::Slash;
        let low_at = if over { place + 1 } else { place + 2 };
        if !over && second.word != "over" {
            return None;
        }
        let low: f64 = sentence.get(low_at)?.word.parse().ok()?;
        let (systolic, diastolic) = self.pressure?;
        if low >= high {
            return Some(low_at + 1);
        }
        let unit = unit(note, sentence, low_at);
        let places = (at, low_at + 1);
        self.tell(self.all.get(systolic)?, Said::Number(high), &unit, person, places, found);
        self.tell(self.all.get(diastolic)?, Said::Number(low), &unit, person, places, found);
        Some(low_at + 1)
    }

    fn tell<'m>(
        &'m self,
        measure: &'m Measure,
        said: Said,
        unit: &str,
        person: Person,
        (start, end): (usize, usize),
        found: &mut Vec<Measured<'m>>,
    ) {
        let mut push = |term: &'m Option<String>, presence, weak| {
            if let Some(term) = term {
                found.push(Measured { term, presence, weak, start, end });
            }
        };
        let said = match said {
            Said::Number(value) => match judged(measure, value, unit, person) {
                Some(said) => said,
                None => return,
            },
            other => other,
        };
        match said {
            Said::High => push(&measure.high, Presence::Present, false),
            Said::Low => push(&measure.low, Presence::Present, false),
            Said::Normal => {
                push(&measure.high, Presence::Excluded, true);
                push(&measure.low, Presence::Excluded, true);
            }
            // "Troponin positive" is said of a number too.
            Said::Positive if measure.positive.is_none() => push(&measure.high, Presence::Present, false),
            Said::Positive => push(&measure.positive, Presence::Present, false),
            Said::Negative if measure.positive.is_none() => push(&measure.high, Presence::Excluded, true),
            Said::Negative => {
                push(&measure.positive, Presence::Excluded, false);
                push(&measure.negative, Presence::Present, false);
            }
            Said::Number(_) => {}
        }
    }
}

/// A number against the person's range.
fn judged(measure: &Measure, value: f64, unit: &str, person: Person) -> Option<Said> {
    let value = in_own_unit(measure, value, unit)?;
    let range = measure.range(person.age_days, person.sex)?;
    Some(if range.high.is_some_and(|high| value > high) {
        Said::High
    } else if range.low.is_some_and(|low| value < low) {
        Said::Low
    } else {
        Said::Normal
    })
}

/// The value in the measure's own unit, if it can be one.
fn in_own_unit(measure: &Measure, value: f64, unit: &str) -> Option<f64> {
    let (low, high) = measure.possible?;
    let possible = |v: f64| (low..=high).contains(&v).then_some(v);
    let own = plain(&measure.unit);
    if own == "c" && (unit == "f" || (unit.is_empty() && value > high)) {
        return possible((value - 32.0) / 1.8);
    }
    if !unit.is_empty() && unit != own {
        if let Some((_, factor)) = measure.units.iter().find(|(other, _)| plain(other) == unit) {
            return possible(value * factor);
        }
        // An amount of substance is never the same number as a mass.
        if unit.contains("mol") != own.contains("mol") {
            return None;
        }
    }
    // "15,000" where thousands are counted.
    possible(value).or_else(|| possible(value / 1000.0).filter(|_| value >= 1000.0))
}

/// A unit as it is compared: no case, no space, no degree sign, one sign for micro.
fn plain(unit: &str) -> String {
    let kept = unit.chars().filter(|c| !c.is_whitespace() && !matches!(c, '°' | '*' | '×' | '^' | '.'));
    kept.flat_map(char::to_lowercase).map(|c| if matches!(c, 'µ' | 'μ') { 'u' } else { c }).collect()
}

/// Longest unit that is read, in characters.
const LONGEST_UNIT: usize = 16;

/// The unit behind the number at `place`.
fn unit(note: &str, sentence: &[Token], place: usize) -> String {
    let Some(token) = sentence.get(place) else { return String::new() };
    let rest = note.get(token.end..).unwrap_or_default();
    let rest = rest.strip_prefix([' ', '\u{a0}']).unwrap_or(rest);
    let until = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '\n');
    let word: String = rest.chars().take_while(|c| !until(*c)).take(LONGEST_UNIT).collect();
    let word = plain(word.trim_end_matches(['.', ':']));
    // A word that is no unit: "sodium 140 and potassium 3".
    let known = word.contains('/')
        || word.starts_with('%')
        || ["c", "f", "mmhg", "mm", "bpm", "u", "iu", "g", "mg", "fl", "pg", "s", "sec"].contains(&word.as_str());
    if known { word } else { String::new() }
}

#[cfg(test)]
#[path = "tests/measured.rs"]
mod tests;
