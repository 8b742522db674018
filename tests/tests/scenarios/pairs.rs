//! What takes two different physicians: far over the budget one approval does nothing, and nobody gives both.

use crate::harness::{MARFAN, Output, Stage, sample, until};
use serde_json::Value;
use std::time::Duration;

/// The dearest test of the packs: $3,000.
const DEAR: &str = "biopsy_brain";

fn open(report: &Value, kind: &str) -> Option<String> {
    let of_it = report["escalations"].as_array().unwrap().iter();
    let mut of_it = of_it.filter(|one| one["status"] == "open" && one["kind"] == kind);
    of_it.next().map(|one| one["id"].as_str().unwrap().to_owned())
}

fn decide(stage: &Stage, escalation: &str, verdict: &str, who: &str) -> Output {
    stage.bodh(&["decide", escalation, verdict, "--reason", "needed", "--state", "DIR", "--as", who, "--json"])
}

fn order(report: &Value) -> &Value {
    report["orders"].as_array().unwrap().iter().find(|order| order["test"] == DEAR).unwrap()
}

/// A session in which zoe asked for a test far over the budget: the question that takes two, and the one that takes one.
fn far_over(stage: &Stage) -> (String, String) {
    let report = stage.diagnose(sample(MARFAN), &["--sequential", "--budget", "1"]).ended(3).json();
    for name in ["zoe", "ann", "bea", "cy"] {
        stage.physician(name);
    }
    let first = open(&report, "over_budget").unwrap();
    let line = ["decide", &first, "ask", "--test", DEAR, "--reason", "r", "--state", "DIR", "--as", "zoe", "--json"];
    let asked = stage.bodh(&line).ended(3).json();
    assert_eq!(open(&asked, "over_budget"), None, "it is far over, and not asked about twice");
    (open(&asked, "far_over_budget").unwrap(), open(&asked, "over_test_threshold").unwrap())
}

fn entries<'e>(all: &'e [Value], action: &'e str) -> impl Iterator<Item = &'e Value> {
    all.iter().filter(move |entry| entry["kind"] == "decision" && entry["action"] == action)
}

#[test]
fn two_different_physicians_approve_the_same_record_and_then_it_is_ordered() {
    let stage = Stage::new();
    let _up = stage.up();
    let (far, dear) = far_over(&stage);
    let once = decide(&stage, &dear, "approve", "ann").ended(3).json();
    assert_eq!(order(&once)["status"], "awaiting_approval");
    let first = decide(&stage, &far, "approve", "ann").ended(3).json();
    assert_eq!((&order(&first)["status"], first["cost_usd"].as_f64()), (&"awaiting_approval".into(), Some(0.0)));
    assert_eq!(open(&first, "far_over_budget").as_deref(), Some(far.as_str()), "one of two is still open");
    let line = first["escalations"].as_array().unwrap().iter().find(|one| one["id"] == far.as_str()).unwrap();
    assert_eq!((&line["signers"], &line["first"]["by"]), (&2.into(), &"spiffe://bodh.internal/human/ann".into()));
    let shown = stage.bodh(&["decide", &far, "--state", "DIR", "--as", "bea"]).ended(0).stdout;
    assert!(shown.contains("one of two: ann has approved"), "{shown}");
    let listed = stage.bodh(&["inbox", "--state", "DIR"]).ended(0).stdout;
    assert!(listed.contains("one of two: ann has approved"), "{listed}");
    // The same person again, whatever she says now; whoever wanted it; and who asked for the session.
    for (who, policy) in
        [("ann", "people-second-is-another"), ("zoe", "people-no-own-request"), ("local", "people-no-self-approval")]
    {
        for verdict in ["approve", "deny"] {
            let refused = decide(&stage, &far, verdict, who);
            assert!(refused.code == 1 && refused.stderr.contains("refuses"), "{who} {verdict}: {refused:?}");
        }
        // The log is published a moment after it is written.
        let theirs = |e: &Value| e["kind"] == "refusal" && e["policies"].to_string().contains(policy);
        assert!(until(Duration::from_secs(10), || stage.entries().iter().any(theirs)), "{who}");
        let all = stage.entries();
        assert!(!all.iter().any(|e| e["action"] == "spend"), "nothing is spent before the second");
    }
    let second = decide(&stage, &far, "approve", "bea");
    assert!(second.code == 0 || second.code == 3, "{second:?}");
    let second = second.json();
    assert_eq!(order(&second)["status"], "done", "{}", second["orders"]);
    assert!(second["cost_usd"].as_f64() >= Some(3000.0));
    let all = stage.entries();
    let firsts: Vec<_> = entries(&all, "approve_first").collect();
    assert_eq!((firsts.len(), &firsts[0]["resource"]), (1, &far.as_str().into()));
    assert_eq!(firsts[0]["actors"], serde_json::json!(["spiffe://bodh.internal/human/ann"]));
    let decided = entries(&all, "decide").find(|e| e["resource"] == far.as_str()).unwrap();
    assert_eq!(decided["actors"], serde_json::json!(["spiffe://bodh.internal/human/bea"]));
    // The guardian, which paid, had both signatures before it.
    let paid = all.iter().find(|e| e["action"] == "spend" && e["kind"] == "outcome" && e["verdict"] == "ok").unwrap();
    assert!(paid["commitments"]["statement_signature"].is_string(), "{paid}");
    assert!(paid["commitments"]["second_signature"].is_string(), "{paid}");
    // Whoever is given the evidence sees both, and misses one that is taken out.
    let (session, file) = (second["session"].as_str().unwrap(), stage.path("evidence.json"));
    let out = file.to_str().unwrap();
    stage.bodh(&["audit", "export", session, "--out", out, "--state", "DIR", "--as", "ann"]).ended(0);
    let told = stage.bodh(&["audit", "verify", out, "--json"]).ended(0).stdout;
    assert!(told.contains("human/ann") && told.contains("human/bea"), "{told}");
}

