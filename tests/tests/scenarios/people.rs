//! Who decides: a physician, never the one who asked.

use serde_json::Value;

use crate::harness::{MARFAN, Stage, sample};

/// A session that waits, and ann, who may decide.
fn waiting() -> (Stage, Value) {
    let stage = Stage::new();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    stage.physician("ann");
    (stage, report)
}

fn open(stage: &Stage) -> Vec<String> {
    stage.inbox().iter().map(|item| item["escalation"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_approved_session_is_concluded_and_released() {
    let (stage, report) = waiting();
    let escalations = open(&stage);
    assert_eq!(escalations.len(), report["escalations"].as_array().unwrap().len());
    for (n, escalation) in escalations.iter().enumerate() {
        let code = if n + 1 == escalations.len() { 0 } else { 3 };
        let line = ["decide", escalation, "approve", "--reason", "agrees with the examination", "--state", "DIR"];
        let after = stage.bodh(&[&line[..], &["--as", "ann", "--json"]].concat()).ended(code).json();
        assert_eq!(after["released"], code == 0, "all of them are needed");
        assert_eq!(after["status"], if code == 0 { "concluded" } else { "awaiting_physician" });
        assert_eq!(after["session"], report["session"]);
        assert!(after["differential"] == report["differential"], "what is released is what was shown");
    }
    assert!(stage.inbox().is_empty());
    let decisions: Vec<_> = stage
        .entries()
        .into_iter()
        .filter(|entry| entry["action"] == "decide" && entry["kind"] == "decision")
        .collect();
    assert_eq!(decisions.len(), escalations.len());
    for decision in decisions {
        assert_eq!(decision["actors"][0], "spiffe://bodh.internal/human/ann");
        assert_eq!(decision["cause"], "approve");
    }
    let again = stage.bodh(&["decide", &escalations[0], "deny", "--reason", "second thoughts", "--state", "DIR"]);
    assert_eq!(again.code, 2, "decided once: {again:?}");
    stage.bodh(&["audit", "verify", "DIR"]).ended(0);
}

#[test]
fn a_denied_session_is_withdrawn_and_not_released() {
    let (stage, _) = waiting();
    let mut last = Value::Null;
    // A denial may close the session at once, or leave the rest to be decided.
    while let Some(escalation) = open(&stage).first() {
        let line = ["decide", escalation, "deny", "--reason", "the lens is in place", "--state", "DIR"];
        let after = stage.bodh(&[&line[..], &["--as", "ann", "--json"]].concat());
        last = after.json();
        assert_eq!(last["released"], false, "{after:?}");
    }
    assert_eq!(last["status"], "withdrawn", "{}", last["escalations"]);
}

#[test]
fn nobody_decides_on_what_they_asked_for() {
    let (stage, _) = waiting();
    let escalations = open(&stage);
    let line = ["decide", &escalations[0], "approve", "--reason", "trust me", "--state", "DIR", "--as", "local"];
    let refused = stage.bodh(&line);
    assert!(refused.code != 0 && refused.code != 3, "{refused:?}");
    assert!(refused.stderr.contains("refuses"), "{refused:?}");
    assert_eq!(open(&stage), escalations, "nothing was decided");
    let of_it = |entry: &Value| entry["kind"] == "refusal" && entry["resource"] == escalations[0].as_str();
    let refusals: Vec<_> = stage.entries().into_iter().filter(of_it).collect();
    assert!(!refusals.is_empty(), "the refusal is on the record");
    assert_eq!(refusals[0]["actors"][0], "spiffe://bodh.internal/human/local");
    assert_eq!(refusals[0]["verdict"], "deny");
}

#[test]
fn strangers_and_lesser_roles_decide_nothing() {
    let (stage, _) = waiting();
    let escalations = open(&stage);
    stage.bodh(&["human", "enroll", "cleo", "--role", "compliance", "--state", "DIR"]).ended(0);
    for name in ["cleo", "nobody"] {
        let line = ["decide", &escalations[0], "approve", "--reason", "r", "--state", "DIR", "--as", name];
        let refused = stage.bodh(&line);
        assert!(refused.code == 1 || refused.code == 2, "{name}: {refused:?}");
    }
    assert_eq!(open(&stage), escalations);
}

#[test]
fn only_passkeys_that_somebody_has_are_replaced() {
    let (stage, _) = waiting();
    for (name, says) in [("nobody", "nobody is enrolled as nobody"), ("ann", "ann signs with a key file")] {
        let refused = stage.bodh(&["human", "recover", name, "--state", "DIR"]).ended(2);
        assert!(refused.stdout.is_empty() && refused.stderr.contains(says), "{refused:?}");
    }
}
