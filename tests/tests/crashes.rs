//! Every service is killed (SIGKILL) at moments spread over a session: the launcher starts it again, and the session
//! ends as if nothing had happened. Nothing lost: the same differential. Nothing doubled: each question has exactly one
//! good outcome on a log that verifies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use harness::{MARFAN, Stage, Up, sample, signal, until};
use serde_json::Value;

/// A disturbed session is where an undisturbed one ends within this time.
const RECOVERED: Duration = Duration::from_secs(25);

/// What an undisturbed session ends with, and how long its client takes.
struct Undisturbed {
    differential: Value,
    lasts: Duration,
}

fn undisturbed(stage: &Stage) -> Undisturbed {
    // The first session of a panel also makes connections; the second is what is measured.
    stage.diagnose(sample(MARFAN), &[]).ended(3);
    let begun = Instant::now();
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    Undisturbed { differential: report["differential"].clone(), lasts: begun.elapsed() }
}

fn waiting(stage: &Stage) -> BTreeSet<String> {
    let said = stage.bodh(&["inbox", "--state", "DIR", "--json"]);
    // A service that is being started again answers no one for a moment.
    if said.code != 0 {
        return BTreeSet::new();
    }
    let items = said.json()["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["session"].as_str().unwrap().to_owned()).collect()
}

fn convened(stage: &Stage) -> BTreeSet<String> {
    let entries = stage.entries();
    let convened = entries.iter().filter(|entry| entry["kind"] == "state" && entry["action"] == "convene");
    convened.map(|entry| entry["session"].as_str().unwrap().to_owned()).collect()
}

/// The differential of a session whose client is gone: what a physician's next decision on it reports.
fn recovered(stage: &Stage, session: &str) -> Value {
    let escalation = stage.inbox().into_iter().find(|item| item["session"] == session).unwrap();
    let line = ["decide", escalation["escalation"].as_str().unwrap(), "approve", "--reason", "seen", "--state", "DIR"];
    let said = stage.bodh(&[&line[..], &["--as", "ann", "--json"]].concat());
    assert!(said.code == 0 || said.code == 3, "{said:?}");
    said.json()["differential"].clone()
}

/// Kills `executable` at one moment of a new session; the session must end as the undisturbed one.
fn disturb(stage: &Stage, up: &Up, executable: &str, after: Duration, expected: &Undisturbed) {
    let before = convened(stage);
    let victim = until(RECOVERED, || up.process(executable).is_some()).then(|| up.process(executable)).flatten();
    let victim = victim.unwrap_or_else(|| panic!("{executable} does not run"));
    let client = stage.begin(&["diagnose", sample(MARFAN).to_str().unwrap(), "--state", "DIR", "--json"]);
    std::thread::sleep(after);
    signal(victim, "KILL");
    let said = client.end();
    let again = until(RECOVERED, || up.process(executable).is_some_and(|pid| pid != victim));
    assert!(again, "{executable} was not started again");
    if said.code == 3 {
        assert!(
            said.json()["differential"] == expected.differential,
            "{executable} after {after:?}: another differential"
        );
        return;
    }
    // The client may lose its panel; a session that had begun may not be lost.
    assert_eq!(said.code, 1, "{executable} after {after:?}: {said:?}");
    assert!(!said.stderr.contains("panicked"), "{said:?}");
    let begun: Vec<_> = convened(stage).difference(&before).cloned().collect();
    for session in begun {
        let reached = until(RECOVERED, || waiting(stage).contains(&session));
        assert!(reached, "{executable} after {after:?}: {session} is stuck: {said:?}");
        let differential = recovered(stage, &session);
        assert!(differential == expected.differential, "{executable} after {after:?}: another differential");
    }
}

/// Every question that was asked has exactly one good outcome, and every entry its own key.
fn nothing_lost_nothing_doubled(stage: &Stage) {
    let entries = stage.entries();
    let keys: BTreeSet<_> = entries.iter().map(|entry| entry["key"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), entries.len(), "no entry is doubled");
    let mut outcomes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let asked = entries
        .iter()
        .filter(|entry| entry["reporter"] == "spiffe://bodh.internal/service/orchestrator" && entry["action"] == "ask");
    for entry in asked {
        let call = (entry["session"].as_str().unwrap(), entry["step"].as_str().unwrap());
        let good = entry["kind"] == "outcome" && entry["verdict"] == "ok";
        *outcomes.entry(call).or_default() += usize::from(good);
    }
    assert!(outcomes.len() >= 14, "at least two sessions of seven questions: {}", outcomes.len());
    let again = entries.iter().filter(|entry| entry["kind"] == "attempt" && entry["try"].as_u64() > Some(1));
    println!("{} questions, {} tries after the first", outcomes.len(), again.count());
    let wrong: Vec<_> = outcomes.iter().filter(|(_, count)| **count != 1).collect();
    assert!(wrong.is_empty(), "questions whose good outcomes are not exactly one: {wrong:?}");
}

/// Kills one executable at each of these parts (in eighths) of a session.
fn survives(executables: &[&str], eighths: &[u32]) {
    let stage = Stage::new();
    let up = stage.up();
    stage.physician("ann");
    let expected = undisturbed(&stage);
    for executable in executables {
        for eighth in eighths {
            disturb(&stage, &up, executable, expected.lasts * *eighth / 8, &expected);
        }
    }
    drop(up);
    stage.bodh(&["audit", "verify", "DIR"]).ended(0);
    nothing_lost_nothing_doubled(&stage);
}

#[test]
fn the_record_is_killed() {
    survives(&["bodh-audit"], &[2, 4, 6]);
}

#[test]
fn the_guardian_is_killed() {
    survives(&["bodh-guardian"], &[2, 4, 6]);
}

#[test]
fn the_orchestrator_is_killed() {
    survives(&["bodh-orchestrator"], &[3, 5, 7]);
}

#[test]
fn the_diagnostician_and_intake_are_killed() {
    survives(&["bodh-diagnostician", "bodh-intake"], &[3, 5]);
}

#[test]
fn the_other_agents_are_killed() {
    let others = ["bodh-test-planner", "bodh-reasoning-verifier", "bodh-cost-guardian", "bodh-supervisor"];
    survives(&others, &[5]);
}
