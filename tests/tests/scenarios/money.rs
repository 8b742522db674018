//! Money: what is ordered, what it costs, and when a physician is asked first.

use serde_json::Value;

use crate::harness::{MARFAN, Stage, sample};

fn orders(report: &Value) -> &Vec<Value> {
    report["orders"].as_array().unwrap()
}

/// Whole cents, so that sums compare exactly.
fn cents(amount: &Value) -> i64 {
    let cents = amount.as_f64().unwrap() * 100.0;
    format!("{cents:.0}").parse().unwrap()
}

fn spent(report: &Value) -> i64 {
    orders(report).iter().filter(|order| order["status"] == "done").map(|order| cents(&order["price_usd"])).sum()
}

/// A sequential session that may spend one dollar, which no test costs.
fn out_of_money() -> (Stage, Value) {
    let stage = Stage::new();
    let report = stage.diagnose(sample(MARFAN), &["--sequential", "--budget", "1"]).ended(3).json();
    stage.physician("ann");
    (stage, report)
}

fn decide(stage: &Stage, report: &Value, verdict: &str) -> Value {
    let escalation = report["escalations"][0]["id"].as_str().unwrap();
    let line = ["decide", escalation, verdict, "--reason", "seen", "--state", "DIR", "--as", "ann", "--json"];
    let after = stage.bodh(&line);
    assert!(after.code == 0 || after.code == 3, "{after:?}");
    after.json()
}

#[test]
fn over_the_budget_nothing_is_done_before_a_physician_agrees() {
    let (_stage, report) = out_of_money();
    assert_eq!(cents(&report["cost_usd"]), 0);
    assert!(!orders(&report).is_empty());
    assert!(orders(&report).iter().all(|order| order["status"] != "done"), "{}", report["orders"]);
    assert!(orders(&report).iter().any(|order| order["status"] == "awaiting_approval"), "{}", report["orders"]);
    let asked = &report["escalations"][0];
    assert_eq!(asked["kind"], "over_budget");
    assert!(cents(&asked["amount_usd"]) > 100, "{asked}");
}

#[test]
fn an_approved_order_is_done_and_paid_once() {
    let (stage, report) = out_of_money();
    let asked = orders(&report).iter().find(|order| order["status"] == "awaiting_approval").unwrap();
    let after = decide(&stage, &report, "approve");
    let now: Vec<_> = orders(&after).iter().filter(|order| order["test"] == asked["test"]).collect();
    assert_eq!(now.len(), 1, "{}", after["orders"]);
    assert_eq!(now[0]["status"], "done", "{}", after["orders"]);
    assert_eq!(cents(&after["cost_usd"]), cents(&asked["price_usd"]), "{}", after["orders"]);
}

#[test]
fn a_denied_order_is_declined_for_good() {
    let (stage, report) = out_of_money();
    let asked = orders(&report).iter().find(|order| order["status"] == "awaiting_approval").unwrap();
    let after = decide(&stage, &report, "deny");
    let now: Vec<_> = orders(&after).iter().filter(|order| order["test"] == asked["test"]).collect();
    assert_eq!(now.len(), 1, "never ordered again: {}", after["orders"]);
    assert_eq!(now[0]["status"], "declined");
    assert_eq!(cents(&after["cost_usd"]), 0);
}

#[test]
fn what_was_ordered_adds_up() {
    let stage = Stage::new();
    let report = stage.diagnose(sample("recurrent_chest_infections.json"), &["--sequential"]).ended(3).json();
    assert!(orders(&report).iter().any(|order| order["status"] == "done"), "{}", report["orders"]);
    assert_eq!(cents(&report["cost_usd"]), spent(&report));
    assert!(cents(&report["cost_usd"]) <= cents(&report["budget_usd"]));
}

#[test]
fn a_test_over_the_threshold_asks_first() {
    let stage = Stage::new();
    let report = stage.diagnose(sample("boy_who_falls.json"), &["--sequential"]).ended(3).json();
    assert_eq!(cents(&report["cost_usd"]), spent(&report));
    let dear = |order: &&Value| cents(&order["price_usd"]) > 50_000;
    let dear: Vec<_> = orders(&report).iter().filter(dear).collect();
    assert!(!dear.is_empty(), "this case leads to a dear test: {}", report["orders"]);
    assert!(dear.iter().all(|order| order["status"] == "awaiting_approval"), "{dear:?}");
    let escalations = report["escalations"].as_array().unwrap();
    assert!(escalations.iter().any(|one| one["kind"] == "over_test_threshold"), "{escalations:?}");
}
