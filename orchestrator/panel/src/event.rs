//! Events: what happened, as the runner tells it.

use crate::{Call, Correction, Decision, Ruling};
use bodh_clinical::{ClaimId, Finding, Intake, Opinion, TestId};
use serde::{Deserialize, Serialize};

/// Something that happened. Stored, in order, they are the session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The panel may begin.
    Begun,
    /// An agent answered.
    Answered {
        /// Which question.
        call: Call,
        /// The answer.
        opinion: Box<Opinion>,
    },
    /// Intake answered in a sequential session: what is told at first, and that more can be asked for.
    Opened {
        /// Which question.
        call: Call,
        /// What is told; it may be nothing but the person's age and sex.
        intake: Box<Intake>,
        /// How many findings wait to be asked for.
        withheld: u32,
    },
    /// An agent did not answer, or its answer was refused.
    Failed {
        /// Which question.
        call: Call,
        /// Why.
        cause: FailureCause,
    },
    /// Policy ruled on the acts that were put to it, in their order.
    Ruled {
        /// One per act.
        rulings: Vec<Ruling>,
        /// 32 hex digits drawn for this event: they make the hash of what a physician is shown unguessable.
        salt: String,
    },
    /// An order was paid for and done.
    Resulted {
        /// The test.
        test: TestId,
        /// What it showed; empty when nothing of it is recorded.
        findings: Vec<Finding>,
    },
    /// The guardian did not grant the money.
    NotSpent {
        /// The test.
        test: TestId,
    },
    /// A physician decided. The runner has verified the signature and the policy.
    Decided {
        /// The decision.
        decision: Decision,
        /// The name of the test or question that it asks for, as the packs have it; none where it names none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
    },
    /// The first of two approvals does not count any more: its signer was revoked, or may not decide now.
    Voided {
        /// The escalation.
        escalation: String,
    },
    /// A physician marked a claim as false.
    Marked {
        /// The claim.
        claim: ClaimId,
        /// The incident's id.
        incident: String,
    },
    /// A person corrected the chart, or added what they learned. The runner has verified who.
    Amended {
        /// SPIFFE id of who stated it.
        by: String,
        /// Findings corrected.
        corrections: Vec<Correction>,
        /// Words added; may be empty.
        text: String,
        /// The test whose result, or the question whose answer, it is.
        about: Option<TestId>,
    },
    /// Nobody decided in time.
    Expired,
    /// A person stopped the session.
    Stopped,
}

impl Event {
    /// The same without a person's own words, a dash for each byte: what leaves a session with its evidence. Everything that
    /// follows from an event follows from this one too, for places in the words stay where they are.
    #[must_use]
    pub fn without_words(&self) -> Self {
        match self {
            Event::Amended { by, corrections, text, about } => Event::Amended {
                by: by.clone(),
                corrections: corrections.clone(),
                text: if text.trim().is_empty() { String::new() } else { "-".repeat(text.len()) },
                about: about.clone(),
            },
            other => other.clone(),
        }
    }
}

/// Why a question was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The agent could not be reached.
    Unavailable,
    /// The agent refused the question.
    Refused,
    /// Its cell died, babbled or overran.
    Cell,
    /// The answer was not one to the question, or out of bounds.
    Malformed,
    /// A crash of ours interrupted it.
    Interrupted,
}
