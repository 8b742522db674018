//! The one full check at opening, after which reading cannot fail.

use super::{Flat, NONE, ROW_WORDS, Section, f64_at, u32_at};
use crate::annotation::FrequencyClass;
use crate::curated::Measure;
use crate::{PackError, TestKind};
use bodh_clinical::{DiseaseId, TermId, TestId};
use std::collections::BTreeSet;

type Checked = Result<(), PackError>;

fn fault(section: Section, what: &'static str) -> PackError {
    PackError::Content { section: section.name(), what }
}

fn require(holds: bool, section: Section, what: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(fault(section, what)) }
}

/// Checks every number of every section.
pub(crate) fn check(flat: &Flat) -> Checked {
    use Section as S;
    texts(flat)?;
    let (terms, diseases, texts) = (flat.len(S::TermId), flat.len(S::DiseaseId), flat.len(S::TextAt) - 1);
    require(flat.len(S::About) == 2, S::About, "expected release and attribution")?;
    require(flat.len(S::Numbers) == 2, S::Numbers, "expected two numbers")?;
    require(terms > 0, S::TermId, "no term")?;
    require(diseases > 0 && diseases <= usize::from(u16::MAX), S::DiseaseId, "no disease, or too many")?;
    for (section, count) in [
        (S::TermLabel, terms),
        (S::Exact, terms),
        (S::Incidental, terms),
        (S::Background, terms),
        (S::General, terms),
        (S::DiseaseLabel, diseases),
        (S::Breadth, diseases),
        (S::Published, diseases),
        (S::AliasTo, flat.len(S::AliasId)),
        (S::PostingRate, flat.len(S::PostingDisease)),
        (S::Specialty, flat.len(S::Prevalence)),
        (S::RedFlag, flat.len(S::Prevalence)),
        (S::Twin, flat.len(S::Prevalence)),
        (S::FactorFemale, flat.len(S::Prevalence)),
        (S::FactorMale, flat.len(S::Prevalence)),
        (S::FactorOutside, flat.len(S::Prevalence)),
        (S::TestLabel, flat.len(S::TestId)),
        (S::TestKind, flat.len(S::TestId)),
        (S::TestLoinc, flat.len(S::TestId)),
        (S::TestPrice, flat.len(S::TestId)),
        (S::TestSource, flat.len(S::TestId)),
    ] {
        require(flat.len(section) == count, section, "another number of elements than what it belongs to")?;
    }
    for (at, values, lists) in [
        (S::SynonymAt, S::Synonym, terms),
        (S::ParentAt, S::Parent, terms),
        (S::AncestorAt, S::Ancestor, terms),
        (S::AlsoAt, S::Also, diseases),
        (S::DiseaseSynonymAt, S::DiseaseSynonym, diseases),
        (S::RowAt, S::Row, diseases),
        (S::NamedAt, S::Named, diseases),
        (S::SeriesAt, S::Series, diseases),
        (S::GeneAt, S::Gene, diseases),
        (S::PostingAt, S::PostingDisease, terms),
        (S::AgeAt, S::Age, flat.len(S::Prevalence)),
        (S::SettledAt, S::Settled, flat.len(S::Prevalence)),
        (S::AntecedentAt, S::Antecedent, flat.len(S::Prevalence)),
        (S::ShownAt, S::Shown, terms),
        (S::ExplainsAt, S::Explains, terms),
    ] {
        require(flat.len(at) == lists + 1, at, "another number of lists than what it belongs to")?;
        bounds(flat, at, flat.len(values))?;
    }
    bounds(flat, S::ReferenceAt, flat.len(S::Reference))?;
    for (section, below) in [
        (S::About, texts),
        (S::TermId, texts),
        (S::TermLabel, texts),
        (S::Synonym, texts),
        (S::AliasId, texts),
        (S::DiseaseId, texts),
        (S::DiseaseLabel, texts),
        (S::Also, texts),
        (S::DiseaseSynonym, texts),
        (S::Reference, texts),
        (S::Parent, terms),
        (S::Ancestor, terms),
        (S::Explains, terms),
        (S::Antecedent, terms),
        (S::Named, terms),
        (S::Series, diseases),
        (S::Gene, diseases),
        (S::Specialty, texts),
        (S::Settled, texts),
        (S::Measure, texts),
        (S::TestId, texts),
        (S::TestLabel, texts),
        (S::TestSource, texts),
        (S::Shown, flat.len(S::TestId)),
    ] {
        let values = flat.section(section).chunks_exact(4).map(|c| u32_at(c, 0) as usize);
        require(values.into_iter().all(|v| v < below), section, "names something that is not there")?;
    }
    for (section, below, what) in [
        (S::AliasTo, terms, "unknown term"),
        (S::TestLoinc, texts, "names something that is not there"),
        (S::RedFlag, texts, "names something that is not there"),
        (S::Twin, diseases, "unknown disease"),
    ] {
        let mut values = flat.section(section).chunks_exact(4).map(|c| u32_at(c, 0));
        require(values.all(|v| v == NONE || (v as usize) < below), section, what)?;
    }
    require(flat.len(S::Prevalence) <= diseases, S::Prevalence, "more curated conditions than diseases")?;
    curation(flat)?;
    tests(flat)?;
    identifiers(flat)?;
    acyclic(flat, terms)?;
    for term in 0..terms {
        let list = || flat.list(S::AncestorAt, S::Ancestor, term);
        require(list().zip(list().skip(1)).all(|(a, b)| a < b), S::Ancestor, "ancestors out of order")?;
    }
    numbers(flat)?;
    rows(flat, terms)?;
    postings(flat, terms, diseases)
}

