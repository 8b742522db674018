//! Conditions of general medicine.

use super::block::{Block, Faults, Field, Place};
use super::span::ages;
use super::test::Tests;
use super::vocabulary::{OWN, Ref, Vocabulary};
use super::wording::slug;
use crate::FrequencyClass;
use bodh_clinical::TestId;
use std::collections::BTreeSet;

/// How much more rarely a condition is met outside the ages of which it is said `only`.
const OUTSIDE_ONLY: f64 = 0.002;
/// And of which it is said `mostly`.
const OUTSIDE_MOSTLY: f64 = 0.2;
/// And in the sex of which it is said that only the other has it.
const OTHER_SEX: f64 = 0.001;
/// Years over which new cases add up to "people who have had it": a condition is rare when fewer than 1 in 2,000 have.
const YEARS: f64 = 25.0;

/// How a condition goes: within minutes, days, weeks, over months and years, or in attacks. For readers; nothing rests on it yet.
const COURSES: [&str; 5] = ["sudden", "acute", "subacute", "chronic", "recurrent"];

/// How often one age group has it, beside the group that has it most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AgeFactor {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

/// One condition.
#[derive(Debug, Clone)]
pub(crate) struct Condition<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) id: String,
    pub(crate) label: &'a str,
    pub(crate) synonyms: Vec<&'a str>,
    pub(crate) specialty: &'a str,
    /// Share of people who have it, or have had it within [`YEARS`].
    pub(crate) prevalence: f64,
    pub(crate) ages: Vec<AgeFactor>,
    /// Factor outside of `ages`.
    pub(crate) outside: f64,
    /// Factors of female and male.
    pub(crate) sexes: [f64; 2],
    pub(crate) red_flag: Option<&'a str>,
    pub(crate) findings: Vec<(Ref, FrequencyClass)>,
    pub(crate) unlike: Vec<(Field<'a>, &'a str)>,
    pub(crate) settled_by: Vec<TestId>,
}

const CLASSES: [(&str, FrequencyClass); 6] = [
    ("obligate", FrequencyClass::Obligate),
    ("very frequent", FrequencyClass::VeryFrequent),
    ("frequent", FrequencyClass::Frequent),
    ("occasional", FrequencyClass::Occasional),
    ("very rare", FrequencyClass::VeryRare),
    ("excluded", FrequencyClass::Excluded),
];

const KEYS: [&str; 9] = ["also", "icd10", "incidence", "prevalence", "age", "sex", "course", "red flag", "settled by"];

/// Fewest findings of a condition: with fewer nothing tells it from its neighbours.
const FEWEST: usize = 5;

impl<'a> Condition<'a> {
    /// The `condition` blocks of one file.
    pub(crate) fn all(blocks: &[Block<'a>], vocabulary: &Vocabulary, tests: &Tests, faults: &mut Faults) -> Vec<Self> {
        let specialty = blocks.iter().find(|b| b.head.key == "specialty").map_or("", |b| b.head.value);
        let conditions: Vec<&Block<'a>> = blocks.iter().filter(|b| b.head.key == "condition").collect();
        if let (true, Some(first)) = (specialty.is_empty(), conditions.first()) {
            faults.add(first.head.place, "the file needs a line `specialty: NAME`");
        }
        conditions.into_iter().map(|block| Self::read(block, specialty, (vocabulary, tests), faults)).collect()
    }

    fn read(
        block: &Block<'a>,
        specialty: &'a str,
        (vocabulary, tests): (&Vocabulary, &Tests),
        faults: &mut Faults,
    ) -> Self {
        let (place, label) = (block.head.place, block.head.value);
        for field in &block.fields {
            let known = KEYS.contains(&field.key) || field.key.starts_with("unlike ");
            if !known && !CLASSES.iter().any(|c| c.0 == field.key) {
                faults.add(field.place, format!("a condition has no `{}`", field.key));
            }
        }
        let icd10 = block.one("icd10", faults);
        match icd10 {
            None => faults.add(place, format!("`{label}` needs an icd10")),
            Some(field) if !field.value.starts_with(|c: char| c.is_ascii_uppercase()) => {
                faults.add(field.place, format!("`{}` is no ICD-10 code", field.value));
            }
            Some(_) => {}
        }
        if let Some(field) = block.one("course", faults).filter(|f| !COURSES.contains(&f.value)) {
            faults.add(field.place, format!("`{}` is no course: {}", field.value, COURSES.join(", ")));
        }
        let (ages, outside) = age_factors(block, faults);
        Self {
            place,
            id: format!("{OWN}{}", slug(label)),
            label,
            synonyms: block.all("also").flat_map(|f| f.items().collect::<Vec<_>>()).collect(),
            specialty,
            prevalence: prevalence(block, faults),
            ages,
            outside,
            sexes: block.one("sex", faults).map_or([1.0, 1.0], |f| sexes(f, faults)),
            red_flag: block.one("red flag", faults).map(|f| f.value),
            findings: findings(block, vocabulary, faults),
            unlike: block.fields.iter().filter_map(|f| Some((*f, f.key.strip_prefix("unlike ")?))).collect(),
            settled_by: block
                .all("settled by")
                .flat_map(|f| f.items().map(move |value| Field { value, ..f }).collect::<Vec<_>>())
                .filter_map(|f| tests.named(f, faults))
                .collect(),
        }
    }

    /// Label and synonyms.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        [self.label].into_iter().chain(self.synonyms.iter().copied())
    }
}

