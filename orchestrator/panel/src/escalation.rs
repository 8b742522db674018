//! Escalations: what a physician is shown, and what became of it.

use crate::act::{is_one, one};
use crate::{Act, Ask, Resemblance, Round, Session};
use bodh_clinical::{DiseaseId, Expected, Finding, Presence, Subject, TermId, TestId, Usd};
use serde::{Deserialize, Serialize};

/// The record that a physician sees and whose hash a decision signs. Built once, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// `<first 16 hex digits of the session>-<n>`.
    pub id: String,
    /// The session.
    pub session: String,
    /// The trace.
    pub trace: String,
    /// SPIFFE-style name of the agent whose opinion raised it.
    pub agent: String,
    /// Who asked for the session.
    pub requester: String,
    /// Who asked for what is proposed, where a physician did: decides no more on it than whoever asked for the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// The round it belongs to.
    pub round: u32,
    /// The kind, e.g. `over_budget`.
    pub kind: String,
    /// Who decides.
    pub role: String,
    /// How many different people of that role have to approve this record.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub signers: u32,
    /// The policy that asks.
    pub policy: String,
    /// The policy's reason.
    pub reason: String,
    /// The review rules behind it, each with its incident; none unless a rule asks.
    pub rules: Vec<Resemblance>,
    /// What is proposed, in words: `order ct_chest`, `conclude`.
    pub action: String,
    /// The amount at stake, in cents.
    pub amount_cents: Option<u64>,
    /// What a decision covers.
    pub basis: String,
    /// When it was raised, milliseconds since 1970 UTC.
    pub raised_unix_ms: i64,
    /// Random: the record's hash stands in the log, and nobody can find the record by guessing.
    pub salt: String,
    /// The reasoning so far.
    pub shown: Shown,
}

/// The reasoning so far, as an escalation shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The leading diagnoses, the proposal first, with the claims for and against.
    pub differential: Vec<ShownHypothesis>,
    /// Probability that it is none of them nor anything in the packs.
    pub other: f64,
    /// Age and sex.
    pub subject: Subject,
    /// The chart.
    pub findings: Vec<Finding>,
    /// Terms whose result would change the order most: what is missing.
    pub missing: Vec<TermId>,
    /// The verifier's leading diagnosis and its dissent.
    pub second_opinion: Vec<DiseaseId>,
    /// 0: the same order; 1: nothing in common.
    pub dissent: f64,
    /// Claims that the verifier refuted.
    pub refuted: Vec<String>,
    /// The next tests and their prices in cents, best first.
    pub next_tests: Vec<ShownTest>,
    /// The supervisor's reasons.
    pub reasons: Vec<String>,
    /// Committed so far, in cents.
    pub spent_cents: u64,
    /// What would be committed after it, in cents.
    pub after_cents: u64,
    /// The session's budget, in cents.
    pub budget_cents: u64,
}

/// One diagnosis as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownHypothesis {
    /// The disease.
    pub id: DiseaseId,
    /// Its name.
    pub label: String,
    /// Posterior probability.
    pub probability: f64,
    /// Share of the population, where known.
    pub prevalence: Option<f64>,
    /// Must not be missed.
    pub red_flag: bool,
    /// What it would have made one expect and the chart does not have.
    pub expected: Vec<Expected>,
    /// The strongest claims for it, strongest first.
    pub for_it: Vec<ShownClaim>,
    /// The strongest claims against it, strongest first.
    pub against_it: Vec<ShownClaim>,
}

/// One claim as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownClaim {
    /// The claim's id: what `bodh incident mark` names.
    pub claim: String,
    /// The finding's label from the pack.
    pub finding: String,
    /// Observed or excluded.
    pub presence: Presence,
    /// log2 of its likelihood ratio.
    pub bits: f64,
    /// What it rests on.
    pub sources: Vec<String>,
}

/// A test as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownTest {
    /// The test.
    pub id: TestId,
    /// The test's name.
    pub label: String,
    /// Expected gain in bits.
    pub gain_bits: f64,
    /// Its price in cents, where known.
    pub price_cents: Option<u64>,
}

/// What became of an escalation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum EscalationStatus {
    /// Waits.
    Open,
    /// Approved by this person.
    Approved {
        /// SPIFFE id.
        by: String,
        /// When it was signed, milliseconds since 1970 UTC.
        at_unix_ms: i64,
    },
    /// Denied by this person.
    Denied {
        /// SPIFFE id.
        by: String,
        /// When it was signed, milliseconds since 1970 UTC.
        at_unix_ms: i64,
    },
    /// Approved with a reservation by this person.
    Amended {
        /// SPIFFE id.
        by: String,
        /// When it was signed, milliseconds since 1970 UTC.
        at_unix_ms: i64,
    },
    /// Neither approved nor denied: this person asked for something else first.
    Asked {
        /// SPIFFE id.
        by: String,
        /// When it was signed, milliseconds since 1970 UTC.
        at_unix_ms: i64,
    },
    /// Nobody decided in time, or the session went back before it. Never approved.
    Lapsed,
}