fn texts(flat: &Flat) -> Checked {
    require(flat.len(Section::TextAt) >= 1, Section::TextAt, "empty")?;
    bounds(flat, Section::TextAt, flat.len(Section::Text))?;
    let text = std::str::from_utf8(flat.section(Section::Text)).map_err(|_| fault(Section::Text, "not UTF-8"))?;
    let mut ends = flat.section(Section::TextAt).chunks_exact(4).map(|c| u32_at(c, 0) as usize);
    require(ends.all(|end| text.is_char_boundary(end)), Section::TextAt, "cuts a character")
}

/// Bounds begin at 0, never go down, and end where the values end.
fn bounds(flat: &Flat, at: Section, values: usize) -> Checked {
    let mut last = 0;
    for (i, bound) in flat.section(at).chunks_exact(4).map(|c| u32_at(c, 0) as usize).enumerate() {
        require(bound >= last && bound <= values && (i > 0 || bound == 0), at, "bounds out of order")?;
        last = bound;
    }
    require(last == values, at, "bounds do not reach the end")
}

fn identifiers(flat: &Flat) -> Checked {
    let ids = |section| flat.section(section).chunks_exact(4).map(|c| flat.text(u32_at(c, 0)));
    for section in [Section::TermId, Section::AliasId, Section::DiseaseId] {
        require(ids(section).zip(ids(section).skip(1)).all(|(a, b)| a < b), section, "not in the order of the ids")?;
    }
    for section in [Section::TermId, Section::AliasId] {
        require(ids(section).all(|id| TermId::parse(id).is_ok()), section, "not an id")?;
    }
    for section in [Section::DiseaseId, Section::Also] {
        require(ids(section).all(|id| DiseaseId::parse(id).is_ok()), section, "not an id")?;
    }
    let most = (0..flat.len(Section::DiseaseId)).map(|d| flat.range(Section::AlsoAt, d).len()).max();
    require(most.unwrap_or(0) <= 3, Section::AlsoAt, "more than three further ids")
}

/// Removes terms without remaining parents until none is left; what stays is a cycle.
fn acyclic(flat: &Flat, terms: usize) -> Checked {
    let mut children = vec![Vec::new(); terms];
    let mut waiting = Vec::with_capacity(terms);
    for term in 0..terms {
        let mut parents = 0usize;
        for parent in flat.list(Section::ParentAt, Section::Parent, term) {
            parents += 1;
            if let Some(list) = children.get_mut(parent as usize) {
                list.push(term);
            }
        }
        waiting.push(parents);
    }
    let mut ready: Vec<usize> = waiting.iter().enumerate().filter(|(_, n)| **n == 0).map(|(t, _)| t).collect();
    let mut done = 0;
    while let Some(term) = ready.pop() {
        done += 1;
        for child in children.get(term).into_iter().flatten() {
            if let Some(left) = waiting.get_mut(*child) {
                *left -= 1;
                if *left == 0 {
                    ready.push(*child);
                }
            }
        }
    }
    require(done == terms, Section::Parent, "a term is its own ancestor")
}

