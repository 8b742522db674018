//! What people sign and the guardian acts on: money beyond a budget, a session at rest. Each wrong statement is refused for
//! its own reason, over the wire, with an entry in the log.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{sync::Arc, sync::atomic::Ordering, time::SystemTime};

use bodh_audit_log::{Kind, Verdict};
use bodh_guardian::{people, serve, state::State};
use bodh_guardian_api::{Client, Error, OpenSession, Spent, pb};
use bodh_identity::{Bundle, Source, client, server, signing::PersonKey};
use serde_json::{Value, json};
use support::{World, access, approval, human, service, sign_decision};
use tokio::net::TcpListener;
use tonic::{Code, transport::Server};

const SESSION: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";
const KEY: [u8; 32] = [0; 32];
const BUDGET: u64 = 100;
const MINUTE_MS: i64 = 60_000;

/// A guardian on the wire with a session of ada's; bo approves, cy has no role, dan was revoked.
struct Stage {
    world: World,
    state: Arc<State>,
    client: Client,
    token: String,
    bo: PersonKey,
    cy: PersonKey,
    dan: PersonKey,
    ada: PersonKey,
    fay: PersonKey,
}

fn key() -> bodh_token::SigningKey {
    bodh_token::SigningKey::from_seed(&KEY).unwrap()
}

fn opening(session: &str) -> OpenSession {
    OpenSession {
        session: session.to_owned(),
        session_key: key().public(),
        human: human("ada").to_string(),
        purpose: "work".to_owned(),
        budget_cents: BUDGET,
        trace: String::new(),
        standing: false,
    }
}

impl Stage {
    async fn new() -> Self {
        let world = World::new();
        let state = world.start().await;
        let [ada, bo, cy, dan, fay] = [(); 5].map(|()| PersonKey::generate().unwrap());
        for (name, roles, key) in [
            ("ada", &["writer", "approver"][..], &ada),
            ("bo", &["approver"], &bo),
            ("fay", &["approver"], &fay),
            ("cy", &["writer"], &cy),
            ("dan", &["approver"], &dan),
        ] {
            people::enroll(&state, &human("local"), &world.enrol(name, roles, key)).await.unwrap();
        }
        people::revoke(&state, &human("local"), &human("dan"), "left", "").await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let incoming = server::incoming(listener, state.source().clone(), state.connections().clone(), |_| ());
        let routes = serve::routes(&state, serve::gate(&state));
        tokio::spawn(Server::builder().add_routes(routes).serve_with_incoming(incoming));
        let svid = state.authority().issue(&service("orchestrator"), SystemTime::now()).unwrap();
        let bundle: Bundle = state.authority().bundle().borrow().as_ref().clone();
        let source = Source::fixed(svid, bundle).unwrap();
        let client = Client::new(client::channel(at, service("guardian"), source));
        client.open_session(opening(OTHER)).await.unwrap();
        let token = client.open_session(opening(SESSION)).await.unwrap().token;
        Self { world, state, client, token, bo, cy, dan, ada, fay }
    }

    fn now_ms(&self) -> i64 {
        self.world.now_ms.load(Ordering::SeqCst)
    }

    async fn pay(&self, key: &str, cents: u64, approval: pb::Statement) -> Result<Spent, Error> {
        self.client.spend(SESSION, &self.token, (key, cents), [Some(approval), None], "").await
    }

    async fn open(&self, access: Option<pb::Statement>) -> Result<u64, Error> {
        self.client.renew_session(SESSION, key().public(), "", access).await.map(|grant| grant.remaining_cents)
    }

