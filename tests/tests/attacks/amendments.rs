//! Amendments that nobody may make, that make no sense, or that come too early or too late: each is refused for its own
//! reason, and nothing of it reaches the chart or the record.

use super::visitor::{Visitor, says};
use crate::harness::{MARFAN, Stage, Up, files, holds, sample};
use bodh_panel_api::pb::{self, correction::Said};
use serde_json::Value;
use tonic::{Code, Status};

const CANARY: &str = "Amended-canary-Vx77q";

struct World {
    stage: Stage,
    up: Up,
    local: Visitor,
    ann: Visitor,
    session: String,
    term: String,
}

impl World {
    /// A session of local's that waits, and ann, a physician.
    async fn new() -> Self {
        let stage = Stage::new();
        let up = stage.up();
        stage.physician("ann");
        let (local, ann) = (Visitor::enter(&stage, &up, "local").await, Visitor::enter(&stage, &up, "ann").await);
        let report = convene(&local, false).await;
        let of = |name: &str| report[name].as_str().unwrap().to_owned();
        let (session, term) = (of("session"), report["findings"][0]["term"].as_str().unwrap().to_owned());
        Self { stage, up, local, ann, session, term }
    }

    async fn enrolled(&self, name: &str, role: &str) -> Visitor {
        self.stage.bodh(&["human", "enroll", name, "--role", role, "--state", "DIR"]).ended(0);
        Visitor::enter(&self.stage, &self.up, name).await
    }

    fn text(&self, text: &str) -> pb::AmendRequest {
        pb::AmendRequest { session: self.session.clone(), text: text.to_owned(), ..pb::AmendRequest::default() }
    }

    fn correction(&self, term: &str, said: Said) -> pb::AmendRequest {
        let corrections = vec![pb::Correction { term: term.to_owned(), said: said.into() }];
        pb::AmendRequest { session: self.session.clone(), corrections, ..pb::AmendRequest::default() }
    }
}

async fn begin(who: &Visitor, sequential: bool) -> tonic::Streaming<pb::SessionEvent> {
    let case = std::fs::read(sample(MARFAN)).unwrap();
    let asked = pb::ConveneRequest { case, pseudonym: String::new(), budget_cents: 1_000_000, sequential };
    who.panel().convene(asked).await.unwrap().into_inner()
}

async fn last(mut events: tonic::Streaming<pb::SessionEvent>) -> Result<Value, Status> {
    let mut report = Value::Null;
    while let Some(event) = events.message().await? {
        if let Some(pb::session_event::Event::ReportJson(json)) = event.event {
            report = serde_json::from_slice(&json).unwrap();
        }
    }
    Ok(report)
}

async fn convene(who: &Visitor, sequential: bool) -> Value {
    last(begin(who, sequential).await).await.unwrap()
}

/// Sent to the end, with the sender's own signed request to open the session.
async fn amend(who: &Visitor, asked: pb::AmendRequest) -> Result<Value, Status> {
    let access = who.access(&asked.session);
    last(who.panel().amend(pb::AmendRequest { access, ..asked }).await?.into_inner()).await
}

#[track_caller]
fn refused(what: &str, code: Code, said: &str, answer: Result<Value, Status>) {
    let status = answer.map(drop).expect_err(what);
    assert_eq!(status.code(), code, "{what}: {status}");
    assert!(status.message().contains(said), "{what}: {status}");
    assert!(!status.message().contains(CANARY), "{what}: {status}");
}

