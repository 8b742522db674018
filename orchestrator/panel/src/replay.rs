//! What a replay of a session came to.

use bodh_clinical::Member;
use serde::{Deserialize, Serialize};

/// Every question of a session put again, and compared bit for bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// The session.
    pub session: String,
    /// Whether everything is as it was: opinions, rulings and versions.
    pub same: bool,
    /// Opinions that were compared.
    pub opinions: u32,
    /// Policy's rulings that were compared.
    pub rulings: u32,
    /// What is not as it was.
    pub differs: Vec<Difference>,
    /// Versions that are not as they were: of the panel, of agents' programs and packs.
    pub changed: Vec<Changed>,
}

/// One thing that came out differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Difference {
    /// An opinion.
    Opinion {
        /// The question's number.
        call: u32,
        /// Who was asked.
        agent: Member,
        /// What was asked.
        tool: String,
        /// `changed`, or why there was no answer.
        what: String,
    },
    /// A ruling of policy: the policies, or the review rules, are others now.
    Ruling {
        /// The event that held it.
        event: u32,
    },
}

/// A version then and now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Whose: `panel`, or an agent's name.
    pub of: String,
    /// Of what: `program`, `pack`, `policy_sha256`.
    pub name: String,
    /// As it was on record.
    pub then: String,
    /// As it is now.
    pub now: String,
}
