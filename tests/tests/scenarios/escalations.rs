//! Why the panel asks a physician, what it shows then, and that only a physician's word answers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{MARFAN, Stage, sample, until};

/// An invented patient on whom the two methods disagree: many diseases show ataxia and chorea, and none is likely.
fn disputed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/cases/ataxia_and_chorea.json")
}

fn escalations(report: &Value) -> &Vec<Value> {
    report["escalations"].as_array().unwrap()
}

fn kinds(report: &Value) -> Vec<&str> {
    escalations(report).iter().map(|one| one["kind"].as_str().unwrap()).collect()
}

fn is_hex(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[test]
fn dissent_between_diagnostician_and_verifier_is_escalated() {
    let stage = Stage::new();
    let report = stage.diagnose(disputed(), &[]).ended(3).json();
    assert!(report["dissent"].as_f64() > Some(0.48), "{}", report["dissent"]);
    let leading = report["differential"][0]["id"].as_str().unwrap();
    let second = report["second_opinion"][0].as_str().unwrap();
    assert!(!second.starts_with(leading), "{leading} leads for both");
    let asked = escalations(&report).iter().find(|one| one["kind"] == "dissent").unwrap();
    assert_eq!(asked["agent"], "agent/reasoning_verifier");
    assert!(asked["action"].as_str().unwrap().contains(leading), "{asked}");
    // The same methods agree on a plain case, and nobody is asked about dissent.
    let report = stage.diagnose(sample("burning_hands.json"), &[]).ended(3).json();
    assert!(report["dissent"].as_f64() < Some(0.48), "{}", report["dissent"]);
    assert!(!kinds(&report).contains(&"dissent"), "{report}");
}

#[test]
fn a_rare_leading_diagnosis_is_escalated() {
    let stage = Stage::new();
    let report = stage.diagnose(sample("copper_and_tremor.json"), &[]).ended(3).json();
    let leading = &report["differential"][0];
    assert!(leading["prevalence"].as_f64().is_none_or(|share| share < 1.0 / 2000.0), "{leading}");
    assert_eq!(kinds(&report), ["rare_diagnosis"]);
    assert_eq!((&report["released"], &report["status"]), (&false.into(), &"awaiting_physician".into()));
}

/// Everything that a physician needs is in the record that the signature covers.
fn is_whole(record: &Value, report: &Value) {
    let line = &escalations(report).iter().find(|one| one["id"] == record["id"]).unwrap();
    for field in ["id", "kind", "reason", "trace", "session", "agent", "action", "role", "rules"] {
        assert_eq!(record[field], line[field], "{field}");
    }
    assert!(is_hex(&record["session"]) && record["session"] == report["session"], "{record}");
    assert!(is_hex(&record["trace"]) && record["trace"] == report["trace"], "{record}");
    assert!(record["agent"].as_str().unwrap().starts_with("agent/"), "{record}");
    let dollars = record["amount_cents"].as_f64().map(|cents| cents / 100.0);
    assert_eq!(dollars, line["amount_usd"].as_f64());
    let shown = &record["shown"];
    let differential = shown["differential"].as_array().unwrap();
    assert!(differential.len() >= 3, "what is proposed and two alternatives");
    let claims = |side: &str| differential.iter().map(|h| h[side].as_array().unwrap().len()).sum::<usize>();
    assert!(claims("for_it") >= 3, "{differential:?}");
    let sourced =
        differential[0]["for_it"].as_array().unwrap().iter().all(|c| !c["sources"].as_array().unwrap().is_empty());
    assert!(sourced, "evidence has its sources");
    assert_eq!(shown["findings"].as_array().map(Vec::len), report["findings"].as_array().map(Vec::len));
    assert_eq!(shown["dissent"], report["dissent"]);
    assert!(!shown["second_opinion"].as_array().unwrap().is_empty());
    assert!(shown["reasons"].is_array() && shown["budget_cents"].is_u64() && shown["spent_cents"].is_u64(), "{shown}");
}

#[test]
fn an_escalation_shows_what_is_asked_why_by_whom_and_the_reasoning_so_far() {
    let stage = Stage::new();
    let money = stage.diagnose(sample(MARFAN), &["--sequential", "--budget", "1"]).ended(3).json();
    let rare = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    stage.physician("ann");
    for report in [&money, &rare] {
        for line in escalations(report) {
            let id = line["id"].as_str().unwrap();
            let show = ["decide", id, "--state", "DIR", "--as", "ann"];
            let shown = stage.bodh(&[&show[..], &["--json"]].concat()).ended(0).json();
            assert_eq!(shown["status"], "open", "shown, not decided");
            let record = &shown["escalation"];
            is_whole(record, report);
            let text = stage.bodh(&show).ended(0).stdout;
            for said in ["action", "reason", "trace", "session", "agent", "requester"] {
                let said = record[said].as_str().unwrap();
                assert!(text.contains(said), "{said} is not in: {text}");
            }
            let item = stage.inbox().into_iter().find(|item| item["escalation"] == id).unwrap();
            for field in ["kind", "reason", "session", "trace", "agent", "requester", "amount_cents"] {
                let amount = field == "amount_cents" && record[field].is_null();
                assert!(amount || item[field] == record[field], "{field}: {item}");
            }
            // The inbox says what is asked, never of whom or what they may have.
            let leading = report["differential"][0]["id"].as_str().unwrap();
            assert!(!item.to_string().contains(leading), "{item}");
        }
    }
    let order = &escalations(&money)[0];
    assert_eq!((&order["kind"], &order["agent"]), (&"over_budget".into(), &"agent/cost_guardian".into()));
    let item = stage.inbox().into_iter().find(|item| item["escalation"] == order["id"]).unwrap();
    assert_eq!(item["action"], order["action"]);
    assert!(item["action"].as_str().unwrap().starts_with("order "), "{item}");
    // Showing is a reading, and is on the record; who asked for the session may not even read.
    let opened = stage.entries().iter().filter(|entry| entry["kind"] == "opened").count();
    assert!(opened >= 3, "{opened}");
    let id = order["id"].as_str().unwrap();
    let refused = stage.bodh(&["decide", id, "--state", "DIR", "--as", "local"]);
    assert!(refused.code == 1 && refused.stderr.contains("refuses"), "{refused:?}");
    // A verdict without a reason, or a reason without a verdict, decides nothing.
    for half in [&["approve"][..], &["--reason", "seen"][..]] {
        stage.bodh(&[&["decide", id, "--state", "DIR"], half].concat()).ended(2);
    }
    assert!(stage.inbox().iter().any(|item| item["escalation"] == order["id"]), "nothing was decided");
}

#[test]
fn a_decision_is_not_asked_for_again_until_what_it_covers_changes() {
    let stage = Stage::new();
    let _up = stage.up();
    let report = stage.diagnose(disputed(), &[]).ended(3).json();
    stage.physician("ann");
    assert!(escalations(&report).len() >= 2, "several reasons, one page: {report}");
    let mut after = Value::Null;
    for one in escalations(&report) {
        after = stage.decide(one["id"].as_str().unwrap(), "approve");
    }
    assert_eq!(after["status"], "concluded");
    assert_eq!(kinds(&after), kinds(&report), "each kind was asked for once");
    // A marked claim changes the differential: what was decided covers another one.
    let session = report["session"].as_str().unwrap();
    let claim = report["differential"][0]["claims"][0]["id"].as_str().unwrap();
    let line = ["incident", "mark", session, claim, "--reason", "not so", "--state", "DIR", "--as", "ann"];
    stage.bodh(&line).ended(0);
    let here = |item: &Value| item["session"] == session;
    let again = until(Duration::from_secs(20), || stage.inbox().iter().any(here));
    assert!(again, "nobody is asked about the changed differential");
    let open: Vec<Value> = stage.inbox().into_iter().filter(here).collect();
    for kind in ["rare_diagnosis", "dissent"] {
        let item = open.iter().find(|item| item["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {open:?}"));
        assert!(escalations(&report).iter().all(|one| one["id"] != item["escalation"]), "a new question: {item}");
    }
}

#[test]
fn an_escalation_that_nobody_answers_lapses_and_is_never_approved() {
    let stage = Stage::new();
    let config = stage.write("panel.toml", "escalations_lapse_after = \"6 seconds\"\n");
    let _up = stage.up_with(&["--config", config.to_str().unwrap()]);
    stage.physician("ann");
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    let id = escalations(&report)[0]["id"].as_str().unwrap();
    assert!(stage.inbox().iter().any(|item| item["escalation"] == id), "it waits");
    assert!(until(Duration::from_secs(30), || stage.inbox().is_empty()), "it waits for ever");
    let all = stage.bodh(&["inbox", "--all", "--state", "DIR", "--json"]).ended(0).json();
    let item = all["items"].as_array().unwrap().iter().find(|item| item["escalation"] == id).unwrap();
    assert_eq!(item["status"], "lapsed");
    let late = ["decide", id, "approve", "--reason", "at last", "--state", "DIR", "--as", "ann"];
    let late = stage.bodh(&late).ended(2);
    assert!(late.stderr.contains("lapsed"), "{late:?}");
    let status = stage.bodh(&["status", "--state", "DIR", "--json"]).ended(0).json();
    assert_eq!(status["sessions"]["expired"], 1, "{status}");
    let of_it: Vec<_> = stage.entries().into_iter().filter(|entry| entry["session"] == report["session"]).collect();
    assert!(of_it.iter().any(|entry| entry["kind"] == "state" && entry["action"] == "expired"), "it is on the record");
    assert!(!of_it.iter().any(|entry| entry["kind"] == "decision"), "nobody decided");
    let wrong = stage.write("wrong.toml", "escalations_lapse_after = \"never\"\n");
    let other = Stage::new();
    let refused = other.bodh(&["up", "--state", "DIR", "--config", wrong.to_str().unwrap()]).ended(2);
    assert!(refused.stderr.contains("escalations_lapse_after") || refused.stderr.contains("30 days"), "{refused:?}");
}
