//! How a session got where it is: what each round came to.

use crate::Session;
use bodh_clinical::{Differential, DiseaseId, Hypothesis, TestId};
use serde::{Deserialize, Serialize};

/// What a round came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// The round.
    pub round: u32,
    /// Committed before it.
    pub spent_usd: f64,
    /// The leading diagnoses.
    pub leading: Vec<Standing>,
    /// Probability of none of the packs' diseases.
    pub other: f64,
    /// What was ordered next, if anything.
    pub order: Option<TestId>,
}

/// A diagnosis in a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The disease.
    pub id: DiseaseId,
    /// Its name.
    pub label: String,
    /// Its probability then.
    pub probability: f64,
}

/// Diagnoses that a stage keeps.
const KEPT: usize = 6;

impl Session {
    /// Writes down what a round came to.
    pub(crate) fn note(&mut self, differential: &Differential, order: Option<&TestId>) {
        let standing =
            |h: &Hypothesis| Standing { id: h.id.clone(), label: h.label.clone(), probability: h.probability };
        self.course.push(Stage {
            round: self.round,
            spent_usd: self.spent.dollars(),
            leading: differential.hypotheses.iter().take(KEPT).map(standing).collect(),
            other: differential.other,
            order: order.cloned(),
        });
    }
}
