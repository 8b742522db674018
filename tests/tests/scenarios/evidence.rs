//! The evidence of a session: verified offline down to each signature, and any change of it is found; the session
//! replayed; its record signed off.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{MARFAN, Output, Stage, sample};

const OPEN: &str = "<script type=\"application/json\" id=\"bodh-evidence\">";

/// A session of the sample that ann has decided, and its id.
fn decided() -> (Stage, String) {
    let stage = Stage::new();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    stage.physician("ann");
    for escalation in report["escalations"].as_array().unwrap() {
        stage.decide(escalation["id"].as_str().unwrap(), "approve");
    }
    (stage, report["session"].as_str().unwrap().to_owned())
}

fn compliance(stage: &Stage) {
    stage.bodh(&["human", "enroll", "cleo", "--role", "compliance", "--state", "DIR"]).ended(0);
}

fn export(stage: &Stage, session: &str, name: &str, who: &str) -> Output {
    let out = stage.path(name);
    let line = ["audit", "export", session, "--out", out.to_str().unwrap(), "--state", "DIR", "--as", who, "--json"];
    stage.bodh(&line)
}

fn exported(stage: &Stage, session: &str) -> PathBuf {
    export(stage, session, "evidence.html", "local").ended(0);
    stage.path("evidence.html")
}

fn verify(stage: &Stage, file: &Path, more: &[&str]) -> Output {
    let mut line = vec!["audit", "verify", file.to_str().unwrap()];
    line.extend(more);
    stage.bodh(&line)
}

/// The file with its proof changed, written again in the one form.
fn with_block(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let (page, rest) = text.split_once(OPEN).unwrap();
    let mut block: Value = serde_json::from_str(rest.strip_suffix("</script>\n").unwrap()).unwrap();
    change(&mut block);
    // The fields in the order in which the program writes them.
    let field = |value: &Value| value.to_string();
    let entries = block["log"]["entries"].as_array().unwrap().iter().map(|entry| {
        format!(
            "{{\"index\":{},\"leaf\":{},\"proof\":{}}}",
            field(&entry["index"]),
            field(&entry["leaf"]),
            field(&entry["proof"])
        )
    });
    let json = format!(
        "{{\"content\":{},\"entry\":{},\"log\":{{\"key\":{},\"checkpoint\":{},\"entries\":[{}]}}}}",
        field(&block["content"]),
        field(&block["entry"]),
        field(&block["log"]["key"]),
        field(&block["log"]["checkpoint"]),
        entries.collect::<Vec<_>>().join(",")
    );
    format!("{page}{OPEN}{}</script>\n", json.replace('<', "\\u003c"))
}

#[track_caller]
fn is_refused(stage: &Stage, text: &str, step: &str, what: &str) {
    let file = stage.write("changed.html", text);
    let said = verify(stage, &file, &[]);
    assert_eq!(said.code, 4, "{what}: {said:?}");
    assert!(said.stderr.contains(&format!("{step}:")) && !said.stderr.contains("panicked"), "{what}: {said:?}");
}

#[test]
fn evidence_holds_down_to_the_physicians_signature() {
    let (stage, session) = decided();
    let file = exported(&stage, &session);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "it holds findings");
    let key = fs::read_to_string(stage.dir().join("log/key")).unwrap();
    let said = verify(&stage, &file, &["--key", key.trim()]).ended(0);
    for part in ["against the pinned key", "approve on", "human/ann", "key file", "all ", "the report follows"] {
        assert!(said.stdout.contains(part), "{part}: {said:?}");
    }
    let whole = verify(&stage, &file, &["--json"]).ended(0).json();
    assert_eq!((&whole["verified"], &whole["pinned"]), (&true.into(), &false.into()));
    assert_eq!((&whole["released"], &whole["standing"]), (&true.into(), &"signed".into()));
    let signed = whole["signed"].as_array().unwrap();
    assert!(!signed.is_empty() && signed.iter().all(|s| s["by"] == "spiffe://bodh.internal/human/ann"), "{whole}");
    // What is signed and what is in the log name each other.
    for one in signed {
        let index = usize::try_from(one["entry"].as_u64().unwrap()).unwrap();
        let entry = &stage.entries()[index];
        assert_eq!((&entry["action"], &entry["actors"][0]), (&"decide".into(), &one["by"]));
    }
    // Whoever reads it as a page reads the same, and neither a sentence of the note nor a script.
    let text = fs::read_to_string(&file).unwrap();
    let page = text.split(OPEN).next().unwrap();
    assert!(page.contains("Marfan syndrome") && page.contains("approved by") && !page.contains("<script"));
    // Taking it is an entry, and a file that is there is not replaced.
    let entries = stage.entries();
    let taken = |e: &&Value| e["action"] == "export" && e["session"] == session.as_str();
    let kinds: Vec<_> = entries.iter().filter(taken).map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["attempt", "read", "outcome"]);
    export(&stage, &session, "evidence.html", "local").ended(2);
    // The guardian's words are the same at any later time.
    export(&stage, &session, "again.html", "ann").ended(0);
    verify(&stage, &stage.path("again.html"), &["--key", key.trim()]).ended(0);
}

