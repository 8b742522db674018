//! People with passkeys: enrolled by an operator's invitation, let in at the door, read with a key that they lend.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{sync::Arc, time::Duration};

use bodh_guardian::{door, people, state::State};
use bodh_guardian_api::{Access, Enrolment, Invitation, SignedInvitation, pb, proof};
use bodh_identity::signing::{Context, PersonKey, Signer};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use support::{
    CLIENT_EXE, DOMAIN, Proc, World, human,
    passkey::{Authenticator, invitation, spki},
    request,
};

const HOUR: Duration = Duration::from_secs(3600);

fn client() -> Proc {
    Proc::new(20, Some(CLIENT_EXE))
}

async fn accept(state: &State, request: &pb::AcceptRequest) -> Result<(), &'static str> {
    door::accept(state, &client(), request).await.map(drop).map_err(|error| error.code())
}

/// Ann, an approver with a passkey.
async fn with_ann() -> (World, Arc<State>, Authenticator) {
    let world = World::new();
    let (state, ann) = (world.start().await, Authenticator::new());
    let link = invitation("ann", &["approver"], &world.operator, "local", world.time() + HOUR);
    accept(&state, &ann.accept(&ann.record("ann", &["approver"], &link, world.time()))).await.unwrap();
    (world, state, ann)
}

/// A certificate for a fresh key.
async fn come_in(state: &State, who: &Authenticator, asked: &str, name: &str) -> Result<EcdsaKeyPair, &'static str> {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let challenge = door::challenge(state, &client(), &pb::ChallengeRequest { human: asked.into() }).unwrap();
    let public_key = spki(pair.public_key().as_ref());
    let signature = who.sign(Context::Door, &proof(&challenge.nonce, &public_key));
    let request = pb::HumanSvidRequest { human: name.into(), nonce: challenge.nonce, public_key, signature };
    door::human_svid(state, &client(), &request).await.map_err(|error| error.code())?;
    // The same proof is worth nothing a second time.
    assert!(door::human_svid(state, &client(), &request).await.is_err());
    Ok(pair)
}

#[tokio::test]
async fn an_invitation_lets_one_person_in_once() {
    let (world, state, ann) = with_ann().await;
    let person = state.registry().person(&human("ann")).unwrap();
    assert_eq!((person.record().assurance.as_str(), person.first_key()), ("webauthn", ann.key().as_slice()));
    let recorded = world.memory.of("accept_invitation");
    assert_eq!((recorded.len(), recorded[0].resource.as_str()), (1, human("ann").as_str()));
    assert_eq!(recorded[0].actors, [human("local").to_string()]);
    let second = Authenticator::new();
    let link = person.record().invitation.clone().unwrap();
    let again = second.accept(&second.record("ann", &["approver"], &link, world.time()));
    assert_eq!(accept(&state, &again).await, Err("taken"));
    // What was stored is checked again at every start.
    let state = world.restart(state).await;
    assert_eq!(state.registry().person(&human("ann")).unwrap().first_key(), ann.key());
}

#[tokio::test]
async fn invitations_are_refused_for_the_right_reason() {
    let world = World::new();
    let (state, ann, stranger) = (world.start().await, Authenticator::new(), PersonKey::generate().unwrap());
    let (at, until) = (world.time(), world.time() + HOUR);
    let link = |by: &PersonKey| invitation("ann", &["approver"], by, "local", until);
    let good = link(&world.operator);
    let try_it = async |name: &str, roles: &[&str], link: &str, at| {
        accept(&state, &ann.accept(&ann.record(name, roles, link, at))).await
    };
    assert_eq!(try_it("ann", &["approver"], &link(&stranger), at).await, Err("not_invited"), "forged");
    assert_eq!(try_it("bob", &["approver"], &good, at).await, Err("not_invited"), "another name");
    assert_eq!(try_it("ann", &["operator"], &good, at).await, Err("not_invited"), "another role");
    assert_eq!(try_it("ann", &["approver", "operator"], &good, at).await, Err("not_invited"), "one more role");
    assert_eq!(try_it("ann", &["approver"], &good.replace('.', ""), at).await, Err("not_invited"), "cut");
    assert_eq!(try_it("ann", &["approver"], &good, at - 25 * HOUR).await, Err("stale"));
    let by_ghost = invitation("ann", &["approver"], &world.operator, "ghost", until);
    let ghost = ann.record("ann", &["approver"], &by_ghost, at);
    let ghost = bodh_guardian_api::Enrolment { enrolled_by: human("ghost").to_string(), ..ghost };
    assert_eq!(accept(&state, &ann.accept(&ghost)).await, Err("not_enrolled"));
    // Signed by another authenticator than the record names, or for another purpose.
    let record = ann.record("ann", &["approver"], &good, at);
    let mut other = Authenticator::new().accept(&record);
    assert_eq!(accept(&state, &other).await, Err("bad_signature"));
    other.signature = ann.sign(Context::Decision, &record.to_bytes());
    assert_eq!(accept(&state, &other).await, Err("bad_signature"));
    // An operator cannot enrol a passkey in its holder's place, nor anybody a key of another kind by invitation.
    let signed = request(&record, &world.operator);
    let enrolled = people::enroll(&state, &human("local"), &signed).await;
    assert_eq!(enrolled.map(drop).map_err(|error| error.code()), Err("bad_signature"));
    let mut local = record.clone();
    local.key = data_encoding::HEXLOWER.encode(&stranger.public_key());
    assert_eq!(accept(&state, &ann.accept(&local)).await, Err("malformed"));
    world.forward(2 * HOUR);
    assert_eq!(try_it("ann", &["approver"], &good, world.time()).await, Err("stale"), "the invitation has ended");
    assert_eq!(state.registry().people().len(), 1, "nobody was added");
    // Each of them is in the record, counted.
    state.refusals().write(state.ledger());
    let flush = bodh_audit_log::Draft::new(bodh_audit_log::Kind::Note, "flush", state.ledger().next_key());
    state.ledger().record(flush).await.unwrap();
    let counted: u64 = world.memory.of(door::ACCEPT_INVITATION).iter().map(|draft| draft.count).sum();
    assert_eq!(counted, 11);
}

