//! Review rules: what an incident leaves behind for similar future cases.

use bodh_clinical::{ClaimId, DiseaseId, TermId};
use serde::{Deserialize, Serialize};

/// A rule that sends similar cases to a physician. Made from a signed mark, visible, expiring, reversible.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewRule {
    /// Its id.
    pub id: String,
    /// The incident that it comes from.
    pub incident: String,
    /// The claim that was marked.
    pub claim: ClaimId,
    /// The disease of the claim.
    pub disease: DiseaseId,
    /// The observed findings of the chart, sorted: the pattern that a similar case resembles.
    pub pattern: Vec<TermId>,
    /// A case matches from this similarity of its findings on, 0 to 1.
    pub similarity: f64,
    /// And from this one on when the claim's disease carries real mass in its differential.
    pub similarity_if_considered: f64,
    /// Who marked it.
    pub signer: String,
    /// When, milliseconds since 1970 UTC.
    pub made_unix_ms: i64,
    /// It lapses then.
    pub expires_unix_ms: i64,
    /// Whether a person reversed it.
    pub reversed: bool,
    /// Who reversed it and why.
    pub reversal: Option<Reversed>,
}

/// A rule in force that a case resembles: what an escalation of kind `review_rule` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resemblance {
    /// The rule.
    pub rule: String,
    /// The incident that it comes from.
    pub incident: String,
    /// How like the case is, in thousandths.
    pub likeness_permille: u32,
}

/// A rule that was taken back: by whom, why and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reversed {
    /// Who reversed it.
    pub signer: String,
    /// In the signer's words.
    pub reason: String,
    /// When it was signed, milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
}

impl ReviewRule {
    /// Whether it is in force at `now_unix_ms`.
    #[must_use]
    pub const fn in_force(&self, now_unix_ms: i64) -> bool {
        !self.reversed && now_unix_ms < self.expires_unix_ms
    }
}
