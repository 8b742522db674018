//! What this member answers, and what it refuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bodh_clinical::{Differential, Finding, Opinion, Origin, Presence, Question, Subject, TermId};
use bodh_diagnostician::{MEMBER, answer};
use bodh_knowledge::{COMMITTED, Pack, Refusal, inflate};
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
    Question::Differential { subject: Subject::default(), findings }
}

#[test]
fn answers_with_a_differential_that_has_its_claims() {
    let Opinion::Differential(Differential { hypotheses, .. }) = answer(&ask(findings()), &PACK).unwrap() else {
        panic!("another opinion");
    };
    assert!(hypotheses.iter().all(|h| h.claims.len() == 2));
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
