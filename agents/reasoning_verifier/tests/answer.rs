//! What this member answers, and what it refuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bodh_clinical::{Differential, Finding, Opinion, Origin, Presence, Question, Subject, TermId};
use bodh_knowledge::{COMMITTED, Pack, Refusal, inflate};
use bodh_reasoning_verifier::{MEMBER, answer};
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
    Question::SecondOpinion { subject: Subject::default(), findings }
}

#[test]
fn answers_with_its_own_differential_and_with_a_verification() {
    let Opinion::SecondOpinion(second) = answer(&ask(findings()), &PACK).unwrap() else { panic!("another opinion") };
    assert_eq!(second.hypotheses.len(), 50);
    let differential = Differential::default();
    let question = Question::Verify { subject: Subject::default(), findings: findings(), differential, second };
    let Opinion::Verify(verification) = answer(&question, &PACK).unwrap() else { panic!("another opinion") };
    assert_eq!((verification.checked, verification.same_leading), (0, false));
    assert!(verification.dissent > 0.99);
}

#[test]
fn an_impossible_differential_is_refused() {
    let second = Differential { other: 2.0, ..Differential::default() };
    let differential = Differential::default();
    let question = Question::Verify { subject: Subject::default(), findings: findings(), differential, second };
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
