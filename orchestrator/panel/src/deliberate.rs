//! A round: findings, two differentials, the check and the plan, prices, the next step.

use crate::act::fingerprint;
use crate::step::{StepError, ask, authorize, out_of_place, settle, withdraw};
use crate::{
    Act, Command, ConclusionFacts, Inquiry, MAX_ROUNDS, Order, OrderFacts, OrderStatus, PROPOSALS, Panel, REAL_MASS,
    Round, State, Withdrawal,
};
use bodh_clinical::{
    Differential, Finding, Intake, Plan, Prevalence, Pricing, Question, Step, Supervision, TestId, Verification,
};

pub(crate) fn begin(panel: &mut Panel) -> Result<Vec<Command>, StepError> {
    if panel.state != State::Convened {
        return Err(out_of_place("begun", panel));
    }
    let (call, command) = ask(panel, Inquiry::Extract);
    panel.state = State::Reading { call, amendment: None };
    Ok(vec![command])
}

/// `withheld` findings wait to be asked for: then a panel may begin with nothing but a person's age and sex.
pub(crate) fn extracted(
    panel: &mut Panel,
    call: u32,
    intake: &Intake,
    withheld: u32,
) -> Result<Vec<Command>, StepError> {
    match panel.state {
        State::Reading { call: asked, amendment: None } if asked == call => {}
        _ => return Err(StepError::WrongAnswer(call)),
    }
    panel.session.chart = intake.clone();
    if intake.findings.is_empty() && withheld == 0 {
        return Ok(withdraw(panel, Withdrawal::NothingUsable));
    }
    Ok(reason(panel))
}

/// Begins a round on the chart as it stands.
pub(crate) fn reason(panel: &mut Panel) -> Vec<Command> {
    panel.session.round += 1;
    let subject = panel.session.subject;
    let findings = panel.session.chart.findings.clone();
    let blind = Question::SecondOpinion { subject, findings: findings.clone() };
    let (first, one) = ask(panel, Inquiry::Put(Box::new(Question::Differential { subject, findings })));
    let (second, two) = ask(panel, Inquiry::Put(Box::new(blind)));
    panel.state = State::Reasoning { first, second, differential: None, opinion: None };
    vec![one, two]
}

pub(crate) fn differential(panel: &mut Panel, call: u32, answer: &Differential) -> Result<Vec<Command>, StepError> {
    let struck = panel.session.struck.clone();
    match &mut panel.state {
        State::Reasoning { first, differential, .. } if *first == call && differential.is_none() => {
            *differential = Some(struck.iter().fold(answer.clone(), |kept, claim| kept.without(claim)));
        }
        _ => return Err(StepError::WrongAnswer(call)),
    }
    Ok(check_when_both(panel))
}

pub(crate) fn second(panel: &mut Panel, call: u32, answer: &Differential) -> Result<Vec<Command>, StepError> {
    match &mut panel.state {
        State::Reasoning { second, opinion, .. } if *second == call && opinion.is_none() => {
            *opinion = Some(answer.clone());
        }
        _ => return Err(StepError::WrongAnswer(call)),
    }
    Ok(check_when_both(panel))
}

fn check_when_both(panel: &mut Panel) -> Vec<Command> {
    let State::Reasoning { differential: Some(differential), opinion: Some(second), .. } = &panel.state else {
        return Vec::new();
    };
    let (differential, second) = (differential.clone(), second.clone());
    let session = &panel.session;
    let verify = Question::Verify {
        subject: session.subject,
        findings: session.chart.findings.clone(),
        differential: differential.clone(),
        second: second.clone(),
    };
    let (check, one) = ask(panel, Inquiry::Put(Box::new(verify)));
    let (planning, two) = ask_plan(panel, &differential);
    panel.state = State::Checking { check, planning, differential, second, verification: None, plan: None };
    vec![one, two]
}

fn ask_plan(panel: &mut Panel, differential: &Differential) -> (u32, Command) {
    let session = &panel.session;
    let plan = Question::Plan {
        subject: session.subject,
        findings: session.chart.findings.clone(),
        differential: differential.outline(),
        done: session.done(),
    };
    ask(panel, Inquiry::Put(Box::new(plan)))
}

