//! Rulings, escalations, decisions, and going back.

use crate::deliberate::{note_order, reason, without};
use crate::step::{StepError, authorize, out_of_place, settle, withdraw};
use crate::{
    Act, Ask, Command, Decision, Escalation, EscalationStatus, OrderStatus, Panel, Round, Ruling, State, Verdict,
    Withdrawal, asked, pair,
};
use bodh_clinical::{ClaimId, TestId, Usd};

pub(crate) fn ruled(
    panel: &mut Panel,
    rulings: &[Ruling],
    salt: &str,
    at_unix_ms: i64,
) -> Result<Vec<Command>, StepError> {
    let State::Ruling { round, acts } = panel.state.clone() else {
        return Err(out_of_place("ruled", panel));
    };
    if rulings.len() != acts.len() {
        return Err(StepError::WrongRulings { rulings: rulings.len(), acts: acts.len() });
    }
    settle(panel, "ruled", |c| matches!(c, Command::Authorize { .. }))?;
    let mut raised = Vec::new();
    for (act, ruling) in acts.iter().zip(rulings) {
        if let Ruling::Ask { reasons } = ruling {
            raised.extend(raise(panel, &round, act, reasons, (salt, at_unix_ms)));
        }
    }
    if !raised.is_empty() {
        panel.state = State::AwaitingPhysician { round, acts };
        return Ok(vec![Command::Raise { escalations: raised }]);
    }
    carry_out(panel, round, &acts, rulings)
}

/// The kinds of escalation whose approval the guardian takes for money.
const PAYS: [&str; 2] = ["over_budget", "far_over_budget"];

/// One escalation per reason that no earlier decision on exactly this covers.
fn raise(panel: &mut Panel, round: &Round, act: &Act, reasons: &[Ask], stamp: (&str, i64)) -> Vec<Escalation> {
    let mut raised = Vec::new();
    for ask in reasons {
        let escalation = Escalation::raise(&panel.session, round, act, ask, stamp);
        panel.session.escalations.push((escalation.clone(), EscalationStatus::Open));
        raised.push(escalation);
    }
    if let (Act::Order(f) | Act::Propose(f), false) = (act, raised.is_empty()) {
        note_order(panel, round, &f.test.clone(), OrderStatus::AwaitingApproval);
    }
    raised
}

/// Nothing asks: each act is allowed or denied.
fn carry_out(panel: &mut Panel, round: Round, acts: &[Act], rulings: &[Ruling]) -> Result<Vec<Command>, StepError> {
    for (act, ruling) in acts.iter().zip(rulings) {
        let allowed = matches!(ruling, Ruling::Allow { .. });
        match act {
            Act::Order(facts) => return Ok(order(panel, round, &facts.test, facts.price, allowed)),
            Act::Propose(facts) => {
                let approved = approved_by(panel, act).is_some();
                let status = match (allowed, approved) {
                    (true, true) => OrderStatus::Approved,
                    (true, false) => OrderStatus::Proposed,
                    (false, _) => OrderStatus::Refused,
                };
                note_order(panel, &round, &facts.test, status);
            }
            Act::Conclude(_) if allowed => {
                let signed_by = approved_by(panel, act);
                panel.state = State::Concluded { round, signed_by };
                return Ok(vec![Command::Close]);
            }
            Act::Conclude(_) => return Ok(withdraw(panel, Withdrawal::Denied)),
        }
    }
    // A set of acts ends with an order or a conclusion, unless it is what a physician asked for.
    Ok(asked::proposed(panel, round))
}

fn order(panel: &mut Panel, round: Round, test: &TestId, price: Option<Usd>, allowed: bool) -> Vec<Command> {
    let (Some(price), true) = (price, allowed) else {
        note_order(panel, &round, test, OrderStatus::Refused);
        return without(panel, round);
    };
    let act =
        Act::Order(crate::OrderFacts { test: test.clone(), price: Some(price), remaining: panel.session.remaining() });
    let approved_by = approval(panel, &act);
    note_order(panel, &round, test, OrderStatus::Committed);
    panel.state = State::AwaitingResults { round, test: test.clone() };
    vec![Command::Place { test: test.clone(), price, approved_by }]
}

fn decided_on<'p>(panel: &'p Panel, act: &Act) -> impl Iterator<Item = &'p (Escalation, EscalationStatus)> {
    panel.session.standing(&act.basis())
}

