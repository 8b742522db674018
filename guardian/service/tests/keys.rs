//! A person's keys change: a second passkey, one that is lost, all that are lost; and each wrong way is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use bodh_audit_log::Kind;
use bodh_gate::Refusal;
use bodh_guardian::{door, passkeys, people, state::State};
use bodh_guardian_api::{
    Invitation, KeyChange, MAX_CHANGES, MAX_HELD, SignedChange, SignedInvitation, named, pb, proof,
};
use bodh_identity::{
    signing::{Context, PersonKey, Signer},
    verify,
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use support::{
    CLIENT_EXE, DOMAIN, Proc, World, human,
    passkey::{Authenticator, invitation, spki},
};

const HOUR: Duration = Duration::from_secs(3600);

fn client() -> Proc {
    Proc::new(20, Some(CLIENT_EXE))
}

/// Ann, with one passkey.
async fn with_ann() -> (World, Arc<State>, Authenticator) {
    let world = World::new();
    let (state, ann) = (world.start().await, Authenticator::new());
    let link = invitation("ann", &["approver"], &world.operator, "local", world.time() + HOUR);
    let request = ann.accept(&ann.record("ann", &["approver"], &link, world.time()));
    door::accept(&state, &client(), &request).await.unwrap();
    (world, state, ann)
}

/// A change of ann's keys after her last one.
fn next(world: &World, state: &State) -> KeyChange {
    let head = state.registry().person(&human("ann")).unwrap().keys().head().to_owned();
    KeyChange::new(human("ann").as_str(), &head, world.time())
}

fn signed(change: &KeyChange, own: Option<&Authenticator>, new: Option<&Authenticator>) -> SignedChange {
    let record = change.to_bytes();
    let by = |key: Option<&Authenticator>| key.map(|key| key.sign(Context::Keys, &record)).unwrap_or_default();
    SignedChange { by_own: by(own), by_new: by(new), record }
}

async fn change(state: &State, by: &str, change: SignedChange) -> Result<usize, &'static str> {
    let request = pb::ChangeKeysRequest { change: Some(change.into()), trace: String::new() };
    let changed = passkeys::change(state, &human(by), request).await;
    changed.map(|person| person.keys().held().len()).map_err(|error| error.code())
}

async fn recover(state: &State, change: SignedChange) -> Result<(), &'static str> {
    let request = pb::ChangeKeysRequest { change: Some(change.into()), trace: String::new() };
    door::recover(state, &client(), request).await.map(drop).map_err(|error| error.code())
}

/// An operator's link for a new key in place of all that ann has now.
fn recovery(world: &World, state: &State, by: &str) -> Invitation {
    let until = world.time() + HOUR;
    let head = state.registry().person(&human("ann")).unwrap().keys().head().to_owned();
    let invitation = Invitation::new(("ann", DOMAIN), &["approver"], human(by).as_str(), &"3".repeat(32), until);
    Invitation { replaces: Some(head), ..invitation }
}

fn link(invitation: &Invitation, operator: &PersonKey) -> String {
    let invitation = invitation.to_bytes();
    let signature = operator.sign(Context::Invitation, &invitation).unwrap().to_vec();
    SignedInvitation { invitation, signature }.to_link()
}

fn replacing(world: &World, state: &State, new: &Authenticator, link: &str) -> KeyChange {
    let person = state.registry().person(&human("ann")).unwrap();
    let all = person.keys().held().iter().map(|held| named(&held.key)).collect::<Vec<_>>();
    KeyChange { invitation: Some(link.to_owned()), ..next(world, state).adding(&new.key()).removing(all) }
}

async fn come_in(state: &State, who: &Authenticator) -> Result<Vec<u8>, &'static str> {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let challenge = door::challenge(state, &client(), &pb::ChallengeRequest { human: String::new() }).unwrap();
    let public_key = spki(pair.public_key().as_ref());
    let signature = who.sign(Context::Door, &proof(&challenge.nonce, &public_key));
    let request = pb::HumanSvidRequest { human: "ann".into(), nonce: challenge.nonce, public_key, signature };
    let given = door::human_svid(state, &client(), &request).await.map_err(|error| error.code())?;
    Ok(given.chain.into_iter().next().unwrap())
}

/// When a certificate was made, as a gate sees it.
fn certified_ms(state: &State, leaf: &[u8]) -> i64 {
    let bundle = state.authority().bundle().borrow().clone();
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from((state.clock())()).unwrap());
    verify::chain(&[leaf.into()], &bundle, verify::Role::Client, at).unwrap().certified_ms()
}

