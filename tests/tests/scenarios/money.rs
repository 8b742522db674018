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
    stage.decide(report["escalations"][0]["id"].as_str().unwrap(), verdict)
}

/// The one test that waits for a physician.
fn asked(report: &Value) -> &Value {
    let waiting: Vec<_> = orders(report).iter().filter(|order| order["status"] == "awaiting_approval").collect();
    assert_eq!(waiting.len(), 1, "{}", report["orders"]);
    waiting[0]
}

/// What became of a test that was asked for: it stands in the list once.
fn now<'r>(report: &'r Value, test: &Value) -> &'r Value {
    let now: Vec<_> = orders(report).iter().filter(|order| order["test"] == *test).collect();
    assert_eq!(now.len(), 1, "{}", report["orders"]);
    now[0]
}

/// Decides all that is open.
fn decide_all(stage: &Stage, report: &Value, verdict: &str) -> Value {
    let open: Vec<_> = report["escalations"].as_array().unwrap().iter().filter(|one| one["status"] == "open").collect();
    assert!(!open.is_empty(), "{report}");
    open.iter().fold(Value::Null, |_, one| stage.decide(one["id"].as_str().unwrap(), verdict))
}

#[test]
fn over_the_budget_nothing_is_done_before_a_physician_agrees() {
    let (stage, report) = out_of_money();
    assert_eq!(cents(&report["cost_usd"]), 0);
    assert!(!orders(&report).is_empty());
    assert!(orders(&report).iter().all(|order| order["status"] != "done"), "{}", report["orders"]);
    let asked = asked(&report);
    // The guardian, which keeps the account, was not even asked to pay.
    let spent =
        |entry: &Value| entry["action"] == "spend" || (entry["action"] == "order" && entry["kind"] == "outcome");
    assert!(!stage.entries().iter().any(spent), "nothing is spent");
    assert_eq!(report["escalations"][0]["action"], format!("order {}", asked["test"].as_str().unwrap()));
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
fn a_denied_order_is_declined_for_good_and_the_panel_goes_on_without_it() {
    let (stage, mut report) = out_of_money();
    let _up = stage.up();
    let mut denied: Vec<Value> = Vec::new();
    for _ in 0..3 {
        let test = asked(&report)["test"].clone();
        assert!(!denied.contains(&test), "{test} is asked for again");
        report = decide_all(&stage, &report, "deny");
        denied.push(test);
        for test in &denied {
            assert_eq!(now(&report, test)["status"], "declined", "never ordered again");
        }
        assert_eq!(cents(&report["cost_usd"]), 0);
        assert_eq!(report["status"], "awaiting_physician", "it goes on, and asks for something else");
    }
}

#[test]
fn what_was_ordered_adds_up() {
    let stage = Stage::new();
    let report = stage.diagnose(sample("recurrent_chest_infections.json"), &["--sequential"]).ended(3).json();
    assert!(orders(&report).iter().any(|order| order["status"] == "done"), "{}", report["orders"]);
    assert_eq!(cents(&report["cost_usd"]), spent(&report));
    assert!(cents(&report["cost_usd"]) <= cents(&report["budget_usd"]));
}

/// Everything recorded needs a laboratory or a recording: the panel begins with age and sex alone, and asks.
#[test]
fn a_session_that_is_told_nothing_at_first_asks_for_something() {
    let stage = Stage::new();
    let case = stage.path("laboratory_only.json");
    std::fs::write(
        &case,
        r#"{"id": "c1", "subject": {"id": "s1", "sex": "MALE", "timeAtLastEncounter": {"age": {"iso8601duration": "P8Y"}}},
            "phenotypicFeatures": [
              {"type": {"id": "HP:0003236", "label": "Elevated circulating creatine kinase concentration"}},
              {"type": {"id": "HP:0003458", "label": "EMG: myopathic abnormalities"}}],
            "metaData": {"created": "2026-01-01T00:00:00Z", "createdBy": "test", "resources": []}}"#,
    )
    .unwrap();
    let report = stage.diagnose(case, &["--sequential"]).ended(3).json();
    assert_eq!(report["status"], "awaiting_physician", "not given up for want of a finding");
    assert!(orders(&report).iter().any(|order| order["status"] == "done"), "{}", report["orders"]);
    assert!(report["findings"].as_array().is_some_and(|found| !found.is_empty()), "something was revealed");
    assert_eq!(cents(&report["cost_usd"]), spent(&report));
}

/// A session within its budget that comes to a test of more than $500.
fn over_the_threshold() -> (Stage, Value) {
    let stage = Stage::new();
    let report = stage.diagnose(sample("boy_who_falls.json"), &["--sequential"]).ended(3).json();
    stage.physician("ann");
    (stage, report)
}

#[test]
fn a_test_over_the_threshold_asks_first() {
    let (_stage, report) = over_the_threshold();
    assert_eq!(cents(&report["cost_usd"]), spent(&report));
    let dear = |order: &&Value| cents(&order["price_usd"]) > 50_000;
    let dear: Vec<_> = orders(&report).iter().filter(dear).collect();
    assert_eq!(dear, [asked(&report)], "this case leads to a dear test: {}", report["orders"]);
    assert!(
        cents(&report["cost_usd"]) + cents(&dear[0]["price_usd"]) < cents(&report["budget_usd"]),
        "within the budget"
    );
    let escalations = report["escalations"].as_array().unwrap();
    assert_eq!(escalations.len(), 1, "{escalations:?}");
    assert_eq!(escalations[0]["kind"], "over_test_threshold");
    assert_eq!(escalations[0]["amount_usd"], dear[0]["price_usd"]);
}

#[test]
fn a_dear_test_is_done_when_approved() {
    let (stage, report) = over_the_threshold();
    let test = asked(&report)["test"].clone();
    let after = decide_all(&stage, &report, "approve");
    assert_eq!(now(&after, &test)["status"], "done");
    assert_eq!(cents(&after["cost_usd"]), spent(&after));
    let dearer = cents(&report["cost_usd"]) + cents(&now(&after, &test)["price_usd"]);
    assert!(cents(&after["cost_usd"]) >= dearer, "it is paid for");
}

#[test]
fn a_dear_test_is_left_out_when_denied() {
    let (stage, report) = over_the_threshold();
    let test = asked(&report)["test"].clone();
    let after = decide_all(&stage, &report, "deny");
    assert_eq!(now(&after, &test)["status"], "declined");
    assert_eq!(cents(&after["cost_usd"]), spent(&after));
    assert!(after["rounds"].as_u64() > report["rounds"].as_u64(), "the panel went on");
    let open = |one: &&Value| one["status"] == "open";
    let asks = after["escalations"].as_array().unwrap().iter().filter(open);
    let test = test.as_str().unwrap();
    assert!(asks.clone().count() > 0 && asks.clone().all(|one| one["action"] != format!("order {test}")), "not again");
}
