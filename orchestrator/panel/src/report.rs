//! The report: what `--json` prints and a person reads. Fields as in DESIGN §8, and a few more.

use crate::act::{is_one, one};
use crate::{
    Amendment, AskLine, Corrected, EscalationStatus, FailureCause, First, OrderStatus, Panel, Resemblance, Session,
    Stage, State,
};
use bodh_clinical::{Finding, Hypothesis, Ignored, Member, Subject, TermId, TestId, Usd};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a session stands, for its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Still at work.
    Deliberating,
    /// An order's result is awaited.
    AwaitingResults,
    /// A physician decides.
    AwaitingPhysician,
    /// A physician asked for something else, and people have to find it out.
    AwaitingAnswer,
    /// Done.
    Concluded,
    /// Given up.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

/// Why a session was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum Withdrawal {
    /// The case holds no finding that the packs know.
    NothingUsable,
    /// An agent failed again and again.
    AgentFailed {
        /// Which.
        member: Member,
        /// How.
        #[serde(rename = "failure")]
        cause: FailureCause,
    },
    /// Policy forbids the conclusion.
    Denied,
    /// A physician declined the conclusion.
    Declined,
    /// A person stopped it.
    Stopped,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The test.
    pub test: TestId,
    /// Its name.
    pub label: String,
    /// Its price in dollars, where known.
    pub price_usd: Option<f64>,
    /// Expected information gain in bits.
    pub gain_bits: f64,
    /// Where it stands.
    pub status: OrderStatus,
}

/// One escalation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EscalationLine {
    /// Its id: what `bodh decide` names.
    pub id: String,
    /// The kind.
    pub kind: String,
    /// The policy's reason.
    pub reason: String,
    /// The review rules behind it, each with its incident; none unless a rule asks.
    pub rules: Vec<Resemblance>,
    /// The session.
    pub session: String,
    /// The trace.
    pub trace: String,
    /// The agent whose opinion raised it.
    pub agent: String,
    /// What is proposed.
    pub action: String,
    /// The amount at stake, in dollars.
    pub amount_usd: Option<f64>,
    /// Who decides.
    pub role: String,
    /// How many different people of that role have to approve.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub signers: u32,
    /// Where it takes two: who approved first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<First>,
    /// What became of it.
    #[serde(flatten)]
    pub status: EscalationStatus,
}

/// What a person stated after the case was read. The words themselves go with the note, to whom the note is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmendmentLine {
    /// SPIFFE id of who stated it.
    pub by: String,
    /// When.
    pub at_unix_ms: i64,
    /// The test whose result, or the question whose answer, it is.
    pub about: Option<TestId>,
    /// Findings corrected, each with what was said before.
    pub corrections: Vec<Corrected>,
    /// Whether words were added.
    pub has_text: bool,
}

/// The log's receipt for the session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuditLine {
    /// Entries of this session.
    pub entries: u64,
    /// The tree's size at the checkpoint.
    pub size: u64,
    /// Its root, hex.
    pub root: String,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// The report of a session as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The session.
    pub session: String,
    /// SPIFFE id of who asked for it.
    pub requester: String,
    /// Age and sex.
    pub subject: Subject,
    /// Where it stands.
    pub status: Status,
    /// Whether the conclusion was released; a working differential is shown either way.
    pub released: bool,
    /// `preliminary` until a physician's decision covers the conclusion, then `signed`; none while not released.
    pub standing: Option<String>,
    /// Most probable first.
    pub differential: Vec<Hypothesis>,
    /// Probability of none of the packs' diseases.
    pub other: f64,
    /// The chart.
    pub findings: Vec<Finding>,
    /// Features not used.
    pub ignored: Vec<Ignored>,
    /// Terms said both present and excluded.
    pub contradictory: Vec<TermId>,
    /// Orders and proposals.
    pub orders: Vec<OrderLine>,
    /// Escalations.
    pub escalations: Vec<EscalationLine>,
    /// Committed orders only.
    pub cost_usd: f64,
    /// The budget.
    pub budget_usd: f64,
    /// The verifier's dissent, 0 to 1.
    pub dissent: f64,
    /// The verifier's leading diagnoses.
    pub second_opinion: Vec<String>,
    /// Claims that the verifier refuted.
    pub refuted: Vec<String>,
    /// Claims that a physician marked as false.
    pub struck: Vec<String>,
    /// The supervisor's reasons.
    pub reasons: Vec<String>,
    /// Physicians' reservations.
    pub reservations: Vec<String>,
    /// Rounds.
    pub rounds: u32,
    /// What each round came to.
    pub course: Vec<Stage>,
    /// Amendments since the first release.
    pub revision: u32,
    /// What people stated after the case was read, in order.
    pub amendments: Vec<AmendmentLine>,
    /// What physicians asked for instead of deciding, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<AskLine>,
    /// Why it was given up.
    pub withdrawal: Option<Withdrawal>,
    /// What the reader should know of the input.
    pub warnings: Vec<String>,
    /// The trace.
    pub trace: String,
    /// The log's receipt.
    pub audit: AuditLine,
    /// Milliseconds by step.
    pub timings_ms: BTreeMap<String, f64>,
    /// Versions and hashes of packs, policy and programs.
    pub versions: BTreeMap<String, String>,
}