fn numbers(flat: &Flat) -> Checked {
    let all = |section| flat.section(section).chunks_exact(8).map(|c| f64_at(c, 0));
    for section in [Section::Background, Section::General] {
        require(all(section).all(|b| b > 0.0 && b <= 1.0), section, "not a frequency")?;
    }
    require(all(Section::Breadth).all(f64::is_finite), Section::Breadth, "not a number")?;
    require(all(Section::Numbers).all(f64::is_finite), Section::Numbers, "not a number")
}

/// Shares and factors are shares and factors; ages go up; a measure is one.
fn curation(flat: &Flat) -> Checked {
    for section in [Section::Prevalence, Section::FactorFemale, Section::FactorMale, Section::FactorOutside] {
        let mut all = flat.section(section).chunks_exact(8).map(|c| f64_at(c, 0));
        require(all.all(|v| v > 0.0 && v <= 1.0), section, "not a share above 0")?;
    }
    for condition in 0..flat.len(Section::Prevalence) {
        let ages: Vec<u32> = flat.list(Section::AgeAt, Section::Age, condition).collect();
        let sound = ages.chunks(2).all(|span| matches!(span, [from, to] if from <= to));
        require(sound, Section::Age, "no span of ages")?;
    }
    let mut measures = flat.section(Section::Measure).chunks_exact(4).map(|c| flat.text(u32_at(c, 0)));
    require(measures.all(|m| serde_json::from_str::<Measure>(m).is_ok()), Section::Measure, "not a measure")
}

/// Every test has an id of its own, a kind and a price.
fn tests(flat: &Flat) -> Checked {
    let mut seen = BTreeSet::new();
    let mut ids = flat.section(Section::TestId).chunks_exact(4).map(|c| flat.text(u32_at(c, 0)));
    require(ids.all(|id| TestId::parse(id).is_ok() && seen.insert(id)), Section::TestId, "no id, or one given twice")?;
    let mut kinds = flat.section(Section::TestKind).iter();
    require(kinds.all(|code| TestKind::of_code(*code).is_some()), Section::TestKind, "no kind of test")?;
    let mut prices = flat.section(Section::TestPrice).chunks_exact(4).map(|c| u32_at(c, 0));
    require(prices.all(|cents| cents > 0), Section::TestPrice, "a test without a price")
}

fn rows(flat: &Flat, terms: usize) -> Checked {
    let references = flat.len(Section::ReferenceAt).saturating_sub(1);
    for row in flat.section(Section::Row).chunks_exact(ROW_WORDS * 4) {
        let [term, a, b, onset, refs, packed] = std::array::from_fn(|i| u32_at(row, i));
        require((term as usize) < terms, Section::Row, "unknown term")?;
        require(onset == NONE || (onset as usize) < terms, Section::Row, "unknown onset")?;
        require((refs as usize) < references, Section::Row, "unknown reference")?;
        let [kind, sex, evidence, flags] = packed.to_le_bytes();
        let sound = match kind {
            0 => true,
            1 => b > 0 && a <= b,
            2 => a <= 1_000_000,
            3 => FrequencyClass::of_code(a).is_some(),
            _ => false,
        };
        require(sound, Section::Row, "a frequency above 1 or of no known kind")?;
        require(sex <= 2 && evidence <= 2 && flags >> 1 <= 3, Section::Row, "an unknown code")?;
    }
    Ok(())
}

fn postings(flat: &Flat, terms: usize, diseases: usize) -> Checked {
    let (all, _) = flat.section(Section::PostingDisease).as_chunks();
    for term in 0..terms {
        let mut next = 0;
        let here = all.get(flat.range(Section::PostingAt, term)).unwrap_or_default();
        for disease in here.iter().map(|number| usize::from(u16::from_le_bytes(*number))) {
            require(disease >= next && disease < diseases, Section::PostingDisease, "diseases out of order")?;
            next = disease + 1;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "../../tests/small/mod.rs"]
mod small;

#[cfg(test)]
#[path = "tests/check.rs"]
mod tests;