/// How many diagnoses, and claims each way, one page shows.
const HYPOTHESES: usize = 5;
const CLAIMS: usize = 4;

impl Escalation {
    pub(crate) fn raise(
        session: &Session,
        round: &Round,
        act: &Act,
        ask: &Ask,
        (salt, at_unix_ms): (&str, i64),
    ) -> Self {
        let number = session.escalations.len() + 1;
        let prefix: String = session.id.chars().take(16).collect();
        let member = match act {
            Act::Order(_) | Act::Propose(_) => "cost_guardian",
            Act::Conclude(_) if ask.kind == "dissent" || ask.kind == "refuted_claim" => "reasoning_verifier",
            Act::Conclude(_) => "diagnostician",
        };
        let action = match act {
            Act::Order(f) => Act::paid(&f.test),
            Act::Propose(f) => format!("propose {}", f.test),
            Act::Conclude(f) => match &f.leading {
                Some(leading) => format!("conclude with {leading} leading"),
                None => "conclude without a leading diagnosis".to_owned(),
            },
        };
        Self {
            id: format!("{prefix}-{number}"),
            session: session.id.clone(),
            trace: session.trace.clone(),
            agent: format!("agent/{member}"),
            requester: session.requester.clone(),
            asked_by: session.asked_by(act),
            round: session.round,
            kind: ask.kind.clone(),
            role: ask.role.clone(),
            signers: ask.signers,
            policy: ask.policy.clone(),
            reason: ask.reason.clone(),
            rules: ask.rules.clone(),
            action,
            amount_cents: act.amount().map(Usd::cents),
            basis: act.basis(),
            raised_unix_ms: at_unix_ms,
            salt: salt.to_owned(),
            shown: Shown::of(session, round, act),
        }
    }
}

impl Shown {
    fn of(session: &Session, round: &Round, act: &Act) -> Self {
        let committed = match act {
            Act::Order(f) => f.price.unwrap_or_default(),
            _ => Usd::ZERO,
        };
        let label = |term: &TermId| {
            let known = session.chart.findings.iter().find(|f| f.term == *term);
            known.map_or_else(|| term.to_string(), |f| f.label.clone())
        };
        Self {
            differential: round.differential.hypotheses.iter().take(HYPOTHESES).map(|h| shown(h, &label)).collect(),
            other: round.differential.other,
            subject: session.subject,
            findings: session.chart.findings.clone(),
            missing: round.plan.proposals.iter().take(3).flat_map(|p| p.reveals.iter().take(3).cloned()).collect(),
            second_opinion: round.second.hypotheses.iter().take(3).map(|h| h.id.clone()).collect(),
            dissent: round.verification.dissent,
            refuted: round.verification.refuted.iter().map(|r| r.claim.to_string()).collect(),
            next_tests: round
                .plan
                .proposals
                .iter()
                .take(HYPOTHESES)
                .map(|p| ShownTest {
                    id: p.test.clone(),
                    label: p.label.clone(),
                    gain_bits: p.gain_bits,
                    price_cents: p.price.map(Usd::cents),
                })
                .collect(),
            reasons: round.supervision.iter().flat_map(|s| s.reasons.iter().cloned()).collect(),
            spent_cents: session.spent.cents(),
            after_cents: session.spent.plus(committed).cents(),
            budget_cents: session.budget.cents(),
        }
    }
}

fn shown(hypothesis: &bodh_clinical::Hypothesis, label: &impl Fn(&TermId) -> String) -> ShownHypothesis {
    let mut claims: Vec<_> = hypothesis.claims.iter().collect();
    claims.sort_by(|a, b| b.bits.total_cmp(&a.bits).then_with(|| a.id.cmp(&b.id)));
    let show = |claim: &&bodh_clinical::Claim| ShownClaim {
        claim: claim.id.to_string(),
        finding: label(&claim.finding),
        presence: claim.presence,
        bits: claim.bits,
        sources: claim.sources.clone(),
    };
    ShownHypothesis {
        id: hypothesis.id.clone(),
        label: hypothesis.label.clone(),
        probability: hypothesis.probability,
        prevalence: hypothesis.prevalence.map(|p| p.0),
        red_flag: hypothesis.red_flag,
        expected: hypothesis.expected.clone(),
        for_it: claims.iter().filter(|c| c.bits > 0.0).take(CLAIMS).map(show).collect(),
        against_it: claims.iter().rev().filter(|c| c.bits < 0.0).take(CLAIMS).map(show).collect(),
    }
}
