//! A claim that a physician marks as false: a review rule watches for similar cases until it is reversed.

use serde_json::Value;

use crate::harness::{MARFAN, Stage, sample};

const CLAIM: &str = "OMIM:154700/HP:0001083";

/// A signed session in which ann marked a claim as false; the rule that came of it.
fn marked() -> (Stage, Value) {
    let stage = Stage::new();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    stage.physician("ann");
    for item in stage.inbox() {
        let line = ["decide", item["escalation"].as_str().unwrap(), "approve", "--reason", "seen", "--state", "DIR"];
        let decided = stage.bodh(&[&line[..], &["--as", "ann"]].concat());
        assert!(decided.code == 0 || decided.code == 3, "{decided:?}");
    }
    let session = report["session"].as_str().unwrap();
    let line = ["incident", "mark", session, CLAIM, "--reason", "the lens is in place", "--state", "DIR"];
    let said = stage.bodh(&[&line[..], &["--as", "ann", "--json"]].concat()).ended(0).json();
    (stage, said["rule"].clone())
}

fn kinds(stage: &Stage, case: &str) -> Vec<String> {
    let report = stage.diagnose(sample(case), &[]).ended(3).json();
    let escalations = report["escalations"].as_array().unwrap().clone();
    escalations.iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

fn in_force(stage: &Stage) -> usize {
    let said = stage.bodh(&["rules", "--state", "DIR", "--json"]).ended(0).json();
    said["rules"].as_array().unwrap().iter().filter(|rule| rule["reversed"] == false).count()
}

#[test]
fn an_incident_makes_a_rule_for_similar_cases_until_it_is_reversed() {
    let (stage, rule) = marked();
    assert_eq!(rule["claim"], CLAIM);
    assert_eq!(rule["reversed"], false);
    let review = |case: &str| kinds(&stage, case).iter().any(|kind| kind == "review_rule");
    assert!(review(MARFAN), "the same case is reviewed");
    assert!(!review("copper_and_tremor.json"), "a dissimilar case is not");
    let id = rule["id"].as_str().unwrap();
    stage.bodh(&["rules", "reverse", id, "--reason", "too wide", "--state", "DIR", "--as", "ann"]).ended(0);
    assert!(!review(MARFAN), "a reversed rule asks nothing");
    let of_kind = |kind: &str| stage.entries().iter().filter(|entry| entry["kind"] == kind).count();
    assert!(of_kind("incident") >= 1 && of_kind("rule") >= 2, "marked, made and reversed on the record");
}

#[test]
fn rules_are_listed_with_their_standing() {
    let (stage, rule) = marked();
    assert_eq!(in_force(&stage), 1);
    let id = rule["id"].as_str().unwrap();
    stage.bodh(&["rules", "reverse", id, "--reason", "too wide", "--state", "DIR", "--as", "ann"]).ended(0);
    assert_eq!(in_force(&stage), 0);
}

#[test]
fn only_a_physician_marks_and_only_what_was_claimed() {
    let stage = Stage::new();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    stage.physician("ann");
    let mark = |claim: &str, who: &str| {
        let session = report["session"].as_str().unwrap();
        let line = ["incident", "mark", session, claim, "--reason", "r", "--state", "DIR", "--as", who];
        stage.bodh(&line)
    };
    for refused in [mark(CLAIM, "local"), mark("OMIM:154700/HP:0000001", "ann"), mark("nonsense", "ann")] {
        assert!(refused.code == 1 || refused.code == 2, "{refused:?}");
        assert!(!refused.stderr.contains("panicked"), "{refused:?}");
    }
    assert!(!kinds(&stage, MARFAN).iter().any(|kind| kind == "review_rule"), "no rule came of it");
}
