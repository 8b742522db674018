//! Around the token: the wrong caller, a revoked one, a gate that hears nothing, a record that takes nothing.

use super::{
    forgery::{chain, name},
    guarded::{Convene, DOMAIN, FindPatient, HOLDER, World, id, question, view, with_tokens},
};
use crate::harness::until;
use bodh_audit_log::{Kind, Verdict};
use bodh_gate::{Caller, Entity, Facts, Outcome, Permit, Refusal, STALE_AFTER, Trust, View};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::atomic::Ordering,
    time::Duration,
};
use tonic::{Code, Status};

const SOON: Duration = Duration::from_secs(5);

async fn ask(world: &World, who: &str, number: u8) -> Result<(), Status> {
    let (root, call) = chain(number).write();
    world.client(who).ask(with_tokens(question(), Some(&root), Some(&call))).await.map(drop)
}

#[track_caller]
fn refused(answer: Result<(), Status>, code: Code, cause: &str) {
    let status = answer.expect_err(cause);
    assert_eq!((status.code(), status.message()), (code, cause));
}

fn ada() -> Caller {
    Caller { id: id("/human/ada"), certified_ms: 0, root: None, call: None, step: None }
}

fn panel() -> Facts {
    Facts::about(Entity::new("Panel", "panel"))
}

