//! One case's line of a rankings file.

use bodh_clinical::{DiseaseId, Hypothesis, TermId};
use bodh_knowledge::Pack;
use serde::Serialize;

/// One disease of a ranking; a ranking has at most fifty, as a differential does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Ranked {
    pub(crate) id: DiseaseId,
    /// Equivalent ids, at most three.
    pub(crate) also: Vec<DiseaseId>,
    pub(crate) name: String,
    pub(crate) synonyms: Vec<String>,
    pub(crate) probability: f64,
}

impl Ranked {
    /// A hypothesis with the names that the pack knows it by.
    pub(crate) fn of(hypothesis: &Hypothesis, pack: &Pack) -> Self {
        let known = pack.disease(hypothesis.id.as_str());
        let synonyms = known.map(|disease| pack.disease_synonyms(disease).map(str::to_owned).collect());
        Self {
            id: hypothesis.id.clone(),
            also: hypothesis.also.clone(),
            name: hypothesis.label.clone(),
            synonyms: synonyms.unwrap_or_default(),
            probability: hypothesis.probability,
        }
    }
}

/// What became of one case. Every input gives a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) ranked: Vec<Ranked>,
    pub(crate) cost_usd: f64,
    pub(crate) orders: u32,
    /// The conclusion goes to a physician.
    pub(crate) escalated: bool,
    /// The kinds of question that policy asks about the conclusion: `rare_diagnosis` can so be told from the others.
    pub(crate) escalated_for: Vec<String>,
    /// Between the diagnostician and the verifier, 0 to 1.
    pub(crate) dissent: f64,
    /// Terms said both present and absent: neither side is used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) contradictory: Vec<TermId>,
    /// Terms said absent beside something more specific that is present: the absence is not used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) outdone: Vec<TermId>,
    /// Why there is no ranking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

impl Row {
    /// The row of a case that could not be used.
    pub(crate) fn refused(case: String, error: String) -> Self {
        Self {
            case,
            ranked: Vec::new(),
            cost_usd: 0.0,
            orders: 0,
            escalated: false,
            escalated_for: Vec::new(),
            dissent: 0.0,
            contradictory: Vec::new(),
            outdone: Vec::new(),
            error: Some(error),
        }
    }
}