    /// The causes of the failed outcomes of one action, in order.
    fn failures(&self, action: &str) -> Vec<String> {
        let failed = |draft: &bodh_audit_log::Draft| draft.verdict == Some(Verdict::Failed);
        self.world.memory.of(action).into_iter().filter(failed).map(|draft| draft.cause).collect()
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Error>, what: &str) {
    match answer {
        Err(Error::Refused { code: Code::PermissionDenied | Code::InvalidArgument, .. }) => {}
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_pays_for_exactly_one_act() {
    let stage = Stage::new().await;
    let spent = stage.client.spend(SESSION, &stage.token, ("order a", 60), [None, None], "").await.unwrap();
    assert_eq!(spent, Spent { granted: true, remaining_cents: 40 });
    let short = stage.client.spend(SESSION, &stage.token, ("order b", 90), [None, None], "").await.unwrap();
    assert_eq!(short, Spent { granted: false, remaining_cents: 40 }, "without an approval nothing is paid");
    let good = || approval(SESSION, "bo", &stage.bo, ("order b", 90), 1);
    assert!(stage.pay("order b", 90, good()).await.unwrap().granted);
    // A retry after a crash: the first answer again, and nothing more is paid.
    assert!(stage.pay("order b", 90, good()).await.unwrap().granted);
    assert_eq!(stage.open(None).await.unwrap(), 0, "exactly what was missing was added");
    refused(stage.pay("order c", 90, good()).await, "for another act");
    // The record names who signed.
    let paid = stage.world.memory.of("spend");
    let paid = paid.iter().find(|d| d.kind == Kind::Outcome && d.actors.contains(&human("bo").to_string())).unwrap();
    assert!(paid.commitments.contains_key("statement_signature"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_other_approval_is_refused_and_recorded() {
    let stage = Stage::new().await;
    let good = json!({
        "session": SESSION, "verdict": "approve", "kind": "over_limit", "action": "order b", "amount_cents": 500,
        "record_sha256": "0".repeat(64), "signer": human("bo").as_str(), "nonce": "0".repeat(32), "reason": "needed",
    });
    let changed = |field: &str, value: Value| {
        let mut statement = good.clone();
        statement[field] = value;
        sign_decision(&statement, &stage.bo)
    };
    let by = |name: &str, key: &PersonKey| approval(SESSION, name, key, ("order b", 500), 0);
    let mut forged = changed("reason", json!("needed"));
    forged.signature[0] ^= 1;
    let mut altered = changed("amount_cents", json!(50));
    altered.json = serde_json::to_vec(&good).unwrap();
    let attacks = [
        ("another session", changed("session", json!(OTHER)), "not_approved"),
        ("a denial", changed("verdict", json!("deny")), "not_approved"),
        ("another act", changed("action", json!("propose b")), "not_approved"),
        ("another amount", changed("amount_cents", json!(499)), "not_approved"),
        ("no amount", changed("amount_cents", Value::Null), "not_approved"),
        ("another limit", changed("kind", json!("over_something_else")), "not_approved"),
        ("a signature with a flipped bit", forged, "bad_signature"),
        ("an altered statement", altered, "bad_signature"),
        ("the key of another", by("bo", &stage.cy), "bad_signature"),
        ("somebody without the role", by("cy", &stage.cy), "not_approved"),
        ("somebody who left", by("dan", &stage.dan), "revoked"),
        ("a stranger", by("eve", &stage.cy), "not_enrolled"),
        ("the one it runs for", by("ada", &stage.ada), "not_approved"),
        ("an orchestrator that signs for itself", changed("signer", json!("orchestrator")), "malformed"),
        ("no statement at all", sign_decision(&json!({}), &stage.bo), "malformed"),
    ];
    let expected: Vec<&str> = attacks.iter().map(|(_, _, cause)| *cause).collect();
    for (what, statement, _) in attacks {
        refused(stage.pay("order b", 500, statement).await, what);
    }
    assert_eq!(stage.failures("spend"), expected, "each for its own reason");
    // For another purpose: a request to open is no approval.
    let mut other_purpose = access(SESSION, "bo", &stage.bo, 0, stage.now_ms());
    other_purpose.json = serde_json::to_vec(&good).unwrap();
    refused(stage.pay("order b", 500, other_purpose).await, "another purpose");
    assert_eq!(stage.open(None).await.unwrap(), BUDGET, "nothing was spent, nothing was added");
    assert!(stage.pay("order b", 500, sign_decision(&good, &stage.bo)).await.unwrap().granted, "the right one works");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_two_is_paid_on_the_word_of_two_different_people_shown_the_same() {
    let stage = Stage::new().await;
    let far = |name: &str, key: &PersonKey, nonce: u8, field: &str, value: Value| {
        let mut statement = json!({
            "session": SESSION, "verdict": "approve", "kind": "far_over_limit", "action": "order b",
            "amount_cents": 500, "record_sha256": "0".repeat(64), "signer": human(name).as_str(),
            "nonce": format!("{nonce:032x}"), "reason": "needed",
        });
        statement[field] = value;
        Some(sign_decision(&statement, key))
    };
    let needed = || json!("needed");
    let bo = |nonce| far("bo", &stage.bo, nonce, "reason", needed());
    let fay = |field: &str, value: Value| far("fay", &stage.fay, 2, field, value);
    let pay = async |approvals| stage.client.spend(SESSION, &stage.token, ("order b", 500), approvals, "").await;
    let attacks = [
        ("one alone", [bo(1), None]),
        ("the same person twice", [bo(1), bo(2)]),
        ("shown something else", [bo(1), fay("record_sha256", json!("1".repeat(64)))]),
        ("a denial", [bo(1), fay("verdict", json!("deny"))]),
        ("of another limit", [bo(1), fay("kind", json!("over_limit"))]),
        ("without the role", [bo(1), far("cy", &stage.cy, 2, "reason", needed())]),
        ("who left", [far("dan", &stage.dan, 2, "reason", needed()), bo(1)]),
        ("the one it runs for", [bo(1), far("ada", &stage.ada, 2, "reason", needed())]),
        ("the key of another", [bo(1), far("fay", &stage.bo, 2, "reason", needed())]),
    ];
    for (what, approvals) in attacks {
        refused(pay(approvals).await, what);
    }
    assert_eq!(stage.open(None).await.unwrap(), BUDGET, "nothing was spent, nothing was added");
    let two = || [bo(1), fay("reason", needed())];
    assert!(pay(two()).await.unwrap().granted);
    assert!(pay(two()).await.unwrap().granted, "a retry is the first answer again");
    assert_eq!(stage.open(None).await.unwrap(), 0, "exactly what was missing was added");
    let paid = stage.world.memory.of("spend");
    let paid = paid.iter().find(|d| d.kind == Kind::Outcome && d.actors.contains(&human("bo").to_string())).unwrap();
    assert!(paid.commitments.contains_key("statement_signature") && paid.commitments.contains_key("second_signature"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_for_a_session_at_rest_is_not_used_up() {
    let stage = Stage::new().await;
    let good = || approval(SESSION, "bo", &stage.bo, ("order b", 500), 0);
    stage.client.close_session(SESSION, "").await.unwrap();
    let closed = stage.pay("order b", 500, good()).await;
    assert!(matches!(closed, Err(Error::Refused { code: Code::FailedPrecondition, .. })), "{closed:?}");
    stage.open(Some(access(SESSION, "bo", &stage.bo, 9, stage.now_ms()))).await.unwrap();
    assert!(stage.pay("order b", 500, good()).await.unwrap().granted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_at_rest_opens_once_for_each_request_of_who_may() {
    let stage = Stage::new().await;
    for (name, key, nonce) in [("ada", &stage.ada, 1), ("bo", &stage.bo, 2)] {
        stage.client.close_session(SESSION, "").await.unwrap();
        refused(stage.open(None).await, "nobody asked");
        let asked = || Some(access(SESSION, name, key, nonce, stage.now_ms()));
        assert_eq!(stage.open(asked()).await.unwrap(), BUDGET);
        assert_eq!(stage.open(None).await.unwrap(), BUDGET, "at work it is renewed without");
        stage.client.close_session(SESSION, "").await.unwrap();
        refused(stage.open(asked()).await, "used before");
        // After a restart too.
        let outcomes = stage.world.memory.of("renew_session");
        let signed = outcomes.iter().filter(|d| d.kind == Kind::Outcome && d.actors.contains(&human(name).to_string()));
        assert_eq!(signed.count(), 1, "the record names who asked");
    }
    assert_eq!(stage.failures("renew_session"), ["not_asked", "used", "not_asked", "used"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_other_request_to_open_is_refused_and_recorded() {
    let stage = Stage::new().await;
    stage.client.close_session(SESSION, "").await.unwrap();
    let now = stage.now_ms();
    let mut forged = access(SESSION, "bo", &stage.bo, 1, now);
    forged.signature[5] ^= 1;
    let mut spaced = access(SESSION, "bo", &stage.bo, 1, now);
    spaced.json.push(b' ');
    let attacks = [
        ("for another session", access(OTHER, "bo", &stage.bo, 1, now), "not_asked"),
        ("long ago", access(SESSION, "bo", &stage.bo, 1, now - 11 * MINUTE_MS), "stale"),
        ("in the future", access(SESSION, "bo", &stage.bo, 1, now + 11 * MINUTE_MS), "stale"),
        ("a signature with a flipped bit", forged, "bad_signature"),
        ("another spelling", spaced, "malformed"),
        ("the key of another", access(SESSION, "bo", &stage.cy, 1, now), "bad_signature"),
        ("somebody without the role", access(SESSION, "cy", &stage.cy, 1, now), "not_asked"),
        ("somebody who left", access(SESSION, "dan", &stage.dan, 1, now), "revoked"),
        ("a stranger", access(SESSION, "eve", &stage.cy, 1, now), "not_enrolled"),
        ("a decision", approval(SESSION, "bo", &stage.bo, ("order b", 5), 1), "malformed"),
    ];
    let expected: Vec<&str> = attacks.iter().map(|(_, _, cause)| *cause).collect();
    for (what, statement, _) in attacks {
        refused(stage.open(Some(statement)).await, what);
    }
    assert_eq!(stage.failures("renew_session"), expected);
    assert!(stage.open(Some(access(SESSION, "bo", &stage.bo, 1, now))).await.is_ok(), "the right one works");
    // Erased is erased, whoever asks.
    stage.client.erase_session(SESSION, "").await.unwrap();
    let erased = stage.open(Some(access(SESSION, "ada", &stage.ada, 7, now))).await;
    assert!(matches!(erased, Err(Error::Refused { code: Code::FailedPrecondition, .. })), "{erased:?}");
    assert!(stage.state.ledger().acknowledged() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_policy_names_needs_no_person() {
    let stage = Stage::new().await;
    let standing = OpenSession { session: "a".repeat(32), standing: true, ..opening(SESSION) };
    refused(stage.client.open_session(standing).await.map(drop), "no policy permits it here");
    let refusals = stage.world.memory.of("open_session");
    assert!(refusals.iter().any(|draft| draft.kind == Kind::Refusal && draft.cause == "policy_denied"));
}