#[test]
fn any_change_of_evidence_is_found_and_named() {
    let (stage, session) = decided();
    let file = exported(&stage, &session);
    let text = fs::read_to_string(&file).unwrap();
    let bytes = text.as_bytes();
    // A byte anywhere.
    for at in (1..bytes.len()).step_by(bytes.len() / 60) {
        let mut changed = bytes.to_vec();
        changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
        let file = stage.write("changed.html", changed);
        let said = verify(&stage, &file, &[]);
        assert!(said.code == 4 && !said.stderr.contains("panicked"), "byte {at}: {said:?}");
    }
    // Cut short, longer, and something else.
    is_refused(&stage, &text[..text.len() / 2], "file", "half of it");
    is_refused(&stage, &format!("{text}\n"), "file", "a line more");
    let other = stage.write("other.html", "<p>x</p>");
    verify(&stage, &other, &[]).ended(2);
    // Rewritten by somebody who knows the form.
    is_refused(&stage, &text.replacen("Marfan", "Morfan", 1), "commitment", "another page");
    let content = |change: &dyn Fn(&mut Value)| {
        with_block(&text, |block| {
            let mut content: Value = serde_json::from_str(block["content"].as_str().unwrap()).unwrap();
            change(&mut content);
            block["content"] = content.to_string().into();
        })
    };
    is_refused(&stage, &content(&|c| c["budget_cents"] = json!(1)), "commitment", "another budget");
    is_refused(
        &stage,
        &content(&|c| drop(c["signed"].as_array_mut().unwrap().pop())),
        "commitment",
        "a signature less",
    );
    let without = with_block(&text, |block| {
        let entries = block["log"]["entries"].as_array_mut().unwrap();
        let place = entries.iter().position(|e| e["leaf"].as_str().unwrap().contains("\"action\":\"decide\"")).unwrap();
        entries.remove(place);
    });
    is_refused(&stage, &without, "entries", "an entry less");
    let altered = with_block(&text, |block| {
        let leaf = &mut block["log"]["entries"][9]["leaf"];
        *leaf = leaf.as_str().unwrap().replacen("bodh.internal", "mine.internal", 1).into();
    });
    is_refused(&stage, &altered, "log", "another entry");
    // Another session's proof under this page, and the same in a log that is not the pinned one.
    let elsewhere = decided();
    let theirs = fs::read_to_string(exported(&elsewhere.0, &elsewhere.1)).unwrap();
    let (page, _) = text.split_once(OPEN).unwrap();
    let (_, block) = theirs.split_once(OPEN).unwrap();
    is_refused(&stage, &format!("{page}{OPEN}{block}"), "commitment", "another session's proof");
    let key = fs::read_to_string(elsewhere.0.dir().join("log/key")).unwrap();
    let said = verify(&stage, &file, &["--key", key.trim()]).ended(4);
    assert!(said.stderr.contains("pinned"), "{said:?}");
    // And nothing was wrong with the test's own way of writing.
    let same = with_block(&text, |_| ());
    assert!(same == text, "the same block gives the same file");
}

#[test]
fn evidence_is_for_the_owner_physicians_and_compliance() {
    let stage = Stage::new();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    let session = report["session"].as_str().unwrap();
    compliance(&stage);
    for (name, role) in [("otto", "operator"), ("carl", "clinician")] {
        stage.bodh(&["human", "enroll", name, "--role", role, "--state", "DIR"]).ended(0);
        let refused = export(&stage, session, "no.html", name).ended(1);
        assert!(refused.stderr.contains("refuses") && !stage.path("no.html").exists(), "{refused:?}");
        let replay = ["audit", "replay", session, "--state", "DIR", "--as", name];
        stage.bodh(&replay).ended(1);
        let entries = stage.entries();
        for action in ["export", "replay"] {
            let by = format!("spiffe://bodh.internal/human/{name}");
            let is = |e: &&Value| e["kind"] == "refusal" && e["action"] == action && e["actors"][0] == by.as_str();
            assert_eq!(entries.iter().filter(is).count(), 1, "{name} {action}");
        }
    }
    // A question that still waits is evidence too: open, and nobody's signature.
    export(&stage, session, "open.html", "cleo").ended(0);
    let whole = verify(&stage, &stage.path("open.html"), &["--json"]).ended(0).json();
    assert_eq!((&whole["released"], &whole["signed"]), (&false.into(), &json!([])));
    export(&stage, &"0".repeat(32), "none.html", "cleo").ended(2);
}

