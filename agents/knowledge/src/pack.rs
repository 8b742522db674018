//! A pack that has passed its checks: reading it cannot fail.

use crate::flat::{Flat, NONE, ROW_WORDS, Section, f64_at, u16_at, u32_at};
use crate::{Annotation, EvidenceCode, Frequency, FrequencyClass};
use bodh_clinical::Sex;
use std::cmp::Ordering;
use std::ops::Range;

/// A term, by its place in the order of the ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermIx(pub u32);

/// A disease, by its place in the order of the ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiseaseIx(pub u32);

/// What a term's id means today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermStatus {
    /// A current term, under its own or a former id.
    Current(TermIx),
    /// Obsolete, with nothing in its place.
    Obsolete,
    /// Not in the pack.
    Unknown,
}

/// Diseases, their findings, and how often.
#[derive(Debug, Clone)]
pub struct Pack {
    pub(crate) flat: Flat,
}

impl Pack {
    /// SHA-256 of the flat form: the pack's version, as opinions and the record name it.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.flat.sha256()
    }

    /// Bytes of the flat form.
    #[must_use]
    pub fn size(&self) -> usize {
        self.flat.size()
    }

    /// The release that it was built from.
    #[must_use]
    pub fn release(&self) -> &str {
        self.flat.text(self.flat.u32(Section::About, 0))
    }

    /// Whose work it is, to be shown with it.
    #[must_use]
    pub fn attribution(&self) -> &str {
        self.flat.text(self.flat.u32(Section::About, 1))
    }

    /// How many terms.
    #[must_use]
    pub fn term_count(&self) -> usize {
        self.flat.len(Section::TermId)
    }

    /// How many diseases.
    #[must_use]
    pub fn disease_count(&self) -> usize {
        self.flat.len(Section::DiseaseId)
    }

    /// How many annotations.
    #[must_use]
    pub fn annotation_count(&self) -> usize {
        self.flat.len(Section::Row)
    }

    /// All terms, in the order of their ids.
    pub fn terms(&self) -> impl Iterator<Item = TermIx> + use<> {
        (0..u32::try_from(self.term_count()).unwrap_or(0)).map(TermIx)
    }

    /// All diseases, in the order of their ids.
    pub fn diseases(&self) -> impl Iterator<Item = DiseaseIx> + use<> {
        (0..u32::try_from(self.disease_count()).unwrap_or(0)).map(DiseaseIx)
    }

    /// What an id means today: alternative and replaced ids lead to the term that took their place.
    #[must_use]
    pub fn status(&self, id: &str) -> TermStatus {
        if let Some(term) = self.search(Section::TermId, id) {
            return TermStatus::Current(TermIx(term));
        }
        match self.search(Section::AliasId, id).map(|alias| self.flat.u32(Section::AliasTo, alias as usize)) {
            None => TermStatus::Unknown,
            Some(NONE) => TermStatus::Obsolete,
            Some(term) => TermStatus::Current(TermIx(term)),
        }
    }

    /// The current term of an id, if there is one.
    #[must_use]
    pub fn term(&self, id: &str) -> Option<TermIx> {
        match self.status(id) {
            TermStatus::Current(term) => Some(term),
            TermStatus::Obsolete | TermStatus::Unknown => None,
        }
    }

    /// The disease of an id that leads an entry (not of a further id).
    #[must_use]
    pub fn disease(&self, id: &str) -> Option<DiseaseIx> {
        self.search(Section::DiseaseId, id).map(DiseaseIx)
    }

    /// Binary search among texts in the order of the ids.
    fn search(&self, section: Section, id: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.flat.len(section));
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.flat.text_bytes(self.flat.u32(section, middle)).cmp(id.as_bytes()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return u32::try_from(middle).ok(),
            }
        }
        None
    }

    /// The term's current id.
    #[must_use]
    pub fn term_id(&self, term: TermIx) -> &str {
        self.flat.text(self.flat.u32(Section::TermId, term.0 as usize))
    }

    /// The term's name.
    #[must_use]
    pub fn term_label(&self, term: TermIx) -> &str {
        self.flat.text(self.flat.u32(Section::TermLabel, term.0 as usize))
    }

    /// The term's other names.
    pub fn term_synonyms(&self, term: TermIx) -> impl Iterator<Item = &str> {
        self.flat.list(Section::SynonymAt, Section::Synonym, term.0 as usize).map(|t| self.flat.text(t))
    }

    /// The synonyms that mean exactly the same.
    pub fn exact_synonyms(&self, term: TermIx) -> impl Iterator<Item = &str> {
        self.term_synonyms(term).take(self.exact_count(term) as usize)
    }

    pub(crate) fn exact_count(&self, term: TermIx) -> u32 {
        self.flat.u32(Section::Exact, term.0 as usize)
    }

    /// Former ids, each with the term that took its place where there is one.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = (&str, Option<TermIx>)> {
        (0..self.flat.len(Section::AliasId)).map(|alias| {
            let to = self.flat.u32(Section::AliasTo, alias);
            (self.flat.text(self.flat.u32(Section::AliasId, alias)), (to != NONE).then_some(TermIx(to)))
        })
    }

    /// The terms directly above.
    pub fn parents(&self, term: TermIx) -> impl Iterator<Item = TermIx> + '_ {
        self.flat.list(Section::ParentAt, Section::Parent, term.0 as usize).map(TermIx)
    }

    /// The term and all phenotypic terms above it, ascending; empty for what is not a phenotypic abnormality.
    pub fn ancestors(&self, term: TermIx) -> impl Iterator<Item = TermIx> + '_ {
        self.flat.list(Section::AncestorAt, Section::Ancestor, term.0 as usize).map(TermIx)
    }

    /// Whether it is a phenotypic abnormality (HP:0000118 or below), something a patient can show.
    #[must_use]
    pub fn is_phenotypic(&self, term: TermIx) -> bool {
        !self.flat.range(Section::AncestorAt, term.0 as usize).is_empty()
    }

    /// Whether `below` is `above` or lies under it.
    #[must_use]
    pub fn is_a(&self, below: TermIx, above: TermIx) -> bool {
        let range = self.flat.range(Section::AncestorAt, below.0 as usize);
        let all = self.flat.section(Section::Ancestor).get(range.start * 4..range.end * 4).unwrap_or_default();
        all.as_chunks().0.contains(&above.0.to_le_bytes())
    }

    /// Share of the diseases' patients who show it: the mean of the propagated rates over all diseases.
    #[must_use]
    pub fn background(&self, term: TermIx) -> f64 {
        f64_at(self.flat.section(Section::Background), term.0 as usize)
    }

    /// Share of the patients of general medicine who show it: the same over the curated conditions, common ones weighing more.
    #[must_use]
    pub fn general_background(&self, term: TermIx) -> f64 {
        f64_at(self.flat.section(Section::General), term.0 as usize)
    }

    /// The background that a disease's rates are held against.
    #[must_use]
    pub fn background_for(&self, disease: DiseaseIx, term: TermIx) -> f64 {
        if self.is_general(disease) { self.general_background(term) } else { self.background(term) }
    }

    /// The disease's leading id.
    #[must_use]
    pub fn disease_id(&self, disease: DiseaseIx) -> &str {
        self.flat.text(self.flat.u32(Section::DiseaseId, disease.0 as usize))
    }

    /// The disease's name.
    #[must_use]
    pub fn disease_label(&self, disease: DiseaseIx) -> &str {
        self.flat.text(self.flat.u32(Section::DiseaseLabel, disease.0 as usize))
    }

    /// Other ids of the same disease, at most three.
    pub fn also(&self, disease: DiseaseIx) -> impl Iterator<Item = &str> {
        self.flat.list(Section::AlsoAt, Section::Also, disease.0 as usize).map(|t| self.flat.text(t))
    }

    /// Other names of the disease.
    pub fn disease_synonyms(&self, disease: DiseaseIx) -> impl Iterator<Item = &str> {
        self.flat
            .list(Section::DiseaseSynonymAt, Section::DiseaseSynonym, disease.0 as usize)
            .map(|t| self.flat.text(t))
    }

    /// The release's rows about the disease.
    pub fn annotations(&self, disease: DiseaseIx) -> impl Iterator<Item = Annotation> + '_ {
        let range = self.flat.range(Section::RowAt, disease.0 as usize);
        let width = ROW_WORDS * 4;
        let rows = self.flat.section(Section::Row).get(range.start * width..range.end * width).unwrap_or_default();
        rows.chunks_exact(width).map(decode)
    }

    /// The references of an annotation.
    pub fn references(&self, annotation: &Annotation) -> impl Iterator<Item = &str> {
        let set = annotation.references as usize;
        self.flat.list(Section::ReferenceAt, Section::Reference, set).map(|t| self.flat.text(t))
    }

    /// The diseases that can show the term, ascending, with their rates as [`crate::rate_of`] reads them.
    pub fn rates(&self, term: TermIx) -> impl Iterator<Item = (DiseaseIx, u8)> + '_ {
        self.posted(self.flat.range(Section::PostingAt, term.0 as usize))
    }

    /// The postings at these places.
    pub(crate) fn posted(&self, range: Range<usize>) -> impl Iterator<Item = (DiseaseIx, u8)> + '_ {
        let diseases =
            self.flat.section(Section::PostingDisease).get(range.start * 2..range.end * 2).unwrap_or_default();
        let rates = self.flat.section(Section::PostingRate).get(range).unwrap_or_default();
        diseases.chunks_exact(2).map(|c| DiseaseIx(u32::from(u16_at(c, 0)))).zip(rates.iter().copied())
    }

    /// The propagated rate of one term in one disease.
    #[must_use]
    pub fn rate(&self, disease: DiseaseIx, term: TermIx) -> Option<u8> {
        let range = self.flat.range(Section::PostingAt, term.0 as usize);
        let (wanted, count) = (u16::try_from(disease.0).ok()?, self.disease_count());
        // Diseases ascend and occur once, so as many as are before it can be before it here, and as many as follow it can
        // follow it: of a term that nearly every disease shows only a few places are left.
        let before = usize::from(wanted).saturating_add(1).min(range.len());
        let after = range.len().saturating_sub(count.saturating_sub(usize::from(wanted))).min(before);
        let start = range.start + after;
        let places = start * 2..(range.start + before) * 2;
        let (all, _) = self.flat.section(Section::PostingDisease).get(places)?.as_chunks();
        let place = all.binary_search_by(|posted| u16::from_le_bytes(*posted).cmp(&wanted)).ok()?;
        self.flat.section(Section::PostingRate).get(start + place).copied()
    }

    /// How much more the disease's patients show than those of the average disease, as a natural logarithm.
    #[must_use]
    pub fn breadth(&self, disease: DiseaseIx) -> f64 {
        f64_at(self.flat.section(Section::Breadth), disease.0 as usize)
    }

    /// The same of all diseases, in their order.
    pub fn breadths(&self) -> impl Iterator<Item = f64> + '_ {
        let (all, _) = self.flat.section(Section::Breadth).as_chunks();
        all.iter().map(|bytes| f64::from_le_bytes(*bytes))
    }

    /// How many publications its annotations cite: how much it is reported, where nobody knows how many have it.
    #[must_use]
    pub fn published(&self, disease: DiseaseIx) -> u32 {
        self.flat.u32(Section::Published, disease.0 as usize)
    }

    pub(crate) fn named(&self, disease: DiseaseIx) -> impl Iterator<Item = TermIx> + '_ {
        self.flat.list(Section::NamedAt, Section::Named, disease.0 as usize).map(TermIx)
    }

    pub(crate) fn series(&self, disease: DiseaseIx) -> impl Iterator<Item = DiseaseIx> + '_ {
        self.flat.list(Section::SeriesAt, Section::Series, disease.0 as usize).map(DiseaseIx)
    }

    pub(crate) fn same_gene(&self, disease: DiseaseIx) -> impl Iterator<Item = DiseaseIx> + '_ {
        self.flat.list(Section::GeneAt, Section::Gene, disease.0 as usize).map(DiseaseIx)
    }

    pub(crate) fn mean_breadth(&self, disease: DiseaseIx) -> f64 {
        f64_at(self.flat.section(Section::Numbers), usize::from(self.is_general(disease)))
    }
}

fn decode(row: &[u8]) -> Annotation {
    let [term, a, b, onset, references, packed] = std::array::from_fn(|i| u32_at(row, i));
    let [kind, sex, evidence, flags] = packed.to_le_bytes();
    Annotation {
        term: TermIx(term),
        frequency: match kind {
            1 => Frequency::Count { n: a, of: b },
            2 => Frequency::Share(f64::from(a) / 1e6),
            3 => FrequencyClass::of_code(a).map_or(Frequency::Unknown, Frequency::Class),
            _ => Frequency::Unknown,
        },
        onset: (onset != NONE).then_some(TermIx(onset)),
        sex: match sex {
            1 => Sex::Female,
            2 => Sex::Male,
            _ => Sex::Unknown,
        },
        not: flags & 1 == 1,
        evidence: match evidence {
            0 => EvidenceCode::Electronic,
            1 => EvidenceCode::AuthorStatement,
            _ => EvidenceCode::ClinicalStudy,
        },
        from: flags >> 1,
        references,
    }
}
