//! State folders that are not used: each is refused with 2 and a line that names the file.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{MARFAN, Stage, children, sample};

/// A state folder that was used once.
fn used() -> Stage {
    let stage = Stage::new();
    stage.bodh(&["human", "list", "--state", "DIR"]).ended(2);
    stage.diagnose(sample(MARFAN), &[]).ended(3);
    stage
}

#[track_caller]
fn refused(stage: &Stage, named: &str) {
    for line in [&["inbox", "--state", "DIR"][..], &["human", "list", "--state", "DIR"][..]] {
        let said = stage.bodh(line);
        assert_eq!(said.code, 2, "{named}: {said:?}");
        assert!(said.stderr.contains(named), "{named}: {said:?}");
        assert!(said.stderr.lines().count() == 1 && !said.stderr.contains("panicked"), "{named}: {said:?}");
        assert_eq!(said.stdout, "", "{named}");
    }
    let said = stage.diagnose(sample(MARFAN), &[]);
    assert!(said.code == 2 && said.stderr.contains(named), "{named}: {said:?}");
    assert_eq!(said.stdout, "", "{named}");
}

/// Changes one byte in the middle of a signed document's payload.
fn tamper(file: &PathBuf) {
    let mut document: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mut payload = document["payload"].as_str().unwrap().to_owned();
    let middle = payload.len() / 2;
    let other = if payload.as_bytes()[middle] == b'Q' { "R" } else { "Q" };
    payload.replace_range(middle..=middle, other);
    document["payload"] = payload.into();
    fs::write(file, serde_json::to_vec(&document).unwrap()).unwrap();
}

#[test]
fn a_folder_of_another_version_is_refused() {
    let stage = used();
    fs::write(stage.dir().join("format"), "bodh-state 2\n").unwrap();
    refused(&stage, "made by another version (bodh-state 2)");
}

#[test]
fn a_file_or_a_foreign_folder_is_refused() {
    let stage = Stage::new();
    stage.write("state", "not a folder");
    refused(&stage, "not a folder");
    let stage = Stage::new();
    fs::create_dir(stage.dir()).unwrap();
    fs::write(stage.dir().join("thesis.txt"), "years of work").unwrap();
    refused(&stage, "not empty");
    assert_eq!(fs::read_to_string(stage.dir().join("thesis.txt")).unwrap(), "years of work");
}

#[test]
fn tampered_documents_are_refused_by_name() {
    let stage = used();
    for name in ["policy.json", "binaries.json"] {
        let file = stage.dir().join(name);
        let whole = fs::read(&file).unwrap();
        tamper(&file);
        refused(&stage, name);
        fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        refused(&stage, name);
        fs::write(&file, whole).unwrap();
    }
    stage.bodh(&["inbox", "--state", "DIR"]).ended(0);
}

#[test]
fn a_missing_policy_is_not_made_anew() {
    let stage = used();
    fs::remove_file(stage.dir().join("policy.json")).unwrap();
    refused(&stage, "policy.json");
    assert!(!stage.dir().join("policy.json").exists());
}

#[test]
fn a_missing_manifest_is_not_made_anew() {
    let stage = used();
    fs::remove_file(stage.dir().join("binaries.json")).unwrap();
    refused(&stage, "binaries.json");
    assert!(!stage.dir().join("binaries.json").exists());
}

#[test]
fn lost_keys_are_said_plainly() {
    let stage = used();
    let id = fs::read_to_string(stage.dir().join("id")).unwrap();
    let keys = stage.path("home/state/bodh").join(id.trim());
    for name in ["unlock", "people/local.key"] {
        let (here, away) = (keys.join(name), stage.path("away"));
        fs::rename(&here, &away).unwrap();
        refused(&stage, name);
        fs::rename(&away, &here).unwrap();
    }
    stage.bodh(&["inbox", "--state", "DIR"]).ended(0);
}

#[test]
fn a_running_panel_is_used() {
    let stage = Stage::new();
    let up = stage.up();
    let before = children(up.pid());
    assert_eq!(before.len(), 10, "{before:?}");
    let mut client = stage.begin(&["diagnose", sample(MARFAN).to_str().unwrap(), "--state", "DIR", "--json"]);
    let mut own = Vec::new();
    while !client.has_ended() {
        own.extend(children(client.pid()));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let report = client.end().ended(3).json();
    assert!(own.is_empty(), "the client started no panel of its own: {own:?}");
    assert_eq!(children(up.pid()), before, "the panel's own processes served");
    assert!(stage.inbox().iter().any(|item| item["session"] == report["session"]));
    drop(up);
    assert!(!stage.dir().join("run/panel.json").exists());
    assert!(stage.inbox().iter().any(|item| item["session"] == report["session"]), "kept after the panel stopped");
}
