//! Sessions: every refusal, a budget under concurrent spending, and erasure to the last byte.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{collections::BTreeSet, sync::Arc, sync::atomic::Ordering, time::Duration};

use bodh_guardian::{
    config::Config,
    error::{Cause, Error},
    people, sessions,
    state::State,
    statement,
};
use bodh_guardian_api::pb;
use bodh_identity::{SpiffeId, signing::PersonKey};
use bodh_token::{SigningKey, VerifiedRoot, sha256};
use support::{World, access, human, service};

const SESSION: &str = "0123456789abcdef0123456789abcdef";

fn holder() -> SpiffeId {
    service("orchestrator")
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn opening(session: &str, budget_cents: u64) -> pb::OpenSessionRequest {
    pb::OpenSessionRequest {
        session: session.to_owned(),
        session_key: key(1).public().to_vec(),
        human: human("local").to_string(),
        purpose: "work".to_owned(),
        budget_cents,
        trace: String::new(),
        standing: false,
    }
}

fn renewal(session: &str, seed: u8) -> pb::RenewSessionRequest {
    pb::RenewSessionRequest {
        session: session.to_owned(),
        session_key: key(seed).public().to_vec(),
        trace: String::new(),
        access: None,
    }
}

fn spending(token: &str, name: &str, cents: u64) -> pb::SpendRequest {
    pb::SpendRequest {
        session: SESSION.to_owned(),
        token: token.to_owned(),
        key: name.to_owned(),
        cents,
        trace: String::new(),
        approval: None,
        second: None,
    }
}

async fn opened(world: &World, budget: u64) -> (Arc<State>, pb::SessionGrant) {
    let state = world.start().await;
    let grant = sessions::open(&state, &holder(), &opening(SESSION, budget)).await.unwrap();
    (state, grant)
}

fn cause<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}

#[tokio::test]
async fn a_token_says_what_was_asked_and_no_more() {
    let world = World::new();
    let (state, grant) = opened(&world, 2_500).await;
    let root = VerifiedRoot::verify(&grant.token, &state.token_key().public()).unwrap();
    let claims = root.claims();
    assert_eq!(claims.session.to_string(), SESSION);
    assert_eq!(claims.actors, [human("local").to_string(), holder().to_string()]);
    assert_eq!((claims.key, claims.budget_cents, claims.depth), (key(1).public(), 2_500, 1));
    assert_eq!(claims.audience.len(), 2);
    assert_eq!(claims.tools, BTreeSet::from(["look".to_owned(), "think".to_owned()]));
    assert_eq!(claims.policy_hash, state.policy().hash);
    assert_eq!(claims.expires_ms - claims.issued_ms, 300_000);
    assert!(grant.envelope_secret.starts_with("AGE-SECRET-KEY-1") && grant.envelope_recipient.starts_with("age1"));
}

#[tokio::test]
async fn nothing_opens_before_the_record_works() {
    let world = World::new();
    world.memory.away.store(true, Ordering::SeqCst);
    let first = Config { bootstrap: Some(world.first.clone()), ..world.config() };
    let state = world.open_with(&first).await.unwrap();
    let refused = sessions::open(&state, &holder(), &opening(SESSION, 1)).await;
    assert!(matches!(refused, Err(Error::Unrecorded)));
    world.memory.away.store(false, Ordering::SeqCst);
    support::acknowledged(&state).await;
    assert!(sessions::open(&state, &holder(), &opening(SESSION, 1)).await.is_ok());
}

#[tokio::test]
async fn openings_are_refused_for_the_right_reason() {
    type Change = fn(&mut pb::OpenSessionRequest);
    let world = World::new();
    let (state, _) = opened(&world, 1).await;
    let changes: [(&str, Change); 9] = [
        ("taken", |_| ()),
        ("malformed", |r| r.session = "x".into()),
        ("malformed", |r| r.session_key = vec![0; 31]),
        ("malformed", |r| r.human = "local".into()),
        ("malformed", |r| r.purpose = "For Work".into()),
        ("malformed", |r| r.purpose = String::new()),
        ("malformed", |r| r.budget_cents = u64::MAX),
        ("not_enrolled", |r| r.human = human("eve").to_string()),
        ("not_enrolled", |r| r.human = service("audit").to_string()),
    ];
    for (expected, change) in changes {
        let mut request = opening(SESSION, 1);
        change(&mut request);
        assert_eq!(cause(sessions::open(&state, &holder(), &request).await), expected);
    }
}