/// The same differential, another plan: after an order was declined or showed nothing.
fn plan_again(panel: &mut Panel, round: Round) -> Vec<Command> {
    panel.session.round += 1;
    let (planning, command) = ask_plan(panel, &round.differential);
    panel.state = State::Checking {
        check: 0,
        planning,
        differential: round.differential,
        second: round.second,
        verification: Some(round.verification),
        plan: None,
    };
    vec![command]
}

pub(crate) fn verified(panel: &mut Panel, call: u32, answer: &Verification) -> Result<Vec<Command>, StepError> {
    match &mut panel.state {
        State::Checking { check, verification, .. } if *check == call && verification.is_none() => {
            *verification = Some(answer.clone());
        }
        _ => return Err(StepError::WrongAnswer(call)),
    }
    let incidents = answer.refuted.iter().map(|r| Command::Incident { claim: r.claim.clone(), cause: r.cause });
    let mut commands: Vec<Command> = incidents.collect();
    commands.extend(price_when_both(panel));
    Ok(commands)
}

pub(crate) fn planned(panel: &mut Panel, call: u32, answer: &Plan) -> Result<Vec<Command>, StepError> {
    match &mut panel.state {
        State::Checking { planning, plan, .. } if *planning == call && plan.is_none() => *plan = Some(answer.clone()),
        _ => return Err(StepError::WrongAnswer(call)),
    }
    Ok(price_when_both(panel))
}

fn price_when_both(panel: &mut Panel) -> Vec<Command> {
    let State::Checking { differential, second, verification: Some(verification), plan: Some(plan), .. } = &panel.state
    else {
        return Vec::new();
    };
    let (differential, second) = (differential.clone(), second.clone());
    let (verification, plan) = (verification.clone(), plan.clone());
    let price = Question::Price {
        tests: plan.proposals.iter().map(|p| p.test.clone()).collect(),
        spent: panel.session.spent,
        budget: panel.session.budget,
    };
    let (call, command) = ask(panel, Inquiry::Put(Box::new(price)));
    panel.state = State::Pricing { call, differential, second, verification, plan };
    vec![command]
}

pub(crate) fn priced(panel: &mut Panel, call: u32, answer: &Pricing) -> Result<Vec<Command>, StepError> {
    let State::Pricing { call: asked, differential, second, verification, plan } = panel.state.clone() else {
        return Err(StepError::WrongAnswer(call));
    };
    // The price that counts is the cost guardian's, line by line for what was asked.
    let asked_for = plan.proposals.iter().map(|p| &p.test);
    if asked != call || !asked_for.eq(answer.lines.iter().map(|l| &l.test)) {
        return Err(StepError::WrongAnswer(call));
    }
    let session = &panel.session;
    let next = Question::Next {
        sequential: session.sequential,
        round: session.round,
        differential: differential.outline(),
        verification: verification.clone(),
        plan: plan.clone(),
        pricing: answer.clone(),
        done: session.done(),
    };
    let (call, command) = ask(panel, Inquiry::Put(Box::new(next)));
    let round = Round { differential, second, verification, plan, pricing: answer.clone(), supervision: None };
    panel.state = State::Supervising { call, round };
    Ok(vec![command])
}

pub(crate) fn supervised(panel: &mut Panel, call: u32, answer: &Supervision) -> Result<Vec<Command>, StepError> {
    let State::Supervising { call: asked, mut round } = panel.state.clone() else {
        return Err(StepError::WrongAnswer(call));
    };
    if asked != call {
        return Err(StepError::WrongAnswer(call));
    }
    round.supervision = Some(answer.clone());
    let ordered = match &answer.step {
        Step::Order(test) => Some(test),
        _ => None,
    };
    panel.session.note(&round.differential, ordered);
    let acts = match &answer.step {
        Step::Order(test) if panel.session.sequential && panel.session.round < MAX_ROUNDS => {
            let facts = order_facts(panel, &round, test).ok_or(StepError::WrongAnswer(call))?;
            note_order(panel, &round, test, OrderStatus::Proposed);
            vec![Act::Order(facts)]
        }
        step => concluding(panel, &round, matches!(step, Step::Defer)),
    };
    Ok(authorize(panel, round, acts))
}

