//! The states of a session, each a type that holds only its own data.

use crate::{Act, Amendment, Asked, Call, Command, Escalation, EscalationStatus, First, Stage, Withdrawal};
use bodh_clinical::{ClaimId, Differential, Intake, Plan, Pricing, Subject, Supervision, TestId, Usd, Verification};
use serde::{Deserialize, Serialize};

/// One session: what stays true of it whatever its state, its state, and what is outstanding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// What stays true across states.
    pub session: Session,
    /// Where it stands.
    pub state: State,
    /// Commands not answered yet: what a restart carries out again.
    pub outstanding: Vec<Command>,
}

/// What stays true of a session across its states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// 32 hex digits.
    pub id: String,
    /// 32 hex digits: the same in every entry, span and token of the session.
    pub trace: String,
    /// SPIFFE id of the person who asked for it: never decides on it.
    pub requester: String,
    /// What may be spent without asking.
    pub budget: Usd,
    /// Orders are committed and their results awaited; otherwise they are proposals.
    pub sequential: bool,
    /// Age and sex.
    pub subject: Subject,
    /// The chart.
    pub chart: Intake,
    /// Rounds begun.
    pub round: u32,
    /// Questions put so far.
    pub calls: Call,
    /// Orders and proposals, in the order they came up.
    pub orders: Vec<Order>,
    /// Committed so far.
    pub spent: Usd,
    /// Escalations raised, with what became of each.
    pub escalations: Vec<(Escalation, EscalationStatus)>,
    /// Claims marked as false by a person: their weight is taken out.
    pub struck: Vec<ClaimId>,
    /// Incidents of this session.
    pub incidents: Vec<String>,
    /// Reservations that physicians attached.
    pub reservations: Vec<String>,
    /// How often the report was amended after a release.
    pub revision: u32,
    /// What people stated after the case was read, in order.
    pub amendments: Vec<Amendment>,
    /// What physicians asked for instead of deciding, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Asked>,
    /// Approvals of what takes two: the first of each, and not the one that was voided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firsts: Vec<First>,
    /// What each round came to, in order.
    pub course: Vec<Stage>,
}

impl Session {
    /// What is left of the budget.
    #[must_use]
    pub const fn remaining(&self) -> Usd {
        self.budget.minus(self.spent)
    }

    /// Tests that are not to be proposed again.
    #[must_use]
    pub fn done(&self) -> Vec<TestId> {
        let settled = |o: &&Order| match o.status {
            OrderStatus::Done | OrderStatus::Reported | OrderStatus::Declined | OrderStatus::Refused => true,
            OrderStatus::Proposed | OrderStatus::AwaitingApproval | OrderStatus::Approved | OrderStatus::Committed => {
                false
            }
        };
        self.orders.iter().filter(settled).map(|o| o.test.clone()).collect()
    }
}

/// An order or a proposal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The test.
    pub test: TestId,
    /// Its name.
    pub label: String,
    /// Its price where known.
    pub price: Option<Usd>,
    /// Expected information gain, in bits.
    pub gain_bits: f64,
    /// Where it stands.
    pub status: OrderStatus,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Put forward; nothing is spent.
    Proposed,
    /// Waits for a physician.
    AwaitingApproval,
    /// A physician approved the proposal; nothing is spent.
    Approved,
    /// Committed; its result is awaited.
    Committed,
    /// Paid for and done.
    Done,
    /// Done outside, and its result entered by a person: the panel spent nothing on it, for money leaves the budget only
    /// through the guardian, and what the team paid is not the panel's to know.
    Reported,
    /// A physician declined it.
    Declined,
    /// Policy or the guardian refused it.
    Refused,
}

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// Opened; nothing has been asked.
    Convened,
    /// Intake reads the case, or what a person added to it.
    Reading {
        /// Its question.
        call: Call,
        /// The amendment that is read; none while it is the case.
        amendment: Option<u32>,
    },
    /// Diagnostician and verifier form their differentials, blind to one another.
    Reasoning {
        /// The diagnostician's question.
        first: Call,
        /// The verifier's question.
        second: Call,
        /// The diagnostician's answer.
        differential: Option<Differential>,
        /// The verifier's answer.
        opinion: Option<Differential>,
    },
    /// The verifier re-derives the claims while the planner looks for the next test.
    Checking {
        /// The verifier's question.
        check: Call,
        /// The planner's question.
        planning: Call,
        /// The diagnostician's.
        differential: Differential,
        /// The verifier's own.
        second: Differential,
        /// The verifier's answer.
        verification: Option<Verification>,
        /// The planner's answer.
        plan: Option<Plan>,
    },
    /// The cost guardian prices the plan.
    Pricing {
        /// Its question.
        call: Call,
        /// The diagnostician's.
        differential: Differential,
        /// The verifier's own.
        second: Differential,
        /// The verifier's of the diagnostician's.
        verification: Verification,
        /// The planner's.
        plan: Plan,
    },
    /// The supervisor proposes the next step.
    Supervising {
        /// Its question.
        call: Call,
        /// What is known so far; the supervision is the question's answer.
        round: Round,
    },
    /// Policy rules on what the panel wants to do.
    Ruling {
        /// The round.
        round: Round,
        /// What it wants to do.
        acts: Vec<Act>,
    },
    /// An order was committed.
    AwaitingResults {
        /// The round.
        round: Round,
        /// The test.
        test: TestId,
    },
    /// Escalated: nothing happens until people have decided.
    AwaitingPhysician {
        /// The round.
        round: Round,
        /// What it wants to do.
        acts: Vec<Act>,
    },
    /// The cost guardian prices what a physician asked for: nothing is proposed or ordered without its price.
    Costing {
        /// Its question.
        call: Call,
        /// The round.
        round: Round,
        /// The test or question.
        test: TestId,
    },
    /// A physician asked for something that people have to find out: nothing happens until they say what it is.
    AwaitingAnswer {
        /// The round.
        round: Round,
    },
    /// The report is out: preliminary, or signed when a physician decided on its conclusion.
    Concluded {
        /// The round it rests on.
        round: Round,
        /// The signer of the last decision on the conclusion.
        signed_by: Option<String>,
    },
    /// Given up.
    Withdrawn {
        /// Why.
        why: Withdrawal,
        /// The last round, if one was completed.
        round: Option<Round>,
    },
    /// An escalation was not decided in time. Never approved.
    Expired {
        /// The last round.
        round: Round,
    },
}

