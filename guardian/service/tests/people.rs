//! People: who may enrol and revoke whom, and how the gates hear of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use bodh_guardian::{error::Error, people, state::State, watch::MAX_WATCHERS};
use bodh_guardian_api::pb;
use bodh_identity::{
    SpiffeId,
    signing::{Context, PersonKey, Signer},
};
use futures_util::StreamExt;
use support::{World, enrolment, human, request, service};

fn person() -> PersonKey {
    PersonKey::generate().unwrap()
}

async fn enroll(state: &State, peer: &str, request: &pb::EnrollRequest) -> Result<(), &'static str> {
    people::enroll(state, &human(peer), request).await.map(drop).map_err(|error| error.code())
}

async fn revoke(state: &State, peer: &str, id: &SpiffeId) -> Result<u64, &'static str> {
    people::revoke(state, &human(peer), id, "a reason", "").await.map_err(|error| error.code())
}

async fn with_ada(world: &World) -> (Arc<State>, PersonKey) {
    let (state, ada) = (world.start().await, person());
    enroll(&state, "local", &world.enrol("ada", &["approver"], &ada)).await.unwrap();
    (state, ada)
}

#[tokio::test]
async fn an_operators_signed_record_enrols() {
    let world = World::new();
    let (state, ada) = with_ada(&world).await;
    let reply = state.trust_reply();
    let seen = reply.people.iter().find(|person| person.name == "ada").unwrap();
    assert_eq!((seen.id.as_str(), seen.keys[0].key.as_slice()), (human("ada").as_str(), ada.public_key().as_slice()));
    assert_eq!((seen.roles.as_slice(), seen.revoked), (["approver".to_owned()].as_slice(), false));
    assert_eq!(seen.enrolled_by, human("local").to_string());
    // What a gate is told can be checked against the operator's key.
    let holds = bodh_identity::signing::verify(&reply.operator_key, Context::Enrolment, &seen.record, &seen.signature);
    assert!(holds.is_ok());
    assert!(state.trust().current().unwrap().people.contains_key(&human("ada")), "the guardian's own gate knows too");
    let recorded = world.memory.of("enroll");
    assert_eq!((recorded.len(), recorded[0].resource.as_str()), (1, human("ada").as_str()));
}

#[tokio::test]
async fn enrolments_are_refused_for_the_right_reason() {
    let world = World::new();
    let (state, ada) = with_ada(&world).await;
    let (new, local, at) = (person(), human("local").to_string(), world.time());
    let record = |name: &str, key: &PersonKey, by: &str| enrolment(name, &["approver"], &key.public_key(), by, at);

    let good = world.enrol("bob", &["approver"], &new);
    assert_eq!(enroll(&state, "ada", &good).await, Err("not_the_signer"));
    let by_ada = request(&record("bob", &new, human("ada").as_str()), &ada);
    assert_eq!(enroll(&state, "ada", &by_ada).await, Err("not_operator"));
    let by_nobody = request(&record("bob", &new, human("eve").as_str()), &new);
    assert_eq!(enroll(&state, "eve", &by_nobody).await, Err("not_enrolled"));
    let forged = request(&record("bob", &new, &local), &new);
    assert_eq!(enroll(&state, "local", &forged).await, Err("bad_signature"));
    let own_name = request(&record("local", &new, &local), &world.operator);
    assert_eq!(enroll(&state, "local", &own_name).await, Err("self_enrolment"));
    let own_key = request(&record("bob", &world.operator, &local), &world.operator);
    assert_eq!(enroll(&state, "local", &own_key).await, Err("self_enrolment"));
    let used_name = request(&record("ada", &new, &local), &world.operator);
    assert_eq!(enroll(&state, "local", &used_name).await, Err("taken"));
    let used_key = request(&record("bob", &ada, &local), &world.operator);
    assert_eq!(enroll(&state, "local", &used_key).await, Err("taken"));
    let mut foreign = record("bob", &new, &local);
    foreign.id = "spiffe://other.internal/human/bob".to_owned();
    assert_eq!(enroll(&state, "local", &request(&foreign, &world.operator)).await, Err("malformed"));
    let mut spaced = good.clone();
    spaced.record.push(b' ');
    assert_eq!(enroll(&state, "local", &spaced).await, Err("malformed"));
    for by in [Duration::from_secs(25 * 3600), Duration::ZERO] {
        let at = if by.is_zero() { at + Duration::from_secs(3600) } else { at - by };
        let record = enrolment("bob", &["approver"], &new.public_key(), &local, at);
        assert_eq!(enroll(&state, "local", &request(&record, &world.operator)).await, Err("stale"));
    }
    assert_eq!(state.registry().people().len(), 2, "nothing was added");
    assert_eq!(enroll(&state, "local", &good).await, Ok(()));
}