#[tokio::test]
async fn agents_people_and_other_services_cannot_ask_an_agent() {
    let world = World::new().await;
    world.pass(2_500);
    // Each with the orchestrator's own good token, stolen.
    for (number, who) in ["/agent/intake", "/agent/diagnostician", "/service/audit", "/human/ada"].iter().enumerate() {
        refused(ask(&world, who, 1).await, Code::PermissionDenied, "not_a_caller");
        let refusals = world.kept.of(Kind::Refusal);
        assert_eq!((world.kept.all().len(), refusals.len()), (number + 1, number + 1));
        let entry = refusals.last().unwrap();
        assert_eq!((entry.cause.as_str(), &entry.actors), ("not_a_caller", &vec![name(who)]));
    }
    assert!(world.reached() == 0 && world.has_cells(1), "no cell but the one that is kept ready");
    ask(&world, HOLDER, 1).await.expect("their tries did not use it up");
    assert!(world.reached() == 1 && world.has_cells(2), "now one works for the session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_peer_is_refused_and_cut_off_in_the_middle_of_a_call() {
    let world = World::new().await;
    world.pass(2_500);
    // The gate has heard of it first; the connection is still up.
    let revoked = View { revoked: HashSet::from([id(HOLDER)]), ..view() };
    world.gate.trust().replace(revoked);
    refused(ask(&world, HOLDER, 1).await, Code::PermissionDenied, "revoked");
    assert_eq!(world.kept.of(Kind::Refusal).last().unwrap().cause, "revoked");
    world.gate.trust().replace(view());

    world.stop_the_cell();
    let (root, call) = chain(2).write();
    let mut client = world.client(HOLDER);
    let mut again = client.clone();
    let asking = tokio::spawn(async move { client.ask(with_tokens(question(), Some(&root), Some(&call))).await });
    assert!(until(SOON, || world.reached() == 1), "the call is under way");
    assert!(world.connections.live_of(&id(HOLDER)) >= 1);
    let cut = world.connections.set_revoked(BTreeSet::from([id(HOLDER)]));
    assert!(cut >= 1, "its live connection is closed");
    let ended = tokio::time::timeout(SOON, asking).await.expect("the call ends at once").unwrap();
    assert_ne!(ended.expect_err("and not with an answer").code(), Code::Ok);
    assert!(until(SOON, || world.connections.live_of(&id(HOLDER)) == 0));

    // Its permit was dropped: the record says so.
    assert!(until(SOON, || !world.kept.of(Kind::Outcome).is_empty()), "{:?}", world.kept.all());
    let outcomes = world.kept.of(Kind::Outcome);
    assert_eq!(
        (outcomes.len(), outcomes[0].verdict, outcomes[0].cause.as_str()),
        (1, Some(Verdict::Interrupted), "dropped")
    );

    // And it does not come in again.
    let (root, call) = chain(3).write();
    again.ask(with_tokens(question(), Some(&root), Some(&call))).await.unwrap_err();
    assert!(until(SOON, || world.turned_away.lock().unwrap().contains(&"revoked")));
    assert_eq!(world.reached(), 1);
}

#[tokio::test]
async fn a_gate_that_hears_nothing_refuses_everything() {
    let world = World::with(Trust::followed).await;
    world.pass(2_500);
    refused(ask(&world, HOLDER, 1).await, Code::Unavailable, "stale_trust");
    world.gate.trust().replace(view());
    refused(ask(&world, HOLDER, 1).await, Code::Unavailable, "stale_trust");
    world.gate.trust().heard();
    ask(&world, HOLDER, 1).await.expect("fresh");

    let limit = i64::try_from(STALE_AFTER.as_millis()).unwrap();
    world.pass(limit);
    ask(&world, HOLDER, 2).await.expect("as old as it may be");
    world.pass(1);
    refused(ask(&world, HOLDER, 3).await, Code::Unavailable, "stale_trust");
    let entry = world.kept.all().pop().unwrap();
    assert_eq!((entry.kind, entry.cause.as_str()), (Kind::Refusal, "stale_trust"));
    // Whoever asks, for whatever; even what this gate wants to do itself.
    refused(ask(&world, "/agent/intake", 3).await, Code::Unavailable, "stale_trust");
    let person = world.gate.admit::<Convene>(&ada(), panel()).await.map(drop);
    assert_eq!(person, Err(Refusal::Stale));
    let own = world.gate.rule(
        "dismiss",
        Entity::new("Tool", "a").with("agent", "a").with("name", "b"),
        serde_json::json!({}),
    );
    assert_eq!(own.map(drop), Err(Refusal::Stale));
    world.gate.trust().heard();
    ask(&world, HOLDER, 3).await.expect("heard again");
    assert_eq!(world.reached(), 3);
}

#[tokio::test]
async fn a_person_enrolled_a_moment_ago_is_waited_for_and_a_stranger_is_refused() {
    let world = World::with(Trust::followed).await;
    let trust = world.gate.trust().clone();
    // The guardian gave ada a certificate, and this gate's feed has not told of her yet.
    trust.replace(View { people: HashMap::new(), ..view() });
    trust.heard();
    let gate = world.gate.clone();
    let early = tokio::spawn(async move { gate.admit::<Convene>(&ada(), panel()).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!early.is_finished() && world.kept.all().is_empty(), "neither refused nor admitted");
    trust.replace(view());
    assert_eq!(early.await.unwrap(), Ok(()));

    let stranger = Caller { id: id("/human/eve"), ..ada() };
    assert_eq!(world.gate.admit::<Convene>(&stranger, panel()).await.map(drop), Err(Refusal::UnknownPerson));
    let refusals = world.kept.of(Kind::Refusal);
    assert_eq!((refusals.len(), refusals[0].cause.as_str()), (1, "unknown_person"));
    // Somebody who was revoked meanwhile is not waited for any longer.
    let gate = world.gate.clone();
    let revoked = tokio::spawn(async move { gate.admit::<Convene>(&stranger, panel()).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(50)).await;
    trust.replace(View { revoked: HashSet::from([id("/human/eve")]), ..view() });
    assert_eq!(revoked.await.unwrap(), Err(Refusal::Revoked));
}

#[tokio::test]
async fn a_certificate_from_before_a_key_was_lost_opens_nothing() {
    let world = World::with(Trust::followed).await;
    let trust = world.gate.trust().clone();
    let mut lost = view();
    lost.people.get_mut(&id("/human/ada")).unwrap().since_ms = 5_000;
    trust.replace(lost);
    trust.heard();
    let before = Caller { certified_ms: 4_000, ..ada() };
    let since = Caller { certified_ms: 5_000, ..ada() };
    assert_eq!(world.gate.admit::<Convene>(&before, panel()).await.map(drop), Err(Refusal::KeyGone));
    assert_eq!(world.gate.turn_away::<Convene>(&before, Entity::new("Panel", "panel")).await, Refusal::KeyGone);
    let refusals = world.kept.of(Kind::Refusal);
    assert_eq!(refusals.iter().map(|entry| entry.cause.as_str()).collect::<Vec<_>>(), ["key_gone", "key_gone"]);
    world.gate.admit::<Convene>(&since, panel()).await.map(drop).unwrap();
}

#[tokio::test]
async fn agents_and_services_do_not_find_a_patient() {
    let world = World::new().await;
    for (number, who) in
        ["/agent/intake", "/agent/supervisor", "/service/orchestrator", "/service/console"].iter().enumerate()
    {
        let caller = Caller { id: id(who), ..ada() };
        let asked = world.gate.admit::<FindPatient>(&caller, panel()).await.map(drop);
        assert_eq!(asked, Err(Refusal::NotACaller), "{who}");
        let refusals = world.kept.of(Kind::Refusal);
        let entry = refusals.last().unwrap();
        assert_eq!(
            (refusals.len(), entry.action.as_str(), &entry.actors),
            (number + 1, "find_patient", &vec![name(who)])
        );
    }
    // Nor a clinician, by policy.
    let refused = world.gate.admit::<FindPatient>(&ada(), panel()).await.map(drop);
    assert!(matches!(refused, Err(Refusal::Denied { .. })), "{refused:?}");
    assert_eq!(world.kept.all().len(), 5, "each one entry, and nothing else");
}

#[tokio::test]
async fn an_act_that_was_not_settled_is_recorded_as_interrupted() {
    let world = World::new().await;
    let permit: Permit<Convene> = world.gate.admit(&ada(), panel()).await.unwrap();
    assert_eq!(world.kept.of(Kind::Attempt).len(), 1, "durable before the act");
    drop(permit);
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if !world.kept.of(Kind::Outcome).is_empty() {
            break;
        }
    }
    let (attempts, outcomes) = (world.kept.of(Kind::Attempt), world.kept.of(Kind::Outcome));
    assert_eq!((outcomes.len(), outcomes[0].verdict), (1, Some(Verdict::Interrupted)));
    let stem = |key: &str| key.rsplit_once('/').unwrap().0.to_owned();
    assert_eq!(stem(&outcomes[0].key), stem(&attempts[0].key), "the outcome of this attempt");
    assert_eq!(outcomes[0].actors, vec![format!("spiffe://{DOMAIN}/human/ada")]);
}

#[tokio::test]
async fn without_a_record_nothing_begins_and_no_answer_leaves() {
    let world = World::new().await;
    world.pass(2_500);
    let broken = |is| world.kept.broken.store(is, Ordering::SeqCst);
    broken(true);
    let begun = world.gate.admit::<Convene>(&ada(), panel()).await.map(drop);
    assert_eq!(begun, Err(Refusal::NoRecord), "an act with an effect does not begin");
    // Thought may go on while its attempt is written, but what it came to is withheld.
    refused(ask(&world, HOLDER, 1).await, Code::Unavailable, "no_record");
    assert_eq!(world.reached(), 1);
    // A refusal that cannot be recorded is an outage to the caller: what is not recorded does not happen.
    refused(ask(&world, "/agent/intake", 2).await, Code::Unavailable, "no_record");
    assert!(world.kept.all().is_empty());

    broken(false);
    let permit: Permit<Convene> = world.gate.admit(&ada(), panel()).await.unwrap();
    broken(true);
    assert_eq!(world.gate.settle(permit, Outcome::ok()).await, Err(Refusal::NoRecord), "no outcome, no answer");
    broken(false);
    ask(&world, HOLDER, 3).await.expect("with a record again, a fresh call passes");
}
