//! The differential and the claims that it is the product of.

use crate::{ClaimId, DiseaseId, Presence, TermId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Share of the population that has the disease.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prevalence(pub f64);

impl Prevalence {
    /// Below 1 in 2,000, the European definition of a rare disease (Regulation (EC) No 141/2000).
    pub const RARE: f64 = 1.0 / 2000.0;

    /// Unknown prevalence counts as rare.
    #[must_use]
    pub fn is_rare(known: Option<Prevalence>) -> bool {
        known.is_none_or(|p| p.0 < Self::RARE)
    }
}

/// One statement: this finding speaks this much for or against this disease, on this ground.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// `<disease>/<finding>`.
    pub id: ClaimId,
    /// The disease it is about.
    pub disease: DiseaseId,
    /// The finding in the chart.
    pub finding: TermId,
    /// Observed or excluded.
    pub presence: Presence,
    /// The annotated term that the finding matched; none when only the background rate was used.
    pub matched: Option<TermId>,
    /// P(finding | disease), 0 to 1, as annotated or propagated.
    pub frequency: Option<f64>,
    /// P(finding) over all diseases of the pack, 0 to 1.
    pub background: f64,
    /// log2 of the likelihood ratio that was used: positive speaks for the disease.
    pub bits: f64,
    /// References of the annotation: `PMID:…`, `OMIM:…`, `ORPHA:…`.
    pub sources: Vec<String>,
}

/// A finding that a disease would have made one expect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// The finding.
    pub term: TermId,
    /// Its name in the pack.
    pub label: String,
    /// Share of the disease's patients who have it, 0 to 1.
    pub frequency: f64,
    /// log2 of how much more often they have it than those of the leading disease (for the leading one: of the second).
    pub tells_bits: f64,
}

/// One disease that it could be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hypothesis {
    /// The disease.
    pub id: DiseaseId,
    /// Other ids of the same disease, at most three.
    pub also: Vec<DiseaseId>,
    /// Its name in the pack.
    pub label: String,
    /// Posterior probability, 0 to 1.
    pub probability: f64,
    /// Share of the population, where known.
    pub prevalence: Option<Prevalence>,
    /// Must not be missed.
    pub red_flag: bool,
    /// What spoke for it before any claim: log2 of its prior odds against a rare disease, from its prevalence, the person's age
    /// and sex, and whether the chart reads as general medicine. 0 for a rare disease.
    #[serde(default)]
    pub prior_bits: f64,
    /// What it would have made one expect and the chart does not have, the most telling first; for the leading ones alone.
    #[serde(default)]
    pub expected: Vec<Expected>,
    /// The statements whose product the probability is. Shared: a differential is copied more often than it is changed.
    pub claims: Arc<Vec<Claim>>,
}

/// What it could be, most probable first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Differential {
    /// At most fifty; ties in the order of their ids.
    pub hypotheses: Vec<Hypothesis>,
    /// Probability that it is none of the packs' diseases, 0 to 1.
    pub other: f64,
    /// What calibration made of the product: the log2 of the odds between two hypotheses is this times the difference of
    /// their bits. Below 1 it is less sure than the product, above 1 more.
    #[serde(default = "plain")]
    pub exponent: f64,
}

/// The plain product.
const fn plain() -> f64 {
    1.0
}

impl Default for Differential {
    /// Nothing is known.
    fn default() -> Self {
        Self { hypotheses: Vec::new(), other: 0.0, exponent: plain() }
    }
}

impl Differential {
    /// The leading hypothesis.
    #[must_use]
    pub fn leading(&self) -> Option<&Hypothesis> {
        self.hypotheses.first()
    }

    /// Ids, names and probabilities without the claims: what somebody needs who weighs hypotheses and not their grounds.
    #[must_use]
    pub fn outline(&self) -> Self {
        let bare = |h: &Hypothesis| Hypothesis {
            id: h.id.clone(),
            also: h.also.clone(),
            label: h.label.clone(),
            expected: Vec::new(),
            claims: Arc::default(),
            ..*h
        };
        Self { hypotheses: self.hypotheses.iter().map(bare).collect(), other: self.other, exponent: self.exponent }
    }

    /// The claim with this id.
    #[must_use]
    pub fn claim(&self, id: &ClaimId) -> Option<&Claim> {
        self.hypotheses.iter().flat_map(|h| h.claims.iter()).find(|c| c.id == *id)
    }

    /// The differential without one claim: its factor is taken out of the product and the rest normalised again.
    /// The numbers of a differential are the product of its claims, so nothing else has to be asked.
    #[must_use]
    pub fn without(mut self, id: &ClaimId) -> Self {
        for hypothesis in &mut self.hypotheses {
            let Some(index) = hypothesis.claims.iter().position(|c| c.id == *id) else { continue };
            let claim = Arc::make_mut(&mut hypothesis.claims).remove(index);
            hypothesis.probability *= (-self.exponent * claim.bits).exp2();
        }
        let total = self.other + self.hypotheses.iter().map(|h| h.probability).sum::<f64>();
        if total.is_finite() && total > 0.0 {
            self.other /= total;
            for hypothesis in &mut self.hypotheses {
                hypothesis.probability /= total;
            }
        }
        self.hypotheses.sort_by(|a, b| b.probability.total_cmp(&a.probability).then_with(|| a.id.cmp(&b.id)));
        self
    }
}