#[tokio::test]
async fn a_second_passkey_is_as_good_as_the_first() {
    let (world, state, ann) = with_ann().await;
    let second = Authenticator::new();
    assert_eq!(come_in(&state, &second).await.err(), Some("door"));
    let adding = next(&world, &state).adding(&second.key());
    assert_eq!(change(&state, "ann", signed(&adding, Some(&ann), Some(&second))).await, Ok(2));
    for key in [&ann, &second] {
        come_in(&state, key).await.unwrap();
    }
    // Each gate hears of both, with the record that the next change follows on; nothing that was given before is void.
    let view = state.trust().current().unwrap();
    let told = &view.people[&human("ann")];
    assert_eq!(told.keys.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), [ann.key(), second.key()]);
    assert_eq!((told.keys_head.as_str(), told.since_ms), (named(&adding.to_bytes()).as_str(), 0));
    assert!(told.signed(Context::Decision, b"yes", &second.sign(Context::Decision, b"yes")));
    assert!(!told.signed(Context::Decision, b"yes", &second.sign(Context::Mark, b"yes")));
    // On record before it held, and that it holds; by whom.
    let record = bodh_token::sha256(&adding.to_bytes());
    for (action, kind) in [("change_keys", Kind::Decision), (passkeys::KEYS, Kind::State)] {
        let entries = world.memory.of(action);
        let entry = entries.last().unwrap();
        assert_eq!((entry.kind, entry.resource.as_str()), (kind, human("ann").as_str()));
        assert_eq!((entry.actors.as_slice(), entry.commitments["record"]), (&[human("ann").to_string()][..], record));
    }
    // And after a start, which checks all of it again; the entry that says so is one.
    let state = world.restart(state).await;
    assert_eq!(state.registry().person(&human("ann")).unwrap().keys().held().len(), 2);
    come_in(&state, &second).await.unwrap();
    assert_eq!(world.memory.of(passkeys::KEYS).len(), 1);
}

#[tokio::test]
async fn whoever_has_a_key_that_was_removed_is_out_at_once() {
    let (world, state, ann) = with_ann().await;
    let (second, third) = (Authenticator::new(), Authenticator::new());
    let adding = next(&world, &state).adding(&second.key());
    change(&state, "ann", signed(&adding, Some(&ann), Some(&second))).await.unwrap();
    let stolen = come_in(&state, &second).await.unwrap();
    assert_eq!(state.trust().current().unwrap().check_peer(&human("ann"), certified_ms(&state, &stolen)), Ok(()));

    let removing = next(&world, &state).removing([named(&second.key())]);
    assert_eq!(change(&state, "ann", signed(&removing, Some(&second), None)).await, Err("bad_signature"), "itself");
    assert_eq!(change(&state, "ann", signed(&removing, Some(&ann), None)).await, Ok(1));
    assert_eq!(come_in(&state, &second).await.err(), Some("door"));
    let view = state.trust().current().unwrap();
    assert_eq!(
        view.check_peer(&human("ann"), certified_ms(&state, &stolen)),
        Err(Refusal::KeyGone),
        "what it was given is void"
    );
    // In the very same second the key that stays opens the door.
    let fresh = come_in(&state, &ann).await.unwrap();
    assert_eq!(view.check_peer(&human("ann"), certified_ms(&state, &fresh)), Ok(()));
    // It never comes back, and it signs for nobody else.
    let again = next(&world, &state).adding(&second.key());
    assert_eq!(change(&state, "ann", signed(&again, Some(&ann), Some(&second))).await, Err("taken"));
    let bob = invitation("bob", &["approver"], &world.operator, "local", world.time() + HOUR);
    let bob = second.accept(&second.record("bob", &["approver"], &bob, world.time()));
    assert_eq!(door::accept(&state, &client(), &bob).await.map(drop).map_err(|e| e.code()), Err("taken"));
    // Not even after a start.
    let state = world.restart(state).await;
    let view = state.trust().current().unwrap();
    assert_eq!(view.check_peer(&human("ann"), certified_ms(&state, &stolen)), Err(Refusal::KeyGone));
    // The last one stays.
    let last = next(&world, &state).removing([named(&ann.key())]);
    assert_eq!(change(&state, "ann", signed(&last, Some(&ann), None)).await, Err("last_key"));
    let unknown = next(&world, &state).removing([named(&third.key())]);
    assert_eq!(change(&state, "ann", signed(&unknown, Some(&ann), None)).await, Err("other_keys"));
}