#[tokio::test]
async fn a_name_is_used_once_also_after_revocation() {
    let world = World::new();
    let (state, _) = with_ada(&world).await;
    revoke(&state, "local", &human("ada")).await.unwrap();
    assert_eq!(enroll(&state, "local", &world.enrol("ada", &["approver"], &person())).await, Err("taken"));
}

#[tokio::test]
async fn revocations_are_refused_for_the_right_reason() {
    let world = World::new();
    let (state, _) = with_ada(&world).await;
    assert_eq!(revoke(&state, "ada", &human("local")).await, Err("not_operator"));
    assert_eq!(revoke(&state, "eve", &human("ada")).await, Err("not_enrolled"));
    assert_eq!(revoke(&state, "local", &human("eve")).await, Err("unknown"));
    assert_eq!(revoke(&state, "local", &service("unheard")).await, Err("unknown"));
    assert_eq!(revoke(&state, "local", &service("guardian")).await, Err("guardian_itself"));
    assert_eq!(revoke(&state, "local", &human("local")).await, Err("last_operator"));
    for reason in ["", "two\nlines", &"x".repeat(201)] {
        let refused = people::revoke(&state, &human("local"), &human("ada"), reason, "").await;
        assert!(matches!(refused, Err(Error::Malformed("reason"))));
    }
    // With a second operator the first can go, and then decides nothing any more.
    enroll(&state, "local", &world.enrol("second", &["operator"], &person())).await.unwrap();
    revoke(&state, "second", &human("local")).await.unwrap();
    assert_eq!(revoke(&state, "local", &human("ada")).await, Err("revoked"));
    assert_eq!(enroll(&state, "local", &world.enrol("bob", &["approver"], &person())).await, Err("revoked"));
}

#[tokio::test]
async fn a_revocation_is_told_at_once_and_once() {
    let world = World::new();
    let (state, _) = with_ada(&world).await;
    let mut feed = state.watchers().watch(state.registry()).unwrap();
    let first = feed.next().await.unwrap().unwrap();
    assert_eq!((first.epoch, first.revoked.len()), (state.registry().epoch(), 0));
    let epoch = revoke(&state, "local", &human("ada")).await.unwrap();
    let told = tokio::time::timeout(Duration::from_millis(100), feed.next()).await.unwrap().unwrap().unwrap();
    assert_eq!((told.epoch, told.revoked.as_slice()), (epoch, [human("ada").to_string()].as_slice()));
    assert_eq!(epoch, first.epoch + 1);
    assert!(state.trust().current().unwrap().revoked.contains(&human("ada")));
    // Again changes nothing.
    assert_eq!(revoke(&state, "local", &human("ada")).await, Ok(epoch));
    let next = feed.next().await.unwrap().unwrap();
    assert_eq!((next.epoch, next.revoked.len()), (epoch, 0), "only the heartbeat");
}

#[tokio::test]
async fn the_feed_beats_every_half_second() {
    let world = World::new();
    let state = world.start().await;
    let mut feed = state.watchers().watch(state.registry()).unwrap();
    feed.next().await.unwrap().unwrap();
    let began = tokio::time::Instant::now();
    for _ in 0..3 {
        feed.next().await.unwrap().unwrap();
    }
    let took = began.elapsed();
    assert!(took > Duration::from_millis(1300) && took < Duration::from_millis(1900), "{took:?}");
}

#[tokio::test]
async fn watchers_are_bounded_and_their_places_come_back() {
    let world = World::new();
    let state = world.start().await;
    let feeds: Vec<_> = (0..MAX_WATCHERS).map(|_| state.watchers().watch(state.registry()).unwrap()).collect();
    assert!(matches!(state.watchers().watch(state.registry()), Err(Error::TooMany("watchers"))));
    drop(feeds);
    assert!(state.watchers().watch(state.registry()).is_ok());
}

#[tokio::test]
async fn a_watcher_that_falls_behind_is_ended_and_not_fooled() {
    let world = World::new();
    let state = world.start().await;
    let mut feed = state.watchers().watch(state.registry()).unwrap();
    for n in 0..300 {
        let name = format!("p{n}");
        enroll(&state, "local", &world.enrol(&name, &["approver"], &person())).await.unwrap();
    }
    let mut ended = false;
    while let Some(notice) = feed.next().await {
        ended = notice.is_err();
    }
    assert!(ended);
}

#[tokio::test]
async fn without_a_record_nobody_is_enrolled_or_revoked() {
    let world = World::new();
    let (state, _) = with_ada(&world).await;
    world.memory.away.store(true, Ordering::SeqCst);
    tokio::time::pause();
    assert_eq!(enroll(&state, "local", &world.enrol("bob", &["approver"], &person())).await, Err("unrecorded"));
    assert_eq!(revoke(&state, "local", &human("ada")).await, Err("unrecorded"));
    assert_eq!(state.registry().people().len(), 2);
    assert!(!state.registry().is_revoked(&human("ada")));
}
