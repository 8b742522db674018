//! Decisions that nobody may make, that nobody made, or that were made about something else.

use super::visitor::{Visitor, now_ms, says};
use crate::harness::{MARFAN, Stage, sample};
use bodh_identity::signing::{Context, Signer};
use bodh_panel::{Decision, Verdict};
use bodh_panel_api::pb;
use data_encoding::HEXLOWER;
use serde_json::Value;
use tonic::{Code, Status};

const MINUTE_MS: i64 = 60_000;

/// A right decision about an escalation as it was shown. Each has a nonce of its own.
fn about(item: &Value, record: &[u8], signer: &Visitor, nonce: u8) -> Decision {
    let shown: Value = serde_json::from_slice(record).unwrap_or_default();
    Decision {
        escalation: item["escalation"].as_str().unwrap().to_owned(),
        session: item["session"].as_str().unwrap().to_owned(),
        record_sha256: HEXLOWER.encode(&bodh_token::sha256(record)),
        verdict: Verdict::Approve,
        asked: None,
        kind: item["kind"].as_str().unwrap().to_owned(),
        action: shown["action"].as_str().unwrap_or("unseen").to_owned(),
        amount_cents: None,
        reason: "agrees with the examination".to_owned(),
        meaning: "decision on an escalation".to_owned(),
        signer: signer.id.to_string(),
        nonce: HEXLOWER.encode(&[nonce; 16]),
        at_unix_ms: now_ms(),
    }
}

/// Sent to the end: a decision counts when its stream has ended well. The session is asked for by who sends.
async fn send(
    who: &Visitor,
    (escalation, session): (&str, &str),
    statement: &[u8],
    signature: Vec<u8>,
) -> Result<(), Status> {
    let (escalation, decision_json) = (escalation.to_owned(), statement.to_vec());
    let request = pb::DecideRequest { escalation, decision_json, signature, access: who.access(session) };
    let mut events = who.panel().decide(request).await?.into_inner();
    while events.message().await?.is_some() {}
    Ok(())
}

async fn decide(who: &Visitor, decision: &Decision) -> Result<(), Status> {
    let statement = decision.to_bytes();
    let signature = who.key.sign(Context::Decision, &statement).unwrap();
    send(who, (&decision.escalation, &decision.session), &statement, signature.to_vec()).await
}

async fn open(who: &Visitor, item: &Value) -> Vec<u8> {
    let escalation = item["escalation"].as_str().unwrap().to_owned();
    let request = pb::OpenRequest { escalation, access: who.access(item["session"].as_str().unwrap()) };
    let opened = who.panel().open(request).await.unwrap().into_inner();
    assert_eq!(opened.status, "open");
    opened.record_json
}

/// The escalations as the inbox has them now, of one session.
fn escalations(stage: &Stage, session: &str) -> Vec<Value> {
    let all = stage.bodh(&["inbox", "--all", "--state", "DIR", "--json"]).ended(0).json();
    all["items"].as_array().unwrap().iter().filter(|item| item["session"] == *session).cloned().collect()
}

