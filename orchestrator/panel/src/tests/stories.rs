//! Single sessions, told step by step.

use super::world::{NOW, Turn, convened, decision, respond};
use crate::*;
use bodh_clinical::*;

/// Plays until the session waits or ends.
fn play(panel: &mut Panel, turn: &Turn) {
    while !panel.state.is_at_rest() {
        let event = respond(panel, turn).unwrap();
        *panel = step(panel, &event, NOW).unwrap().0;
    }
}

fn calm() -> Turn {
    Turn {
        seed: 1,
        fails: false,
        asks: false,
        denies: false,
        verdict: Verdict::Approve,
        orders: false,
        granted: true,
        found: false,
        refutes: false,
    }
}

#[test]
fn a_calm_session_concludes_with_proposals_and_spends_nothing() {
    let mut panel = convened(false);
    play(&mut panel, &calm());
    let report = Report::of(&panel);
    assert_eq!((report.status, report.released), (Status::Concluded, true));
    assert_eq!(report.standing.as_deref(), Some("preliminary"));
    assert_eq!(report.orders.len(), PROPOSALS);
    assert!(report.orders.iter().all(|o| o.status == OrderStatus::Proposed));
    assert_eq!(panel.session.spent, Usd::ZERO);
}

#[test]
fn an_escalation_shows_its_provenance_and_waits() {
    let mut panel = convened(true);
    play(&mut panel, &Turn { asks: true, orders: true, ..calm() });
    assert!(matches!(panel.state, State::AwaitingPhysician { .. }));
    let (escalation, _) = &panel.session.escalations[0];
    assert_eq!(escalation.session, panel.session.id);
    assert_eq!(escalation.trace, panel.session.trace);
    assert_eq!(escalation.amount_cents, Some(100));
    assert_eq!(escalation.action, "order test_0");
    assert_eq!(escalation.agent, "agent/cost_guardian");
    assert!(escalation.shown.differential.len() >= 3, "at least two alternatives");
    assert_eq!(panel.session.spent, Usd::ZERO, "nothing is spent before the decision");
    let report = Report::of(&panel);
    assert_eq!((report.status, report.released), (Status::AwaitingPhysician, false));
}

fn decide_all(panel: &mut Panel, verdict: Verdict) {
    while let Some((escalation, _)) = panel.session.escalations.iter().find(|(_, s)| *s == EscalationStatus::Open) {
        let event = Event::Decided { decision: decision(panel, escalation, verdict), label: None };
        *panel = step(panel, &event, NOW).unwrap().0;
    }
}

#[test]
fn approval_resumes_and_denial_goes_on_without() {
    let asking = Turn { asks: true, orders: true, ..calm() };
    for (verdict, status) in [(Verdict::Approve, OrderStatus::Done), (Verdict::Deny, OrderStatus::Declined)] {
        let mut panel = convened(true);
        play(&mut panel, &asking);
        decide_all(&mut panel, verdict);
        play(&mut panel, &Turn { asks: true, ..calm() });
        assert_eq!(panel.session.orders[0].status, status);
        let spent = if verdict == Verdict::Approve { 100 } else { 0 };
        assert_eq!(panel.session.spent, Usd::from_cents(spent));
    }
}

#[test]
fn a_decision_on_another_amount_or_session_or_twice_is_refused() {
    let mut panel = convened(true);
    play(&mut panel, &Turn { asks: true, orders: true, ..calm() });
    let (escalation, _) = panel.session.escalations[0].clone();
    let good = decision(&panel, &escalation, Verdict::Approve);
    let dearer = Decision { amount_cents: Some(999), ..good.clone() };
    let other_limit = Decision { kind: "over_test_threshold".into(), ..good.clone() };
    let other_act = Decision { action: "order something_else".into(), ..good.clone() };
    let strange = Decision { session: "f".repeat(32), ..good.clone() };
    for bad in [dearer, strange, other_limit, other_act] {
        assert_eq!(step(&panel, &Event::Decided { decision: bad, label: None }, NOW), Err(StepError::Mismatch));
    }
    let (next, _) = step(&panel, &Event::Decided { decision: good.clone(), label: None }, NOW).unwrap();
    assert_eq!(step(&next, &Event::Decided { decision: good, label: None }, NOW), Err(StepError::NoSuchEscalation));
}

#[test]
fn a_declined_conclusion_is_withdrawn_and_an_unanswered_one_expires() {
    let mut panel = convened(true);
    play(&mut panel, &Turn { asks: true, ..calm() });
    let mut expired = panel.clone();
    decide_all(&mut panel, Verdict::Deny);
    assert!(matches!(panel.state, State::Withdrawn { why: Withdrawal::Declined, .. }));
    assert!(!Report::of(&panel).released);
    expired = step(&expired, &Event::Expired, NOW).unwrap().0;
    let report = Report::of(&expired);
    assert_eq!((report.status, report.released), (Status::Expired, false));
}

#[test]
fn a_marked_claim_takes_its_weight_out_and_the_session_back() {
    let mut panel = convened(false);
    play(&mut panel, &calm());
    let leading = Report::of(&panel).differential[0].clone();
    let claim = leading.claims[0].id.clone();
    let marked = Event::Marked { claim: claim.clone(), incident: "i1".into() };
    panel = step(&panel, &marked, NOW).unwrap().0;
    assert!(matches!(panel.state, State::Reasoning { .. }));
    play(&mut panel, &calm());
    let report = Report::of(&panel);
    let again = report.differential.iter().find(|h| h.id == leading.id).unwrap();
    assert!(again.claims.iter().all(|c| c.id != claim));
    assert!(again.probability < leading.probability);
    assert_eq!((report.revision, report.struck), (1, vec![claim.to_string()]));
}

#[test]
fn an_agent_that_keeps_failing_ends_the_session_and_is_named() {
    let mut panel = convened(false);
    play(&mut panel, &Turn { fails: true, ..calm() });
    let why = Withdrawal::AgentFailed { member: Member::Intake, cause: FailureCause::Unavailable };
    assert_eq!(panel.state, State::Withdrawn { why, round: None });
}

#[test]
fn a_case_without_usable_findings_is_given_up_not_guessed() {
    let mut panel = step(&convened(false), &Event::Begun, NOW).unwrap().0;
    let empty = Event::Answered { call: 1, opinion: Box::new(Opinion::Extract(Intake::default())) };
    panel = step(&panel, &empty, NOW).unwrap().0;
    assert_eq!(panel.state, State::Withdrawn { why: Withdrawal::NothingUsable, round: None });
}

#[test]
fn a_sequential_session_begins_with_nothing_told_while_something_can_be_asked_for() {
    let begun = step(&convened(true), &Event::Begun, NOW).unwrap().0;
    let opened = |withheld| Event::Opened { call: 1, intake: Box::default(), withheld };
    assert!(matches!(step(&begun, &opened(1), NOW).unwrap().0.state, State::Reasoning { .. }));
    let nothing = step(&begun, &opened(0), NOW).unwrap().0;
    assert_eq!(nothing.state, State::Withdrawn { why: Withdrawal::NothingUsable, round: None });
}
