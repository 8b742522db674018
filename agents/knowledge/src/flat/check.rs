//! The one full check at opening, after which reading cannot fail.

use super::{Flat, NONE, ROW_WORDS, Section, f64_at, u16_at, u32_at};
use crate::PackError;
use crate::annotation::FrequencyClass;
use bodh_clinical::{DiseaseId, TermId};

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
    require(flat.len(S::Numbers) == 1, S::Numbers, "expected one number")?;
    require(terms > 0, S::TermId, "no term")?;
    require(diseases > 0 && diseases <= usize::from(u16::MAX), S::DiseaseId, "no disease, or too many")?;
    for (section, count) in [
        (S::TermLabel, terms),
        (S::Background, terms),
        (S::DiseaseLabel, diseases),
        (S::Breadth, diseases),
        (S::AliasTo, flat.len(S::AliasId)),
        (S::PostingRate, flat.len(S::PostingDisease)),
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
        (S::Named, terms),
        (S::Series, diseases),
        (S::Gene, diseases),
    ] {
        let values = flat.section(section).chunks_exact(4).map(|c| u32_at(c, 0) as usize);
        require(values.into_iter().all(|v| v < below), section, "names something that is not there")?;
    }
    let to = flat.section(S::AliasTo).chunks_exact(4).map(|c| u32_at(c, 0));
    require(to.into_iter().all(|v| v == NONE || (v as usize) < terms), S::AliasTo, "unknown term")?;
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
    require(all(Section::Background).all(|b| b > 0.0 && b <= 1.0), Section::Background, "not a frequency")?;
    require(all(Section::Breadth).all(f64::is_finite), Section::Breadth, "not a number")?;
    require(all(Section::Numbers).all(f64::is_finite), Section::Numbers, "not a number")
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
    let all = flat.section(Section::PostingDisease);
    for term in 0..terms {
        let mut next = 0;
        for i in flat.range(Section::PostingAt, term) {
            let disease = usize::from(u16_at(all, i));
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
mod tests {
    use super::super::{MAGIC, PackBytes, TABLE_AT, writer::seal};
    use super::small::{GENES, OBO, ROWS, hpoa};
    use super::*;
    use crate::Pack;

    /// A sound pack in which one number of one section is replaced, under a right checksum.
    fn with(section: Section, word: usize, value: u32) -> Result<Pack, PackError> {
        let made = crate::build(OBO.as_bytes(), hpoa(&ROWS).as_bytes(), GENES.as_bytes()).unwrap();
        let mut flat = crate::inflate(&made).unwrap();
        assert_eq!(&flat[..8], MAGIC);
        let entry = TABLE_AT + section as usize * 16;
        let start = usize::try_from(u64::from_le_bytes(flat[entry..entry + 8].try_into().unwrap())).unwrap();
        flat[start + word * 4..start + word * 4 + 4].copy_from_slice(&value.to_le_bytes());
        seal(&mut flat);
        Pack::open(PackBytes::from(flat))
    }

    #[test]
    fn content_that_makes_no_sense_is_refused_even_under_a_right_checksum() {
        let cases = [
            (Section::Row, 0, 999, "unknown term"),
            (Section::Row, 1, 11, "a frequency above 1 or of no known kind"),
            (Section::Row, 3, 999, "unknown onset"),
            (Section::Row, 4, 999, "unknown reference"),
            (Section::Row, 5, 9, "a frequency above 1 or of no known kind"),
            (Section::Parent, 0, 1, "a term is its own ancestor"),
            (Section::Parent, 0, 999, "names something that is not there"),
            (Section::AliasTo, 0, 999, "unknown term"),
            (Section::AncestorAt, 1, 999, "bounds out of order"),
            (Section::PostingAt, 0, 1, "bounds out of order"),
            (Section::PostingDisease, 0, 0xffff_ffff, "diseases out of order"),
            (Section::DiseaseId, 0, 0, "not in the order of the ids"),
            (Section::Background, 1, 0x7ff8_0000, "not a frequency"),
            (Section::Breadth, 1, 0x7ff8_0000, "not a number"),
            (Section::Text, 0, 0xffff_ffff, "not UTF-8"),
        ];
        for (section, word, value, expected) in cases {
            match with(section, word, value).map(|_| ()) {
                Err(PackError::Content { what, .. }) => assert_eq!(what, expected, "{}", section.name()),
                other => panic!("{}: {other:?}", section.name()),
            }
        }
    }
}
