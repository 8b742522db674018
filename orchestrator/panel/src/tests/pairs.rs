//! What takes two different people: the first approval does nothing, the second decides, a denial by either ends it.

use super::world::{NOW, Turn, convened, decision, respond};
use crate::*;

fn turn() -> Turn {
    Turn {
        seed: 1,
        fails: false,
        asks: true,
        denies: false,
        verdict: Verdict::Approve,
        orders: true,
        granted: true,
        found: true,
        refutes: false,
    }
}

/// A session that waits on an order which two people have to approve.
fn waiting(orders: bool) -> Panel {
    let mut panel = convened(true);
    let turn = Turn { orders, ..turn() };
    while !panel.state.is_at_rest() {
        let event = match respond(&panel, &turn).unwrap() {
            Event::Ruled { rulings, salt } => {
                let two = |ruling| match ruling {
                    Ruling::Ask { mut reasons } => {
                        reasons.truncate(1);
                        reasons[0].signers = 2;
                        Ruling::Ask { reasons }
                    }
                    other => other,
                };
                Event::Ruled { rulings: rulings.into_iter().map(two).collect(), salt }
            }
            event => event,
        };
        panel = step(&panel, &event, NOW).unwrap().0;
    }
    assert_eq!(panel.session.escalations[0].0.signers, 2);
    panel
}

fn by(panel: &Panel, who: &str, verdict: Verdict) -> Event {
    let escalation = &panel.session.escalations[0].0;
    let signer = format!("spiffe://t/human/{who}");
    Event::Decided { decision: Decision { signer, ..decision(panel, escalation, verdict) }, label: None }
}

fn taken(panel: &Panel, event: &Event) -> (Panel, Vec<Command>) {
    step(panel, event, NOW).unwrap()
}

fn status(panel: &Panel) -> &EscalationStatus {
    &panel.session.escalations[0].1
}

#[test]
fn the_first_is_kept_and_shown_and_only_another_persons_second_decides() {
    let panel = waiting(true);
    let (first, commands) = taken(&panel, &by(&panel, "ann", Verdict::Approve));
    assert!(commands.is_empty() && *status(&first) == EscalationStatus::Open);
    assert!(matches!(first.state, State::AwaitingPhysician { .. }));
    let line = Report::of(&first).escalations[0].clone();
    assert_eq!((line.signers, line.first.unwrap().by.as_str()), (2, "spiffe://t/human/ann"));
    for verdict in [Verdict::Approve, Verdict::Deny, Verdict::Amend] {
        assert_eq!(step(&first, &by(&first, "ann", verdict), NOW), Err(StepError::SameSigner));
    }
    let other_amount = match by(&first, "bea", Verdict::Approve) {
        Event::Decided { decision, label } => {
            Event::Decided { decision: Decision { amount_cents: Some(1), ..decision }, label }
        }
        event => event,
    };
    assert_eq!(step(&first, &other_amount, NOW), Err(StepError::Mismatch));
    let (second, commands) = taken(&first, &by(&first, "bea", Verdict::Approve));
    assert!(matches!(status(&second), EscalationStatus::Approved { by, .. } if by.ends_with("bea")));
    assert!(matches!(commands[0], Command::Authorize { .. }), "now policy is asked again, and the order goes its way");
    assert_eq!(second.session.first(&second.session.escalations[0].0.id).unwrap().by, "spiffe://t/human/ann");
}

#[test]
fn a_denial_by_either_ends_it_and_commits_nothing() {
    let panel = waiting(true);
    let (denied, _) = taken(&panel, &by(&panel, "ann", Verdict::Deny));
    assert!(matches!(status(&denied), EscalationStatus::Denied { .. }));
    let (first, _) = taken(&panel, &by(&panel, "ann", Verdict::Approve));
    for verdict in [Verdict::Deny, Verdict::Amend, Verdict::Ask] {
        let (ended, commands) = taken(&first, &by(&first, "bea", verdict));
        assert_ne!(*status(&ended), EscalationStatus::Open);
        assert!(!commands.iter().any(|c| matches!(c, Command::Place { .. })));
        assert_eq!(ended.session.spent, bodh_clinical::Usd::ZERO);
    }
    // A reservation lets a conclusion go ahead: that takes two as well.
    let panel = waiting(false);
    let (first, commands) = taken(&panel, &by(&panel, "ann", Verdict::Amend));
    assert!(commands.is_empty() && *status(&first) == EscalationStatus::Open);
    let (second, _) = taken(&first, &by(&first, "bea", Verdict::Approve));
    assert_eq!(second.session.reservations, ["seen"]);
}

#[test]
fn a_voided_first_is_none() {
    let panel = waiting(true);
    let id = panel.session.escalations[0].0.id.clone();
    let void = Event::Voided { escalation: id.clone() };
    assert!(step(&panel, &void, NOW).is_err(), "there is nothing to void");
    let (first, _) = taken(&panel, &by(&panel, "ann", Verdict::Approve));
    let (voided, commands) = taken(&first, &void);
    assert!(commands.is_empty() && voided.session.first(&id).is_none());
    let (again, _) = taken(&voided, &by(&voided, "bea", Verdict::Approve));
    assert_eq!(*status(&again), EscalationStatus::Open, "the next approval is the first");
    let (decided, _) = taken(&again, &by(&again, "cy", Verdict::Approve));
    assert!(step(&decided, &void, NOW).is_err(), "what was decided stays decided");
}
