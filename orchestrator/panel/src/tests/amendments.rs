//! What people state after the case was read.

use super::world::{NOW, Turn, convened, decision, finding, respond, turn};
use crate::*;
use bodh_clinical::*;
use proptest::prelude::*;

const KIM: &str = "spiffe://t/human/kim";
const TEXT: &str = "no cough, fever";

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

/// Plays until the session waits or ends.
fn play(panel: &mut Panel, turn: &Turn) {
    while !panel.state.is_at_rest() {
        let event = respond(panel, turn).unwrap();
        *panel = step(panel, &event, NOW).unwrap().0;
    }
}

fn rested(turn: &Turn) -> Panel {
    let mut panel = convened(false);
    play(&mut panel, turn);
    panel
}

fn term(n: u32) -> TermId {
    finding(n).term
}

fn says(corrections: &[(u32, Said)], text: &str) -> Event {
    let corrections = corrections.iter().map(|(n, said)| Correction { term: term(*n), said: *said }).collect();
    Event::Amended { by: KIM.into(), corrections, text: text.into(), about: None }
}

fn reported(test: &str, text: &str) -> Event {
    Event::Amended { by: KIM.into(), corrections: vec![], text: text.into(), about: TestId::parse(test).ok() }
}

fn take(panel: &mut Panel, event: &Event) {
    *panel = step(panel, event, NOW).unwrap().0;
}

/// Intake's answer to the outstanding question.
fn heard(panel: &Panel, findings: Vec<Finding>) -> Event {
    let Some(Command::Ask { call, inquiry: Inquiry::Read { .. }, .. }) = panel.outstanding.first() else {
        panic!("nothing is read: {:?}", panel.outstanding)
    };
    let intake = Intake { findings, ..Intake::default() };
    Event::Answered { call: *call, opinion: Box::new(Opinion::Extract(intake)) }
}

fn at(n: u32, start: u32, end: u32, presence: Presence) -> Finding {
    Finding { origin: Origin::Text(Span { start, end }), presence, ..finding(n) }
}

fn known(panel: &Panel, n: u32) -> Option<(Presence, Origin)> {
    panel.session.chart.findings.iter().find(|f| f.term == term(n)).map(|f| (f.presence, f.origin.clone()))
}

#[test]
fn a_corrected_finding_is_reasoned_on_and_says_who_corrected_it() {
    let mut panel = rested(&calm());
    let before = panel.session.round;
    take(&mut panel, &says(&[(1, Said::Excluded), (2, Said::NotSaid)], ""));
    assert!(matches!(panel.state, State::Reasoning { .. }), "nothing to read: {:?}", panel.state);
    assert_eq!(panel.session.round, before + 1);
    assert_eq!(known(&panel, 1), Some((Presence::Excluded, Origin::Corrected { amendment: 0 })));
    assert_eq!(known(&panel, 2), None);
    play(&mut panel, &calm());
    let report = Report::of(&panel);
    assert_eq!((report.status, report.revision), (Status::Concluded, 1));
    let [line] = report.amendments.as_slice() else { panic!("{:?}", report.amendments) };
    assert_eq!((line.by.as_str(), line.at_unix_ms, line.has_text), (KIM, NOW, false));
    let was: Vec<_> = line.corrections.iter().map(|c| (c.was, c.said)).collect();
    assert_eq!(was, [(Some(Presence::Present), Said::Excluded), (Some(Presence::Present), Said::NotSaid)]);
}

#[test]
fn an_added_text_is_read_by_intake_and_its_findings_keep_their_words() {
    let mut panel = rested(&calm());
    take(&mut panel, &says(&[], TEXT));
    assert_eq!(panel.state.name(), "reading");
    let news = vec![at(1, 3, 8, Presence::Excluded), at(7, 10, 15, Presence::Present)];
    let event = heard(&panel, news);
    take(&mut panel, &event);
    let span = |start, end| Origin::Added { amendment: 0, span: Span { start, end } };
    assert_eq!(known(&panel, 1), Some((Presence::Excluded, span(3, 8))), "the later statement replaces the earlier");
    assert_eq!(known(&panel, 7), Some((Presence::Present, span(10, 15))));
    assert_eq!(panel.session.chart.findings.len(), 3, "and stands in its place");
    assert!(matches!(panel.state, State::Reasoning { .. }));
    assert!(!serde_json::to_string(&Report::of(&panel)).unwrap().contains(TEXT), "the words go with the note");
}

#[test]
fn what_is_told_of_the_past_takes_the_place_of_nothing_that_is() {
    let mut panel = rested(&calm());
    take(&mut panel, &says(&[], TEXT));
    let before = known(&panel, 1);
    let then = |n, presence| Finding { past: true, ..at(n, 3, 8, presence) };
    let event = heard(&panel, vec![then(1, Presence::Excluded), then(7, Presence::Present)]);
    take(&mut panel, &event);
    assert_eq!(known(&panel, 1), before, "it is there now, whatever was");
    let added = panel.session.chart.findings.iter().find(|f| f.term == term(7)).unwrap();
    assert!(added.past && matches!(added.origin, Origin::Added { .. }), "{added:?}");
}

