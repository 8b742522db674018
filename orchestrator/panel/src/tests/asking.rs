//! A physician asks for something else: what it leads to, and what it never does.

use super::world::{NOW, Turn, convened, decision, finding, respond};
use crate::*;
use bodh_clinical::*;

fn turn() -> Turn {
    Turn {
        seed: 1,
        fails: false,
        asks: true,
        denies: false,
        verdict: Verdict::Approve,
        orders: false,
        granted: true,
        found: false,
        refutes: false,
    }
}

fn play(panel: &mut Panel, turn: &Turn) {
    while !panel.state.is_at_rest() {
        let event = respond(panel, turn).unwrap();
        *panel = step(panel, &event, NOW).unwrap().0;
    }
}

/// A session that waits for a physician: on an order, or on its conclusion.
fn waiting(sequential: bool, orders: bool) -> Panel {
    let mut panel = convened(sequential);
    play(&mut panel, &Turn { orders, ..turn() });
    assert!(matches!(panel.state, State::AwaitingPhysician { .. }));
    panel
}

fn test(id: &str) -> TestId {
    TestId::parse(id).unwrap()
}

fn ask(panel: &Panel, asked: Option<&str>) -> Event {
    let open = panel.session.escalations.iter().find(|(_, s)| *s == EscalationStatus::Open).unwrap();
    let (asked, label) = (asked.map(test), asked.map(str::to_owned));
    Event::Decided { decision: Decision { asked, ..decision(panel, &open.0, Verdict::Ask) }, label }
}

fn taken(panel: &Panel, event: &Event) -> Panel {
    step(panel, event, NOW).unwrap().0
}

#[test]
fn a_test_that_is_asked_for_is_priced_ruled_on_ordered_and_paid_once() {
    let panel = waiting(true, true);
    let mut panel = taken(&panel, &ask(&panel, Some("test_9")));
    assert!(matches!(panel.state, State::Costing { .. }), "no price, no order");
    assert_eq!(panel.session.spent, Usd::ZERO);
    let kinds =
        |status: fn(&EscalationStatus) -> bool| panel.session.escalations.iter().filter(|(_, s)| status(s)).count();
    assert_eq!(kinds(|s| matches!(s, EscalationStatus::Asked { .. })), 1);
    assert_eq!(kinds(|s| *s == EscalationStatus::Lapsed), 1, "what else was open lapses");
    assert_eq!(kinds(|s| matches!(s, EscalationStatus::Approved { .. })), 0);
    play(&mut panel, &Turn { asks: false, found: true, ..turn() });
    let status = |id: &str| panel.session.orders.iter().find(|o| o.test == test(id)).map(|o| o.status);
    assert_eq!(status("test_9"), Some(OrderStatus::Done));
    assert_eq!(status("test_0"), Some(OrderStatus::Proposed), "what was proposed is not done, and not declined either");
    assert_eq!(panel.session.spent, Usd::from_cents(100));
}

#[test]
fn policy_asks_about_it_as_about_any_order_and_names_who_wanted_it() {
    let panel = waiting(true, true);
    let mut panel = taken(&panel, &ask(&panel, Some("test_9")));
    play(&mut panel, &turn());
    assert!(matches!(panel.state, State::AwaitingPhysician { .. }));
    let open: Vec<_> = panel.session.escalations.iter().filter(|(_, s)| *s == EscalationStatus::Open).collect();
    assert!(open.iter().all(|(e, _)| e.action == "order test_9" && e.amount_cents == Some(100)));
    assert!(open.iter().all(|(e, _)| e.asked_by.as_deref() == Some("spiffe://t/human/ann")));
    assert_eq!(panel.session.spent, Usd::ZERO, "asking pays for nothing");
    // Declined, the panel goes on without it.
    for (escalation, _) in open.into_iter().cloned().collect::<Vec<_>>() {
        let event = Event::Decided { decision: decision(&panel, &escalation, Verdict::Deny), label: None };
        panel = taken(&panel, &event);
    }
    assert!(panel.session.orders.iter().any(|o| o.test == test("test_9") && o.status == OrderStatus::Declined));
    // Asked for again, only what is said then counts.
    play(&mut panel, &turn());
    panel = taken(&panel, &ask(&panel, Some("test_9")));
    play(&mut panel, &turn());
    while let Some((open, _)) = panel.session.escalations.iter().find(|(_, s)| *s == EscalationStatus::Open).cloned() {
        let event = Event::Decided { decision: decision(&panel, &open, Verdict::Approve), label: None };
        panel = taken(&panel, &event);
    }
    play(&mut panel, &Turn { asks: false, ..turn() });
    assert!(panel.session.orders.iter().any(|o| o.test == test("test_9") && o.status == OrderStatus::Done));
}

