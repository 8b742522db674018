//! The reasoning verifier's opinion of the diagnostician's.

use crate::ClaimId;
use serde::{Deserialize, Serialize};

/// Why a claim does not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefutationCause {
    /// It cites a finding that the chart does not hold.
    NotInChart,
    /// It cites an annotation that the pack does not hold.
    NotInPack,
    /// The ratio does not follow from the pack.
    WrongRatio,
    /// It cites a source that the annotation does not have.
    WrongSource,
}

/// A claim that does not stand: a hallucination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refutation {
    /// The claim.
    pub claim: ClaimId,
    /// Why.
    pub cause: RefutationCause,
}

/// What re-deriving every claim and comparing two differentials showed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Verification {
    /// Claims that do not stand.
    pub refuted: Vec<Refutation>,
    /// 0: the same order; 1: nothing in common.
    pub dissent: f64,
    /// Both lead with the same disease.
    pub same_leading: bool,
    /// How many claims were re-derived.
    pub checked: u32,
}
