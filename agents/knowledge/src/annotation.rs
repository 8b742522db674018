//! One annotation of a disease, as the release gives it.

use crate::TermIx;
use bodh_clinical::Sex;

/// HPO's six frequency classes. Ranges: <https://hpo.jax.org>, subontology "Frequency" (HP:0040279).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FrequencyClass {
    /// HP:0040285, 0 %.
    Excluded,
    /// HP:0040284, 1–4 %.
    VeryRare,
    /// HP:0040283, 5–29 %.
    Occasional,
    /// HP:0040282, 30–79 %.
    Frequent,
    /// HP:0040281, 80–99 %.
    VeryFrequent,
    /// HP:0040280, 100 %.
    Obligate,
}

impl FrequencyClass {
    pub(crate) const ALL: [(FrequencyClass, &'static str, f64, f64); 6] = [
        (FrequencyClass::Excluded, "HP:0040285", 0.0, 0.0),
        (FrequencyClass::VeryRare, "HP:0040284", 0.01, 0.04),
        (FrequencyClass::Occasional, "HP:0040283", 0.05, 0.29),
        (FrequencyClass::Frequent, "HP:0040282", 0.30, 0.79),
        (FrequencyClass::VeryFrequent, "HP:0040281", 0.80, 0.99),
        (FrequencyClass::Obligate, "HP:0040280", 1.0, 1.0),
    ];

    /// Lowest and highest share of patients.
    #[must_use]
    pub fn range(self) -> (f64, f64) {
        Self::ALL.iter().find(|c| c.0 == self).map_or((0.0, 0.0), |c| (c.2, c.3))
    }

    /// The middle of the range.
    #[must_use]
    pub fn typical(self) -> f64 {
        let (low, high) = self.range();
        f64::midpoint(low, high)
    }

    pub(crate) fn of_term(id: &str) -> Option<Self> {
        Self::ALL.iter().find(|c| c.1 == id).map(|c| c.0)
    }

    pub(crate) fn code(self) -> u32 {
        Self::ALL.iter().zip(0u32..).find(|(c, _)| c.0 == self).map_or(0, |(_, code)| code)
    }

    pub(crate) fn of_code(code: u32) -> Option<Self> {
        Self::ALL.iter().zip(0u32..).find(|(_, c)| *c == code).map(|(c, _)| c.0)
    }
}

/// How often patients with the disease have the finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frequency {
    /// Not given.
    Unknown,
    /// `n` of `of` patients.
    Count {
        /// With the finding.
        n: u32,
        /// Examined; never zero.
        of: u32,
    },
    /// A share, 0 to 1.
    Share(f64),
    /// A class of HPO.
    Class(FrequencyClass),
}

/// HPO's evidence codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EvidenceCode {
    /// Inferred from electronic annotation.
    Electronic,
    /// Traceable author statement.
    AuthorStatement,
    /// Published clinical study.
    ClinicalStudy,
}

/// One row of the release about one disease.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Annotation {
    /// What is annotated.
    pub term: TermIx,
    /// How often.
    pub frequency: Frequency,
    /// When it begins, where given.
    pub onset: Option<TermIx>,
    /// In one sex only, where given.
    pub sex: Sex,
    /// The disease does *not* have it.
    pub not: bool,
    /// On what kind of evidence.
    pub evidence: EvidenceCode,
    /// Which of the disease's ids it came from: 0 its own, then `also` in order.
    pub from: u8,
    pub(crate) references: u32,
}

/// What a propagated frequency rests on, for a claim to cite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The most frequent annotated term at or below the one that was matched.
    pub term: TermIx,
    /// References of that annotation; the ids of the sibling diseases when only those have it.
    pub sources: Vec<String>,
}