async fn amended(world: &World) -> usize {
    let states = world.local.entries("state").await;
    states.iter().filter(|entry| says(entry, &[("action", "amended"), ("session", &world.session)])).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_and_physicians_amend() {
    let world = World::new().await;
    for (name, role) in [("bo", "clinician"), ("cleo", "compliance"), ("olga", "operator")] {
        let who = world.enrolled(name, role).await;
        refused(name, Code::PermissionDenied, "policy_denied", amend(&who, world.text(CANARY)).await);
        let id = who.id.to_string();
        let fits = |entry: &Value| {
            says(entry, &[("action", "amend"), ("cause", "policy_denied")]) && entry["actors"][0] == *id
        };
        let refusals = world.local.wait_for("refusal", |all| all.iter().any(fits)).await;
        let refusal = refusals.iter().find(|entry| fits(entry)).unwrap();
        assert!(says(refusal, &[("resource", &world.session), ("verdict", "deny")]), "{refusal}");
    }
    assert_eq!(amended(&world).await, 0);
    for (who, said) in [(&world.local, Said::Excluded), (&world.ann, Said::Present)] {
        amend(who, world.correction(&world.term, said)).await.unwrap();
        let states = world.local.entries("state").await;
        let entry = states.iter().rfind(|entry| entry["action"] == "amended").unwrap();
        assert_eq!(entry["actors"], serde_json::json!([who.id.to_string()]), "in their own name: {entry}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_that_makes_no_sense_is_refused_and_leaves_no_trace() {
    let world = World::new().await;
    let about = |about: &str| pb::AmendRequest { about: about.to_owned(), ..world.text(CANARY) };
    let of = |session: &str| pb::AmendRequest { session: session.to_owned(), ..world.text(CANARY) };
    let many = vec![pb::Correction { term: world.term.clone(), said: Said::Present.into() }; 65];
    let twice = pb::AmendRequest { corrections: many[..2].to_vec(), ..world.text("") };
    let many = pb::AmendRequest { corrections: many, ..world.text("") };
    let long = format!("{CANARY} {}", "x".repeat(4096));
    for (what, asked, said) in [
        ("empty", world.text(" \n"), "says something"),
        ("too long", world.text(&long), "at most 4 KiB"),
        ("a null", world.text(&format!("{CANARY}\0")), "control characters"),
        ("an escape", world.text(&format!("{CANARY}\u{1b}[31m")), "control characters"),
        ("an unknown term", world.correction("HP:9999999", Said::Present), "no such finding"),
        ("no term", world.correction(CANARY, Said::Present), "no such finding"),
        ("said nothing", world.correction(&world.term, Said::Unspecified), "says something"),
        ("an unknown test", about("never_heard_of"), "no such test"),
        ("no test", about(CANARY), "no such test"),
        ("many corrections", many, "at most 64"),
        ("said twice", twice, "each finding once"),
    ] {
        refused(what, Code::InvalidArgument, said, amend(&world.local, asked).await);
    }
    let stale = pb::AmendRequest { rounds: 99, ..world.text(CANARY) };
    refused("an old page", Code::FailedPrecondition, "reasoned again", amend(&world.local, stale).await);
    for nowhere in ["0".repeat(32), "../x".to_owned(), String::new()] {
        refused("no session", Code::PermissionDenied, "policy_denied", amend(&world.local, of(&nowhere)).await);
    }
    let nowhere = of(&"0".repeat(32));
    refused("no session", Code::NotFound, "no such session", amend(&world.ann, nowhere).await);
    // A session at rest opens on a signed request to open it, not without one or on one for another session.
    for access in [None, world.local.access(&"0".repeat(32))] {
        let asked = pb::AmendRequest { access, ..world.text(CANARY) };
        assert!(world.local.panel().amend(asked).await.is_err());
    }
    assert_eq!(amended(&world).await, 0);
    assert!(world.stage.inbox().iter().any(|item| item["session"] == *world.session), "what waited still waits");
    for file in files(&world.stage.dir()) {
        assert!(!holds(&std::fs::read(&file).unwrap_or_default(), CANARY.as_bytes()), "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_at_work_or_ended_is_not_amended() {
    let world = World::new().await;
    let mut events = begin(&world.local, true).await;
    let Some(pb::session_event::Event::Progress(now)) = events.message().await.unwrap().unwrap().event else {
        panic!()
    };
    let at_work = pb::AmendRequest { session: now.session.clone(), ..world.text(CANARY) };
    refused("at work", Code::FailedPrecondition, "at work", amend(&world.local, at_work.clone()).await);
    let report = last(events).await.unwrap();
    assert_eq!(report["amendments"], serde_json::json!([]), "the session went on as it was");
    let request = pb::StopRequest { session: world.session.clone(), access: world.local.access(&world.session) };
    world.local.panel().stop(request).await.unwrap();
    for who in [&world.local, &world.ann] {
        refused("stopped", Code::FailedPrecondition, "ended", amend(who, world.text(CANARY)).await);
    }
    assert_eq!(amended(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_amendments_of_one_page_are_one() {
    let world = World::new().await;
    let page = || pb::AmendRequest { rounds: 1, ..world.correction(&world.term, Said::Excluded) };
    let both = tokio::join!(amend(&world.local, page()), amend(&world.ann, page()));
    let done = [&both.0, &both.1].iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(done, 1, "{both:?}");
    let late = if both.0.is_ok() { both.1 } else { both.0 };
    assert_eq!(late.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(amended(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_added_words_are_for_those_the_note_is_for() {
    let world = World::new().await;
    let cleo = world.enrolled("cleo", "compliance").await;
    let report = amend(&world.ann, world.text(&format!("He denies fever. {CANARY}"))).await.unwrap();
    assert_eq!(report["amendments"][0]["has_text"], true);
    let note = async |who: &Visitor| {
        let asked = pb::NoteRequest { session: world.session.clone(), access: who.access(&world.session) };
        who.panel().note(asked).await.map(tonic::Response::into_inner)
    };
    for who in [&world.local, &world.ann] {
        assert!(note(who).await.unwrap().added[0].contains(CANARY));
    }
    assert_eq!(note(&cleo).await.unwrap_err().code(), Code::PermissionDenied);
    let asked = pb::ReportRequest { session: world.session.clone(), access: cleo.access(&world.session) };
    let read = cleo.panel().report(asked).await.unwrap().into_inner().report_json;
    assert!(!holds(&read, CANARY.as_bytes()), "a compliance officer reads what was found, not the words");
    for file in files(&world.stage.dir()) {
        assert!(!holds(&std::fs::read(&file).unwrap_or_default(), CANARY.as_bytes()), "{}", file.display());
    }
}
