//! Questions.

use crate::case::{coded, coded_out, subject, subject_out};
use crate::differential::{differential, differential_out};
use crate::finding::{findings, findings_out};
use crate::order::{plan, plan_out, pricing, pricing_out};
use crate::pb::{self, question::Ask};
use crate::verification::{verification, verification_out};
use crate::wire::{WireError, Within, cents, limits, required, tests};
use bodh_clinical::{Differential, Finding, Question, Subject, TestId};

impl TryFrom<pb::Question> for Question {
    type Error = WireError;

    fn try_from(value: pb::Question) -> Result<Self, WireError> {
        match required(value.ask, "ask")? {
            Ask::Extract(ask) => extract(ask).within("extract"),
            Ask::Differential(ask) => {
                let (subject, findings) = chart(ask.subject, ask.findings).within("differential")?;
                Ok(Question::Differential { subject, findings })
            }
            Ask::SecondOpinion(ask) => {
                let (subject, findings) = chart(ask.subject, ask.findings).within("second_opinion")?;
                Ok(Question::SecondOpinion { subject, findings })
            }
            Ask::Verify(ask) => verify(ask).within("verify"),
            Ask::Plan(ask) => plan_question(ask).within("plan"),
            Ask::Price(ask) => price(ask).within("price"),
            Ask::Next(ask) => next(ask).within("next"),
        }
    }
}

fn chart(who: Option<pb::Subject>, what: Vec<pb::Finding>) -> Result<(Subject, Vec<Finding>), WireError> {
    Ok((subject(who)?, findings(what)?))
}

fn required_differential(value: Option<pb::Differential>, field: &str) -> Result<Differential, WireError> {
    differential(required(value, field)?).within(field)
}

fn extract(ask: pb::IntakeQuestion) -> Result<Question, WireError> {
    if ask.note.len() > limits::NOTE {
        return Err(WireError::new("note", "longer than 1 MiB"));
    }
    Ok(Question::Extract { subject: subject(ask.subject)?, note: ask.note, coded: coded(ask.coded)? })
}

fn verify(ask: pb::VerifyQuestion) -> Result<Question, WireError> {
    let (subject, findings) = chart(ask.subject, ask.findings)?;
    let differential = required_differential(ask.differential, "differential")?;
    let second = required_differential(ask.second, "second")?;
    Ok(Question::Verify { subject, findings, differential, second })
}

fn plan_question(ask: pb::PlanQuestion) -> Result<Question, WireError> {
    let (subject, findings) = chart(ask.subject, ask.findings)?;
    let differential = required_differential(ask.differential, "differential")?;
    Ok(Question::Plan { subject, findings, differential, done: tests(ask.done, "done")? })
}

fn price(ask: pb::PriceQuestion) -> Result<Question, WireError> {
    Ok(Question::Price {
        tests: tests(ask.tests, "tests")?,
        spent: cents(ask.spent_cents, "spent_cents")?,
        budget: cents(ask.budget_cents, "budget_cents")?,
    })
}

fn next(ask: pb::NextQuestion) -> Result<Question, WireError> {
    if !(1..=limits::ROUNDS).contains(&ask.round) {
        return Err(WireError::new("round", "not between 1 and 10000"));
    }
    Ok(Question::Next {
        sequential: ask.sequential,
        round: ask.round,
        differential: required_differential(ask.differential, "differential")?,
        verification: verification(required(ask.verification, "verification")?).within("verification")?,
        plan: plan(required(ask.plan, "plan")?).within("plan")?,
        pricing: pricing(required(ask.pricing, "pricing")?).within("pricing")?,
        done: tests(ask.done, "done")?,
    })
}

fn ids(tests: Vec<TestId>) -> Vec<String> {
    tests.into_iter().map(Into::into).collect()
}

fn chart_out(subject: Subject, findings: Vec<Finding>) -> pb::DifferentialQuestion {
    pb::DifferentialQuestion { subject: subject_out(subject), findings: findings_out(findings) }
}

impl From<Question> for pb::Question {
    fn from(value: Question) -> Self {
        let ask = match value {
            Question::Extract { subject, note, coded } => {
                Ask::Extract(pb::IntakeQuestion { subject: subject_out(subject), note, coded: coded_out(coded) })
            }
            Question::Differential { subject, findings } => Ask::Differential(chart_out(subject, findings)),
            Question::SecondOpinion { subject, findings } => Ask::SecondOpinion(chart_out(subject, findings)),
            Question::Verify { subject, findings, differential, second } => Ask::Verify(pb::VerifyQuestion {
                subject: subject_out(subject),
                findings: findings_out(findings),
                differential: Some(differential_out(differential)),
                second: Some(differential_out(second)),
            }),
            Question::Plan { subject, findings, differential, done } => Ask::Plan(pb::PlanQuestion {
                subject: subject_out(subject),
                findings: findings_out(findings),
                differential: Some(differential_out(differential)),
                done: ids(done),
            }),
            Question::Price { tests, spent, budget } => Ask::Price(pb::PriceQuestion {
                tests: ids(tests),
                spent_cents: spent.cents(),
                budget_cents: budget.cents(),
            }),
            Question::Next { sequential, round, differential, verification, plan, pricing, done } => {
                Ask::Next(pb::NextQuestion {
                    sequential,
                    round,
                    differential: Some(differential_out(differential)),
                    verification: Some(verification_out(verification)),
                    plan: Some(plan_out(plan)),
                    pricing: Some(pricing_out(pricing)),
                    done: ids(done),
                })
            }
        };
        pb::Question { ask: Some(ask) }
    }
}

impl From<&Question> for pb::Question {
    fn from(value: &Question) -> Self {
        value.clone().into()
    }
}
