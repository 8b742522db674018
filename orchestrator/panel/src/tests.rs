//! Sessions played by a random but well-behaved world, and the promises that hold in all of them.

use crate::*;
use bodh_clinical::*;
use proptest::prelude::*;

const NOW: i64 = 1_700_000_000_000;

fn finding(n: u32) -> Finding {
    Finding {
        term: TermId::parse(&format!("HP:{n:07}")).unwrap(),
        label: format!("finding {n}"),
        presence: Presence::Present,
        origin: Origin::Coded(n),
    }
}

fn hypothesis(n: u32, probability: f64, finding: &Finding) -> Hypothesis {
    let id = DiseaseId::parse(&format!("OMIM:{n}")).unwrap();
    let claim = Claim {
        id: ClaimId::of(&id, &finding.term),
        disease: id.clone(),
        finding: finding.term.clone(),
        presence: Presence::Present,
        matched: Some(finding.term.clone()),
        frequency: Some(0.5),
        background: 0.1,
        bits: 1.5,
        sources: vec!["PMID:1".into()],
    };
    Hypothesis {
        id,
        also: vec![],
        label: format!("disease {n}"),
        probability,
        prevalence: None,
        red_flag: false,
        claims: vec![claim],
    }
}

fn differential(seed: u32) -> Differential {
    let f = finding(1);
    Differential {
        hypotheses: vec![hypothesis(seed % 7 + 1, 0.5, &f), hypothesis(20, 0.3, &f), hypothesis(21, 0.1, &f)],
        other: 0.1,
    }
}

/// What the world does at each turn, drawn by proptest.
#[derive(Debug, Clone)]
struct Turn {
    seed: u32,
    fails: bool,
    asks: bool,
    denies: bool,
    verdict: Verdict,
    orders: bool,
    granted: bool,
    found: bool,
    refutes: bool,
}

fn turn() -> impl Strategy<Value = Turn> {
    let verdict = prop_oneof![Just(Verdict::Approve), Just(Verdict::Deny), Just(Verdict::Amend)];
    (any::<u32>(), prop::bool::weighted(0.1), any::<bool>(), prop::bool::weighted(0.1), verdict, any::<[bool; 4]>())
        .prop_map(|(seed, fails, asks, denies, verdict, [orders, granted, found, refutes])| Turn {
            seed,
            fails,
            asks,
            denies,
            verdict,
            orders,
            granted,
            found,
            refutes,
        })
}

fn answer(question: &Question, turn: &Turn) -> Opinion {
    match question {
        Question::Extract { .. } => unreachable!("the panel never holds the note"),
        Question::Differential { .. } => Opinion::Differential(differential(turn.seed)),
        Question::SecondOpinion { .. } => Opinion::SecondOpinion(differential(turn.seed / 3)),
        Question::Verify { differential, .. } => {
            let claim = differential.hypotheses[0].claims.first().map(|c| c.id.clone());
            let refuted = claim.filter(|_| turn.refutes).into_iter();
            let refuted = refuted.map(|claim| Refutation { claim, cause: RefutationCause::WrongRatio }).collect();
            Opinion::Verify(Verification { refuted, dissent: 0.2, same_leading: true, checked: 3 })
        }
        Question::Plan { done, .. } => {
            let tests = (0..4).map(|n| TestId::parse(&format!("test_{n}")).unwrap()).filter(|t| !done.contains(t));
            let proposals = tests.map(|test| Proposal {
                label: test.to_string(),
                test,
                gain_bits: 0.5,
                price: Some(Usd::from_cents(100)),
                reveals: vec![],
            });
            Opinion::Plan(Plan { proposals: proposals.collect() })
        }
        Question::Price { tests, .. } => {
            let line = |test: &TestId| PriceLine {
                test: test.clone(),
                price: (turn.seed % 5 != 0).then_some(Usd::from_cents(100)),
                source: "list".into(),
                over_budget: false,
            };
            Opinion::Price(Pricing { lines: tests.iter().map(line).collect() })
        }
        Question::Next { plan, .. } => {
            let step = match plan.proposals.first() {
                Some(p) if turn.orders => Step::Order(p.test.clone()),
                _ => Step::Conclude,
            };
            Opinion::Next(Supervision { step, reasons: vec![] })
        }
    }
}

