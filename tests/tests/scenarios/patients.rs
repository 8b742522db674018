//! Who saw what of a patient: found by the pseudonym, which stands in the clear nowhere, by compliance officers alone.

use super::privacy::{CANARIES, clean, clean_folder, packet};
use crate::harness::{MARFAN, Stage, files, holds, sample, until};
use serde_json::Value;
use std::{collections::BTreeSet, fs, process::Stdio, time::Duration};

/// The case's own id, which `bodh diagnose` takes for the pseudonym.
const PATIENT: &str = CANARIES[0];

fn people(stage: &Stage) {
    for (name, role) in [("ann", "physician"), ("kim", "clinician"), ("cleo", "compliance"), ("olga", "operator")] {
        stage.bodh(&["human", "enroll", name, "--role", role, "--state", "DIR"]).ended(0);
    }
}

/// The report as cleo gets it; the pseudonym by standard input, so that it stands in no list of processes.
fn report(stage: &Stage, pseudonym: &str, more: &[&str]) -> Value {
    let file = stage.write("pseudonym", format!("{pseudonym}\n"));
    let mut command =
        stage.command(&[&["audit", "access", "-", "--state", "DIR", "--as", "cleo", "--json"], more].concat());
    let said = command.stdin(fs::File::open(&file).unwrap()).stderr(Stdio::piped()).output().unwrap();
    fs::remove_file(file).unwrap();
    assert!(said.status.success(), "{said:?}");
    clean("stderr", &said.stderr);
    serde_json::from_slice(&said.stdout).unwrap()
}

/// Every entry, once so many of this kind about searches are published.
fn published(stage: &Stage, kind: &str, many: usize) -> Vec<Value> {
    let fits = |one: &&Value| one["action"] == "find_patient" && one["kind"] == kind;
    let mut entries = Vec::new();
    until(Duration::from_secs(5), || {
        entries = stage.entries();
        entries.iter().filter(fits).count() >= many
    });
    entries
}

