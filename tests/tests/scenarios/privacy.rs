//! What identifies a person is never on the disk in the clear, nor where other processes can read it.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::{MARFAN, Stage, descendants, files, holds, sample};

/// Words that occur nowhere else.
pub(super) const CANARIES: [&str; 9] = [
    "canary-packet-Qz71xK",
    "canary-subject-Wm42pR",
    "canary-alternate-Ht93bV",
    "canary-description-Lk58dN",
    "canary-author-Ys26fJ",
    "canary-answer-Pg84cM",
    "Zyxwonkel-Canarybird",
    "MRN-55019-canary-77",
    "Vlaxenbourg-canary",
];

pub(super) fn packet() -> Vec<u8> {
    let mut case: Value = serde_json::from_slice(&fs::read(sample(MARFAN)).unwrap()).unwrap();
    case["id"] = CANARIES[0].into();
    case["subject"]["id"] = CANARIES[1].into();
    case["subject"]["alternateIds"] = json!([CANARIES[2]]);
    case["phenotypicFeatures"][0]["description"] = format!("as told by {}", CANARIES[3]).into();
    case["metaData"]["createdBy"] = CANARIES[4].into();
    case["interpretations"] = json!([{ "id": CANARIES[5] }]);
    serde_json::to_vec_pretty(&case).unwrap()
}

pub(super) fn note() -> String {
    let [name, number, place] = &CANARIES[6..] else { panic!("three canaries of the note") };
    format!(
        "{name} (hospital number {number}), a 63-year-old man from {place}, comes with crushing chest pain that began \
         one hour ago at rest. He is sweating and feels sick. He has hypertension and diabetes mellitus. No fever.\n"
    )
}

/// Fails when a canary is in `bytes`, in any spelling of its letters.
#[track_caller]
pub(super) fn clean(place: &str, bytes: &[u8]) {
    let lower = bytes.to_ascii_lowercase();
    for canary in CANARIES {
        assert!(!holds(&lower, canary.to_ascii_lowercase().as_bytes()), "{canary} in {place}");
    }
}

pub(super) fn clean_folder(stage: &Stage) {
    let places = [stage.dir(), stage.path("home")];
    let all: Vec<_> = places.iter().flat_map(|folder| files(folder)).collect();
    assert!(all.len() > 20, "databases, logs, tiles, keys: {all:?}");
    let mut known = false;
    for file in all {
        // A running panel renames its temporary files; what is gone is read under its other name.
        let bytes = fs::read(&file).unwrap_or_default();
        known |= holds(&bytes, b"rare_diagnosis");
        clean(&file.display().to_string(), &bytes);
    }
    assert!(known, "the search finds what is there");
}

#[test]
fn nothing_that_identifies_a_person_is_written_in_the_clear() {
    let stage = Stage::new();
    let packet = stage.write("one.json", packet());
    let note = stage.write("two.txt", note());
    let mut findings = Vec::new();
    for case in [&packet, &note] {
        let said = stage.diagnose(case, &[]).ended(3);
        clean("stderr", said.stderr.as_bytes());
        findings.push(said.json()["findings"].as_array().map_or(0, Vec::len));
    }
    assert!(findings[0] >= 9 && findings[1] >= 3, "the cases were read: {findings:?}");
    clean_folder(&stage);
}

#[test]
fn nothing_that_identifies_a_person_is_shown_to_other_processes() {
    let stage = Stage::new();
    let up = stage.up();
    let mut seen = BTreeSet::new();
    for (name, bytes) in [("one.json", packet()), ("two.txt", note().into_bytes())] {
        let case = stage.write(name, bytes);
        let line = ["diagnose", case.to_str().unwrap(), "--state", "DIR", "--json"];
        let mut client = stage.begin(&line);
        while !client.has_ended() {
            let mut all: Vec<u32> = descendants(up.pid()).into_iter().map(|(pid, _)| pid).collect();
            all.extend([up.pid(), client.pid()]);
            for pid in all {
                for file in ["environ", "cmdline", "comm"] {
                    let place = format!("/proc/{pid}/{file}");
                    // Gone, or hidden from us: then nothing is shown either.
                    clean(&place, &fs::read(&place).unwrap_or_default());
                }
                seen.insert(pid);
            }
        }
        client.end().ended(3);
        clean_folder(&stage);
    }
    assert!(seen.len() > 10, "the panel's processes were looked at: {seen:?}");
}