#[test]
fn a_replay_gives_the_same_bits_and_names_a_program_that_is_another_one() {
    let mut stage = Stage::new();
    let programs = stage.install();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    let session = report["session"].as_str().unwrap();
    let replay = |stage: &Stage| stage.bodh(&["audit", "replay", session, "--state", "DIR", "--json"]);
    let same = replay(&stage).ended(0).json();
    assert_eq!((&same["same"], &same["differs"], &same["changed"]), (&true.into(), &json!([]), &json!([])));
    assert!(same["opinions"].as_u64().unwrap() >= 7 && same["rulings"].as_u64().unwrap() >= 1, "{same}");
    // Each question is asked on record, under a step of its own, and the report is what it was.
    let entries = stage.entries();
    let again = |e: &&Value| e["step"].as_str().is_some_and(|step| step.starts_with("replay-"));
    assert!(entries.iter().filter(again).count() as u64 >= 2 * same["opinions"].as_u64().unwrap());
    // The same program with a byte after its end: nothing it says changes, and it is another one.
    let program = programs.join("bodh-diagnostician");
    let mut bytes = fs::read(&program).unwrap();
    bytes.push(0);
    fs::remove_file(&program).unwrap();
    fs::write(&program, bytes).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    stage.bodh(&["trust", "binaries", "--state", "DIR"]).ended(0);
    let said = replay(&stage).ended(4);
    let other: Value = serde_json::from_str(said.stdout.trim()).unwrap();
    assert_eq!((&other["same"], &other["differs"]), (&false.into(), &json!([])));
    let changed = other["changed"].as_array().unwrap();
    assert!(!changed.is_empty() && changed.iter().all(|c| c["of"] == "diagnostician"), "{other}");
    assert!(changed.iter().any(|c| c["name"] == "program" && c["then"] != c["now"]), "{other}");
}

#[test]
fn a_review_is_signed_by_compliance_and_goes_into_the_evidence() {
    let (stage, session) = decided();
    compliance(&stage);
    let review = |who: &str, more: &[&str]| {
        let line = ["audit", "review", &session, "--reason", "read to the end", "--state", "DIR", "--as", who];
        stage.bodh(&[&line[..], more].concat())
    };
    for who in ["local", "ann"] {
        let refused = review(who, &[]).ended(1);
        assert!(refused.stderr.contains("refuses"), "{refused:?}");
    }
    // An entry of no session, and of another one, went wrong in no session of this record.
    review("cleo", &["--fault", "0"]).ended(2);
    // Before it is signed it is known to be none.
    review("cleo", &["--fault", "99999999"]).ended(1);
    review("cleo", &[]).ended(0);
    let entries = stage.entries();
    let wrong = entries.iter().position(|e| e["session"] == session.as_str() && e["action"] == "decide").unwrap();
    review("cleo", &["--fault", &wrong.to_string()]).ended(0);
    let entries = stage.entries();
    let is = |e: &&Value| e["kind"] == "decision" && e["action"] == "review";
    let found: Vec<_> = entries.iter().filter(is).collect();
    assert_eq!((found.len(), &found[0]["cause"], &found[1]["cause"]), (2, &"in_order".into(), &"fault".into()));
    assert_eq!(found[1]["resource"], format!("entry/{wrong}"));
    assert!(entries.iter().all(|e| !e.to_string().contains("read to the end")), "the words stay sealed");
    let whole = verify(&stage, &exported(&stage, &session), &["--json"]).ended(0).json();
    let signed = whole["signed"].as_array().unwrap();
    let by_cleo: Vec<_> = signed.iter().filter(|s| s["purpose"] == "review").collect();
    assert_eq!((by_cleo.len(), &by_cleo[0]["verdict"]), (2, &"in_order".into()));
    assert!(fs::read_to_string(stage.path("evidence.html")).unwrap().contains("read to the end"));
}

#[test]
fn what_people_add_in_their_words_stays_out_of_the_evidence() {
    let stage = Stage::new();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    let session = report["session"].as_str().unwrap();
    let words = stage.write("added.txt", "His sister Rosalind noticed scoliosis and flat feet; no fever.");
    let line = ["amend", session, "--text", words.to_str().unwrap(), "--state", "DIR", "--json"];
    let amended = stage.bodh(&line).ended(3).json();
    assert!(amended["findings"].as_array().unwrap().len() > report["findings"].as_array().unwrap().len());
    let file = exported(&stage, session);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("Rosalind") && !text.contains("noticed"), "words are for care");
    // And yet everything that followed from them follows in the evidence.
    let whole = verify(&stage, &file, &["--json"]).ended(0).json();
    assert_eq!(whole["session"], session);
    stage.bodh(&["audit", "replay", session, "--state", "DIR"]).ended(0);
}
