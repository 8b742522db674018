//! Tests: what is proposed and what it costs.

use crate::{DiseaseId, TermId, TestId, Usd};
use serde::{Deserialize, Serialize};

/// A test worth considering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The test.
    pub test: TestId,
    /// Its name.
    pub label: String,
    /// Expected information gain about the diagnosis, in bits.
    pub gain_bits: f64,
    /// Its price where known.
    pub price: Option<Usd>,
    /// The terms that carry most of the gain.
    pub reveals: Vec<TermId>,
    /// The condition that must not be missed and that this test would settle; no test done has.
    pub settles: Option<DiseaseId>,
}

/// The planner's opinion: best gain per dollar first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// At most ten.
    pub proposals: Vec<Proposal>,
}

/// What one test would do to the budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceLine {
    /// The test.
    pub test: TestId,
    /// Its price; unknown counts as over budget.
    pub price: Option<Usd>,
    /// Where the price is from.
    pub source: String,
    /// Over what remains.
    pub over_budget: bool,
}

/// The cost guardian's opinion. It has no power.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pricing {
    /// One line per test asked about, in that order.
    pub lines: Vec<PriceLine>,
}