fn texts(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_compliance_officer_sees_who_saw_what_of_a_patient() {
    let stage = Stage::new();
    let up = stage.up();
    people(&stage);
    let case = stage.write("one.json", packet());
    let mut sessions = BTreeSet::new();
    let mut question = String::new();
    for _ in 0..2 {
        let said = stage.diagnose(&case, &[]).ended(3).json();
        sessions.insert(said["session"].as_str().unwrap().to_owned());
        said["escalations"][0]["id"].as_str().unwrap().clone_into(&mut question);
    }
    fs::remove_file(case).unwrap();
    let other = stage.diagnose(sample(MARFAN), &[]).ended(3).json()["session"].as_str().unwrap().to_owned();
    // A physician sees a question; a clinician tries to.
    stage.bodh(&["decide", &question, "--state", "DIR", "--as", "ann"]).ended(0);
    stage.bodh(&["decide", &question, "--state", "DIR", "--as", "kim"]).ended(1);

    let said = report(&stage, PATIENT, &[]);
    let found: BTreeSet<String> = texts(&said["sessions"], "session").into_iter().collect();
    assert_eq!(found, sessions, "both of them, and nobody else's: not {other}");
    assert!(texts(&said["sessions"], "state").iter().all(|state| state == "awaiting_physician"), "{said}");
    assert_eq!((&said["older_left_out"], said["entries"].as_u64() > Some(50)), (&false.into(), true));
    let each = said["accesses"].as_array().unwrap();
    let has = |who: &str, what: &str, verdict: &str| {
        let fits = |one: &&Value| {
            one["person"].as_str().unwrap().ends_with(&format!("/{who}"))
                && one["what"] == what
                && one["verdict"] == verdict
        };
        each.iter().filter(fits).count()
    };
    assert_eq!(has("local", "session begun", "allowed"), 2, "{each:#?}");
    assert_eq!(has("ann", "question opened", "allowed"), 1, "{each:#?}");
    assert_eq!(has("kim", "question opened", "refused"), 1, "{each:#?}");
    let ann = said["people"].as_array().unwrap().iter().find(|one| one["person"].as_str().unwrap().ends_with("/ann"));
    assert_eq!(ann.unwrap()["roles"], "physician");
    assert!(each.iter().all(|one| sessions.contains(one["session"].as_str().unwrap())), "{each:#?}");
    assert!(each.iter().is_sorted_by_key(|one| one["entry"].as_u64()), "in the order of the log");
    // In another time nobody; the sessions are there all the same.
    let past = report(&stage, PATIENT, &["--to", "2020-01-01"]);
    assert_eq!((texts(&past["accesses"], "what").len(), texts(&past["sessions"], "session").len()), (0, 2));
    let text = stage.bodh(&["audit", "access", "K-none", "--state", "DIR", "--as", "cleo"]).ended(0).stdout;
    assert!(text.contains("0 session(s)") && text.contains("Nobody saw anything"), "{text}");

    // Nobody's, somebody's under other letters, and one that only looks alike: all of them nothing, in the same words.
    let none = |pseudonym: &str| {
        let mut said = report(&stage, pseudonym, &[]);
        said["pseudonym"].take();
        said
    };
    let nobody = none("K-2041");
    assert_eq!((nobody["entries"].as_u64(), nobody["sessions"].as_array().map(Vec::len)), (Some(0), Some(0)));
    assert!(["canary-packet", &PATIENT.to_uppercase(), "0"].iter().all(|close| none(close) == nobody));

    // No entry says whom it was about, nor that these sessions belong together; no two searches look alike.
    let entries = published(&stage, "outcome", 7);
    let searches: Vec<_> =
        entries.iter().filter(|one| one["action"] == "find_patient" && one["kind"] == "attempt").collect();
    assert_eq!(searches.len(), 7, "{searches:#?}");
    let commitments: BTreeSet<_> = searches.iter().map(|one| one["commitments"]["search"].to_string()).collect();
    assert_eq!(commitments.len(), 7, "{searches:#?}");
    assert!(
        searches.iter().all(|one| one["session"].is_null() && one["actors"][0].as_str().unwrap().ends_with("/cleo"))
    );
    let readings: Vec<_> = entries
        .iter()
        .filter(|one| one["kind"] == "read" && one["actors"][0].as_str().is_some_and(|who| who.ends_with("/cleo")))
        .collect();
    assert!(
        readings.len() == 2 && readings.iter().all(|one| one["session"].is_null() && one["count"] == 2),
        "{readings:#?}"
    );

    clean_folder(&stage);
    clean("the panel's own words", up.said().as_bytes());
    // Nor a hash of it that anybody could try.
    let hash = bodh_token::sha256(PATIENT.as_bytes());
    for file in files(&stage.dir()) {
        let bytes = fs::read(&file).unwrap_or_default();
        assert!(!holds(&bytes, &hash) && !holds(&bytes, data_encoding::HEXLOWER.encode(&hash).as_bytes()), "{file:?}");
    }
}

#[test]
fn nobody_else_finds_a_patient() {
    let stage = Stage::new();
    let _up = stage.up();
    people(&stage);
    let case = stage.write("one.json", packet());
    stage.diagnose(&case, &[]).ended(3);
    let ask = |who: &str, pseudonym: &str| stage.bodh(&["audit", "access", pseudonym, "--state", "DIR", "--as", who]);
    for who in ["ann", "kim", "olga", "local"] {
        let said = ask(who, PATIENT).ended(1);
        assert!(said.stdout.is_empty() && said.stderr.contains("refuses this to you"), "{said:?}");
        clean("stderr", said.stderr.as_bytes());
        // Whatever was asked: also what is no pseudonym.
        assert_eq!(ask(who, &"x".repeat(65)).ended(1).stderr, said.stderr);
    }
    for bad in [&"x".repeat(65), "a\u{7}b", "two\nlines"] {
        let said = ask("cleo", bad).ended(2);
        assert!(said.stderr.contains("at most 64 characters, none a control"), "{said:?}");
    }
    ask("cleo", " ").ended(2);
    let entries = published(&stage, "refusal", 8);
    let refusals: Vec<_> =
        entries.iter().filter(|one| one["action"] == "find_patient" && one["kind"] == "refusal").collect();
    assert_eq!(refusals.len(), 8, "{refusals:#?}");
    for who in ["ann", "kim", "olga", "local"] {
        let theirs = |one: &&&Value| {
            let actors = one["actors"].as_array().unwrap();
            actors.len() == 1 && actors[0].as_str().unwrap().ends_with(&format!("/{who}")) && one["verdict"] == "deny"
        };
        assert_eq!(refusals.iter().filter(theirs).count(), 2, "{who}: {refusals:#?}");
    }
    assert!(refusals.iter().all(|one| one["commitments"].is_null()), "nothing of what was asked");
    fs::remove_file(case).unwrap();
    clean_folder(&stage);
}

#[test]
fn a_panel_whose_key_is_gone_says_so_and_makes_no_other() {
    let stage = Stage::new();
    stage.diagnose(sample(MARFAN), &[]).ended(3);
    let key = stage.dir().join("orchestrator/patients.sealed");
    let sealed = fs::read(&key).unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/"), "sealed on the disk");
    fs::remove_file(&key).unwrap();
    let said = stage.diagnose(sample(MARFAN), &[]);
    assert!(said.code != 0 && said.code != 3 && said.stderr.contains("patients.sealed"), "{said:?}");
    assert!(!key.exists());
    fs::write(&key, sealed).unwrap();
    stage.diagnose(sample(MARFAN), &[]).ended(3);
}
