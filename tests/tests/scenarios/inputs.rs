//! Inputs that cannot be used: each is refused with 2, one line that names the place and the cause, and no report.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{MARFAN, Output, Stage, sample};

/// The default sample with one change.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut case = serde_json::from_slice(&fs::read(sample(MARFAN)).unwrap()).unwrap();
    change(&mut case);
    serde_json::to_vec(&case).unwrap()
}

fn feature(term: &str, excluded: bool) -> Value {
    json!({ "type": { "id": term, "label": "a term" }, "excluded": excluded })
}

fn diagnose(stage: &Stage, name: &str, bytes: &[u8]) -> Output {
    let case = stage.write(name, bytes);
    stage.bodh(&["diagnose", case.to_str().unwrap(), "--json"])
}

#[track_caller]
fn refused(said: &Output, cause: &str) {
    assert_eq!(said.code, 2, "{cause}: {said:?}");
    assert_eq!(said.stderr.lines().count(), 1, "{cause}: {said:?}");
    assert!(said.stderr.contains(cause), "{cause}: {said:?}");
    assert!(!said.stderr.contains("panicked"), "{said:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_refused_by_place_and_cause() {
    let stage = Stage::new();
    let whole = fs::read(sample(MARFAN)).unwrap();
    let table: [(&str, Vec<u8>, &str); 16] = [
        ("malformed.json", b"{\"id\": x}".to_vec(), "line 1, column 8: not valid JSON"),
        ("cut.json", whole[..700].to_vec(), "line 38, column 15: the JSON ends too early"),
        ("cut_at_a_line.json", b"{\n  \"id\": \"x\",\n".to_vec(), "line 2, column 12: the JSON ends too early"),
        ("newline.json", b"{\n  \"id\": \"x\ny\"}".to_vec(), "line 2, column 11: not valid JSON"),
        ("twice.json", b"{\"phenotypicFeatures\": [], \"phenotypicFeatures\": []}".to_vec(), "the same key twice"),
        (
            "born.json",
            changed(|case| case["subject"]["timeAtLastEncounter"]["age"]["iso8601duration"] = "P200Y".into()),
            "an age above 130 years",
        ),
        ("large.txt", [b"a\xff".to_vec(), vec![b'a'; 5_000_000]].concat(), "larger than"),
        ("latin.txt", b"abc \xff fever".to_vec(), "byte 4: not UTF-8"),
        ("binary.txt", b"fever\0cough".to_vec(), "byte 5: a NUL byte"),
        ("deep.json", format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100)).into_bytes(), "nested deeper than"),
        (
            "fhir.json",
            br#"{"resourceType":"Bundle","type":"collection","entry":[]}"#.to_vec(),
            "FHIR bundles are not read yet",
        ),
        ("other.json", br#"{"anything": 1}"#.to_vec(), "give a Phenopacket v2"),
        ("empty.txt", b" \n".to_vec(), "empty"),
        (
            "age.json",
            changed(|case| case["subject"]["timeAtLastEncounter"]["age"]["iso8601duration"] = "-P5Y".into()),
            "subject.timeAtLastEncounter.age.iso8601duration: a negative age",
        ),
        ("sex.json", changed(|case| case["subject"]["sex"] = "NO".into()), "subject.sex: expected"),
        (
            "many.json",
            changed(|case| {
                let terms = (1..2_500).map(|n| feature(&format!("HP:{n:07}"), false));
                case["phenotypicFeatures"] = terms.collect();
            }),
            "phenotypicFeatures: more than",
        ),
    ];
    for (name, bytes, cause) in table {
        let said = diagnose(&stage, name, &bytes);
        refused(&said, cause);
        assert!(said.stderr.contains(name), "the file is named: {said:?}");
        assert_eq!(said.stdout, "", "{name}");
    }
    let none = stage.bodh(&["diagnose", "/nonexistent/case.json"]);
    refused(&none, "/nonexistent/case.json: no such file");
}

#[test]
fn a_case_without_a_usable_finding_is_refused_and_released_as_nothing() {
    let stage = Stage::new();
    let only = |features: Value| changed(|case| case["phenotypicFeatures"] = features);
    let table: [(&str, Vec<u8>, &str); 4] = [
        ("unknown.json", only(json!([feature("HP:9999999", false)])), " (1 not known to the knowledge packs)"),
        ("none.json", only(json!([])), ""),
        (
            "both.json",
            only(json!([feature("HP:0001083", false), feature("HP:0001083", true)])),
            " (1 said to be both present and excluded)",
        ),
        ("garden.txt", b"It is a sunny day in the garden.\n".to_vec(), ""),
    ];
    for (name, bytes, cause) in table {
        let said = diagnose(&stage, name, &bytes);
        refused(&said, &format!("{name}: no finding that can be used{cause}; give HPO terms, or a fuller note"));
        assert_eq!(said.stdout, "", "{name}: no report where there is nothing to report");
        // The same in words for people, and kept: the session is over, and the record whole.
        let case = stage.path(name);
        refused(&stage.bodh(&["diagnose", case.to_str().unwrap()]), name);
        refused(&stage.diagnose(&case, &[]), name);
        stage.bodh(&["audit", "verify", stage.dir().join("log").to_str().unwrap()]).ended(0);
    }
}

#[test]
fn contradictory_and_unknown_findings_are_reported_beside_the_rest() {
    let stage = Stage::new();
    let case = changed(|case| {
        let features = case["phenotypicFeatures"].as_array_mut().unwrap();
        features.extend([feature("HP:0001083", true), feature("HP:9999999", false)]);
    });
    let said = diagnose(&stage, "case.json", &case).ended(3);
    let report = said.json();
    assert_eq!(report["contradictory"], json!(["HP:0001083"]));
    assert!(report["ignored"].to_string().contains("HP:9999999"), "{}", report["ignored"]);
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["term"] != "HP:0001083"), "neither side is believed: {findings:?}");
    assert_eq!(findings.len(), 10);
}

#[test]
fn a_budget_that_is_no_amount_is_refused() {
    let stage = Stage::new();
    let case = sample(MARFAN);
    for budget in ["0", "-1", "NaN", "abc", "1e9", "inf"] {
        let said = stage.bodh(&["diagnose", case.to_str().unwrap(), "--budget", budget]);
        refused(&said, "--budget");
        assert!(said.stderr.contains(&format!("'{budget}'")), "{budget}: {said:?}");
        assert_eq!(said.stdout, "");
    }
}

#[test]
fn a_mistake_in_the_arguments_is_one_line_that_says_where_to_read_on() {
    let stage = Stage::new();
    for (line, causes) in [
        (&["diagnose"][..], ["<CASE>", "`bodh diagnose --help`"]),
        (&["nonsense"], ["'nonsense'", "`bodh --help`"]),
        (&["diagnose", "x", "--colour"], ["'--colour'", "`bodh diagnose --help`"]),
        (&["inbox"], ["--state <DIR>", "`bodh inbox --help`"]),
        (&["decide", "e", "maybe", "--state", "s", "--reason", "r"], ["'maybe'", "approve"]),
        (&["agent", "new", "x"], ["`bodh agent`", "not there yet"]),
        (&["bench", "revocation"], ["revocation", "not there yet"]),
    ] {
        let said = stage.bodh(line);
        causes.iter().for_each(|cause| refused(&said, cause));
        assert!(said.stderr.starts_with("bodh: ") && said.stdout.is_empty(), "{line:?}: {said:?}");
    }
}