/// One completed round of opinions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// The diagnostician's.
    pub differential: Differential,
    /// The verifier's own.
    pub second: Differential,
    /// The verifier's of the diagnostician's.
    pub verification: Verification,
    /// The planner's.
    pub plan: Plan,
    /// The cost guardian's.
    pub pricing: Pricing,
    /// The supervisor's; none while it is being asked.
    pub supervision: Option<Supervision>,
}

impl State {
    /// The name of the state, for entries and progress lines.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            State::Convened => "convened",
            State::Reading { .. } => "reading",
            State::Reasoning { .. } => "reasoning",
            State::Checking { .. } => "checking",
            State::Pricing { .. } => "pricing",
            State::Supervising { .. } => "supervising",
            State::Ruling { .. } => "ruling",
            State::AwaitingResults { .. } => "awaiting_results",
            State::AwaitingPhysician { .. } => "awaiting_physician",
            State::Costing { .. } => "costing",
            State::AwaitingAnswer { .. } => "awaiting_answer",
            State::Concluded { .. } => "concluded",
            State::Withdrawn { .. } => "withdrawn",
            State::Expired { .. } => "expired",
        }
    }

    /// Whether nothing more will happen by itself: its cells may end.
    #[must_use]
    pub const fn is_at_rest(&self) -> bool {
        self.is_over() || matches!(self, State::AwaitingPhysician { .. } | State::AwaitingAnswer { .. })
    }

    /// Whether the session is over; a marked claim alone opens it again.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, State::Concluded { .. } | State::Withdrawn { .. } | State::Expired { .. })
    }

    /// The last completed round.
    #[must_use]
    pub const fn round(&self) -> Option<&Round> {
        match self {
            State::Supervising { round, .. }
            | State::Ruling { round, .. }
            | State::AwaitingResults { round, .. }
            | State::AwaitingPhysician { round, .. }
            | State::Costing { round, .. }
            | State::AwaitingAnswer { round }
            | State::Concluded { round, .. }
            | State::Expired { round } => Some(round),
            State::Withdrawn { round, .. } => round.as_ref(),
            _ => None,
        }
    }
}

impl Panel {
    /// A session that has just been opened.
    #[must_use]
    pub fn convene(
        id: String,
        trace: String,
        requester: String,
        budget: Usd,
        sequential: bool,
        subject: Subject,
    ) -> Self {
        let session = Session {
            id,
            trace,
            requester,
            budget,
            sequential,
            subject,
            chart: Intake::default(),
            round: 0,
            calls: 0,
            orders: Vec::new(),
            spent: Usd::ZERO,
            escalations: Vec::new(),
            struck: Vec::new(),
            incidents: Vec::new(),
            reservations: Vec::new(),
            revision: 0,
            amendments: Vec::new(),
            asks: Vec::new(),
            firsts: Vec::new(),
            course: Vec::new(),
        };
        Self { session, state: State::Convened, outstanding: Vec::new() }
    }
}
