//! A random but well-behaved world: it answers whatever the panel asks.

use crate::*;
use bodh_clinical::*;
use proptest::prelude::*;

pub(super) const NOW: i64 = 1_700_000_000_000;

pub(super) fn finding(n: u32) -> Finding {
    Finding {
        term: TermId::parse(&format!("HP:{n:07}")).unwrap(),
        label: format!("finding {n}"),
        presence: Presence::Present,
        origin: Origin::Coded(n),
        past: false,
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
        prior_bits: 0.0,
        expected: vec![],
        claims: vec![claim].into(),
    }
}

fn differential(seed: u32) -> Differential {
    let f = finding(1);
    Differential {
        hypotheses: vec![hypothesis(seed % 7 + 1, 0.5, &f), hypothesis(20, 0.3, &f), hypothesis(21, 0.1, &f)],
        other: 0.1,
        exponent: 1.0,
    }
}

/// What the world does at each turn, drawn by proptest.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) seed: u32,
    pub(super) fails: bool,
    pub(super) asks: bool,
    pub(super) denies: bool,
    pub(super) verdict: Verdict,
    pub(super) orders: bool,
    pub(super) granted: bool,
    pub(super) found: bool,
    pub(super) refutes: bool,
}

pub(super) fn turn() -> impl Strategy<Value = Turn> {
    let verdict = prop_oneof![Just(Verdict::Approve), Just(Verdict::Deny), Just(Verdict::Amend), Just(Verdict::Ask)];
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
                settles: None,
            });
            Opinion::Plan(Plan { proposals: proposals.collect() })
        }
        Question::Price { tests, .. } => {
            let line = |test: &TestId| PriceLine {
                test: test.clone(),
                price: (!turn.seed.is_multiple_of(5)).then_some(Usd::from_cents(100)),
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
            rules: vec![],
            signers: 1,
        };
        return Ruling::Ask { reasons: vec![reason("one"), reason("two")] };
    }
    Ruling::Allow { policies: vec!["p".into()] }
}

pub(super) fn decision(panel: &Panel, escalation: &Escalation, verdict: Verdict) -> Decision {
    Decision {
        escalation: escalation.id.clone(),
        session: panel.session.id.clone(),
        record_sha256: "0".repeat(64),
        verdict,
        asked: None,
        kind: escalation.kind.clone(),
        action: escalation.action.clone(),
        amount_cents: escalation.amount_cents,
        reason: "seen".into(),
        meaning: "decision on an escalation".into(),
        signer: "spiffe://t/human/ann".into(),
        nonce: "0".repeat(32),
        at_unix_ms: NOW,
    }
}

/// The event that answers the first outstanding command.
pub(super) fn respond(panel: &Panel, turn: &Turn) -> Option<Event> {
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
        Command::Ask { call, inquiry: Inquiry::Read { .. }, .. } => {
            let origin = Origin::Text(Span { start: 0, end: 1 + turn.seed % 4 });
            let presence = if turn.found { Presence::Present } else { Presence::Excluded };
            let heard = Finding { origin, presence, ..finding(turn.seed % 6 + 1) };
            let intake = Intake { findings: vec![heard], ..Intake::default() };
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
            // At the end of its rounds the panel takes no more requests.
            let verdict = match turn.verdict {
                Verdict::Ask if panel.session.round >= MAX_ROUNDS => Verdict::Deny,
                verdict => verdict,
            };
            // A test of the plan, one that nobody planned, or what only words can say.
            let test = TestId::parse(&format!("test_{}", turn.seed % 6)).ok();
            let settled = |test: &TestId| panel.session.done().contains(test);
            let asks = verdict == Verdict::Ask && turn.found;
            let asked = test.filter(|test| asks && !settled(test));
            let label = asked.as_ref().map(|test| test.to_string());
            Some(Event::Decided { decision: Decision { asked, ..decision(panel, &open.0, verdict) }, label })
        }
        Command::Incident { .. } | Command::Close => None,
    }
}

pub(super) fn convened(sequential: bool) -> Panel {
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