#[test]
fn a_finding_without_its_words_is_no_answer() {
    let mut panel = rested(&calm());
    take(&mut panel, &says(&[], "é fever"));
    let coded = finding(7);
    let (far, split) = (at(7, 3, 99, Presence::Present), at(7, 1, 4, Presence::Present));
    for bad in [coded, far, split] {
        let event = heard(&panel, vec![bad]);
        assert!(matches!(step(&panel, &event, NOW), Err(StepError::WrongAnswer(_))));
    }
    let Some(Command::Ask { call, .. }) = panel.outstanding.first() else { panic!() };
    let opened = Event::Opened { call: *call, intake: Box::default(), withheld: 3 };
    assert!(step(&panel, &opened, NOW).is_err(), "only a case is opened with findings held back");
    let event = heard(&panel, vec![]);
    take(&mut panel, &event);
    assert!(matches!(panel.state, State::Reasoning { .. }), "nothing read: the chart is as it was");
}

#[test]
fn a_correction_stands_against_later_words_until_it_is_corrected_again() {
    let mut panel = rested(&calm());
    take(&mut panel, &says(&[(1, Said::Excluded), (2, Said::NotSaid)], TEXT));
    let news = vec![at(1, 3, 8, Presence::Present), at(2, 3, 8, Presence::Present)];
    let event = heard(&panel, news.clone());
    take(&mut panel, &event);
    play(&mut panel, &calm());
    take(&mut panel, &says(&[], TEXT));
    let event = heard(&panel, news);
    take(&mut panel, &event);
    assert_eq!(known(&panel, 1), Some((Presence::Excluded, Origin::Corrected { amendment: 0 })));
    assert_eq!(known(&panel, 2), None, "what was not said is not brought back by words");
    play(&mut panel, &calm());
    take(&mut panel, &says(&[(2, Said::Present)], ""));
    assert_eq!(known(&panel, 2), Some((Presence::Present, Origin::Corrected { amendment: 2 })));
    assert_eq!(panel.session.amendments[2].corrections[0].was, None);
    assert_eq!(panel.session.amendments[2].corrections[0].label, "finding 2");
}

#[test]
fn open_escalations_lapse_and_a_decision_on_one_is_refused() {
    let mut panel = rested(&Turn { asks: true, ..calm() });
    assert!(matches!(panel.state, State::AwaitingPhysician { .. }));
    let (escalation, _) = panel.session.escalations[0].clone();
    take(&mut panel, &says(&[(1, Said::Excluded)], ""));
    assert!(panel.session.escalations.iter().all(|(_, status)| *status == EscalationStatus::Lapsed));
    let waits = |o: &Order| o.status == OrderStatus::AwaitingApproval;
    assert!(!panel.session.orders.iter().any(waits), "no order waits for an answer to a question that lapsed");
    assert_eq!(Report::of(&panel).revision, 0, "nothing had been released");
    let late = Event::Decided { decision: decision(&panel, &escalation, Verdict::Approve), label: None };
    assert!(step(&panel, &late, NOW).is_err());
    play(&mut panel, &Turn { asks: true, ..calm() });
    assert_eq!(step(&panel, &late, NOW), Err(StepError::NoSuchEscalation), "nor later, when others wait");
}

#[test]
fn a_reported_result_spends_nothing_and_is_not_proposed_again() {
    let mut panel = rested(&calm());
    let test = panel.session.orders[0].test.clone();
    take(&mut panel, &reported(test.as_str(), TEXT));
    play(&mut panel, &calm());
    let report = Report::of(&panel);
    let order = report.orders.iter().find(|o| o.test == test).unwrap();
    assert_eq!((order.status, report.cost_usd), (OrderStatus::Reported, 0.0));
    assert!(panel.session.done().contains(&test));
    assert_eq!(report.amendments[0].about.as_ref(), Some(&test));
    assert_eq!(panel.session.spent, Usd::ZERO);
}

#[test]
fn what_the_panel_paid_for_stays_paid() {
    let mut panel = convened(true);
    play(&mut panel, &Turn { orders: true, found: true, ..calm() });
    let done = panel.session.orders.iter().find(|o| o.status == OrderStatus::Done).unwrap().test.clone();
    let spent = panel.session.spent;
    take(&mut panel, &reported(done.as_str(), TEXT));
    let order = panel.session.orders.iter().find(|o| o.test == done).unwrap();
    assert_eq!((order.status, panel.session.spent), (OrderStatus::Done, spent));
}

