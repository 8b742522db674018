//! Whoever convened a session hears that one of its questions was decided, by whom, when and how, until they open it.

use crate::harness::{MARFAN, Stage, sample};
use serde_json::Value;

fn told(stage: &Stage, who: &str) -> Vec<Value> {
    let said = stage.bodh(&["inbox", "--state", "DIR", "--as", who, "--json"]).ended(0).json();
    said["decided"].as_array().unwrap().clone()
}

#[test]
fn a_decision_is_told_to_its_requester_alone_until_they_open_the_session() {
    let stage = Stage::new();
    let _up = stage.up();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    let session = report["session"].as_str().unwrap();
    stage.physician("ann");
    stage.bodh(&["human", "enroll", "kim", "--role", "clinician", "--state", "DIR"]).ended(0);
    assert_eq!(told(&stage, "local"), Vec::<Value>::new());
    // Opening a question, or showing it, decides nothing.
    let id = report["escalations"][0]["id"].as_str().unwrap();
    stage.bodh(&["decide", id, "--state", "DIR", "--as", "ann"]).ended(0);
    assert_eq!(told(&stage, "local"), Vec::<Value>::new());
    let after = stage.decide(id, "amend");
    let news = told(&stage, "local");
    assert_eq!(news.len(), 1, "{news:?}");
    let one = &news[0];
    assert_eq!((&one["escalation"], &one["session"]), (&id.into(), &session.into()));
    assert_eq!((&one["verdict"], &one["by"]), (&"amend".into(), &"spiffe://bodh.internal/human/ann".into()));
    assert!(one["at"].as_str().unwrap().ends_with('Z') && one["action"] == "conclude", "{one}");
    assert!(!one.to_string().contains(report["differential"][0]["id"].as_str().unwrap()), "nothing of a patient");
    let text = stage.bodh(&["inbox", "--state", "DIR"]).ended(0).stdout;
    assert!(text.contains(&format!("Decided: {id}")) && text.contains("amend\n    by spiffe"), "{text}");
    // It is nobody else's to hear, and nobody else's reading takes it away.
    for who in ["ann", "kim"] {
        assert_eq!(told(&stage, who), Vec::<Value>::new(), "{who}");
    }
    let exported = stage.path("evidence.json");
    let line = ["audit", "export", session, "--state", "DIR", "--as", "ann", "--out", exported.to_str().unwrap()];
    stage.bodh(&line).ended(0);
    assert_eq!(told(&stage, "local").len(), 1);
    assert_eq!(after["session"], session);
    // A refused decision is none.
    let refused = stage.bodh(&["decide", id, "deny", "--reason", "r", "--state", "DIR", "--as", "ann"]);
    assert_ne!(refused.code, 0);
    assert_eq!(told(&stage, "local").len(), 1);
}
