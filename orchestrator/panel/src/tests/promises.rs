//! Promises that hold in every session, whatever the world does.

use super::world::{NOW, convened, respond, turn};
use crate::*;
use bodh_clinical::*;
use proptest::prelude::*;

/// Money spent is exactly the price of the orders that were done.
fn spent_is_what_was_done(panel: &Panel) -> bool {
    let done = panel.session.orders.iter().filter(|o| o.status == OrderStatus::Done);
    let total = done.fold(Usd::ZERO, |sum, o| sum.plus(o.price.unwrap_or_default()));
    total == panel.session.spent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn promises_hold_in_every_session(sequential: bool, turns in prop::collection::vec(turn(), 1..250)) {
        let start = convened(sequential);
        let mut panel = start.clone();
        let mut events = Vec::new();
        for turn in &turns {
            let Some(event) = respond(&panel, turn) else { break };
            let before = panel.clone();
            let (next, commands) = step(&panel, &event, NOW).unwrap();
            // Nothing is concluded, and no money committed, but by policy's leave.
            if matches!(next.state, State::Concluded { .. }) {
                let allowed = matches!(&event, Event::Ruled { rulings, .. } if matches!(rulings.last(), Some(Ruling::Allow { .. })));
                prop_assert!(allowed, "concluded by {event:?}");
            }
            if commands.iter().any(|c| matches!(c, Command::Place { .. })) {
                prop_assert!(sequential);
                let allowed = matches!(&event, Event::Ruled { rulings, .. } if matches!(rulings.first(), Some(Ruling::Allow { .. })));
                prop_assert!(allowed);
            }
            // A suspended session moves by a decision alone.
            if matches!(before.state, State::AwaitingPhysician { .. }) && next.state != before.state {
                let decided = matches!(event, Event::Decided { .. });
                prop_assert!(decided);
                prop_assert!(!next.session.escalations.iter().any(|(_, s)| *s == EscalationStatus::Open));
            }
            prop_assert!(spent_is_what_was_done(&next));
            prop_assert!(next.session.round <= MAX_ROUNDS + 1);
            let waits = matches!(next.state, State::AwaitingAnswer { .. } | State::Convened);
            prop_assert!(next.state.is_over() || waits || !next.outstanding.is_empty());
            // What is stored reads back as itself.
            let stored = serde_json::to_vec(&next).unwrap();
            prop_assert_eq!(&serde_json::from_slice::<Panel>(&stored).unwrap(), &next);
            events.push((NOW, event));
            panel = next;
        }
        // A restart at any point gives the same panel.
        prop_assert_eq!(fold(&start, &events), Ok(panel));
    }

    #[test]
    fn events_out_of_place_are_refused(sequential: bool, turns in prop::collection::vec(turn(), 1..60)) {
        let mut panel = convened(sequential);
        for turn in &turns {
            let strays = [
                Event::Answered { call: 9_999, opinion: Box::new(Opinion::Plan(Plan::default())) },
                Event::Failed { call: 9_999, cause: FailureCause::Cell },
                Event::Resulted { test: TestId::parse("stray").unwrap(), findings: vec![] },
                Event::NotSpent { test: TestId::parse("stray").unwrap() },
                Event::Marked { claim: ClaimId::parse("OMIM:999/HP:9").unwrap(), incident: "i".into() },
            ];
            for stray in strays {
                prop_assert!(step(&panel, &stray, NOW).is_err());
            }
            if panel.state != State::Convened {
                prop_assert!(step(&panel, &Event::Begun, NOW).is_err());
            }
            let Some(event) = respond(&panel, turn) else { break };
            panel = step(&panel, &event, NOW).unwrap().0;
        }
    }
}