impl Status {
    fn of(state: &State) -> Self {
        match state {
            State::AwaitingPhysician { .. } => Status::AwaitingPhysician,
            State::AwaitingAnswer { .. } => Status::AwaitingAnswer,
            State::AwaitingResults { .. } => Status::AwaitingResults,
            State::Concluded { .. } => Status::Concluded,
            State::Withdrawn { .. } => Status::Withdrawn,
            State::Expired { .. } => Status::Expired,
            _ => Status::Deliberating,
        }
    }
}

impl Report {
    /// Why nothing could be made of the case, when that is how the session ended: one line without its content.
    #[must_use]
    pub fn unusable(&self) -> Option<String> {
        if self.withdrawal != Some(Withdrawal::NothingUsable) {
            return None;
        }
        let counted = [
            (self.ignored.len(), "not known to the knowledge packs"),
            (self.contradictory.len(), "said to be both present and excluded"),
        ];
        let causes: Vec<_> = counted.iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("{n} {why}")).collect();
        let causes = if causes.is_empty() { String::new() } else { format!(" ({})", causes.join(", ")) };
        Some(format!("no finding that can be used{causes}; give HPO terms, or a fuller note"))
    }

    /// The report of `panel`; receipt, timings, versions and warnings are the runner's to add.
    #[must_use]
    pub fn of(panel: &Panel) -> Self {
        let session = &panel.session;
        let round = panel.state.round();
        let (released, standing) = match &panel.state {
            State::Concluded { signed_by: Some(_), .. } => (true, Some("signed".to_owned())),
            State::Concluded { signed_by: None, .. } => (true, Some("preliminary".to_owned())),
            _ => (false, None),
        };
        Self {
            session: session.id.clone(),
            requester: session.requester.clone(),
            subject: session.subject,
            status: Status::of(&panel.state),
            released,
            standing,
            differential: round.map(|r| r.differential.hypotheses.clone()).unwrap_or_default(),
            other: round.map_or(1.0, |r| r.differential.other),
            findings: session.chart.findings.clone(),
            ignored: session.chart.ignored.clone(),
            contradictory: session.chart.contradictory.clone(),
            orders: session.orders.iter().map(order_line).collect(),
            escalations: session.escalations.iter().map(|(e, s)| escalation_line(session, e, s)).collect(),
            cost_usd: session.spent.dollars(),
            budget_usd: session.budget.dollars(),
            dissent: round.map_or(0.0, |r| r.verification.dissent),
            second_opinion: round
                .map(|r| r.second.hypotheses.iter().take(3).map(|h| format!("{} {}", h.id, h.label)).collect())
                .unwrap_or_default(),
            refuted: round
                .map(|r| r.verification.refuted.iter().map(|x| x.claim.to_string()).collect())
                .unwrap_or_default(),
            struck: session.struck.iter().map(ToString::to_string).collect(),
            reasons: round.and_then(|r| r.supervision.as_ref()).map(|s| s.reasons.clone()).unwrap_or_default(),
            reservations: session.reservations.clone(),
            rounds: session.round,
            course: session.course.clone(),
            revision: session.revision,
            amendments: session.amendments.iter().map(amendment_line).collect(),
            asks: crate::asked::lines(panel),
            withdrawal: match &panel.state {
                State::Withdrawn { why, .. } => Some(*why),
                _ => None,
            },
            warnings: Vec::new(),
            trace: session.trace.clone(),
            audit: AuditLine::default(),
            timings_ms: BTreeMap::new(),
            versions: BTreeMap::new(),
        }
    }
}

fn order_line(order: &crate::Order) -> OrderLine {
    OrderLine {
        test: order.test.clone(),
        label: order.label.clone(),
        price_usd: order.price.map(Usd::dollars),
        gain_bits: order.gain_bits,
        status: order.status,
    }
}

fn amendment_line(amendment: &Amendment) -> AmendmentLine {
    AmendmentLine {
        by: amendment.by.clone(),
        at_unix_ms: amendment.at_unix_ms,
        about: amendment.about.clone(),
        corrections: amendment.corrections.clone(),
        has_text: !amendment.text.trim().is_empty(),
    }
}

fn escalation_line(session: &Session, escalation: &crate::Escalation, status: &EscalationStatus) -> EscalationLine {
    EscalationLine {
        id: escalation.id.clone(),
        kind: escalation.kind.clone(),
        reason: escalation.reason.clone(),
        rules: escalation.rules.clone(),
        session: escalation.session.clone(),
        trace: escalation.trace.clone(),
        agent: escalation.agent.clone(),
        action: escalation.action.clone(),
        amount_usd: escalation.amount_cents.map(|c| Usd::from_cents(c).dollars()),
        role: escalation.role.clone(),
        signers: escalation.signers,
        first: session.first(&escalation.id).cloned(),
        status: status.clone(),
    }
}
