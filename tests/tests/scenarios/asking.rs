//! A physician asks for something else instead of deciding: it is ordered like any test, or waited for, and approves nothing.

use crate::harness::{MARFAN, Output, Stage, sample, until};
use serde_json::Value;
use std::time::Duration;

const WORDS: &str = "canary-words what did the biopsy show";

fn open(report: &Value) -> Vec<&Value> {
    report["escalations"].as_array().unwrap().iter().filter(|one| one["status"] == "open").collect()
}

fn first_open(report: &Value) -> String {
    open(report)[0]["id"].as_str().unwrap().to_owned()
}

fn ask(stage: &Stage, escalation: &str, who: &str, more: &[&str]) -> Output {
    let line = ["decide", escalation, "ask", "--reason", WORDS, "--state", "DIR", "--as", who, "--json"];
    stage.bodh(&[&line[..], more].concat())
}

fn order<'r>(report: &'r Value, test: &str) -> &'r Value {
    report["orders"].as_array().unwrap().iter().find(|order| order["test"] == test).unwrap()
}

#[test]
fn within_the_limits_the_test_is_ordered_and_the_session_goes_on() {
    let stage = Stage::new();
    let _up = stage.up();
    let report = stage.diagnose(sample(MARFAN), &["--sequential"]).ended(3).json();
    stage.physician("ann");
    let escalation = first_open(&report);
    let shown = stage.bodh(&["decide", &escalation, "--state", "DIR", "--json"]).ended(0).json();
    let done =
        |test: &Value| report["orders"].as_array().unwrap().iter().any(|o| o["test"] == *test && o["status"] == "done");
    let askable = shown["askable"].as_array().unwrap();
    assert!(askable.len() > 100 && askable.iter().any(|one| one["kind"] == "question"), "{askable:?}");
    let wanted = askable.iter().find(|one| !done(&one["test"]) && one["price_usd"].as_f64() < Some(20.0)).unwrap();
    let test = wanted["test"].as_str().unwrap();
    let after = ask(&stage, &escalation, "ann", &["--test", test]);
    assert!(after.code == 0 || after.code == 3, "{after:?}");
    let after = after.json();
    assert_eq!(order(&after, test)["status"], "done", "{}", after["orders"]);
    assert!(after["cost_usd"].as_f64() > report["cost_usd"].as_f64(), "it is paid for");
    let of_it = after["escalations"].as_array().unwrap().iter().find(|one| one["id"] == escalation.as_str()).unwrap();
    assert_eq!((&of_it["status"], &of_it["by"]), (&"asked".into(), &"spiffe://bodh.internal/human/ann".into()));
    assert_eq!((&after["asks"][0]["test"], &after["asks"][0]["words"]), (&test.into(), &WORDS.into()));
    // The panel reasoned again, and what it asks now it asks anew.
    assert!(after["rounds"].as_u64() > report["rounds"].as_u64());
    assert!(open(&after).iter().all(|one| one["id"] != escalation.as_str()));
    let entries = stage.entries();
    let decision = entries.iter().find(|e| e["kind"] == "decision" && e["action"] == "decide").unwrap();
    assert_eq!((&decision["cause"], &decision["resource"]), (&"ask".into(), &escalation.as_str().into()));
    assert!(!Value::from(entries).to_string().contains("canary-words"), "the words are sealed");
    // Asked for again it is refused, as is what the packs do not know, and nothing of either is decided.
    if let Some(next) = open(&after).first() {
        let next = next["id"].as_str().unwrap();
        for (test, says) in [(test, "known or on its way"), ("never_heard_of", "no such test or question")] {
            let refused = ask(&stage, next, "ann", &["--test", test]).ended(2);
            assert!(refused.stderr.contains(says), "{refused:?}");
        }
        assert!(stage.inbox().iter().any(|item| item["escalation"] == next && item["status"] == "open"));
    }
    let session = report["session"].as_str().unwrap();
    let file = stage.path("evidence.json");
    let line = ["audit", "export", session, "--state", "DIR", "--as", "ann", "--out", file.to_str().unwrap()];
    stage.bodh(&line).ended(0);
    stage.bodh(&["audit", "verify", file.to_str().unwrap()]).ended(0);
}