#[tokio::test]
async fn changes_are_refused_for_the_right_reason() {
    let (world, state, ann) = with_ann().await;
    let (second, stranger) = (Authenticator::new(), Authenticator::new());
    let adding = next(&world, &state).adding(&second.key());
    let good = signed(&adding, Some(&ann), Some(&second));
    let code = async |by: &str, sent: SignedChange| change(&state, by, sent).await.unwrap_err();
    assert_eq!(code("local", good.clone()).await, "not_the_signer", "for somebody else");
    assert_eq!(code("ann", signed(&adding, Some(&stranger), Some(&second))).await, "bad_signature", "a stranger's");
    assert_eq!(code("ann", signed(&adding, Some(&second), Some(&second))).await, "bad_signature", "the new one alone");
    assert_eq!(code("ann", signed(&adding, Some(&ann), Some(&ann))).await, "bad_signature", "the new one did not sign");
    assert_eq!(code("ann", signed(&adding, Some(&ann), None)).await, "bad_signature");
    let mut other = good.clone();
    other.by_own = ann.sign(Context::Decision, &good.record);
    assert_eq!(code("ann", other).await, "bad_signature", "for another purpose");
    let mut changed = good.clone();
    changed.record = next(&world, &state).adding(&stranger.key()).to_bytes();
    assert_eq!(code("ann", changed).await, "bad_signature", "another key");
    let own = next(&world, &state).adding(&ann.key());
    assert_eq!(code("ann", signed(&own, Some(&ann), Some(&ann))).await, "taken");
    let elsewhere = KeyChange { after: named(b"other"), ..adding.clone() };
    assert_eq!(code("ann", signed(&elsewhere, Some(&ann), Some(&second))).await, "other_keys");
    let old = KeyChange::new(human("ann").as_str(), &adding.after, world.time() - 25 * HOUR).adding(&second.key());
    assert_eq!(code("ann", signed(&old, Some(&ann), Some(&second))).await, "stale");
    let spaced = SignedChange { record: [good.record.as_slice(), b" "].concat(), ..good.clone() };
    assert_eq!(code("ann", spaced).await, "malformed");
    assert_eq!(code("ann", SignedChange { by_new: vec![0; 5000], ..good.clone() }).await, "malformed");
    // Another person's key is nobody else's, were they to sign with it too.
    let link = invitation("bob", &["approver"], &world.operator, "local", world.time() + HOUR);
    let bob = stranger.accept(&stranger.record("bob", &["approver"], &link, world.time()));
    door::accept(&state, &client(), &bob).await.unwrap();
    let bobs = next(&world, &state).adding(&stranger.key());
    assert_eq!(code("ann", signed(&bobs, Some(&ann), Some(&stranger))).await, "taken");
    // Who signs with a key file has that one.
    let head = state.registry().person(&human("local")).unwrap().keys().head().to_owned();
    let local = KeyChange::new(human("local").as_str(), &head, world.time()).adding(&second.key()).to_bytes();
    let by_own = world.operator.sign(Context::Keys, &local).unwrap().to_vec();
    let sent = SignedChange { by_new: second.sign(Context::Keys, &local), record: local, by_own };
    assert_eq!(code("local", sent).await, "malformed");
    // The same again follows on a record that is not the last any more.
    assert_eq!(change(&state, "ann", good.clone()).await, Ok(2));
    assert_eq!(code("ann", good).await, "other_keys");
    people::revoke(&state, &human("ann"), &human("local"), "left", "").await.unwrap_err();
    people::revoke(&state, &human("local"), &human("ann"), "left", "").await.unwrap();
    let late = next(&world, &state).removing([named(&second.key())]);
    assert_eq!(code("ann", signed(&late, Some(&ann), None)).await, "revoked");
    assert_eq!(world.memory.of(passkeys::KEYS).len(), 1, "one change was taken");
}

