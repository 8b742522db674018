//! Findings: coded observations, each with the place it came from.

use crate::{TermId, TestId};
use serde::{Deserialize, Serialize};

/// Whether a finding was observed or looked for and not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Observed.
    Present,
    /// Looked for and not found.
    Excluded,
}

/// Bytes of the note or of an added text, end exclusive; always on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Where a finding came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The n-th coded feature of the case.
    Coded(u32),
    /// These bytes of the note.
    Text(Span),
    /// The result of a test that the panel ordered.
    ResultOf(TestId),
    /// Words that a person added later: these bytes of the session's n-th amendment, from 0.
    Added {
        /// Which amendment.
        amendment: u32,
        /// Bytes of its text.
        span: Span,
    },
    /// A person corrected the chart: the session's n-th amendment, from 0, says who and when.
    Corrected {
        /// Which amendment.
        amendment: u32,
    },
}

/// One finding of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The term, current (never an alternative or obsolete id).
    pub term: TermId,
    /// The pack's label for the term.
    pub label: String,
    /// Observed or excluded.
    pub presence: Presence,
    /// Where it came from.
    pub origin: Origin,
    /// Told of the time before the present encounter: it may have nothing to do with why the person is here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub past: bool,
}

/// Why a feature was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IgnoredCause {
    /// The pack does not know the id.
    UnknownTerm,
    /// The id is obsolete and has no replacement.
    Obsolete,
    /// A term that is not an observation (onset, inheritance, frequency).
    NotPhenotypic,
    /// Said before.
    Duplicate,
    /// Excluded, while something more specific is present.
    Contradicted,
}

/// A feature that was reported and not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// The id as written.
    pub term: TermId,
    /// Why.
    pub cause: IgnoredCause,
}

/// Intake's opinion: the chart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Intake {
    /// Findings in the order they were met, one per term.
    pub findings: Vec<Finding>,
    /// Features not used.
    pub ignored: Vec<Ignored>,
    /// Terms said both present and excluded: neither is used.
    pub contradictory: Vec<TermId>,
}
