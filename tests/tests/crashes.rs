//! Every service is killed (SIGKILL) at every commit of a session; so is the whole panel at once. Started again, the
//! session ends as if nothing had happened. Nothing lost: the same differential, and whatever was published stays at
//! its index. Nothing doubled: each question has exactly one good outcome on a log that verifies.
//!
//! A commit is a request to make something durable (fsync, fdatasync). `bodh-sync-gate` holds the process there, in the
//! kernel, and the victim is dead before it goes on. The bytes of the commit are written by then, so what a restart
//! finds is the commit whose author never learnt of it; a restart before those bytes finds what the commit before
//! left, which is the case before. What no kill can show is a loss of power: then the bytes may be gone too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use harness::{Gated, MARFAN, Output, Stage, sample, until};
use serde_json::Value;

/// A disturbed session is where an undisturbed one ends within this time.
const RECOVERED: Duration = Duration::from_secs(25);
/// The launcher starts a process that keeps ending ever later (up to 5 s); after this many kills of each the panel is
/// started anew, so that an agent is back while its question is still being put again.
const PER_PANEL: u32 = 4;
/// More commits than one process makes in one session.
const MOST: u32 = 120;

const ORCHESTRATOR: &str = "bodh-orchestrator";
const AUDIT: &str = "bodh-audit";
const GUARDIAN: &str = "bodh-guardian";

/// A stage and what an undisturbed session ends with there.
struct Scene {
    stage: Stage,
    differential: Value,
    /// The log as it was last seen: it only grows.
    log: Vec<Value>,
}

impl Scene {
    fn new() -> Self {
        let stage = Stage::new();
        let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
        stage.physician("ann");
        Self { stage, differential: report["differential"].clone(), log: Vec::new() }
    }

    /// Reads the log: everything that was there is still there, at its index.
    fn grown(&mut self) {
        let entries = self.stage.entries();
        assert!(entries.len() >= self.log.len(), "{} entries, {} before", entries.len(), self.log.len());
        for (index, (now, before)) in entries.iter().zip(&self.log).enumerate() {
            assert_eq!(now, before, "entry {index} has changed its place or its content");
        }
        self.log = entries;
    }

    fn convened(&mut self) -> BTreeSet<String> {
        self.grown();
        let convened = self.log.iter().filter(|entry| entry["kind"] == "state" && entry["action"] == "convene");
        convened.map(|entry| entry["session"].as_str().unwrap().to_owned()).collect()
    }

    fn waiting(&self) -> BTreeMap<String, String> {
        let said = self.stage.bodh(&["inbox", "--state", "DIR", "--json"]);
        // A service that is being started again answers no one for a moment.
        if said.code != 0 {
            return BTreeMap::new();
        }
        let items = said.json()["items"].as_array().unwrap().clone();
        let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
        items.iter().map(|item| (text(item, "session"), text(item, "escalation"))).collect()
    }

    fn client(&self) -> harness::Running {
        self.stage.begin(&["diagnose", sample(MARFAN).to_str().unwrap(), "--state", "DIR", "--json"])
    }

    /// The client's session, whether it saw its end or not, has the undisturbed differential. One that had surely begun
    /// is waited for.
    fn same_end(&mut self, at: &str, said: &Output, before: &BTreeSet<String>, surely: bool) {
        if said.code == 3 {
            assert!(said.json()["differential"] == self.differential, "{at}: another differential");
            return;
        }
        // The client may lose its panel; a session that had begun may not be lost.
        assert_eq!(said.code, 1, "{at}: {said:?}");
        assert!(!said.stderr.contains("panicked"), "{said:?}");
        let clients = 1 + self.settle(at);
        let mut begun = Vec::new();
        let reached = until(RECOVERED, || {
            let waiting = self.waiting();
            begun = self.convened().difference(before).cloned().collect();
            begun.len() > usize::from(surely) && begun.iter().all(|session| waiting.contains_key(session))
        });
        assert!(reached, "{at}: a session is stuck: {begun:?} {said:?}");
        for session in &begun {
            // The differential of a session whose client is gone: what a physician's decision on it reports.
            let escalation = self.waiting().remove(session).unwrap();
            let line =
                ["decide", &escalation, "approve", "--reason", "seen", "--state", "DIR", "--as", "ann", "--json"];
            let said = self.stage.bodh(&line);
            assert!(said.code == 0 || said.code == 3, "{said:?}");
            assert!(said.json()["differential"] == self.differential, "{at}: another differential");
        }
        assert!(begun.len() <= clients, "{at}: {clients} clients, {} sessions", begun.len());
    }

