//! One case's line of a rankings file.

use bodh_clinical::DiseaseId;
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

/// What became of one case. Every input gives a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) ranked: Vec<Ranked>,
    pub(crate) cost_usd: f64,
    pub(crate) orders: u32,
    pub(crate) escalated: bool,
    /// Why there is no ranking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

impl Row {
    /// The row of a case that could not be used.
    pub(crate) fn refused(case: String, error: String) -> Self {
        Self { case, ranked: Vec::new(), cost_usd: 0.0, orders: 0, escalated: false, error: Some(error) }
    }
}