fn ruling(panel: &Panel, act: &Act, turn: &Turn) -> Ruling {
    if turn.denies {
        return Ruling::Deny { policies: vec![] };
    }
    if turn.asks && panel.lifted(act).is_empty() {
        let reason = |kind: &str| Ask {
            policy: format!("p-{kind}"),
            kind: kind.into(),
            role: "physician".into(),
            reason: "because".into(),
        };
        return Ruling::Ask { reasons: vec![reason("one"), reason("two")] };
    }
    Ruling::Allow { policies: vec!["p".into()] }
}

fn decision(panel: &Panel, escalation: &Escalation, verdict: Verdict) -> Decision {
    Decision {
        escalation: escalation.id.clone(),
        session: panel.session.id.clone(),
        record_sha256: "0".repeat(64),
        verdict,
        amount_cents: escalation.amount_cents,
        reason: "seen".into(),
        meaning: "decision on an escalation".into(),
        signer: "spiffe://t/human/ann".into(),
        nonce: "0".repeat(32),
        at_unix_ms: NOW,
    }
}

/// The event that answers the first outstanding command.
fn respond(panel: &Panel, turn: &Turn) -> Option<Event> {
    if panel.state == State::Convened {
        return Some(Event::Begun);
    }
    match panel.outstanding.first()? {
        Command::Ask { call, .. } if turn.fails => {
            Some(Event::Failed { call: *call, cause: FailureCause::Unavailable })
        }
        Command::Ask { call, inquiry: Inquiry::Extract, .. } => {
            let intake = Intake { findings: vec![finding(1), finding(2)], ..Intake::default() };
            Some(Event::Answered { call: *call, opinion: Box::new(Opinion::Extract(intake)) })
        }
        Command::Ask { call, inquiry: Inquiry::Put(question), .. } => {
            Some(Event::Answered { call: *call, opinion: Box::new(answer(question, turn)) })
        }
        Command::Authorize { acts } => {
            let rulings = acts.iter().map(|act| ruling(panel, act, turn)).collect();
            Some(Event::Ruled { rulings, salt: "s".into() })
        }
        Command::Place { test, .. } if !turn.granted => Some(Event::NotSpent { test: test.clone() }),
        Command::Place { test, .. } => {
            let findings = if turn.found { vec![finding(turn.seed % 50 + 3)] } else { vec![] };
            Some(Event::Resulted { test: test.clone(), findings })
        }
        Command::Raise { .. } => {
            let open = panel.session.escalations.iter().find(|(_, s)| *s == EscalationStatus::Open)?;
            Some(Event::Decided { decision: decision(panel, &open.0, turn.verdict) })
        }
        Command::Incident { .. } | Command::Close => None,
    }
}

fn convened(sequential: bool) -> Panel {
    let budget = Usd::from_cents(250);
    Panel::convene(
        "ab".repeat(16),
        "cd".repeat(16),
        "spiffe://t/human/kim".into(),
        budget,
        sequential,
        Subject::default(),
    )
}

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
            prop_assert!(next.state.is_over() || !next.outstanding.is_empty() || next.state == State::Convened);
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
        let event = Event::Decided { decision: decision(panel, escalation, verdict) };
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
    let strange = Decision { session: "f".repeat(32), ..good.clone() };
    for bad in [dearer, strange] {
        assert_eq!(step(&panel, &Event::Decided { decision: bad }, NOW), Err(StepError::Mismatch));
    }
    let (next, _) = step(&panel, &Event::Decided { decision: good.clone() }, NOW).unwrap();
    assert_eq!(step(&next, &Event::Decided { decision: good }, NOW), Err(StepError::NoSuchEscalation));
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
