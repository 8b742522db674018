//! What one session's report holds, and that nothing of it stays behind.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::harness::{EXECUTABLES, MARFAN, Stage, descendants, processes, sample};

const FIELDS: [&str; 12] = [
    "session",
    "status",
    "released",
    "differential",
    "findings",
    "orders",
    "escalations",
    "cost_usd",
    "dissent",
    "audit",
    "timings_ms",
    "versions",
];

#[test]
fn a_rare_disease_waits_for_a_physician_with_the_whole_differential() {
    let stage = Stage::new();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    for field in FIELDS {
        assert!(!report[field].is_null(), "{field} is missing");
    }
    assert_eq!(report["status"], "awaiting_physician");
    assert_eq!(report["released"], false);
    let differential = report["differential"].as_array().unwrap();
    assert_eq!(differential[0]["id"], "OMIM:154700", "Marfan syndrome leads");
    assert!(differential.len() >= 3, "at least two alternatives");
    for disease in &differential[..3] {
        let claims = disease["claims"].as_array().unwrap();
        assert!(!claims.is_empty(), "{}", disease["id"]);
        let sourced = claims.iter().filter(|claim| claim["sources"].as_array().is_some_and(|all| !all.is_empty()));
        assert!(sourced.count() > 0, "no claim of {} has a source", disease["id"]);
        for claim in claims {
            // A claim that lifts or lowers a disease beyond its background says where its frequency is from.
            let rests_on_nothing = claim["sources"].as_array().unwrap().is_empty();
            assert!(!rests_on_nothing || claim["frequency"].is_null(), "{claim}");
        }
    }
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 11);
    assert!(findings.iter().all(|finding| finding["origin"]["coded"].is_u64()), "{findings:?}");
    let orders = report["orders"].as_array().unwrap();
    assert!(!orders.is_empty() && orders.iter().all(|order| order["price_usd"].as_f64() > Some(0.0)), "{orders:?}");
    assert!(orders.iter().all(|order| order["status"] == "proposed"), "nothing is ordered without --sequential");
    let escalations = report["escalations"].as_array().unwrap();
    assert!(escalations.iter().any(|one| one["kind"] == "rare_diagnosis"), "{escalations:?}");
    for one in escalations {
        assert!(one["reason"].as_str().is_some_and(|text| !text.is_empty()), "{one}");
        assert_eq!(one["trace"].as_str().map(str::len), Some(32), "{one}");
    }
    let audit = &report["audit"];
    assert!(audit["entries"].as_u64() > Some(10) && audit["size"].as_u64() >= audit["entries"].as_u64(), "{audit}");
}

#[test]
fn the_same_case_gives_the_same_differential() {
    let (one, other) = (Stage::new(), Stage::new());
    let case = sample(MARFAN);
    let first = one.diagnose(&case, &[]).ended(3).json();
    let second = other.diagnose(&case, &[]).ended(3).json();
    assert_eq!(first["differential"], second["differential"]);
    assert_eq!(first["orders"], second["orders"]);
    assert_ne!(first["session"], second["session"]);
}

#[test]
fn no_process_outlives_the_command() {
    let stage = Stage::new();
    let case = sample(MARFAN);
    let mut running = stage.begin(&["diagnose", case.to_str().unwrap(), "--json"]);
    let mut seen: BTreeMap<u32, PathBuf> = BTreeMap::new();
    while !running.has_ended() {
        seen.extend(descendants(running.pid()));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    running.end().ended(3);
    // One case has no need of pages.
    assert!(seen.values().all(|path| !path.ends_with("bodh-console")));
    for name in EXECUTABLES.iter().filter(|name| !["bodh", "bodh-console"].contains(name)) {
        assert!(seen.values().any(|path| path.ends_with(name)), "{name} was not seen running");
    }
    let left: Vec<_> = processes().into_iter().filter(|(pid, path)| seen.get(pid) == Some(path)).collect();
    assert!(left.is_empty(), "{left:?}");
}
