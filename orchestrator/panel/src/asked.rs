//! A physician asks for something else: neither approved nor denied. What is asked for goes the way of every order, priced
//! by the cost guardian and ruled on by policy; what only people can find out is waited for.

use crate::conclude::set_aside;
use crate::deliberate::{note_order, order_facts, without};
use crate::step::{StepError, ask, authorize};
use crate::{Act, Command, Decision, EscalationStatus, Inquiry, MAX_ROUNDS, OrderStatus, Panel, Round, Session, State};
use bodh_clinical::{Pricing, Proposal, Question, TestId};
use serde::{Deserialize, Serialize};

/// What a physician asked for instead of deciding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The escalation that it answered.
    pub escalation: String,
    /// SPIFFE id of who asked.
    pub by: String,
    /// When it was signed, milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
    /// The test or the question of the packs; none where the words say what is wanted.
    pub test: Option<TestId>,
    /// Its name; empty without one.
    pub label: String,
    /// In the physician's words.
    pub words: String,
}

/// What a physician asked for instead of deciding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskLine {
    /// The escalation that it answered.
    pub escalation: String,
    /// SPIFFE id of who asked.
    pub by: String,
    /// When.
    pub at_unix_ms: i64,
    /// The test or the question of the packs; none where the words say what is wanted.
    pub test: Option<TestId>,
    /// Its name; empty without one.
    pub label: String,
    /// In the physician's words.
    pub words: String,
    /// Whether the session waits for the answer.
    pub waits: bool,
}

/// Why something cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Its result is there, or on its way.
    #[error("this was asked for before, and its answer is known or on its way")]
    Done,
    /// The packs do not know it.
    #[error("no such test or question in the packs")]
    Unknown,
    /// The panel has reasoned too often.
    #[error("the panel has come to the end of its rounds: approve, deny or amend")]
    Full,
}

/// Takes in that something else is asked for: nothing that was proposed is done, and what else was open of the round lapses.
pub(crate) fn asked(
    panel: &mut Panel,
    round: Round,
    decision: &Decision,
    label: Option<&str>,
) -> Result<Vec<Command>, StepError> {
    if panel.session.round >= MAX_ROUNDS {
        return Err(StepError::Asking(AskError::Full));
    }
    let asked = match (&decision.asked, label) {
        (Some(test), Some(label)) => Some((test.clone(), label.to_owned())),
        (None, None) => None,
        _ => return Err(StepError::Asking(AskError::Unknown)),
    };
    let settled =
        |status: OrderStatus| matches!(status, OrderStatus::Done | OrderStatus::Reported | OrderStatus::Committed);
    if let Some((test, _)) = &asked
        && panel.session.orders.iter().any(|o| o.test == *test && settled(o.status))
    {
        return Err(StepError::Asking(AskError::Done));
    }
    let (by, at_unix_ms) = (decision.signer.clone(), decision.at_unix_ms);
    for (escalation, status) in &mut panel.session.escalations {
        if escalation.id == decision.escalation {
            *status = EscalationStatus::Asked { by: by.clone(), at_unix_ms };
        }
    }
    set_aside(panel);
    let (test, label) = asked.map_or((None, String::new()), |(test, label)| (Some(test), label));
    panel.session.asks.push(Asked {
        escalation: decision.escalation.clone(),
        by,
        at_unix_ms,
        test: test.clone(),
        label: label.clone(),
        words: decision.reason.clone(),
    });
    let Some(test) = test else { return Ok(wait(panel, round)) };
    let price = Question::Price { tests: vec![test.clone()], spent: panel.session.spent, budget: panel.session.budget };
    let (call, command) = ask(panel, Inquiry::Put(Box::new(price)));
    panel.state = State::Costing { call, round: with_proposal(round, &test, label), test };
    Ok(vec![command])
}