fn statuses(stage: &Stage, session: &str) -> Vec<String> {
    escalations(stage, session).iter().map(|item| item["status"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn refused(what: &str, code: Code, says: &str, answer: Result<(), Status>) {
    let status = answer.expect_err(what);
    assert_eq!(status.code(), code, "{what}: {status}");
    assert!(status.message().contains(says), "{what}: {status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_decides_on_what_they_asked_for() {
    let stage = Stage::new();
    let up = stage.up();
    stage.bodh(&["human", "enroll", "bo", "--role", "clinician", "--role", "physician", "--state", "DIR"]).ended(0);
    let (local, bo) = (Visitor::enter(&stage, &up, "local").await, Visitor::enter(&stage, &up, "bo").await);
    for (who, policies) in [(&local, vec!["people-no-self-approval"]), (&bo, vec!["people-no-self-approval"])] {
        let case = std::fs::read(sample(MARFAN)).unwrap();
        let asked = pb::ConveneRequest { case, pseudonym: String::new(), budget_cents: 100_000, sequential: false };
        let mut events = who.panel().convene(asked).await.unwrap().into_inner();
        let mut report = Value::Null;
        while let Some(event) = events.message().await.unwrap() {
            if let Some(pb::session_event::Event::ReportJson(json)) = event.event {
                report = serde_json::from_slice(&json).unwrap();
            }
        }
        let session = report["session"].as_str().unwrap().to_owned();
        let item = escalations(&stage, &session)[0].clone();
        // They cannot see the record; the gate refuses before it looks at what was signed.
        let escalation = item["escalation"].as_str().unwrap().to_owned();
        let request = pb::OpenRequest { escalation: escalation.clone(), access: who.access(&session) };
        let opened = who.panel().open(request).await.map(drop);
        refused("open", Code::PermissionDenied, "policy_denied", opened);
        let answer = decide(who, &about(&item, b"unseen", who, 1)).await;
        refused("decide", Code::PermissionDenied, "policy_denied", answer);
        assert!(statuses(&stage, &session).iter().all(|status| status == "open"));

        let entries = local.entries("refusal").await;
        for action in ["open", "decide"] {
            let fields =
                [("action", action), ("cause", "policy_denied"), ("resource", &escalation), ("verdict", "deny")];
            let theirs: Vec<_> = entries.iter().filter(|entry| says(entry, &fields)).collect();
            assert_eq!(theirs.len(), 1, "{action}: {entries:#?}");
            assert_eq!(theirs[0]["actors"], serde_json::json!([who.id.as_str()]));
            assert_eq!(theirs[0]["policies"], serde_json::json!(policies), "the physician's role does not lift it");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_exactly_what_its_physician_signed() {
    let stage = Stage::new();
    let up = stage.up();
    for name in ["ann", "bea"] {
        stage.physician(name);
    }
    let report = stage.diagnose(sample("cafe_au_lait.json"), &[]).ended(3).json();
    let session = report["session"].as_str().unwrap().to_owned();
    let items = escalations(&stage, &session);
    assert!(items.len() >= 2, "one to attack, one to decide: {items:?}");
    let (ann, bea) = (Visitor::enter(&stage, &up, "ann").await, Visitor::enter(&stage, &up, "bea").await);
    let local = Visitor::enter(&stage, &up, "local").await;
    let (first, second) = (open(&ann, &items[0]).await, open(&ann, &items[1]).await);
    let escalation = items[0]["escalation"].as_str().unwrap();

    // The second is decided rightly first: its nonce and its signature are then known to an attacker.
    let elsewhere = about(&items[1], &second, &ann, 1);
    decide(&ann, &elsewhere).await.unwrap();
    let before = statuses(&stage, &session);
    assert_eq!((before[0].as_str(), before[1].as_str()), ("open", "approve"));

    let good = about(&items[0], &first, &ann, 2);
    let (statement, sign) =
        (good.to_bytes(), |who: &Visitor, context, bytes: &[u8]| who.key.sign(context, bytes).unwrap().to_vec());
    let signature = sign(&ann, Context::Decision, &statement);
    let (denied, stale) = (Code::PermissionDenied, Code::FailedPrecondition);

    let mut failed = 0;
    let altered = Decision { verdict: Verdict::Deny, ..good.clone() }.to_bytes();
    for (what, who, statement, signature, says) in [
        ("altered bytes", &ann, altered, signature.clone(), "signature does not hold"),
        (
            "another's key",
            &ann,
            statement.clone(),
            sign(&bea, Context::Decision, &statement),
            "signature does not hold",
        ),
        ("another purpose", &ann, statement.clone(), sign(&ann, Context::Mark, &statement), "signature does not hold"),
        ("no signature", &ann, statement.clone(), Vec::new(), "signature does not hold"),
        ("another's connection", &bea, statement.clone(), signature.clone(), "signer is not the caller"),
        ("another spelling", &ann, [&statement[..], b" "].concat(), signature.clone(), "canonical"),
    ] {
        refused(what, denied, says, send(who, (escalation, &session), &statement, signature).await);
        failed += 1;
    }
    let hash_of_second = HEXLOWER.encode(&bodh_token::sha256(&second));
    let other_hash = Decision { record_sha256: hash_of_second, ..good.clone() };
    let other_kind = Decision { kind: "over_budget".to_owned(), ..good.clone() };
    let other_act = Decision { action: "order anything".to_owned(), ..good.clone() };
    let early = Decision { at_unix_ms: now_ms() - 11 * MINUTE_MS, ..good.clone() };
    let late = Decision { at_unix_ms: now_ms() + 11 * MINUTE_MS, ..good.clone() };
    let used = Decision { nonce: elsewhere.nonce.clone(), ..good.clone() };
    let silent = Decision { reason: " ".to_owned(), ..good.clone() };
    for (what, decision, code, says) in [
        ("another escalation's hash", other_hash, stale, "another version"),
        ("about another limit", other_kind, stale, "session cannot do this"),
        ("about another act", other_act, stale, "session cannot do this"),
        ("signed long ago", early, denied, "ten minutes"),
        ("signed in the future", late, denied, "ten minutes"),
        ("a nonce that was used", used, stale, "used before"),
        ("without a reason", silent, denied, "reason"),
    ] {
        refused(what, code, says, decide(&ann, &decision).await);
        failed += 1;
    }
    let statement = elsewhere.to_bytes();
    let moved = send(&ann, (escalation, &session), &statement, sign(&ann, Context::Decision, &statement)).await;
    refused("a decision on another escalation", denied, "another escalation", moved);
    failed += 1;
    assert_eq!(statuses(&stage, &session), before, "nothing was decided by any of these");

    // Two right ones at the same moment: one counts.
    let twin = about(&items[0], &first, &bea, 3);
    let (one, other) = tokio::join!(decide(&ann, &good), decide(&bea, &twin));
    assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1, "{one:?} {other:?}");
    let by = if one.is_ok() { &ann } else { &bea };
    assert!(statuses(&stage, &session).iter().take(2).all(|status| status == "approve"));
    // And the right one again, as it was sent.
    let again = if one.is_ok() { decide(&ann, &good).await } else { decide(&bea, &twin).await };
    refused("the same decision again", stale, "", again);
    failed += 2;

    let outcomes = local.entries("outcome").await;
    let decide =
        |verdict| outcomes.iter().filter(move |entry| says(entry, &[("action", "decide"), ("verdict", verdict)]));
    assert_eq!((decide("ok").count(), decide("failed").count()), (2, failed), "each try is in the record with its end");
    let mut decisions: Vec<Value> = local.entries("decision").await;
    decisions.retain(|entry| says(entry, &[("action", "decide")]));
    let signers: Vec<&str> = decisions.iter().filter_map(|entry| entry["actors"][0].as_str()).collect();
    assert_eq!(signers, [ann.id.as_str(), by.id.as_str()], "{decisions:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_not_cannot_be_opened_or_decided() {
    let stage = Stage::new();
    let up = stage.up();
    stage.physician("cy");
    let (local, cy) = (Visitor::enter(&stage, &up, "local").await, Visitor::enter(&stage, &up, "cy").await);
    let unknown = "canary-no-such-escalation";
    let session = "0".repeat(32);
    let item = serde_json::json!({ "escalation": unknown, "session": session, "kind": "low_confidence" });
    // Who may decide is told that there is none; who may not, only that.
    for (who, code, says) in
        [(&cy, Code::NotFound, "no such escalation"), (&local, Code::PermissionDenied, "policy_denied")]
    {
        let request = pb::OpenRequest { escalation: unknown.to_owned(), access: who.access(&session) };
        let opened = who.panel().open(request).await.map(drop);
        refused("open", code, says, opened);
        refused("decide", code, says, decide(who, &about(&item, b"nothing", who, 1)).await);
    }
    let told = |entry: &Value, who: &Visitor, fields: &[(&str, &str)]| {
        says(entry, fields) && entry["actors"] == serde_json::json!([who.id.as_str()])
    };
    for action in ["open", "decide"] {
        let failed = [("action", action), ("verdict", "failed"), ("cause", "no_such"), ("resource", "unknown")];
        let outcomes = local.entries("outcome").await;
        assert_eq!(outcomes.iter().filter(|entry| told(entry, &cy, &failed)).count(), 1, "{action}: {outcomes:#?}");
        let denied = [("action", action), ("verdict", "deny"), ("cause", "policy_denied"), ("resource", "unknown")];
        let refusals = local.entries("refusal").await;
        assert_eq!(refusals.iter().filter(|entry| told(entry, &local, &denied)).count(), 1, "{action}: {refusals:#?}");
    }
    for kind in ["attempt", "outcome", "refusal"] {
        assert!(
            !Value::from(local.entries(kind).await).to_string().contains("canary"),
            "what was asked for is not repeated"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_cannot_be_read_is_refused_with_an_entry() {
    let stage = Stage::new();
    let up = stage.up();
    let local = Visitor::enter(&stage, &up, "local").await;
    let good = std::fs::read(sample(MARFAN)).unwrap();
    let unknown = br#"{"phenotypicFeatures": [{"type": {"id": "HP:9999999"}}], "metaData": {}}"#.to_vec();
    let table: [(&str, Vec<u8>, u64, &str, &str); 5] = [
        ("no UTF-8", b"abc \xff".to_vec(), 100, "byte 4: not UTF-8", "case"),
        ("FHIR", br#"{"resourceType": "Bundle"}"#.to_vec(), 100, "not read yet", "case"),
        ("cut off", good[..700].to_vec(), 100, "ends too early", "case"),
        ("no budget", good.clone(), 0, "at least one cent", "invalid"),
        ("no known finding", unknown, 100, "no finding that can be used (1 not known", ""),
    ];
    for (what, case, budget_cents, says, _) in &table {
        let asked = pb::ConveneRequest {
            case: case.clone(),
            pseudonym: String::new(),
            budget_cents: *budget_cents,
            sequential: false,
        };
        let answer = async {
            let mut events = local.panel().convene(asked).await?.into_inner();
            while events.message().await?.is_some() {}
            Ok(())
        };
        refused(what, Code::InvalidArgument, says, answer.await);
    }
    let outcomes = local.entries("outcome").await;
    for cause in ["case", "invalid"] {
        let fields = [("action", "convene"), ("verdict", "failed"), ("cause", cause)];
        let found = outcomes.iter().filter(|entry| says(entry, &fields)).count();
        assert_eq!(found, table.iter().filter(|row| row.4 == cause).count(), "{cause}: {outcomes:#?}");
    }
}