#[test]
fn where_orders_are_proposals_the_session_waits_for_the_answer_and_reasons_again() {
    let panel = waiting(false, false);
    for asked in [Some("test_9"), None] {
        let mut panel = taken(&panel, &ask(&panel, asked));
        play(&mut panel, &Turn { asks: false, ..turn() });
        assert!(matches!(panel.state, State::AwaitingAnswer { .. }));
        let report = Report::of(&panel);
        assert_eq!((report.status, report.released), (Status::AwaitingAnswer, false));
        assert!(report.asks.len() == 1 && report.asks[0].waits && report.asks[0].words == "seen");
        assert_eq!(report.asks[0].test, asked.map(test));
        assert!(step(&panel, &Event::Expired, NOW).is_err(), "no question to a physician is open");
        let correction = Correction { term: finding(1).term, said: Said::Excluded };
        let event = Event::Amended {
            by: "spiffe://t/human/kim".into(),
            corrections: vec![correction],
            text: String::new(),
            about: asked.map(test),
        };
        panel = taken(&panel, &event);
        assert!(matches!(panel.state, State::Reasoning { .. }));
        assert!(!Report::of(&panel).asks[0].waits);
        play(&mut panel, &turn());
        assert!(matches!(panel.state, State::AwaitingPhysician { .. }), "and is asked about again");
        assert_eq!(panel.session.spent, Usd::ZERO);
    }
}

#[test]
fn a_proposal_that_policy_forbids_is_not_waited_for() {
    let panel = waiting(false, false);
    let mut panel = taken(&panel, &ask(&panel, Some("test_9")));
    while !matches!(panel.state, State::Ruling { .. }) {
        panel = taken(&panel, &respond(&panel, &turn()).unwrap());
    }
    panel = taken(&panel, &respond(&panel, &Turn { denies: true, ..turn() }).unwrap());
    assert!(matches!(panel.state, State::Checking { .. }), "the panel goes on without it");
    assert!(panel.session.orders.iter().any(|o| o.test == test("test_9") && o.status == OrderStatus::Refused));
}

#[test]
fn what_cannot_be_asked_for_is_refused_and_changes_nothing() {
    let mut panel = waiting(true, true);
    let Event::Decided { decision, .. } = ask(&panel, Some("test_9")) else { unreachable!() };
    let unnamed = Event::Decided { decision: decision.clone(), label: None };
    assert_eq!(step(&panel, &unnamed, NOW), Err(StepError::Asking(AskError::Unknown)));
    let stray = Event::Decided { decision: Decision { asked: None, ..decision }, label: Some("x".into()) };
    assert_eq!(step(&panel, &stray, NOW), Err(StepError::Asking(AskError::Unknown)));
    for settled in [OrderStatus::Done, OrderStatus::Reported, OrderStatus::Committed] {
        panel.session.orders[0].status = settled;
        let again = ask(&panel, Some("test_0"));
        assert_eq!(step(&panel, &again, NOW), Err(StepError::Asking(AskError::Done)));
    }
    panel.session.round = MAX_ROUNDS;
    assert_eq!(step(&panel, &ask(&panel, None), NOW), Err(StepError::Asking(AskError::Full)));
}

#[test]
fn a_price_for_another_test_is_no_answer() {
    let panel = waiting(true, true);
    let panel = taken(&panel, &ask(&panel, Some("test_9")));
    let Some(Command::Ask { call, .. }) = panel.outstanding.first() else { panic!("the price is asked for") };
    let line = |id: &str| PriceLine { test: test(id), price: None, source: "list".into(), over_budget: false };
    for lines in [vec![], vec![line("test_0")], vec![line("test_9"), line("test_9")]] {
        let event = Event::Answered { call: *call, opinion: Box::new(Opinion::Price(Pricing { lines })) };
        assert_eq!(step(&panel, &event, NOW), Err(StepError::WrongAnswer(*call)));
    }
}