/// What the panel wants to do to end: put its best proposals forward (when orders are only proposals) and conclude.
pub(crate) fn concluding(panel: &mut Panel, round: &Round, undecided: bool) -> Vec<Act> {
    let mut acts = Vec::new();
    if !panel.session.sequential {
        let done = panel.session.done();
        let best: Vec<TestId> =
            round.plan.proposals.iter().map(|p| p.test.clone()).filter(|t| !done.contains(t)).take(PROPOSALS).collect();
        for test in best {
            if let Some(facts) = order_facts(panel, round, &test) {
                note_order(panel, round, &test, OrderStatus::Proposed);
                acts.push(Act::Propose(facts));
            }
        }
    }
    acts.push(Act::Conclude(conclusion_facts(round, undecided)));
    acts
}

pub(crate) fn order_facts(panel: &Panel, round: &Round, test: &TestId) -> Option<OrderFacts> {
    let line = round.pricing.lines.iter().find(|l| l.test == *test)?;
    Some(OrderFacts { test: test.clone(), price: line.price, remaining: panel.session.remaining() })
}

/// Writes the order down once; a later mention moves its status.
pub(crate) fn note_order(panel: &mut Panel, round: &Round, test: &TestId, status: OrderStatus) {
    if let Some(order) = panel.session.orders.iter_mut().find(|o| o.test == *test) {
        order.status = status;
        return;
    }
    let Some(proposal) = round.plan.proposals.iter().find(|p| p.test == *test) else { return };
    let price = round.pricing.lines.iter().find(|l| l.test == *test).and_then(|l| l.price);
    panel.session.orders.push(Order {
        test: test.clone(),
        label: proposal.label.clone(),
        price,
        gain_bits: proposal.gain_bits,
        status,
    });
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
fn permille(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 1000.0).round() as u32
}

fn conclusion_facts(round: &Round, undecided: bool) -> ConclusionFacts {
    let leading = round.differential.leading();
    let heavy = || {
        let others = round.differential.hypotheses.iter().skip(1).take_while(|h| h.probability >= REAL_MASS);
        leading.into_iter().chain(others)
    };
    let confidence = if undecided { 0.0 } else { leading.map_or(0.0, |h| h.probability) };
    ConclusionFacts {
        leading: leading.map(|h| h.id.clone()),
        leading_permille: permille(confidence),
        rare: heavy().any(|h| Prevalence::is_rare(h.prevalence)),
        prevalence_known: leading.is_some_and(|h| h.prevalence.is_some()),
        dissent_permille: permille(round.verification.dissent),
        red_flag: heavy().any(|h| h.red_flag),
        refuted: u32::try_from(round.verification.refuted.len()).unwrap_or(u32::MAX),
        basis: fingerprint(&(&round.differential, &round.verification)),
    }
}

pub(crate) fn resulted(panel: &mut Panel, test: &TestId, findings: &[Finding]) -> Result<Vec<Command>, StepError> {
    let State::AwaitingResults { round, test: awaited } = panel.state.clone() else {
        return Err(out_of_place("resulted", panel));
    };
    if awaited != *test {
        return Err(out_of_place("resulted", panel));
    }
    settle(panel, "resulted", |c| matches!(c, Command::Place { test: placed, .. } if placed == test))?;
    let price = panel.session.orders.iter().find(|o| o.test == *test).and_then(|o| o.price).unwrap_or_default();
    panel.session.spent = panel.session.spent.plus(price);
    note_order(panel, &round, test, OrderStatus::Done);
    // What a person corrected stays as they said.
    let is_new = |f: &&Finding| {
        !panel.session.chart.findings.iter().any(|k| k.term == f.term) && panel.session.corrected(&f.term).is_none()
    };
    let news: Vec<Finding> = findings.iter().filter(is_new).cloned().collect();
    if news.is_empty() {
        return Ok(plan_again(panel, round));
    }
    panel.session.chart.findings.extend(news);
    Ok(reason(panel))
}

pub(crate) fn not_spent(panel: &mut Panel, test: &TestId) -> Result<Vec<Command>, StepError> {
    let State::AwaitingResults { round, test: awaited } = panel.state.clone() else {
        return Err(out_of_place("not_spent", panel));
    };
    if awaited != *test {
        return Err(out_of_place("not_spent", panel));
    }
    settle(panel, "not_spent", |c| matches!(c, Command::Place { test: placed, .. } if placed == test))?;
    note_order(panel, &round, test, OrderStatus::Refused);
    Ok(plan_again(panel, round))
}

/// Goes on without a test that was declined.
pub(crate) fn without(panel: &mut Panel, round: Round) -> Vec<Command> {
    plan_again(panel, round)
}
