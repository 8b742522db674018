//! Commands: what the runner is to carry out.

use crate::{Act, Escalation};
use bodh_clinical::{ClaimId, Member, Question, RefutationCause, TestId, Usd};
use serde::{Deserialize, Serialize};

/// The number of a question in its session, from 1. A retry keeps it and counts its tries.
pub type Call = u32;

/// Something to carry out. Each stays outstanding until the event that answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Put a question to an agent; answered by `Event::Answered` or `Event::Failed`.
    Ask {
        /// The question's number.
        call: Call,
        /// 1 at first.
        attempt: u32,
        /// What to ask.
        inquiry: Inquiry,
    },
    /// Have policy rule on these acts; answered by `Event::Ruled`.
    Authorize {
        /// In the order of the rulings to give.
        acts: Vec<Act>,
    },
    /// Spend and have the test done; answered by `Event::Resulted` or `Event::NotSpent`.
    Place {
        /// The test.
        test: TestId,
        /// Its price.
        price: Usd,
        /// The decision that lifted a limit for it, if one did.
        approved_by: Option<String>,
    },
    /// Show these to physicians; answered by one `Event::Decided` each.
    Raise {
        /// One per reason.
        escalations: Vec<Escalation>,
    },
    /// Open an incident for a claim that does not stand. Not answered.
    Incident {
        /// The claim.
        claim: ClaimId,
        /// Why.
        cause: RefutationCause,
    },
    /// The session is over: end its cells and its key. Not answered.
    Close,
}

/// What to ask. Intake's questions are completed by the runner: no command holds free text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inquiry {
    /// Intake reads the case.
    Extract,
    /// Intake reads what a person added.
    Read {
        /// The text of the session's n-th amendment, from 0.
        amendment: u32,
    },
    /// Any other question, whole.
    Put(Box<Question>),
}

impl Inquiry {
    /// Who answers.
    #[must_use]
    pub fn member(&self) -> Member {
        match self {
            Inquiry::Extract | Inquiry::Read { .. } => Member::Intake,
            Inquiry::Put(question) => question.member(),
        }
    }

    /// The tool's name.
    #[must_use]
    pub fn tool(&self) -> &'static str {
        match self {
            Inquiry::Extract | Inquiry::Read { .. } => "extract",
            Inquiry::Put(question) => question.tool(),
        }
    }
}

impl Command {
    /// Whether an event answers it, so that it stays outstanding until then.
    #[must_use]
    pub const fn is_answered(&self) -> bool {
        !matches!(self, Command::Incident { .. } | Command::Close)
    }
}
