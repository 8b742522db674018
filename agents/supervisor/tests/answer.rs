//! What the supervisor proposes, and what it refuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bodh_clinical::{
    Differential, DiseaseId, Hypothesis, Opinion, Plan, Pricing, Proposal, Question, Step, Subject, TestId,
    Verification,
};
use bodh_knowledge::{COMMITTED, Pack, Refusal, inflate};
use bodh_supervisor::answer;
use std::sync::LazyLock;

static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::open(inflate(COMMITTED).unwrap()).unwrap());

fn question(sequential: bool, round: u32, leading: f64, gain: f64, done: &[&str]) -> Question {
    let id = DiseaseId::parse("OMIM:154700").unwrap();
    let hypothesis = Hypothesis {
        id,
        also: vec![],
        label: String::new(),
        probability: leading,
        prevalence: None,
        red_flag: false,
        prior_bits: 0.0,
        expected: vec![],
        claims: std::sync::Arc::default(),
    };
    let test = |id: &str| TestId::parse(id).unwrap();
    let proposal = |id: &str| Proposal {
        test: test(id),
        label: String::new(),
        gain_bits: gain,
        price: None,
        reveals: vec![],
        settles: None,
    };
    Question::Next {
        sequential,
        round,
        differential: Differential { hypotheses: vec![hypothesis], other: (1.0 - leading) / 2.0, exponent: 1.0 },
        verification: Verification::default(),
        plan: Plan { proposals: vec![proposal("eeg"), proposal("mri_brain")] },
        pricing: Pricing::default(),
        done: done.iter().map(|d| test(d)).collect(),
    }
}

fn step(question: &Question) -> Step {
    match answer(question, &PACK).unwrap() {
        Opinion::Next(supervision) => {
            assert!(!supervision.reasons.is_empty());
            supervision.step
        }
        other => panic!("{other:?}"),
    }
}

fn order(id: &str) -> Step {
    Step::Order(TestId::parse(id).unwrap())
}

#[test]
fn without_results_to_wait_for_one_round_is_all() {
    assert_eq!(step(&question(false, 1, 0.7, 1.0, &[])), Step::Conclude);
    assert_eq!(step(&question(false, 1, 0.05, 1.0, &[])), Step::Defer);
}

#[test]
fn orders_while_it_is_worth_it() {
    assert_eq!(step(&question(true, 1, 0.5, 1.0, &[])), order("eeg"));
    assert_eq!(step(&question(true, 2, 0.5, 1.0, &["eeg"])), order("mri_brain"));
    assert_eq!(step(&question(true, 3, 0.5, 1.0, &["eeg", "mri_brain"])), Step::Conclude);
    assert_eq!(step(&question(true, 1, 0.5, 0.001, &[])), Step::Conclude);
    assert_eq!(step(&question(true, 1, 0.97, 1.0, &[])), Step::Conclude);
    assert_eq!(step(&question(true, 80, 0.5, 1.0, &[])), Step::Conclude);
}

/// The second proposal would settle something that must not be missed.
fn with_red_flag(leading: f64, done: &[&str]) -> Question {
    let mut asked = question(true, 2, leading, 0.0, done);
    if let Question::Next { plan, .. } = &mut asked {
        plan.proposals[1].settles = Some(DiseaseId::parse("BODH:pulmonary-embolism").unwrap());
    }
    asked
}

#[test]
fn a_red_flag_has_to_be_settled_before_the_panel_stops() {
    assert_eq!(step(&with_red_flag(0.97, &[])), order("mri_brain"), "however sure the leading diagnosis is");
    assert_eq!(step(&with_red_flag(0.3, &[])), order("mri_brain"), "whatever it is expected to tell");
    assert_eq!(step(&with_red_flag(0.97, &["mri_brain"])), Step::Conclude, "once");
    let mut at_once = with_red_flag(0.97, &[]);
    if let Question::Next { sequential, .. } = &mut at_once {
        *sequential = false;
    }
    assert_eq!(step(&at_once), Step::Conclude, "nothing can be awaited");
}

#[test]
fn nothing_left_and_nothing_leading_is_never_a_diagnosis() {
    assert_eq!(step(&question(true, 80, 0.05, 1.0, &[])), Step::Defer);
    assert_eq!(step(&question(true, 1, 0.05, 0.0, &[])), Step::Defer);
    assert_eq!(step(&question(true, 1, 0.2, 0.0, &[])), Step::Defer);
}

#[test]
fn other_questions_and_impossible_numbers_are_refused() {
    let other = Question::Differential { subject: Subject::default(), findings: vec![] };
    assert_eq!(answer(&other, &PACK), Err(Refusal::NotMine { member: "supervisor" }));
    let too_many = Refusal::TooMany { what: "tests done", limit: 1000 };
    assert_eq!(answer(&question(true, 1, 0.5, 1.0, &["eeg"; 1001]), &PACK), Err(too_many));
    let gain = Refusal::OutOfRange { what: "an expected gain" };
    assert_eq!(answer(&question(true, 1, 0.5, f64::NAN, &[]), &PACK), Err(gain));
    let probability = Refusal::OutOfRange { what: "a probability" };
    assert_eq!(answer(&question(true, 1, f64::INFINITY, 1.0, &[]), &PACK), Err(probability));
}