#[test]
fn a_denial_by_either_ends_it() {
    let stage = Stage::new();
    let _up = stage.up();
    let (far, dear) = far_over(&stage);
    decide(&stage, &far, "approve", "ann").ended(3);
    decide(&stage, &far, "deny", "bea").ended(3);
    let after = decide(&stage, &dear, "approve", "bea").ended(3).json();
    assert_eq!((&order(&after)["status"], after["cost_usd"].as_f64()), (&"declined".into(), Some(0.0)));
    assert!(decide(&stage, &far, "approve", "cy").ended(2).stderr.contains("already"), "it is over");
    assert!(!stage.entries().iter().any(|e| e["action"] == "spend"));
}

#[test]
fn a_first_approval_ends_with_its_signer() {
    let stage = Stage::new();
    let _up = stage.up();
    let (far, dear) = far_over(&stage);
    decide(&stage, &dear, "approve", "cy").ended(3);
    decide(&stage, &far, "approve", "ann").ended(3);
    stage.bodh(&["revoke", "human/ann", "--reason", "left the clinic", "--state", "DIR"]).ended(0);
    let first = decide(&stage, &far, "approve", "bea").ended(3).json();
    assert_eq!(order(&first)["status"], "awaiting_approval", "hers is the first now");
    let line = first["escalations"].as_array().unwrap().iter().find(|one| one["id"] == far.as_str()).unwrap();
    assert_eq!(line["first"]["by"], "spiffe://bodh.internal/human/bea");
    let all = stage.entries();
    let voided: Vec<_> = entries(&all, "void_first").collect();
    assert_eq!((voided.len(), &voided[0]["cause"]), (1, &"signer_gone".into()));
    assert!(!all.iter().any(|e| e["action"] == "spend"));
    let second = decide(&stage, &far, "approve", "cy");
    assert!(second.code == 0 || second.code == 3, "{second:?}");
    let second = second.json();
    assert_eq!(order(&second)["status"], "done");
    // What was voided is in the evidence as it was signed.
    let (session, file) = (second["session"].as_str().unwrap(), stage.path("evidence.json"));
    let out = file.to_str().unwrap();
    stage.bodh(&["audit", "export", session, "--out", out, "--state", "DIR", "--as", "bea"]).ended(0);
    stage.bodh(&["audit", "verify", out]).ended(0);
}
