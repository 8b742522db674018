//! A session at rest: the orchestrator cannot open it by itself, and a person's request opens one session, once.

use super::visitor::{Visitor, says};
use crate::harness::{MARFAN, Stage, sample};
use bodh_panel_api::pb;
use tonic::{Code, Status};

async fn report(who: &Visitor, session: &str, access: Option<pb::Statement>) -> Result<(), Status> {
    who.panel().report(pb::ReportRequest { session: session.to_owned(), access }).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_at_rest_opens_only_for_who_asks() {
    let stage = Stage::new();
    let up = stage.up();
    stage.physician("ann");
    stage.bodh(&["human", "enroll", "bo", "--role", "clinician", "--state", "DIR"]).ended(0);
    let local = Visitor::enter(&stage, &up, "local").await;
    let (ann, bo) = (Visitor::enter(&stage, &up, "ann").await, Visitor::enter(&stage, &up, "bo").await);
    let session = || stage.diagnose(sample(MARFAN), &[]).ended(3).json()["session"].as_str().unwrap().to_owned();
    let (mine, other) = (session(), session());
    // The guardian does not give the orchestrator the key for the first three, and is not asked for the others.
    let used = local.access(&mine);
    report(&local, &mine, used.clone()).await.unwrap();
    for (what, access, says) in [
        ("nobody asked", None, "not_asked"),
        ("used before", used, "used"),
        ("for another session", local.access(&other), "not_asked"),
        // The guardian sees the signer alone: it would have opened the second, and named ann in the record.
        ("asked by somebody without a right to it", bo.access(&mine), "another person's"),
        ("asked by a physician, and brought by another", ann.access(&mine), "another person's"),
    ] {
        let status = report(&local, &mine, access).await.expect_err(what);
        assert_eq!(status.code(), Code::PermissionDenied, "{what}: {status}");
        assert!(status.message().contains(says), "{what}: {status}");
    }
    // A colleague is refused before the guardian is asked; a physician opens what was escalated.
    let status = report(&bo, &mine, bo.access(&mine)).await.expect_err("a colleague");
    assert!(status.message().contains("policy_denied"), "{status}");
    report(&ann, &mine, ann.access(&mine)).await.unwrap();

    let outcomes = local.entries("outcome").await;
    let renewals: Vec<_> =
        outcomes.iter().filter(|entry| says(entry, &[("action", "renew_session"), ("session", &mine)])).collect();
    let causes: Vec<&str> =
        renewals.iter().filter_map(|entry| entry["cause"].as_str()).filter(|c| !c.is_empty()).collect();
    assert_eq!(causes, ["not_asked", "used", "not_asked"], "{renewals:#?}");
    let brought = |entry: &&serde_json::Value| {
        says(entry, &[("action", "report"), ("session", &mine), ("cause", "signature")])
            && entry["actors"][0] == local.id.as_str()
    };
    assert_eq!(outcomes.iter().filter(brought).count(), 2, "{outcomes:#?}");
    for who in [&local, &ann] {
        let theirs =
            renewals.iter().filter(|entry| entry["actors"].as_array().unwrap().contains(&who.id.as_str().into()));
        assert_eq!(theirs.count(), 1, "the record names who had it opened");
    }
}