#[tokio::test]
async fn keys_and_changes_of_them_are_bounded() {
    let (world, state, ann) = with_ann().await;
    for held in 2..=MAX_HELD {
        let more = Authenticator::new();
        let adding = next(&world, &state).adding(&more.key());
        assert_eq!(change(&state, "ann", signed(&adding, Some(&ann), Some(&more))).await, Ok(held));
    }
    let one_more = Authenticator::new();
    let adding = next(&world, &state).adding(&one_more.key());
    assert_eq!(change(&state, "ann", signed(&adding, Some(&ann), Some(&one_more))).await, Err("too_many"));
    // One is taken away and another comes, until there have been as many changes as there may be.
    for _ in MAX_HELD - 1..MAX_CHANGES {
        let last = state.registry().person(&human("ann")).unwrap().keys().held().last().unwrap().key.clone();
        let full = state.registry().person(&human("ann")).unwrap().keys().held().len() == MAX_HELD;
        let (fresh, record) = (Authenticator::new(), next(&world, &state));
        let sent = if full {
            signed(&record.removing([named(&last)]), Some(&ann), None)
        } else {
            signed(&record.adding(&fresh.key()), Some(&ann), Some(&fresh))
        };
        change(&state, "ann", sent).await.unwrap();
    }
    let person = state.registry().person(&human("ann")).unwrap();
    assert_eq!(person.changes.len(), MAX_CHANGES);
    let removing = next(&world, &state).removing([named(&person.keys().held().last().unwrap().key)]);
    assert_eq!(change(&state, "ann", signed(&removing, Some(&ann), None)).await, Err("too_many"));
}

#[tokio::test]
async fn an_operators_link_replaces_all_that_were_lost_once() {
    let (world, state, ann) = with_ann().await;
    let (second, new) = (Authenticator::new(), Authenticator::new());
    let adding = next(&world, &state).adding(&second.key());
    change(&state, "ann", signed(&adding, Some(&ann), Some(&second))).await.unwrap();
    let given = come_in(&state, &ann).await.unwrap();
    let invited = recovery(&world, &state, "local");
    let sent = signed(&replacing(&world, &state, &new, &link(&invited, &world.operator)), None, Some(&new));
    recover(&state, sent.clone()).await.unwrap();
    for lost in [&ann, &second] {
        assert_eq!(come_in(&state, lost).await.err(), Some("door"));
    }
    let view = state.trust().current().unwrap();
    assert_eq!(view.check_peer(&human("ann"), certified_ms(&state, &given)), Err(Refusal::KeyGone));
    come_in(&state, &new).await.unwrap();
    let entries = world.memory.of(door::RECOVER_KEYS);
    assert_eq!(entries.last().unwrap().actors, [human("local").to_string()], "it is the operator's act");
    assert_eq!(recover(&state, sent).await, Err("other_keys"), "it names the record before it");
    let state = world.restart(state).await;
    come_in(&state, &new).await.unwrap();
    assert_eq!(world.memory.of(passkeys::KEYS).last().unwrap().actors, [human("local").to_string()]);
}