    /// The orchestrator's entries reach the record in their order: once an undisturbed session is in it, so is whatever the
    /// session before told, which may have been kept back while the record was away. How many clients that took.
    fn settle(&self, at: &str) -> usize {
        let mut clients = 0;
        let settled = until(RECOVERED, || {
            clients += 1;
            self.client().end().code == 3
        });
        assert!(settled, "{at}: no session after it");
        clients
    }

    /// Kills `victim` at the `nth` commit of `watched` in a new session. False when the session has fewer commits.
    fn strike(&mut self, gated: &Gated, watched: &str, victim: &str, nth: u32) -> bool {
        let at = format!("{victim} at commit {nth} of {watched}");
        let before = self.convened();
        let running = until(RECOVERED, || gated.process(watched).is_some() && gated.process(victim).is_some());
        assert!(running, "{at}: not started again");
        let (aimed, pid) = (gated.process(watched).unwrap(), gated.process(victim).unwrap());
        gated.aim(aimed, nth, vec![pid]);
        let said = self.client().end();
        if !gated.fired() {
            said.ended(3);
            return false;
        }
        let again = until(RECOVERED, || gated.process(victim).is_some_and(|now| now != pid));
        assert!(again, "{at}: not started again");
        // The orchestrator's first commit of a session opens it; before that, another's commits may come to nothing.
        self.same_end(&at, &said, &before, watched == ORCHESTRATOR);
        true
    }

    /// Kills each of these at every commit of `watched`; answers how many commits there are.
    fn every_commit(&mut self, watched: &str, victims: &[&str]) {
        let mut left: Vec<&str> = victims.to_vec();
        let (mut nth, mut kills) = (1, 0);
        while !left.is_empty() && nth < MOST {
            let gated = Gated::begin(&self.stage);
            // The first session of a panel also makes connections.
            self.client().end().ended(3);
            for _ in 0..PER_PANEL {
                left.retain(|victim| self.strike(&gated, watched, victim, nth));
                kills += left.len();
                nth += 1;
            }
        }
        println!("{kills} kills, up to commit {nth} of {watched}");
        assert!(nth > 3 && nth < MOST, "a session has some commits, and an end: {nth}");
    }

    /// The whole record, at the end.
    fn holds(mut self) {
        self.stage.bodh(&["audit", "verify", "DIR"]).ended(0);
        self.grown();
        nothing_doubled(&self.log);
        nothing_lost(&self.log);
    }
}

/// What the orchestrator tells of its sessions.
fn told<'l>(log: &'l [Value], kind: &str, action: Option<&str>) -> impl Iterator<Item = &'l Value> {
    let (kind, action) = (kind.to_owned(), action.map(str::to_owned));
    log.iter().filter(move |entry| {
        entry["reporter"] == "spiffe://bodh.internal/service/orchestrator"
            && entry["kind"] == kind.as_str()
            && action.as_ref().is_none_or(|action| entry["action"] == action.as_str())
    })
}

/// Every entry has its own key, and each question exactly one good outcome.
fn nothing_doubled(log: &[Value]) {
    let keys: BTreeSet<_> =
        log.iter().map(|entry| (&entry["reporter"], &entry["key"])).map(|k| format!("{k:?}")).collect();
    assert_eq!(keys.len(), log.len(), "no entry is doubled");
    let mut good: BTreeMap<String, usize> = BTreeMap::new();
    for outcome in told(log, "outcome", Some("ask")) {
        let call = format!("{} {}", outcome["session"], outcome["step"]);
        *good.entry(call).or_default() += usize::from(outcome["verdict"] == "ok");
    }
    assert!(good.len() >= 14, "at least two sessions of seven questions: {}", good.len());
    let wrong: Vec<_> = good.iter().filter(|(_, count)| **count != 1).collect();
    assert!(wrong.is_empty(), "questions whose good outcomes are not exactly one: {wrong:?}");
}