#[test]
fn an_amendment_that_makes_no_sense_is_refused_and_changes_nothing() {
    let panel = rested(&calm());
    let many: Vec<_> = (0..65).map(|n| (n, Said::Present)).collect();
    for (event, error) in [
        (says(&[], ""), AmendmentError::Empty),
        (says(&[], " \n"), AmendmentError::Empty),
        (reported("test_0", ""), AmendmentError::Empty),
        (says(&[], &"x".repeat(MOST_TEXT + 1)), AmendmentError::TooLong),
        (says(&[], "fever\u{0}"), AmendmentError::Control),
        (says(&[], "\u{1b}[2J fever"), AmendmentError::Control),
        (says(&many, ""), AmendmentError::TooManyCorrections),
        (says(&[(1, Said::Present), (1, Said::Excluded)], ""), AmendmentError::SaidTwice),
        (says(&[(999, Said::Present)], ""), AmendmentError::NoSuchFinding),
        (reported("never_heard_of", TEXT), AmendmentError::NoSuchTest),
        (says(&[(1, Said::NotSaid), (2, Said::NotSaid)], TEXT), AmendmentError::NothingLeft),
    ] {
        assert_eq!(step(&panel, &event, NOW), Err(StepError::Amendment(error)), "{event:?}");
    }
    let (longest, lines) = ("x".repeat(MOST_TEXT), "\u{202e}fever\u{200f} 😀\r\n\tcough");
    assert!(step(&panel, &says(&[], &longest), NOW).is_ok() && step(&panel, &says(&[], lines), NOW).is_ok());
}

#[test]
fn a_session_takes_only_so_many_amendments() {
    let mut panel = rested(&calm());
    for n in 0..MOST_AMENDMENTS {
        let said = if n % 2 == 0 { Said::Excluded } else { Said::Present };
        take(&mut panel, &says(&[(1, said)], ""));
        play(&mut panel, &calm());
    }
    let full = Err(StepError::Amendment(AmendmentError::Full));
    assert_eq!(step(&panel, &says(&[(1, Said::Present)], ""), NOW), full);
}

#[test]
fn only_a_session_at_rest_that_has_not_ended_is_amended() {
    let fits = |panel: &Panel| step(panel, &says(&[], TEXT), NOW).is_ok();
    let mut panel = convened(false);
    while !panel.state.is_at_rest() {
        assert!(!fits(&panel), "{}", panel.state.name());
        let event = respond(&panel, &calm()).unwrap();
        take(&mut panel, &event);
    }
    assert!(fits(&panel));
    let waiting = rested(&Turn { asks: true, ..calm() });
    assert!(fits(&waiting));
    for end in [Event::Stopped, Event::Expired] {
        assert!(!fits(&step(&waiting, &end, NOW).unwrap().0), "{end:?}");
    }
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![Just(Said::Present), Just(Said::Excluded), Just(Said::NotSaid)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn amended_sessions_keep_every_promise(
        sequential: bool,
        turns in prop::collection::vec((turn(), prop::option::weighted(0.2, (1u32..7, said(), any::<bool>()))), 1..300),
    ) {
        let start = convened(sequential);
        let (mut panel, mut events) = (start.clone(), Vec::new());
        for (turn, amendment) in &turns {
            let wanted = amendment.as_ref().map(|(n, said, words)| says(&[(*n, *said)], if *words { TEXT } else { "" }));
            let amended = wanted.filter(|event| step(&panel, event, NOW).is_ok());
            let Some(event) = amended.or_else(|| respond(&panel, turn)) else { break };
            let before = panel.session.spent;
            panel = step(&panel, &event, NOW).unwrap().0;
            if matches!(event, Event::Amended { .. }) {
                prop_assert_eq!(panel.session.spent, before);
                prop_assert!(!panel.session.escalations.iter().any(|(_, s)| *s == EscalationStatus::Open));
            }
            // The last word of a person on a finding is what the chart says of it.
            for n in 1..7 {
                let last = panel.session.amendments.iter().rev().flat_map(|a| &a.corrections).find(|c| c.term == term(n));
                if let Some(last) = last {
                    let stands = match last.said {
                        Said::Present => Some(Presence::Present),
                        Said::Excluded => Some(Presence::Excluded),
                        Said::NotSaid => None,
                    };
                    prop_assert_eq!(known(&panel, n).map(|(presence, _)| presence), stands);
                }
            }
            let mut terms: Vec<_> = panel.session.chart.findings.iter().map(|f| f.term.clone()).collect();
            let all = terms.len();
            terms.sort();
            terms.dedup();
            prop_assert_eq!(terms.len(), all, "one finding per term");
            prop_assert!(panel.session.round <= MAX_ROUNDS + 1 + u32::try_from(MOST_AMENDMENTS).unwrap());
            events.push((NOW, event));
        }
        // A restart at any point gives the same panel, and so do the events as they are stored.
        let stored: Vec<(i64, Event)> = serde_json::from_slice(&serde_json::to_vec(&events).unwrap()).unwrap();
        prop_assert_eq!(fold(&start, &events), Ok(panel.clone()));
        prop_assert_eq!(fold(&start, &stored), Ok(panel));
    }
}