#[tokio::test]
async fn renewal_keeps_key_and_account_and_may_change_the_session_key() {
    let world = World::new();
    let (state, grant) = opened(&world, 100).await;
    assert!(sessions::spend(&state, &holder(), &spending(&grant.token, "a", 30), (&[], 0)).await.unwrap().granted);
    let renewed = sessions::renew(&state, &holder(), &renewal(SESSION, 2), None).await.unwrap();
    assert_eq!(renewed.remaining_cents, 70);
    assert_eq!(renewed.envelope_secret, grant.envelope_secret);
    assert_eq!(renewed.envelope_recipient, grant.envelope_recipient);
    let root = VerifiedRoot::verify(&renewed.token, &state.token_key().public()).unwrap();
    assert_eq!((root.claims().budget_cents, root.claims().key), (70, key(2).public()));
    // The token of the former key spends no more.
    let old = sessions::spend(&state, &holder(), &spending(&grant.token, "b", 1), (&[], 0)).await;
    assert_eq!(cause(old), "wrong_key");
    assert!(sessions::spend(&state, &holder(), &spending(&renewed.token, "b", 1), (&[], 0)).await.unwrap().granted);
}

#[tokio::test]
async fn a_session_is_its_holders_alone() {
    let world = World::new();
    let (state, grant) = opened(&world, 100).await;
    let other = service("audit");
    assert_eq!(cause(sessions::renew(&state, &other, &renewal(SESSION, 1), None).await), "not_holder");
    assert_eq!(cause(sessions::spend(&state, &other, &spending(&grant.token, "a", 1), (&[], 0)).await), "not_holder");
    assert_eq!(cause(sessions::close(&state, &other, SESSION).await), "not_holder");
    assert_eq!(cause(sessions::erase(&state, &other, SESSION).await), "not_holder");
    assert_eq!(cause(sessions::close(&state, &holder(), &"0".repeat(32)).await), "unknown");
    assert_eq!(cause(sessions::close(&state, &holder(), "x").await), "malformed");
}

#[tokio::test]
async fn spending_needs_the_sessions_own_valid_token() {
    let world = World::new();
    let (state, grant) = opened(&world, 100).await;
    let other = "f".repeat(32);
    let foreign = sessions::open(&state, &holder(), &opening(&other, 100)).await.unwrap().token;
    let spend = |token: String| {
        let state = state.clone();
        async move { cause(sessions::spend(&state, &holder(), &spending(&token, "a", 1), (&[], 0)).await) }
    };
    assert_eq!(spend(foreign).await, "wrong_session");
    assert_eq!(spend(String::new()).await, "malformed");
    let mut altered = grant.token.clone().into_bytes();
    altered[5] = if altered[5] == b'A' { b'B' } else { b'A' };
    assert_eq!(spend(String::from_utf8(altered).unwrap()).await, "altered");
    world.forward(Duration::from_secs(301));
    assert_eq!(spend(grant.token).await, "expired");
    let fresh = sessions::renew(&state, &holder(), &renewal(SESSION, 1), None).await.unwrap();
    assert_eq!(fresh.remaining_cents, 100, "no refusal took anything");
}

#[tokio::test]
async fn spending_is_once_per_key_and_never_below_zero() {
    let world = World::new();
    let (state, grant) = opened(&world, 100).await;
    let spend = async |name: &str, cents| {
        sessions::spend(&state, &holder(), &spending(&grant.token, name, cents), (&[], 0)).await
    };
    let reply = |granted, remaining_cents| pb::SpendReply { granted, remaining_cents };
    assert_eq!(spend("a", 60).await.unwrap(), reply(true, 40));
    assert_eq!(spend("b", 41).await.unwrap(), reply(false, 40));
    assert_eq!(spend("b", 40).await.unwrap(), reply(true, 0));
    assert_eq!(spend("a", 60).await.unwrap(), reply(true, 40), "the first answer again");
    assert_eq!(cause(spend("a", 61).await), "other_amount");
    assert_eq!(spend("c", 1).await.unwrap(), reply(false, 0));
    assert_eq!(spend("d", 0).await.unwrap(), reply(true, 0));
    assert_eq!(spend("e", u64::MAX).await.unwrap(), reply(false, 0));
    for bad in ["", "a\tb", "\u{e9}", &"k".repeat(201)] {
        assert_eq!(cause(spend(bad, 1).await), "malformed");
    }
    let state = world.restart(state.clone()).await;
    assert_eq!(sessions::renew(&state, &holder(), &renewal(SESSION, 1), None).await.unwrap().remaining_cents, 0);
}