/// Every try that was begun is closed once, the last one well, the others as failed or interrupted; and the steps of
/// every session are numbered without a gap.
fn nothing_lost(log: &[Value]) {
    let of = |entry: &Value| format!("{} {} {}", entry["session"], entry["step"], entry["try"]);
    let tries: Vec<String> = told(log, "attempt", Some("ask")).map(of).collect();
    let mut closed: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for outcome in told(log, "outcome", Some("ask")) {
        closed.entry(of(outcome)).or_default().push(outcome["verdict"].as_str().unwrap());
    }
    let open: Vec<_> = tries.iter().filter(|call| closed.get(*call).map(Vec::len) != Some(1)).collect();
    assert!(open.is_empty(), "tries that are not closed exactly once: {open:?}");
    assert_eq!(closed.len(), tries.len(), "no outcome without its try");
    let interrupted = closed.values().flatten().filter(|verdict| **verdict == "interrupted").count();
    let again = told(log, "attempt", Some("ask")).filter(|entry| entry["try"].as_u64() > Some(1)).count();
    println!("{} tries, {again} of them again, {interrupted} closed as interrupted", tries.len());
    assert!(again > 0, "no kill came in the middle of a question");
    let mut steps: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for entry in told(log, "state", None).filter(|entry| entry["step"].as_str().is_some_and(|s| s.starts_with('e'))) {
        let step = entry["step"].as_str().unwrap()[1..].parse().unwrap();
        steps.entry(entry["session"].as_str().unwrap()).or_default().push(step);
    }
    for (session, mut steps) in steps {
        steps.sort_unstable();
        let whole = steps.iter().zip(0..).all(|(step, n)| *step == n);
        assert!(whole, "the steps of {session} have a gap or a double: {steps:?}");
    }
}

#[test]
fn the_orchestrator_the_record_and_the_guardian_are_killed_at_every_commit_of_a_session() {
    let mut scene = Scene::new();
    scene.every_commit(ORCHESTRATOR, &[ORCHESTRATOR, AUDIT, GUARDIAN]);
    scene.holds();
}

#[test]
fn the_record_and_the_guardian_are_killed_at_every_commit_of_their_own() {
    let mut scene = Scene::new();
    scene.every_commit(AUDIT, &[AUDIT]);
    scene.every_commit(GUARDIAN, &[GUARDIAN]);
    scene.holds();
}

#[test]
fn intake_the_diagnostician_and_the_verifier_are_killed_at_every_commit_of_a_session() {
    let mut scene = Scene::new();
    scene.every_commit(ORCHESTRATOR, &["bodh-intake", "bodh-diagnostician", "bodh-reasoning-verifier"]);
    scene.holds();
}

#[test]
fn the_planner_the_cost_guardian_and_the_supervisor_are_killed_at_every_commit_of_a_session() {
    let mut scene = Scene::new();
    scene.every_commit(ORCHESTRATOR, &["bodh-test-planner", "bodh-cost-guardian", "bodh-supervisor"]);
    scene.holds();
}

#[test]
fn the_whole_panel_is_killed_at_every_commit_of_a_session() {
    let mut scene = Scene::new();
    let mut unfinished: Option<(Output, BTreeSet<String>)> = None;
    for nth in 1..MOST {
        let mut gated = Gated::begin(&scene.stage);
        if let Some((said, before)) = unfinished.take() {
            let at = format!("everything at commit {}", nth - 1);
            scene.same_end(&at, &said, &before, true);
        }
        let before = scene.convened();
        gated.aim(gated.process(ORCHESTRATOR).unwrap(), nth, gated.everything());
        let said = scene.client().end();
        if !gated.fired() {
            said.ended(3);
            println!("{} kills of the whole panel", nth - 1);
            assert!(nth > 10, "a session has more commits than {nth}");
            drop(gated);
            return scene.holds();
        }
        assert!(until(RECOVERED, || gated.has_ended()), "the launcher outlives its death");
        unfinished = Some((said, before));
    }
    panic!("a session without an end");
}
