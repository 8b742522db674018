//! Cases that the panel goes through in this process.

use super::*;

const SAMPLE: &[u8] = include_bytes!("../../../../../deploy/samples/tall_with_dislocated_lenses.json");

fn course(sequential: bool, budget: Usd) -> Course {
    let case = bodh_formats::read(SAMPLE).unwrap().case;
    let marfan = |d: &Differential| d.hypotheses.iter().position(|h| h.id.as_str() == "OMIM:154700").map(|p| p + 1);
    let setup = Setup { sequential, budget, leave_out: None };
    InProcess::load().unwrap().convene(&case, setup, &marfan).unwrap()
}

#[test]
fn the_default_sample_is_recognised_at_once_and_goes_to_a_physician() {
    let course = course(false, Usd::from_cents(250_000));
    assert_eq!(course.stages, [Stage { spent: Usd::ZERO, rank: Some(1) }]);
    assert_eq!((course.spent, course.orders), (Usd::ZERO, 0), "orders are proposals");
    assert!(course.escalated_for.contains(&"rare_diagnosis".to_owned()), "{:?}", course.escalated_for);
    assert!(course.dissent > 0.0 && course.differential.hypotheses.len() <= 50);
}

#[test]
fn orders_reveal_what_was_hidden_within_the_budget() {
    let budget = Usd::from_cents(250_000);
    let rich = course(true, budget);
    assert!(rich.orders > 0 && rich.spent > Usd::ZERO && rich.spent <= budget);
    assert_eq!(rich.stages.last().unwrap().rank, Some(1));
    assert!(rich.stages.windows(2).all(|w| w[0].spent <= w[1].spent));
    let poor = course(true, Usd::from_cents(100));
    assert_eq!((poor.spent, poor.stages.last().unwrap().spent), (Usd::ZERO, Usd::ZERO));
}

#[test]
fn nothing_known_is_no_case() {
    let setup = Setup { sequential: false, budget: Usd::ZERO, leave_out: None };
    assert!(InProcess::load().unwrap().convene(&Case::default(), setup, &|_| None).is_err());
}