/// The kinds that a physician has lifted for exactly this act.
pub(crate) fn lifted(panel: &Panel, act: &Act) -> Vec<String> {
    let lifted =
        |s: &EscalationStatus| matches!(s, EscalationStatus::Approved { .. } | EscalationStatus::Amended { .. });
    let mut kinds: Vec<String> =
        decided_on(panel, act).filter(|(_, s)| lifted(s)).map(|(e, _)| e.kind.clone()).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// The escalation whose approval pays for the act beyond the budget.
fn approval(panel: &Panel, act: &Act) -> Option<String> {
    let pays = |(e, s): &&(Escalation, EscalationStatus)| {
        PAYS.contains(&e.kind.as_str()) && matches!(s, EscalationStatus::Approved { .. })
    };
    decided_on(panel, act).find(pays).map(|(e, _)| e.id.clone())
}

fn approved_by(panel: &Panel, act: &Act) -> Option<String> {
    decided_on(panel, act).find_map(|(_, status)| match status {
        EscalationStatus::Approved { by, .. } | EscalationStatus::Amended { by, .. } => Some(by.clone()),
        _ => None,
    })
}

pub(crate) fn decided(panel: &mut Panel, decision: &Decision, label: Option<&str>) -> Result<Vec<Command>, StepError> {
    let State::AwaitingPhysician { round, acts } = panel.state.clone() else {
        return Err(out_of_place("decided", panel));
    };
    let open = |(e, s): &&(Escalation, EscalationStatus)| e.id == decision.escalation && *s == EscalationStatus::Open;
    let (escalation, _) = panel.session.escalations.iter().find(open).ok_or(StepError::NoSuchEscalation)?;
    let same = decision.session == panel.session.id
        && decision.kind == escalation.kind
        && decision.action == escalation.action
        && decision.amount_cents == escalation.amount_cents;
    if !same {
        return Err(StepError::Mismatch);
    }
    let (takes_two, id) = (escalation.takes_two(decision.verdict), escalation.id.clone());
    if pair::keeps_first(&mut panel.session, decision, takes_two)? {
        if decision.verdict == Verdict::Amend {
            panel.session.reservations.push(decision.reason.clone());
        }
        return Ok(Vec::new());
    }
    let status = panel.session.escalations.iter_mut().find(|(e, _)| e.id == id).map(|(_, status)| status);
    let status = status.ok_or(StepError::NoSuchEscalation)?;
    let (by, at_unix_ms) = (decision.signer.clone(), decision.at_unix_ms);
    *status = match decision.verdict {
        Verdict::Approve => EscalationStatus::Approved { by, at_unix_ms },
        Verdict::Deny => EscalationStatus::Denied { by, at_unix_ms },
        Verdict::Amend => EscalationStatus::Amended { by, at_unix_ms },
        Verdict::Ask => return asked::asked(panel, round, decision, label),
    };
    if decision.verdict == Verdict::Amend {
        panel.session.reservations.push(decision.reason.clone());
    }
    if panel.session.escalations.iter().any(|(_, s)| *s == EscalationStatus::Open) {
        return Ok(Vec::new());
    }
    settle(panel, "decided", |c| matches!(c, Command::Raise { .. }))?;
    Ok(go_on(panel, round, acts))
}

/// Every escalation of the round is decided: drop what was declined, have policy rule again on the rest.
fn go_on(panel: &mut Panel, round: Round, acts: Vec<Act>) -> Vec<Command> {
    let mut kept = Vec::new();
    for act in acts {
        let amended = decided_on(panel, &act).any(|(_, s)| matches!(s, EscalationStatus::Amended { .. }));
        let denied = decided_on(panel, &act).any(|(_, s)| matches!(s, EscalationStatus::Denied { .. }));
        match &act {
            Act::Conclude(_) if denied => return withdraw(panel, Withdrawal::Declined),
            // An order with a reservation is replaced by another: the reservation is in the record.
            Act::Order(f) if denied || amended => {
                note_order(panel, &round, &f.test, OrderStatus::Declined);
                return without(panel, round);
            }
            Act::Propose(f) if denied || amended => note_order(panel, &round, &f.test, OrderStatus::Declined),
            _ => kept.push(act),
        }
    }
    // Nothing is left to do of what was asked for: the panel goes on without it.
    if kept.is_empty() { without(panel, round) } else { authorize(panel, round, kept) }
}

/// A claim is false: the session goes back to before the reasoning, without the claim's weight.
pub(crate) fn marked(panel: &mut Panel, claim: &ClaimId, incident: &str) -> Result<Vec<Command>, StepError> {
    if !panel.state.can_go_back() {
        return Err(out_of_place("marked", panel));
    }
    if panel.state.round().and_then(|r| r.differential.claim(claim)).is_none() {
        return Err(StepError::NoSuchClaim);
    }
    reopen(panel);
    panel.session.struck.push(claim.clone());
    panel.session.incidents.push(incident.to_owned());
    Ok(reason(panel))
}

/// What was concluded is so no more, and what was asked of physicians rests on what is no longer known.
pub(crate) fn reopen(panel: &mut Panel) {
    if matches!(panel.state, State::Concluded { .. }) {
        panel.session.revision += 1;
    }
    set_aside(panel);
}

/// Nobody is asked any more, and what waited for an answer is a proposal again.
pub(crate) fn set_aside(panel: &mut Panel) {
    lapse(panel);
    for order in &mut panel.session.orders {
        if order.status == OrderStatus::AwaitingApproval {
            order.status = OrderStatus::Proposed;
        }
    }
    panel.outstanding.clear();
}

fn lapse(panel: &mut Panel) {
    for (_, status) in &mut panel.session.escalations {
        if *status == EscalationStatus::Open {
            *status = EscalationStatus::Lapsed;
        }
    }
}

pub(crate) fn expired(panel: &mut Panel) -> Result<Vec<Command>, StepError> {
    let State::AwaitingPhysician { round, .. } = panel.state.clone() else {
        return Err(out_of_place("expired", panel));
    };
    lapse(panel);
    panel.outstanding.clear();
    panel.state = State::Expired { round };
    Ok(vec![Command::Close])
}

pub(crate) fn stopped(panel: &mut Panel) -> Result<Vec<Command>, StepError> {
    if panel.state.is_over() {
        return Err(out_of_place("stopped", panel));
    }
    lapse(panel);
    Ok(withdraw(panel, Withdrawal::Stopped))
}

impl Panel {
    /// The kinds of escalation that a physician has lifted for exactly this act: what policy is told.
    #[must_use]
    pub fn lifted(&self, act: &Act) -> Vec<String> {
        lifted(self, act)
    }
}
