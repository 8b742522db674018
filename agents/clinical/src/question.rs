//! What the panel asks its members, and what they answer: the typed form of `agent.proto`.

use crate::{
    CodedFeature, Differential, Finding, Intake, Plan, Pricing, Subject, Supervision, TestId, Usd, Verification,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The six members of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Member {
    /// Reads the case into findings.
    Intake,
    /// Proposes the next step.
    Supervisor,
    /// Proposes tests.
    TestPlanner,
    /// Forms the differential.
    Diagnostician,
    /// Re-derives claims and forms a second opinion.
    ReasoningVerifier,
    /// Prices tests; approves nothing.
    CostGuardian,
}

impl Member {
    /// All six, in the order of the mission.
    pub const ALL: [Member; 6] = [
        Member::Intake,
        Member::Supervisor,
        Member::TestPlanner,
        Member::Diagnostician,
        Member::ReasoningVerifier,
        Member::CostGuardian,
    ];

    /// The name in its SPIFFE id: `spiffe://<trust domain>/agent/<name>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Member::Intake => "intake",
            Member::Supervisor => "supervisor",
            Member::TestPlanner => "test_planner",
            Member::Diagnostician => "diagnostician",
            Member::ReasoningVerifier => "reasoning_verifier",
            Member::CostGuardian => "cost_guardian",
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One question to one member. The variant is the tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// To intake: the only question with free text.
    Extract {
        /// Age and sex.
        subject: Subject,
        /// The note; may be empty.
        note: String,
        /// Coded features of the case.
        coded: Vec<CodedFeature>,
    },
    /// To the diagnostician.
    Differential {
        /// Age and sex.
        subject: Subject,
        /// The chart.
        findings: Vec<Finding>,
    },
    /// To the verifier, blind to the diagnostician.
    SecondOpinion {
        /// Age and sex.
        subject: Subject,
        /// The chart.
        findings: Vec<Finding>,
    },
    /// To the verifier: does the reasoning hold?
    Verify {
        /// Age and sex.
        subject: Subject,
        /// The chart.
        findings: Vec<Finding>,
        /// The diagnostician's.
        differential: Differential,
        /// The verifier's own.
        second: Differential,
    },
    /// To the planner.
    Plan {
        /// Age and sex.
        subject: Subject,
        /// The chart.
        findings: Vec<Finding>,
        /// The diagnostician's.
        differential: Differential,
        /// Tests ordered, declined or refused.
        done: Vec<TestId>,
    },
    /// To the cost guardian.
    Price {
        /// Tests to price.
        tests: Vec<TestId>,
        /// Committed so far.
        spent: Usd,
        /// The session's budget.
        budget: Usd,
    },
    /// To the supervisor.
    Next {
        /// Whether orders can be committed and results awaited.
        sequential: bool,
        /// Rounds so far, from 1.
        round: u32,
        /// The diagnostician's.
        differential: Differential,
        /// The verifier's.
        verification: Verification,
        /// The planner's.
        plan: Plan,
        /// The cost guardian's.
        pricing: Pricing,
        /// Tests ordered, declined or refused.
        done: Vec<TestId>,
    },
}

impl Question {
    /// Who can answer it.
    #[must_use]
    pub const fn member(&self) -> Member {
        match self {
            Question::Extract { .. } => Member::Intake,
            Question::Differential { .. } => Member::Diagnostician,
            Question::SecondOpinion { .. } | Question::Verify { .. } => Member::ReasoningVerifier,
            Question::Plan { .. } => Member::TestPlanner,
            Question::Price { .. } => Member::CostGuardian,
            Question::Next { .. } => Member::Supervisor,
        }
    }

    /// The tool's name, as tokens and policies know it.
    #[must_use]
    pub const fn tool(&self) -> &'static str {
        match self {
            Question::Extract { .. } => "extract",
            Question::Differential { .. } => "differential",
            Question::SecondOpinion { .. } => "second_opinion",
            Question::Verify { .. } => "verify",
            Question::Plan { .. } => "plan",
            Question::Price { .. } => "price",
            Question::Next { .. } => "next",
        }
    }
}

/// One answer. The variant matches the question's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// Intake's.
    Extract(Intake),
    /// The diagnostician's.
    Differential(Differential),
    /// The verifier's own.
    SecondOpinion(Differential),
    /// The verifier's of the diagnostician's.
    Verify(Verification),
    /// The planner's.
    Plan(Plan),
    /// The cost guardian's.
    Price(Pricing),
    /// The supervisor's.
    Next(Supervision),
}
