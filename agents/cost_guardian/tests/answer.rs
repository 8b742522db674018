//! What the cost guardian answers, and what it refuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use bodh_clinical::{Opinion, Pricing, Question, Subject, TestId, Usd};
use bodh_cost_guardian::answer;
use bodh_knowledge::{COMMITTED, Pack, Refusal, inflate};
use std::sync::LazyLock;

static PACK: LazyLock<Pack> = LazyLock::new(|| Pack::open(inflate(COMMITTED).unwrap()).unwrap());

fn price(tests: &[&str], spent: u64, budget: u64) -> Pricing {
    let tests = tests.iter().map(|t| TestId::parse(t).unwrap()).collect();
    let question = Question::Price { tests, spent: Usd::from_cents(spent), budget: Usd::from_cents(budget) };
    match answer(&question, &PACK).unwrap() {
        Opinion::Price(pricing) => pricing,
        other => panic!("{other:?}"),
    }
}

fn cents(id: &str) -> u64 {
    PACK.price(PACK.test(&TestId::parse(id).unwrap()).unwrap()).cents()
}

#[test]
fn the_running_total_counts_in_the_order_given() {
    let (eeg, mri) = (cents("eeg"), cents("mri_brain"));
    let over = |budget| {
        price(&["eeg", "mri_brain", "eeg"], 100, budget).lines.iter().map(|l| l.over_budget).collect::<Vec<_>>()
    };
    assert_eq!(over(100 + eeg + mri), [false, false, true]);
    assert_eq!(over(100 + eeg + mri - 1), [false, true, false]);
    assert_eq!(over(99), [true, true, true]);
    // What does not fit takes nothing from what follows, as above.
    assert_eq!(over(100 + 2 * eeg), [false, true, false]);
}

#[test]
fn an_unknown_price_is_over_any_budget() {
    let pricing = price(&["whole_exome"], 0, u64::MAX);
    assert_eq!((pricing.lines[0].price, pricing.lines[0].over_budget), (None, true));
}

#[test]
fn other_questions_and_too_many_tests_are_refused() {
    let question = Question::Differential { subject: Subject::default(), findings: vec![] };
    assert_eq!(answer(&question, &PACK), Err(Refusal::NotMine { member: "cost_guardian" }));
    let tests = vec![TestId::parse("eeg").unwrap(); 1001];
    let question = Question::Price { tests, spent: Usd::ZERO, budget: Usd::ZERO };
    assert_eq!(answer(&question, &PACK), Err(Refusal::TooMany { what: "tests", limit: 1000 }));
}
