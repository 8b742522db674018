//! What this member answers, and what it refuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bodh_clinical::{Differential, Finding, Opinion, Origin, Presence, Question, Subject, TermId};
use bodh_knowledge::{COMMITTED, Pack, Refusal, inflate};
use bodh_test_planner::{MEMBER, answer};
use std::sync::LazyLock;

static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::open(inflate(COMMITTED).unwrap()).unwrap());

fn findings() -> Vec<Finding> {
    let one = |id: &str| Finding {
        term: TermId::parse(id).unwrap(),
        label: String::new(),
        presence: Presence::Present,
        origin: Origin::Coded(0),
        past: false,
    };
    ["HP:0001083", "HP:0002616"].map(one).to_vec()
}

fn ask(findings: Vec<Finding>) -> Question {
    let differential = bodh_inference::rank(&PACK, &Subject::default(), &self::findings(), &Default::default());
    Question::Plan { subject: Subject::default(), findings, differential, done: vec![] }
}

#[test]
fn answers_with_a_plan() {
    let Opinion::Plan(plan) = answer(&ask(findings()), &PACK).unwrap() else { panic!("another opinion") };
    assert!((1..=10).contains(&plan.proposals.len()));
}

#[test]
fn an_impossible_differential_is_refused() {
    let differential = Differential { other: f64::NAN, ..Differential::default() };
    let question = Question::Plan { subject: Subject::default(), findings: findings(), differential, done: vec![] };
    assert_eq!(answer(&question, &PACK), Err(Refusal::OutOfRange { what: "a probability" }));
}

#[test]
fn a_question_of_another_member_is_refused() {
    let question = Question::Extract { subject: Subject::default(), note: String::new(), coded: vec![] };
    assert_ne!(question.member(), MEMBER);
    assert_eq!(answer(&question, &PACK), Err(Refusal::NotMine { member: MEMBER.name() }));
}

#[test]
fn too_long_a_chart_is_refused() {
    let question = ask(vec![findings()[0].clone(); 1001]);
    assert_eq!(answer(&question, &PACK), Err(Refusal::TooMany { what: "findings", limit: 1000 }));
}