#[tokio::test]
async fn links_for_lost_keys_are_refused_for_the_right_reason() {
    let (world, state, ann) = with_ann().await;
    let (new, stranger) = (Authenticator::new(), PersonKey::generate().unwrap());
    let invited = recovery(&world, &state, "local");
    let with = |invited: &Invitation, by: &PersonKey| {
        signed(&replacing(&world, &state, &new, &link(invited, by)), None, Some(&new))
    };
    let code = async |sent: SignedChange| recover(&state, sent).await.unwrap_err();
    assert_eq!(code(with(&invited, &stranger)).await, "not_invited", "forged");
    let more = Invitation { roles: vec!["operator".into()], ..invited.clone() };
    assert_eq!(code(with(&more, &world.operator)).await, "not_invited", "other roles");
    let bob = Invitation { name: "bob".into(), id: human("bob").to_string(), ..invited.clone() };
    assert_eq!(code(with(&bob, &world.operator)).await, "not_invited", "another person");
    let enrols = Invitation { replaces: None, ..invited.clone() };
    assert_eq!(code(with(&enrols, &world.operator)).await, "not_invited", "an invitation to enrol");
    let other = Invitation { replaces: Some(named(b"other")), ..invited.clone() };
    assert_eq!(code(with(&other, &world.operator)).await, "not_invited", "of other keys");
    // One to replace keys enrols nobody.
    let record = new.record("ann", &["approver"], &link(&invited, &world.operator), world.time());
    let accepted = door::accept(&state, &client(), &new.accept(&record)).await;
    assert_eq!(accepted.map(drop).map_err(|e| e.code()), Err("not_invited"));
    // The new key signs, or nothing happens; and no key may stay.
    let good = replacing(&world, &state, &new, &link(&invited, &world.operator));
    assert_eq!(code(signed(&good, None, Some(&ann))).await, "bad_signature");
    assert_eq!(code(signed(&good, None, None)).await, "bad_signature");
    let keeps = KeyChange { remove: vec![named(b"none")], ..good.clone() };
    assert_eq!(code(signed(&keeps, None, Some(&new))).await, "other_keys");
    // Nor is it taken from somebody who is signed in, in the place of a signature of theirs.
    assert_eq!(change(&state, "ann", signed(&good, None, Some(&new))).await, Err("not_invited"));
    // Nobody invites themself: an operator who has lost their keys asks another.
    let (olga, fresh) = (Authenticator::new(), Authenticator::new());
    let olgas = invitation("olga", &["operator"], &world.operator, "local", world.time() + HOUR);
    let request = olga.accept(&olga.record("olga", &["operator"], &olgas, world.time()));
    door::accept(&state, &client(), &request).await.unwrap();
    let person = state.registry().person(&human("olga")).unwrap();
    let own =
        Invitation::new(("olga", DOMAIN), &["operator"], human("olga").as_str(), &"4".repeat(32), world.time() + HOUR);
    let own = Invitation { replaces: Some(person.keys().head().to_owned()), ..own }.to_bytes();
    let own = SignedInvitation { signature: olga.sign(Context::Invitation, &own), invitation: own }.to_link();
    let record = KeyChange::new(human("olga").as_str(), person.keys().head(), world.time());
    let record = record.adding(&fresh.key()).removing([named(&olga.key())]);
    let record = KeyChange { invitation: Some(own), ..record };
    assert_eq!(code(signed(&record, None, Some(&fresh))).await, "not_invited", "for oneself");
    // It is void once her keys have changed, once its time is over, and once its signer is no operator.
    world.forward(2 * HOUR);
    let late = replacing(&world, &state, &new, &link(&invited, &world.operator));
    assert_eq!(code(signed(&late, None, Some(&new))).await, "stale");
    people::revoke(&state, &human("local"), &human("olga"), "left", "").await.unwrap();
    let invited = recovery(&world, &state, "olga");
    assert_eq!(code(with(&invited, &world.operator)).await, "revoked");
    let invited = recovery(&world, &state, "local");
    let before = with(&invited, &world.operator);
    let second = Authenticator::new();
    let adding = next(&world, &state).adding(&second.key());
    change(&state, "ann", signed(&adding, Some(&ann), Some(&second))).await.unwrap();
    assert_eq!(code(before).await, "other_keys");
    let sent = signed(&replacing(&world, &state, &new, &link(&invited, &world.operator)), None, Some(&new));
    assert_eq!(code(sent).await, "not_invited");
    // Each is in the record, counted.
    state.refusals().write(state.ledger());
    let flush = bodh_audit_log::Draft::new(Kind::Note, "flush", state.ledger().next_key());
    state.ledger().record(flush).await.unwrap();
    let counted: u64 = world.memory.of(door::RECOVER_KEYS).iter().map(|draft| draft.count).sum();
    assert_eq!(counted, 13);
}

#[tokio::test]
async fn what_is_stored_is_checked_again_at_every_start() {
    for forge in ["UPDATE key_changes SET by_own = zeroblob(64)", "UPDATE key_changes SET enrolled = 1"] {
        let (world, state, ann) = with_ann().await;
        let second = Authenticator::new();
        let adding = next(&world, &state).adding(&second.key());
        change(&state, "ann", signed(&adding, Some(&ann), Some(&second))).await.unwrap();
        state.store().close().await;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.path("guardian/guardian.db"));
        let database = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let refused = sqlx::raw_sql(forge).execute(&database).await.unwrap_err();
        assert!(refused.to_string().contains("never changed"), "{refused}");
        let deleted = sqlx::raw_sql("DELETE FROM key_changes").execute(&database).await.unwrap_err();
        assert!(deleted.to_string().contains("never removed"), "{deleted}");
        sqlx::raw_sql("DROP TRIGGER key_changes_are_not_changed").execute(&database).await.unwrap();
        sqlx::raw_sql(forge).execute(&database).await.unwrap();
        database.close().await;
        let error = world.open_with(&world.config()).await.map(drop).unwrap_err().to_string();
        assert!(error.contains("human/ann are not signed"), "{error}");
    }
}