#[tokio::test]
async fn an_approval_pays_for_what_was_judged_to_be_missing_and_for_no_more() {
    let world = World::new();
    let (state, grant) = opened(&world, 100).await;
    let signed = statement::Signed {
        signer: holder(),
        kind: "over_limit".to_owned(),
        shown: String::new(),
        nonce: "0".repeat(32),
        sha256: [1; 32],
        signature_sha256: [2; 32],
    };
    let approvals = [signed];
    let far = spending(&grant.token, "far", 150);
    let judged = sessions::missing(&state, &far).await.unwrap();
    assert_eq!(judged, 50);
    // Something else is spent between the judgement and the payment.
    assert!(sessions::spend(&state, &holder(), &spending(&grant.token, "a", 30), (&[], 0)).await.unwrap().granted);
    let late = sessions::spend(&state, &holder(), &far, (&approvals, judged)).await.unwrap();
    assert_eq!(late, pb::SpendReply { granted: false, remaining_cents: 70 }, "nothing was added, nothing taken");
    let judged = sessions::missing(&state, &far).await.unwrap();
    assert_eq!(judged, 80);
    let paid = sessions::spend(&state, &holder(), &far, (&approvals, judged)).await.unwrap();
    assert_eq!(paid, pb::SpendReply { granted: true, remaining_cents: 0 }, "the approval was not used up before");
    // Whoever did not hear the answer asks again: that goes over nothing, and is the first answer.
    assert_eq!(sessions::missing(&state, &far).await.unwrap(), 0);
    assert_eq!(sessions::spend(&state, &holder(), &far, (&approvals, 0)).await.unwrap(), paid);
    assert_eq!(sessions::missing(&state, &spending(&grant.token, "b", 7)).await.unwrap(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_at_once_as_many_are_granted_as_the_budget_allows() {
    let world = World::new();
    let (state, grant) = opened(&world, 37 * 25).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..100 {
        // Each key twice, from two tasks.
        for _ in 0..2 {
            let (state, token) = (state.clone(), grant.token.clone());
            tasks.spawn(async move {
                let reply = sessions::spend(&state, &holder(), &spending(&token, &format!("k{n}"), 25), (&[], 0))
                    .await
                    .unwrap();
                (n, reply.granted)
            });
        }
    }
    let granted: BTreeSet<i32> = tasks.join_all().await.into_iter().filter(|(_, yes)| *yes).map(|(n, _)| n).collect();
    assert_eq!(granted.len(), 37);
    assert_eq!(sessions::renew(&state, &holder(), &renewal(SESSION, 1), None).await.unwrap().remaining_cents, 0);
}

#[tokio::test]
async fn a_session_at_rest_gives_nothing() {
    let world = World::new();
    let (state, grant) = opened(&world, 100).await;
    sessions::close(&state, &holder(), SESSION).await.unwrap();
    sessions::close(&state, &holder(), SESSION).await.unwrap();
    let state = world.restart(state).await;
    assert_eq!(cause(sessions::renew(&state, &holder(), &renewal(SESSION, 1), None).await), "not_asked");
    let spent = sessions::spend(&state, &holder(), &spending(&grant.token, "a", 1), (&[], 0)).await;
    assert!(matches!(spent, Err(Error::Ended("at rest"))));
    assert_eq!(cause(sessions::open(&state, &holder(), &opening(SESSION, 1)).await), "taken");
}

#[tokio::test]
async fn an_old_session_expires() {
    let world = World::new();
    let (state, _) = opened(&world, 100).await;
    // A day on its own; then only a person's request.
    world.forward(Duration::from_secs(24 * 3600 - 1));
    sessions::renew(&state, &holder(), &renewal(SESSION, 1), None).await.unwrap();
    world.forward(Duration::from_secs(1));
    assert_eq!(cause(sessions::renew(&state, &holder(), &renewal(SESSION, 1), None).await), "not_asked");
    world.forward(Duration::from_secs(88 * 24 * 3600));
    let asked = || access(SESSION, "local", &world.operator, 1, world.now_ms.load(Ordering::SeqCst));
    let request = pb::RenewSessionRequest { access: Some(asked()), ..renewal(SESSION, 1) };
    let signed = statement::access(&state, &request).unwrap();
    let grant = sessions::renew(&state, &holder(), &request, signed.as_ref()).await.unwrap();
    world.forward(Duration::from_secs(24 * 3600));
    let renewed = sessions::renew(&state, &holder(), &renewal(SESSION, 1), None).await;
    assert!(matches!(renewed, Err(Error::Ended("expired"))));
    let spent = sessions::spend(&state, &holder(), &spending(&grant.token, "a", 1), (&[], 0)).await;
    assert!(matches!(spent, Err(Error::Ended("expired"))));
}

#[tokio::test]
async fn a_revoked_owner_ends_token_key_and_spending() {
    let world = World::new();
    let state = world.start().await;
    let ada = PersonKey::generate().unwrap();
    people::enroll(&state, &human("local"), &world.enrol("ada", &["writer"], &ada)).await.unwrap();
    let request = pb::OpenSessionRequest { human: human("ada").to_string(), ..opening(SESSION, 100) };
    let grant = sessions::open(&state, &holder(), &request).await.unwrap();
    people::revoke(&state, &human("local"), &human("ada"), "left", "").await.unwrap();
    for refused in [
        sessions::renew(&state, &holder(), &renewal(SESSION, 1), None).await.err(),
        sessions::spend(&state, &holder(), &spending(&grant.token, "a", 1), (&[], 0)).await.err(),
        sessions::open(&state, &holder(), &pb::OpenSessionRequest { session: "e".repeat(32), ..request }).await.err(),
    ] {
        assert!(matches!(refused, Some(Error::Refused(Cause::Revoked))));
    }
}

#[tokio::test]
async fn an_erased_session_leaves_no_byte_of_its_key() {
    let world = World::new();
    let state = world.start().await;
    let folder = world.path("guardian");
    // Many sessions, so that pages are split and moved while keys lie in them.
    let ids: Vec<String> =
        (0..200_u128).map(|n| format!("{:032x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15_0123))).collect();
    for id in &ids {
        sessions::open(&state, &holder(), &opening(id, 100)).await.unwrap();
    }
    let wrapped = wrapped_keys(&folder).await;
    assert_eq!(wrapped.len(), ids.len());
    for (id, key) in wrapped.iter().filter(|(id, _)| id.ends_with('7') || id.ends_with('a')) {
        assert!(occurs(&folder, key), "the search finds what is there");
        sessions::erase(&state, &holder(), id).await.unwrap();
        assert!(!occurs(&folder, key), "bytes of an erased key remain");
        sessions::erase(&state, &holder(), id).await.unwrap();
        assert!(matches!(sessions::renew(&state, &holder(), &renewal(id, 1), None).await, Err(Error::Ended("erased"))));
    }
    let kept = wrapped.iter().find(|(id, _)| id.ends_with('3')).unwrap();
    let state = world.restart(state).await;
    assert!(sessions::renew(&state, &holder(), &renewal(&kept.0, 1), None).await.is_ok(), "the others still open");
}

/// Every wrapped key, read beside the guardian.
async fn wrapped_keys(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("guardian.db"));
    let database = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let keys = sqlx::query_as("SELECT session, wrapped FROM session_keys").fetch_all(&database).await.unwrap();
    database.close().await;
    keys
}

/// Whether any 24 bytes of the key, taken at several places, are in any file of the folder.
fn occurs(folder: &std::path::Path, key: &[u8]) -> bool {
    let parts: Vec<&[u8]> = key.chunks_exact(24).collect();
    assert!(parts.len() > 4 && sha256(key) != [0; 32]);
    std::fs::read_dir(folder).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        // The age header is the same in every wrapped key; only what differs counts.
        parts
            .iter()
            .filter(|part| !part.starts_with(b"age-encryption"))
            .any(|part| bytes.windows(24).any(|window| window == *part && !is_common(part)))
    })
}

/// Whether a part is of the fixed text of an age file (age specification, version 1).
fn is_common(part: &[u8]) -> bool {
    let fixed: &[&[u8]] = &[b"encryption.org/v1", b"-> X25519 ", b"\n--- "];
    fixed.iter().any(|text| part.windows(text.len()).any(|window| window == *text))
}
