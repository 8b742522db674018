//! A clinician corrects findings, enters a result, answers a question; the panel reasons again.

use crate::harness::{Stage, files, holds, sample};
use serde_json::Value;

const RESULT: &str = "Chest X-ray shows a left lower lobe consolidation. She has a high fever and a productive cough.";

fn amend(stage: &Stage, session: &str, more: &[&str]) -> Value {
    let after = stage.bodh(&[&["amend", session, "--state", "DIR", "--json"], more].concat());
    assert!(after.code == 0 || after.code == 3, "{after:?}");
    after.json()
}

fn leading(report: &Value) -> (String, f64) {
    let first = &report["differential"][0];
    (first["id"].as_str().unwrap().to_owned(), first["probability"].as_f64().unwrap())
}

fn finding<'r>(report: &'r Value, term: &str) -> Option<&'r Value> {
    report["findings"].as_array().unwrap().iter().find(|finding| finding["term"] == *term)
}

#[test]
fn a_result_entered_in_words_changes_the_differential_and_spends_nothing() {
    let stage = Stage::new();
    let report = stage.diagnose(sample("sore_throat_note.txt"), &[]);
    assert!(report.code == 0 || report.code == 3, "{report:?}");
    let report = report.json();
    let session = report["session"].as_str().unwrap();
    let order = &report["orders"][0];
    let test = order["test"].as_str().unwrap();
    let file = stage.write("result.txt", RESULT);
    let after = amend(&stage, session, &["--text", file.to_str().unwrap(), "--about", test]);
    assert_ne!(leading(&after), leading(&report), "the differential moves");
    assert_eq!(after["session"], report["session"]);
    assert!(after["rounds"].as_u64() > report["rounds"].as_u64());
    // Every finding of the added text stands where its words do.
    let added: Vec<_> =
        after["findings"].as_array().unwrap().iter().filter(|f| !f["origin"]["added"].is_null()).collect();
    assert!(!added.is_empty(), "{}", after["findings"]);
    for one in added {
        let (span, at) = (&one["origin"]["added"]["span"], |v: &Value| usize::try_from(v.as_u64().unwrap()).unwrap());
        assert!(!RESULT[at(&span["start"])..at(&span["end"])].trim().is_empty(), "{one}");
        assert_eq!(one["origin"]["added"]["amendment"], 0);
    }
    let same = after["orders"].as_array().unwrap().iter().find(|o| o["test"] == test).unwrap();
    assert_eq!((&same["status"], &after["cost_usd"]), (&"reported".into(), &report["cost_usd"]));
    let line = &after["amendments"][0];
    assert_eq!((&line["by"], &line["about"]), (&"spiffe://bodh.internal/human/local".into(), &test.into()));
    let entries = stage.entries();
    let of_it = |kind: &str, action: &str| {
        let fits = |e: &&Value| e["kind"] == kind && e["action"] == action && e["session"] == report["session"];
        entries.iter().filter(fits).count()
    };
    assert_eq!((of_it("attempt", "amend"), of_it("outcome", "amend"), of_it("state", "amended")), (1, 1, 1));
    let extracts = entries.iter().filter(|e| e["kind"] == "attempt" && e["resource"] == "intake/extract").count();
    assert!(extracts >= 2, "the words were read by intake, as the note was");
    stage.bodh(&["audit", "verify", "DIR"]).ended(0);
    for file in files(&stage.dir()) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!holds(&bytes, b"left lower lobe"), "in {}", file.display());
    }
}

#[test]
fn a_corrected_finding_stays_corrected_when_later_words_are_read() {
    let stage = Stage::new();
    let report = stage.diagnose(sample("sore_throat_note.txt"), &[]).json();
    let session = report["session"].as_str().unwrap();
    let first = &report["findings"][0];
    let term = first["term"].as_str().unwrap();
    assert_eq!(first["presence"], "present");
    let label = first["label"].as_str().unwrap();
    let corrected = amend(&stage, session, &["--set", &format!("{term}=excluded")]);
    let now = finding(&corrected, term).unwrap();
    assert_eq!((&now["presence"], &now["origin"]["corrected"]["amendment"]), (&"excluded".into(), &0.into()));
    assert_ne!(corrected["differential"], report["differential"]);
    let file = stage.write("again.txt", format!("She has {label}. She also has night sweats."));
    let again = amend(&stage, session, &["--text", file.to_str().unwrap()]);
    assert_eq!(finding(&again, term).unwrap(), now, "what a person said stands against later words");
    assert_eq!(again["amendments"].as_array().map(Vec::len), Some(2));
    let gone = amend(&stage, session, &["--set", &format!("{term}=not_said")]);
    assert!(finding(&gone, term).is_none());
    assert_eq!(gone["amendments"][2]["corrections"][0]["was"], "excluded", "the earlier value stays readable");
    let wrong = stage.bodh(&["amend", session, "--set", "HP:9999999=present", "--state", "DIR"]).ended(2);
    assert!(wrong.stderr.contains("no such finding"), "{wrong:?}");
}

#[test]
fn what_waited_lapses_and_a_decision_on_it_is_refused() {
    let stage = Stage::new();
    let _up = stage.up();
    let report = stage.diagnose(sample(crate::harness::MARFAN), &[]).ended(3).json();
    stage.physician("ann");
    let session = report["session"].as_str().unwrap();
    let old = report["escalations"][0]["id"].as_str().unwrap();
    let term = report["findings"][0]["term"].as_str().unwrap();
    let after = amend(&stage, session, &["--set", &format!("{term}=excluded"), "--as", "ann"]);
    let status = |report: &Value, id: &str| {
        let all = report["escalations"].as_array().unwrap();
        all.iter().find(|one| one["id"] == id).unwrap()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&after, old), "lapsed", "{}", after["escalations"]);
    let late = ["decide", old, "approve", "--reason", "seen before", "--state", "DIR", "--as", "ann"];
    let late = stage.bodh(&late).ended(2);
    assert!(late.stderr.contains("lapsed"), "{late:?}");
    // The panel asks anew about what it now proposes, and a physician concludes on that.
    let open: Vec<String> = stage
        .inbox()
        .iter()
        .filter(|item| item["session"] == *session)
        .map(|item| item["escalation"].as_str().unwrap().to_owned())
        .collect();
    assert!(!open.is_empty() && !open.contains(&old.to_owned()), "{open:?}");
    let mut last = Value::Null;
    for one in &open {
        last = stage.decide(one, "approve");
    }
    assert_eq!(
        (&last["status"], &last["standing"], &last["revision"]),
        (&"concluded".into(), &"signed".into(), &0.into())
    );
    // A signed report that is amended is a later revision, and is signed no more.
    let reopened = amend(&stage, session, &["--set", &format!("{term}=present")]);
    assert_eq!(reopened["revision"], 1);
    assert_ne!(reopened["standing"], "signed", "{}", reopened["escalations"]);
}
