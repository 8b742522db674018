//! The supervisor's opinion: what should happen next.

use crate::TestId;
use serde::{Deserialize, Serialize};

/// The next step that the supervisor proposes. The panel and the policy decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Order this test.
    Order(TestId),
    /// Conclude with the differential as it is.
    Conclude,
    /// Give it to a physician undecided: nothing left to do is worth its price and nothing leads.
    Defer,
}

/// The step and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// What next.
    pub step: Step,
    /// Sentences of our own, for the trace.
    pub reasons: Vec<String>,
}
