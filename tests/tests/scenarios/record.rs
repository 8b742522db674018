//! The published log: verified offline, and every kind of damage is found and placed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{MARFAN, Output, Stage, files, sample};

/// A log of three sessions, so that there are full and partial tiles.
fn stage() -> Stage {
    let stage = Stage::new();
    for _ in 0..3 {
        stage.diagnose(sample(MARFAN), &[]).ended(3);
    }
    stage
}

fn verify(stage: &Stage, more: &[&str]) -> Output {
    let log = stage.dir().join("log");
    let mut line = vec!["audit", "verify", log.to_str().unwrap()];
    line.extend(more);
    stage.bodh(&line)
}

#[track_caller]
fn is_damaged(stage: &Stage, what: &str) {
    let said = verify(stage, &[]);
    assert_eq!(said.code, 4, "{what}: {said:?}");
    let place = said.stderr.split("first bad entry ").nth(1).unwrap_or_else(|| panic!("{what}: {said:?}"));
    assert!(place.starts_with(|c: char| c.is_ascii_digit()), "{what}: {said:?}");
    assert!(!said.stderr.contains("panicked") && said.stderr.lines().count() == 1, "{what}: {said:?}");
}

/// Does one damage to a file, looks, and puts the file back.
#[track_caller]
fn damaged(stage: &Stage, file: &Path, what: &str, damage: impl FnOnce(&Path, Vec<u8>)) {
    let before = fs::read(file).unwrap();
    damage(file, before.clone());
    is_damaged(stage, &format!("{what} of {}", file.display()));
    fs::write(file, before).unwrap();
}

fn flip(file: &Path, mut bytes: Vec<u8>, at: usize) {
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_whole_log_verifies_and_says_whether_its_key_is_pinned() {
    let stage = stage();
    let said = verify(&stage, &[]).ended(0);
    assert!(said.stdout.contains("not pinned"), "{said:?}");
    let key = fs::read_to_string(stage.dir().join("log/key")).unwrap();
    let said = verify(&stage, &["--key", key.trim()]).ended(0);
    assert!(said.stdout.contains("pinned") && !said.stdout.contains("not pinned"), "{said:?}");
    let other = Stage::new();
    other.diagnose(sample(MARFAN), &[]).ended(3);
    let key = fs::read_to_string(other.dir().join("log/key")).unwrap();
    verify(&stage, &["--key", key.trim()]).ended(4);
    verify(&stage, &["--key", "bodh.internal/log+00000000+AAAA"]).ended(2);
}

#[test]
fn every_damage_is_found_and_placed() {
    let stage = stage();
    let all: Vec<PathBuf> = files(&stage.dir().join("log/tile"));
    assert!(all.len() >= 4, "bundles and tiles, full and partial: {all:?}");
    for file in &all {
        let length = fs::metadata(file).unwrap().len();
        let length = usize::try_from(length).unwrap();
        for at in [0, length / 2, length - 1] {
            damaged(&stage, file, "a flipped byte", |file, bytes| flip(file, bytes, at));
        }
        damaged(&stage, file, "the cut end", |file, bytes| fs::write(file, &bytes[..bytes.len() - 7]).unwrap());
        damaged(&stage, file, "the loss", |file, _| fs::remove_file(file).unwrap());
    }
    let bundles: Vec<_> = all.iter().filter(|file| file.parent().is_some_and(|p| has(p, "entries"))).collect();
    let [one, other] = bundles[..2] else { panic!("two bundles: {bundles:?}") };
    let (first, second) = (fs::read(one).unwrap(), fs::read(other).unwrap());
    fs::write(one, &second).unwrap();
    fs::write(other, &first).unwrap();
    is_damaged(&stage, "two swapped bundles");
    fs::write(one, first).unwrap();
    fs::write(other, second).unwrap();
    verify(&stage, &[]).ended(0);
}

fn has(path: &Path, part: &str) -> bool {
    path.components().any(|component| component.as_os_str() == part)
}

#[test]
fn a_changed_checkpoint_is_found() {
    let stage = stage();
    let file = stage.dir().join("log/checkpoint");
    let before = fs::read_to_string(&file).unwrap();
    let size: u64 = before.lines().nth(1).unwrap().parse().unwrap();
    let smaller = before.replacen(&size.to_string(), &(size - 1).to_string(), 1);
    fs::write(&file, smaller).unwrap();
    assert_eq!(verify(&stage, &[]).code, 4);
    fs::remove_file(&file).unwrap();
    assert_eq!(verify(&stage, &[]).code, 4);
    fs::write(&file, before).unwrap();
    verify(&stage, &[]).ended(0);
}

#[test]
fn the_entries_of_a_session_are_shown() {
    let stage = Stage::new();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    let session = report["session"].as_str().unwrap();
    let shown = stage.bodh(&["audit", "show", session, "--state", "DIR", "--json"]).ended(0).json();
    let shown: Vec<_> = shown["entries"].as_array().unwrap().iter().map(|shown| shown["entry"].clone()).collect();
    let published: Vec<_> = stage.entries().into_iter().filter(|entry| entry["session"] == session).collect();
    assert!(shown.len() > 20, "{}", shown.len());
    assert_eq!(shown[..], published[..shown.len()], "what is shown is what is published, from its beginning");
    let after = &published[shown.len()..];
    assert!(after.iter().all(|entry| entry["kind"] == "read"), "only the reading itself may follow: {after:?}");
}
