//! What a pack knows of curated conditions beside their findings.

use crate::curated::{Measure, is_own};
use crate::flat::{NONE, Section, f64_at, u16_at};
use crate::{DiseaseIx, Pack, TermIx};
use bodh_clinical::{Sex, Subject};

impl Pack {
    /// How many curated conditions there are. They are the first diseases of the pack.
    #[must_use]
    pub fn general_count(&self) -> usize {
        self.flat.len(Section::Prevalence)
    }

    /// Whether a patient can well have it beside an illness that it has nothing to do with: a past history, a drug, an
    /// exposure, or something normal. Of our own findings only.
    #[must_use]
    pub fn is_incidental(&self, term: TermIx) -> bool {
        self.flat.section(Section::Incidental).get(term.0 as usize) == Some(&1)
    }

    /// What it explains by itself, where it is known: whoever is known to have diabetes has a high blood sugar, and that
    /// says little more. Of our own findings only.
    pub fn explains(&self, term: TermIx) -> impl Iterator<Item = TermIx> + '_ {
        self.flat.list(Section::ExplainsAt, Section::Explains, term.0 as usize).map(TermIx)
    }

    /// Whether it is a finding of our own and not the ontology's.
    #[must_use]
    pub fn is_own(&self, term: TermIx) -> bool {
        is_own(self.term_id(term))
    }

    /// Whether it is a curated condition of general medicine.
    #[must_use]
    pub fn is_general(&self, disease: DiseaseIx) -> bool {
        (disease.0 as usize) < self.general_count()
    }

    /// As [`Pack::rates`], of curated conditions alone, and of the release's diseases alone.
    pub fn rates_by_part(
        &self,
        term: TermIx,
    ) -> (impl Iterator<Item = (DiseaseIx, u8)> + '_, impl Iterator<Item = (DiseaseIx, u8)> + '_) {
        let range = self.flat.range(Section::PostingAt, term.0 as usize);
        let diseases = self.flat.section(Section::PostingDisease);
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = usize::midpoint(low, high);
            if usize::from(u16_at(diseases, middle)) < self.general_count() { low = middle + 1 } else { high = middle }
        }
        (self.posted(range.start..low), self.posted(low..range.end))
    }

    /// Share of people who have it, or who have had it within 25 years; none for what the release does not tell.
    #[must_use]
    pub fn prevalence(&self, disease: DiseaseIx) -> Option<f64> {
        self.is_general(disease).then(|| f64_at(self.flat.section(Section::Prevalence), disease.0 as usize))
    }

    /// Why it must not be missed, if that is so.
    #[must_use]
    pub fn red_flag(&self, disease: DiseaseIx) -> Option<&str> {
        self.about(Section::RedFlag, disease)
    }

    /// The specialty whose file it is in.
    #[must_use]
    pub fn specialty(&self, disease: DiseaseIx) -> Option<&str> {
        self.about(Section::Specialty, disease)
    }

    fn about(&self, section: Section, disease: DiseaseIx) -> Option<&str> {
        let text = self.is_general(disease).then(|| self.flat.u32(section, disease.0 as usize))?;
        (text != NONE).then(|| self.flat.text(text))
    }

    /// The entry of a rare disease that is the same as this condition.
    #[must_use]
    pub fn twin(&self, disease: DiseaseIx) -> Option<DiseaseIx> {
        let twin = self.is_general(disease).then(|| self.flat.u32(Section::Twin, disease.0 as usize))?;
        (twin != NONE).then_some(DiseaseIx(twin))
    }

    /// How much more or less often a person of this age and sex has it than those who have it most: at most 1.
    #[must_use]
    pub fn demographic_factor(&self, disease: DiseaseIx, subject: &Subject) -> f64 {
        if !self.is_general(disease) {
            return 1.0;
        }
        let number = |section| f64_at(self.flat.section(section), disease.0 as usize);
        let sex = match subject.sex {
            Sex::Female => number(Section::FactorFemale),
            Sex::Male => number(Section::FactorMale),
            Sex::Unknown | Sex::Other => 1.0,
        };
        // First and last days, in turn.
        let ages = || self.flat.list(Section::AgeAt, Section::Age, disease.0 as usize);
        let within = |age: u32| {
            let mut spans = ages().step_by(2).zip(ages().skip(1).step_by(2)).peekable();
            spans.peek().is_none() || spans.any(|(from, to)| (from..=to).contains(&age))
        };
        let age = if subject.age_days.is_none_or(within) { 1.0 } else { number(Section::FactorOutside) };
        sex * age
    }

    /// What nearly everybody with the condition has in their history: a drug, an exposure, an earlier illness.
    pub fn antecedents(&self, condition: DiseaseIx) -> impl Iterator<Item = TermIx> + '_ {
        let known = self.is_general(condition).then_some(condition.0 as usize);
        known.into_iter().flat_map(|c| self.flat.list(Section::AntecedentAt, Section::Antecedent, c)).map(TermIx)
    }

    /// The tests that settle it.
    pub fn settled_by(&self, disease: DiseaseIx) -> impl Iterator<Item = &str> {
        let known = self.is_general(disease).then_some(disease.0 as usize);
        known
            .into_iter()
            .flat_map(|d| self.flat.list(Section::SettledAt, Section::Settled, d))
            .map(|t| self.flat.text(t))
    }

    /// What is measured, and what its results are. Empty for a pack without general medicine.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        let texts = (0..self.flat.len(Section::Measure)).map(|m| self.flat.text(self.flat.u32(Section::Measure, m)));
        // Checked when the pack was opened.
        texts.filter_map(|text| serde_json::from_str(text).ok()).collect()
    }
}