fn prevalence(block: &Block<'_>, faults: &mut Faults) -> f64 {
    let (living, new) = (block.one("prevalence", faults), block.one("incidence", faults));
    let read = |field: Field<'_>, faults: &mut Faults| {
        let n = field.value.strip_prefix("1 in ").and_then(|n| n.replace(',', "").parse::<f64>().ok());
        let share = n.filter(|n| *n >= 1.0 && n.is_finite()).map(|n| 1.0 / n);
        if share.is_none() {
            faults.add(field.place, format!("`{}` is no share: expected e.g. 1 in 4000", field.value));
        }
        share.unwrap_or(f64::NAN)
    };
    match (living, new) {
        (Some(living), None) => read(living, faults),
        (None, Some(new)) => (read(new, faults) * YEARS).min(1.0),
        _ => {
            faults.add(block.head.place, "needs either `prevalence: 1 in N` or `incidence: 1 in N` (a year)");
            f64::NAN
        }
    }
}

/// `15-40y mostly`, `0-2m, 60-90y only`.
fn age_factors(block: &Block<'_>, faults: &mut Faults) -> (Vec<AgeFactor>, f64) {
    let (mut spans, mut outside) = (Vec::new(), 1.0_f64);
    for field in block.all("age") {
        let Some((list, word)) = field.value.rsplit_once(' ') else {
            faults.add(field.place, "expected ages and `only` or `mostly`, e.g. 15-40y mostly");
            continue;
        };
        outside = outside.min(match word {
            "only" => OUTSIDE_ONLY,
            "mostly" => OUTSIDE_MOSTLY,
            _ => {
                faults.add(field.place, format!("`{word}` is neither `only` nor `mostly`"));
                1.0
            }
        });
        for span in list.split(',').map(str::trim) {
            match ages(span) {
                Some((from, to)) => spans.push(AgeFactor { from, to }),
                None => faults.add(field.place, format!("`{span}` is no age: expected e.g. 15-40y")),
            }
        }
    }
    (spans, outside)
}

fn sexes(field: Field<'_>, faults: &mut Faults) -> [f64; 2] {
    let (sex, word) = field.value.split_once(' ').unwrap_or((field.value, ""));
    let other = match word {
        "only" => Some(OTHER_SEX),
        times => times.parse::<f64>().ok().filter(|t| *t >= 1.0 && t.is_finite()).map(|t| 1.0 / t),
    };
    match (sex, other) {
        ("female", Some(other)) => [1.0, other],
        ("male", Some(other)) => [other, 1.0],
        _ => {
            faults.add(field.place, "expected e.g. `female only`, `male 3`");
            [1.0, 1.0]
        }
    }
}

fn findings(block: &Block<'_>, vocabulary: &Vocabulary, faults: &mut Faults) -> Vec<(Ref, FrequencyClass)> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for field in &block.fields {
        let Some((_, class)) = CLASSES.iter().find(|c| c.0 == field.key) else { continue };
        for item in field.items() {
            match vocabulary.find(item) {
                None => faults.add(field.place, format!("unknown finding `{item}`")),
                Some(found) if seen.insert(found) => all.push((found, *class)),
                // Two names of one finding: the first, more frequent one stands.
                Some(_) => {}
            }
        }
    }
    if all.len() < FEWEST {
        faults.add(block.head.place, format!("`{}` has fewer than {FEWEST} findings", block.head.value));
    }
    all
}