#[tokio::test]
async fn an_operator_with_a_passkey_invites_with_it() {
    let world = World::new();
    let (state, olga, bea) = (world.start().await, Authenticator::new(), Authenticator::new());
    let (at, until) = (world.time(), world.time() + HOUR);
    let link = invitation("olga", &["operator"], &world.operator, "local", until);
    accept(&state, &olga.accept(&olga.record("olga", &["operator"], &link, at))).await.unwrap();
    let invited = |context| {
        let by = human("olga");
        let invitation =
            Invitation::new(("bea", DOMAIN), &["approver"], by.as_str(), &"1".repeat(32), until).to_bytes();
        let signature = olga.sign(context, &invitation);
        let link = SignedInvitation { invitation, signature }.to_link();
        bea.accept(&Enrolment { enrolled_by: by.to_string(), ..bea.record("bea", &["approver"], &link, at) })
    };
    assert_eq!(accept(&state, &invited(Context::Decision)).await, Err("not_invited"), "signed for another purpose");
    accept(&state, &invited(Context::Invitation)).await.unwrap();
    let recorded = world.memory.of("accept_invitation");
    let last = recorded.last().unwrap();
    assert_eq!(
        (last.resource.as_str(), last.actors.as_slice()),
        (human("bea").as_str(), &[human("olga").to_string()][..])
    );
    // And after a start, when everything that was stored is checked again.
    let state = world.restart(state).await;
    assert_eq!(state.registry().person(&human("bea")).unwrap().first_key(), bea.key());
}

#[tokio::test]
async fn the_invitation_of_a_revoked_operator_lets_nobody_in() {
    let world = World::new();
    let (state, ann) = (world.start().await, Authenticator::new());
    let second = PersonKey::generate().unwrap();
    people::enroll(&state, &human("local"), &world.enrol("second", &["operator"], &second)).await.unwrap();
    people::revoke(&state, &human("second"), &human("local"), "left", "").await.unwrap();
    let link = invitation("ann", &["approver"], &world.operator, "local", world.time() + HOUR);
    let request = ann.accept(&ann.record("ann", &["approver"], &link, world.time()));
    assert_eq!(accept(&state, &request).await, Err("revoked"));
}

#[tokio::test]
async fn a_passkey_opens_the_door_and_reads_with_what_it_lent() {
    let (world, state, ann) = with_ann().await;
    let lent = come_in(&state, &ann, "", "ann").await.unwrap();
    assert_eq!(come_in(&state, &Authenticator::new(), "", "ann").await.err(), Some("door"), "another passkey");
    assert_eq!(come_in(&state, &ann, "", "local").await.err(), Some("door"), "another person");
    assert_eq!(come_in(&state, &ann, "local", "ann").await.err(), Some("door"), "a nonce for another person");

    let session = "0".repeat(32);
    let now = world.time().timestamp_millis();
    let access =
        Access { session: session.clone(), signer: human("ann").to_string(), nonce: "1".repeat(32), at_unix_ms: now };
    let json = access.to_bytes();
    let signed = |context: Context| lent.sign(&SystemRandom::new(), &context.signed_bytes(&json)).unwrap();
    let ask = |signature: &[u8]| pb::RenewSessionRequest {
        session: session.clone(),
        session_key: vec![],
        trace: String::new(),
        access: Some(pb::Statement { json: json.clone(), signature: signature.to_vec() }),
    };
    let judged = |signature: &[u8]| bodh_guardian::statement::access(&state, &ask(signature)).map_err(|e| e.code());
    assert_eq!(judged(signed(Context::Access).as_ref()).unwrap().unwrap().signer, human("ann"));
    assert_eq!(judged(signed(Context::Decision).as_ref()).err(), Some("bad_signature"));
    // A decision takes the passkey itself, whatever was lent.
    let decision = serde_json::json!({
        "session": session, "verdict": "approve", "kind": "over_limit", "action": "order x", "amount_cents": 5,
        "record_sha256": "0".repeat(64), "signer": human("ann").as_str(), "nonce": "2".repeat(32),
    });
    let json = serde_json::to_vec(&decision).unwrap();
    let spend = |signature: &[u8]| pb::SpendRequest {
        session: session.clone(),
        key: "order x".into(),
        cents: 5,
        approval: Some(pb::Statement { json: json.clone(), signature: signature.to_vec() }),
        ..Default::default()
    };
    let approved =
        |signature: &[u8]| bodh_guardian::statement::approvals(&state, &spend(signature)).map_err(|e| e.code());
    let by_lent = lent.sign(&SystemRandom::new(), &Context::Decision.signed_bytes(&json)).unwrap();
    assert_eq!(approved(by_lent.as_ref()).err(), Some("bad_signature"));
    assert!(approved(&ann.sign(Context::Decision, &json)).is_ok());
    // After a quarter of an hour, and after a restart, it takes another touch.
    world.forward(Duration::from_secs(15 * 60));
    assert_eq!(judged(signed(Context::Access).as_ref()).err(), Some("bad_signature"));
}
