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
    /// A case matches from this similarity on, 0 to 1.
    pub similarity: f64,
    /// Who marked it.
    pub signer: String,
    /// When, milliseconds since 1970 UTC.
    pub made_unix_ms: i64,
    /// It lapses then.
    pub expires_unix_ms: i64,
    /// Whether a person reversed it.
    pub reversed: bool,
}

impl ReviewRule {
    /// Half a year: long enough to see similar cases again, short enough that a rule does not outlive its reason.
    pub const LIFE_MS: i64 = 183 * 24 * 3600 * 1000;

    /// Whether it is in force at `now_unix_ms`.
    #[must_use]
    pub const fn in_force(&self, now_unix_ms: i64) -> bool {
        !self.reversed && now_unix_ms < self.expires_unix_ms
    }
}