/// The round's plan, with the test in it: what it would tell is the planner's to say, and the planner was not asked.
fn with_proposal(mut round: Round, test: &TestId, label: String) -> Round {
    if !round.plan.proposals.iter().any(|p| p.test == *test) {
        let (test, reveals) = (test.clone(), Vec::new());
        round.plan.proposals.push(Proposal { test, label, gain_bits: 0.0, price: None, reveals, settles: None });
    }
    round
}

/// Its price is known: policy rules on it like on any other.
pub(crate) fn costed(panel: &mut Panel, call: u32, answer: &Pricing) -> Result<Vec<Command>, StepError> {
    let State::Costing { call: asked, mut round, test } = panel.state.clone() else {
        return Err(StepError::WrongAnswer(call));
    };
    let ([line], true) = (answer.lines.as_slice(), asked == call) else { return Err(StepError::WrongAnswer(call)) };
    if line.test != test {
        return Err(StepError::WrongAnswer(call));
    }
    round.pricing.lines.retain(|known| known.test != test);
    round.pricing.lines.push(line.clone());
    for proposal in round.plan.proposals.iter_mut().filter(|p| p.test == test) {
        proposal.price = line.price;
    }
    let facts = order_facts(panel, &round, &test).ok_or(StepError::WrongAnswer(call))?;
    note_order(panel, &round, &test, OrderStatus::Proposed);
    let act = if panel.session.sequential { Act::Order(facts) } else { Act::Propose(facts) };
    Ok(authorize(panel, round, vec![act]))
}

/// The test that was asked for is a proposal, where orders are only proposals: people have it done, and say what it showed.
pub(crate) fn proposed(panel: &mut Panel, round: Round) -> Vec<Command> {
    let refused =
        |test: &TestId| panel.session.orders.iter().any(|o| o.test == *test && o.status == OrderStatus::Refused);
    let last = panel.session.asks.last().and_then(|asked| asked.test.clone());
    if last.is_some_and(|test| refused(&test)) { without(panel, round) } else { wait(panel, round) }
}

fn wait(panel: &mut Panel, round: Round) -> Vec<Command> {
    panel.state = State::AwaitingAnswer { round };
    vec![Command::Close]
}

impl Session {
    /// Who asked for the test that the act is about, where a physician did.
    pub(crate) fn asked_by(&self, act: &Act) -> Option<String> {
        let (Act::Order(facts) | Act::Propose(facts)) = act else { return None };
        let of_it = self.asks.iter().rev().find(|asked| asked.test.as_ref() == Some(&facts.test));
        of_it.map(|asked| asked.by.clone())
    }

    /// The escalations that stand for this basis: of each kind the last, for what was said before was said of the same and
    /// has been asked anew.
    pub(crate) fn standing<'s>(
        &'s self,
        basis: &str,
    ) -> impl Iterator<Item = &'s (crate::Escalation, EscalationStatus)> + use<'s> {
        let mut last: Vec<&(crate::Escalation, EscalationStatus)> = Vec::new();
        for one in self.escalations.iter().filter(|(e, _)| e.basis == basis) {
            last.retain(|(known, _)| known.kind != one.0.kind);
            last.push(one);
        }
        last.into_iter()
    }
}

impl State {
    /// Whether what people say now takes the session back to its reasoning: it waits for them, or has concluded.
    pub(crate) const fn can_go_back(&self) -> bool {
        matches!(self, State::AwaitingPhysician { .. } | State::AwaitingAnswer { .. } | State::Concluded { .. })
    }
}

/// Every request, for the report.
pub(crate) fn lines(panel: &Panel) -> Vec<AskLine> {
    let waits = matches!(panel.state, State::AwaitingAnswer { .. });
    let last = panel.session.asks.len().saturating_sub(1);
    let line = |(place, asked): (usize, &Asked)| AskLine {
        escalation: asked.escalation.clone(),
        by: asked.by.clone(),
        at_unix_ms: asked.at_unix_ms,
        test: asked.test.clone(),
        label: asked.label.clone(),
        words: asked.words.clone(),
        waits: waits && place == last,
    };
    panel.session.asks.iter().enumerate().map(line).collect()
}
