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
fn what_is_excluded_above_something_present_is_reported_and_not_used() {
    let stage = Stage::new();
    let case = changed(|case| {
        let features = case["phenotypicFeatures"].as_array_mut().unwrap();
        features.push(feature("HP:0000517", true));
    });
    let said = diagnose(&stage, "case.json", &case).ended(3);
    let report = said.json();
    assert_eq!(report["ignored"], json!([{ "term": "HP:0000517", "cause": "contradicted" }]));
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().any(|f| f["term"] == "HP:0001083" && f["presence"] == "present"), "{findings:?}");
    assert!(findings.iter().all(|f| f["term"] != "HP:0000517"), "{findings:?}");
}

#[test]
fn a_benchmark_names_what_is_wrong_with_a_row_and_goes_on() {
    let stage = Stage::new();
    let row = |id: &str, more: &[Value]| {
        let case = changed(|case| {
            case["id"] = id.into();
            case["phenotypicFeatures"].as_array_mut().unwrap().extend(more.iter().cloned());
        });
        String::from_utf8(case).unwrap()
    };
    let rows = [
        row("sound", &[]),
        "{\"id\": x}".to_owned(),
        row("both", &[feature("HP:0001083", true)]),
        "fever and cough".to_owned(),
        row("above", &[feature("HP:0000517", true)]),
    ];
    let cases = stage.write("set.jsonl", rows.join("\n").as_bytes());
    let cases = cases.to_str().unwrap();
    let rankings = stage.path("rankings.jsonl");
    let said = stage.bodh(&["bench", "accuracy", cases, "--rankings", rankings.to_str().unwrap(), "--json"]).ended(0);
    let told = said.json();
    assert_eq!(told["cases"], 5);
    let named = |what: &str, of: &str| -> Vec<String> {
        told[what].as_array().unwrap().iter().map(|one| one[of].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named("errors", "case"), ["set:2", "set:4"]);
    let errors = named("errors", "error");
    assert!(errors[0].starts_with("set.jsonl: line 2, column 8: not valid JSON"), "{errors:?}");
    assert_eq!(errors[1], "set.jsonl: line 4: not JSON; a row is one case as JSON");
    assert_eq!(named("contradictions", "case"), ["both", "above"]);
    let says = named("contradictions", "says");
    assert!(says[0].starts_with("set.jsonl: line 3: both present and absent, neither used: HP:0001083 "), "{says:?}");
    assert!(says[1].starts_with("set.jsonl: line 5: absent beside something more specific present"), "{says:?}");
    let rows = fs::read_to_string(rankings).unwrap();
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows[2]["contradictory"], json!(["HP:0001083"]));
    assert_eq!(rows[4]["outdone"], json!(["HP:0000517"]));
    assert_eq!(rows[0]["ranked"], rows[4]["ranked"], "what is not used changes nothing");
    let words = stage.bodh(&["bench", "accuracy", cases]).ended(0).stdout;
    assert!(
        words.contains("refused set:2: set.jsonl: line 2") && words.contains("contradicts itself: both: "),
        "{words}"
    );

    // Truth files: a case that is not there is told, a line that cannot be read stops with its number.
    let bench = |truth: &str| {
        let truth = stage.write("truth.tsv", truth.as_bytes());
        stage.bodh(&["bench", "accuracy", cases, "--truth", truth.to_str().unwrap(), "--json"])
    };
    let said = bench("sound\tOMIM:154700\tMarfan syndrome\tPMID:1\nset:3\tOMIM:154700\nelsewhere\tOMIM:1\n").ended(0);
    assert!(said.stderr.contains("truth.tsv: line 3: `elsewhere` is not among the cases (0 more"), "{said:?}");
    assert_eq!(said.json()["scored"]["n"], 2, "named by id, or by place");
    refused(&bench("elsewhere\tOMIM:1\n"), "truth.tsv: names none of the cases (first `elsewhere`, line 1)");
    refused(&bench("sound\tOMIM:154700\nboth\tOMIM:154700\tA\tPMID:1\tB\n"), "truth.tsv: line 2: expected case id");
    refused(&bench("sound\tOMIM:154700\nboth\n"), "truth.tsv: line 2: expected case id");
    refused(&bench("sound\tOMIM:154700\nboth\t\t\tPMID:1\n"), "truth.tsv: line 2: neither a disease id nor a name");
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
