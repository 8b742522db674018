//! An enrolled person, and a process without any identity, at methods that are not theirs.

use super::visitor::{AGENTS, Visitor, id_of, says, socket};
use crate::harness::Stage;
use bodh_agent_api::pb::{self as agent, agent_client::AgentClient, question::Ask};
use bodh_audit_api::pb::{AppendRequest, Draft};
use bodh_guardian_api::{Door, Error, pb as guardian, proof};
use bodh_identity::{
    attest::Process,
    signing::{Context, PersonKey, Signer},
    workload::{self, FetchError},
};
use rcgen::{KeyPair, PublicKeyData};
use serde_json::Value;
use tonic::{Code, Status};

#[track_caller]
fn refused<T: std::fmt::Debug>(what: &str, answer: Result<T, Status>) {
    let status = answer.expect_err(what);
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "not_a_caller"), "{what}");
}

fn questions() -> [(&'static str, Ask); 4] {
    let chart = agent::DifferentialQuestion { subject: Some(agent::Subject::default()), findings: Vec::new() };
    let note = agent::IntakeQuestion { subject: Some(agent::Subject::default()), ..agent::IntakeQuestion::default() };
    [
        ("intake", Ask::Extract(note)),
        ("diagnostician", Ask::Differential(chart.clone())),
        ("reasoning_verifier", Ask::SecondOpinion(chart)),
        ("cost_guardian", Ask::Price(agent::PriceQuestion::default())),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_not_the_orchestrator() {
    let stage = Stage::new();
    let up = stage.up();
    let local = Visitor::enter(&stage, &up, "local").await;
    let session = "0123456789abcdef0123456789abcdef".to_owned();

    for (name, ask) in questions() {
        let mut client = AgentClient::new(local.channel(name));
        refused(name, client.ask(agent::Question { ask: Some(ask) }).await);
    }
    for name in AGENTS {
        let mut client = AgentClient::new(local.channel(name));
        refused(name, client.dismiss(agent::Dismissal { session: session.clone() }).await);
    }
    let mut registry = local.guardian();
    let open = guardian::OpenSessionRequest {
        session: session.clone(),
        session_key: local.key.public_key().to_vec(),
        human: local.id.to_string(),
        purpose: "diagnosis".to_owned(),
        budget_cents: 100,
        trace: String::new(),
        standing: false,
    };
    refused("open_session", registry.open_session(open).await);
    let erase = guardian::EraseSessionRequest { session: session.clone(), trace: String::new() };
    refused("erase_session", registry.erase_session(erase).await);
    refused("trust", registry.trust(guardian::TrustRequest {}).await);
    let forged =
        Draft { key: "forged".to_owned(), kind: "note".to_owned(), action: "forged".to_owned(), ..Draft::default() };
    refused("append", local.audit().append(AppendRequest { drafts: vec![forged] }).await);

    let mut expected: Vec<(String, &str)> = Vec::new();
    expected.extend(questions().iter().map(|(name, _)| (id_of(name).to_string(), "ask")));
    expected.extend(AGENTS.iter().map(|name| (id_of(name).to_string(), "dismiss")));
    expected.extend(["open_session", "erase_session", "trust"].map(|action| (id_of("guardian").to_string(), action)));
    expected.push((id_of("audit").to_string(), "append"));
    let entries = local.wait_for("refusal", |entries| expected.iter().all(|one| count(entries, &local, one) > 0)).await;
    for one in &expected {
        assert_eq!(count(&entries, &local, one), 1, "one refusal, one entry: {one:?}");
    }
    let forged = local.entries("note").await;
    assert!(!forged.iter().any(|entry| says(entry, &[("action", "forged")])), "{forged:?}");
}

fn count(entries: &[Value], who: &Visitor, (reporter, action): &(String, &str)) -> usize {
    let fields = [("reporter", reporter.as_str()), ("action", action), ("cause", "not_a_caller"), ("verdict", "deny")];
    let theirs = |entry: &&Value| says(entry, &fields) && entry["actors"] == serde_json::json!([who.id.as_str()]);
    entries.iter().filter(theirs).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_nobody_started_gets_no_identity() {
    let stage = Stage::new();
    let up = stage.up();
    let socket = socket(&up);
    let asked = async { workload::fetch(&socket).await?.next().await };
    match asked.await {
        Err(FetchError::Status(status)) => assert_eq!(status.code(), Code::PermissionDenied, "{status}"),
        other => panic!("refused, not {other:?}"),
    }

    // It vouches for itself as one of the panel's own programs.
    let door = Door::connect(&socket).await.unwrap();
    let me = Process::of(i32::try_from(std::process::id()).unwrap()).unwrap();
    let vouched = door.vouch(me.pid, me.started, [7; 32]).await;
    assert!(vouched.is_err(), "only the launcher vouches");

    // It knows the person's name but not their key; then it has their signature, for a nonce that was used.
    let thief = PersonKey::generate().unwrap();
    let public = KeyPair::generate().unwrap().subject_public_key_info();
    let nonce = door.challenge("local").await.unwrap().nonce;
    let signature = thief.sign(Context::Door, &proof(&nonce, &public)).unwrap().to_vec();
    let wrong = door.prove("local", nonce.clone(), public.clone(), signature).await;
    assert!(matches!(&wrong, Err(error) if denied(error)), "{wrong:?}");
    let theirs = super::visitor::key_of(&stage, "local");
    let signature = theirs.sign(Context::Door, &proof(&nonce, &public)).unwrap().to_vec();
    let used = door.prove("local", nonce, public.clone(), signature).await;
    assert!(matches!(&used, Err(error) if denied(error)), "a nonce is good for one try: {used:?}");
    // A signature over another certificate's key.
    let nonce = door.challenge("local").await.unwrap().nonce;
    let signature = theirs.sign(Context::Door, &proof(&nonce, &public)).unwrap().to_vec();
    let other = KeyPair::generate().unwrap().subject_public_key_info();
    let swapped = door.prove("local", nonce, other, signature).await;
    assert!(matches!(&swapped, Err(error) if denied(error)), "{swapped:?}");

    let local = Visitor::enter(&stage, &up, "local").await;
    let total = |entries: &[Value], action, cause: Option<&str>| -> u64 {
        let fields = [("action", action), ("verdict", "deny"), ("reporter", id_of("guardian").as_str())]
            .map(|(name, text): (&str, &str)| (name.to_owned(), text.to_owned()));
        let fits = |entry: &&Value| fields.iter().all(|(name, text)| entry[name] == **text);
        let caused = |entry: &&Value| cause.is_none_or(|cause| entry["cause"] == *cause);
        entries.iter().filter(fits).filter(caused).filter_map(|entry| entry["count"].as_u64()).sum()
    };
    let enough = |entries: &[Value]| {
        total(entries, "issue_svid", None) >= 1
            && total(entries, "vouch", Some("not_the_launcher")) >= 1
            && total(entries, "issue_human_svid", Some("door")) >= 3
    };
    let entries = local.wait_for("refusal", enough).await;
    assert_eq!(total(&entries, "issue_svid", Some("unknown_executable")), 1, "{entries:#?}");
    assert_eq!(total(&entries, "vouch", Some("not_the_launcher")), 1);
    assert_eq!(total(&entries, "issue_human_svid", Some("door")), 3);
}

fn denied(error: &Error) -> bool {
    matches!(error, Error::Refused { code: Code::PermissionDenied, .. })
}