#[test]
fn over_a_limit_somebody_else_decides_and_nothing_is_spent_before() {
    let stage = Stage::new();
    let _up = stage.up();
    let report = stage.diagnose(sample(MARFAN), &["--sequential", "--budget", "1"]).ended(3).json();
    for name in ["ann", "bea"] {
        stage.physician(name);
    }
    let escalation = first_open(&report);
    let test = "echocardiogram";
    let shown = stage.bodh(&["decide", &escalation, "--state", "DIR", "--as", "ann", "--json"]).ended(0).json();
    let askable = shown["askable"].as_array().unwrap();
    let test = askable.iter().find(|one| one["test"] == test).map_or("ecg", |_| test);
    let after = ask(&stage, &escalation, "ann", &["--test", test]).ended(3).json();
    assert_eq!(order(&after, test)["status"], "awaiting_approval", "{}", after["orders"]);
    assert_eq!(after["cost_usd"].as_f64(), Some(0.0));
    let asked = open(&after);
    assert_eq!((&asked[0]["kind"], &asked[0]["action"]), (&"over_budget".into(), &format!("order {test}").into()));
    let next = asked[0]["id"].as_str().unwrap();
    // Who wanted it does not lift its limit; the refusal is on record.
    let line = |who| ["decide", next, "approve", "--reason", "r", "--state", "DIR", "--as", who, "--json"];
    let refused = stage.bodh(&line("ann"));
    assert!(refused.code == 1 && refused.stderr.contains("refuses"), "{refused:?}");
    // The log is published a moment after it is written.
    let is_refusal = |e: &Value| {
        e["kind"] == "refusal" && e["action"] == "decide" && e["policies"].to_string().contains("people-no-own-request")
    };
    assert!(until(Duration::from_secs(10), || stage.entries().iter().any(is_refusal)), "the refusal is on record");
    let entries = stage.entries();
    assert!(!entries.iter().any(|e| e["action"] == "spend"), "nothing is spent");
    let approved = stage.bodh(&line("bea"));
    assert!(approved.code == 0 || approved.code == 3, "{approved:?}");
    assert_eq!(order(&approved.json(), test)["status"], "done");
}

#[test]
fn what_only_people_can_find_out_is_waited_for_and_then_reasoned_on() {
    let stage = Stage::new();
    let _up = stage.up();
    let report = stage.diagnose(sample("sore_throat_note.txt"), &[]).json();
    let report = match open(&report).is_empty() {
        true => stage.diagnose(sample(MARFAN), &[]).ended(3).json(),
        false => report,
    };
    let session = report["session"].as_str().unwrap();
    stage.physician("ann");
    // A verdict that names a test it does not ask for is no decision.
    let escalation = first_open(&report);
    let odd = ["decide", &escalation, "deny", "--test", "ct_chest", "--reason", "r", "--state", "DIR", "--as", "ann"];
    assert!(stage.bodh(&odd).ended(2).stderr.contains("--test"));
    let after = ask(&stage, &escalation, "ann", &[]).ended(3).json();
    assert_eq!((&after["status"], &after["released"]), (&"awaiting_answer".into(), &false.into()));
    assert_eq!((&after["asks"][0]["waits"], &after["asks"][0]["test"]), (&true.into(), &Value::Null));
    assert!(open(&after).is_empty() && !after["differential"].as_array().unwrap().is_empty());
    assert!(stage.inbox().iter().all(|item| item["session"] != session), "no question to a physician is open");
    // What the requester reads tells who asks for what, and how to answer.
    let file = stage.write("answer.txt", "She has a high fever and a productive cough.");
    let line = ["amend", session, "--text", file.to_str().unwrap(), "--state", "DIR", "--json"];
    let answered = stage.bodh(&line);
    assert!(answered.code == 0 || answered.code == 3, "{answered:?}");
    let answered = answered.json();
    assert_ne!(answered["status"], "awaiting_answer");
    assert_eq!(answered["asks"][0]["waits"], false);
    assert!(answered["rounds"].as_u64() > report["rounds"].as_u64());
    assert_eq!(answered["cost_usd"], report["cost_usd"]);
    // A test that nobody orders here is a proposal, and waited for in the same way.
    if let Some(next) = open(&answered).first() {
        let next = next["id"].as_str().unwrap();
        let after = ask(&stage, next, "ann", &["--test", "hx_fever"]).ended(3).json();
        assert_eq!((&after["status"], &after["asks"][1]["test"]), (&"awaiting_answer".into(), &"hx_fever".into()));
        assert_eq!(
            (&order(&after, "hx_fever")["status"], &after["cost_usd"]),
            (&"proposed".into(), &report["cost_usd"])
        );
    }
}
