//! Messages that are no question to this agent: refused before any token is looked at, and each with its entry.

use super::{
    forgery::{chain, name},
    guarded::{HOLDER, ME, World, id, question, view, with_tokens},
};
use bodh_agent_api::pb::{self, question::Ask};
use bodh_audit_log::{Kind, Verdict};
use bodh_gate::View;
use std::collections::HashSet;
use tonic::{Code, Status};

fn asking(ask: Option<Ask>) -> pb::Question {
    pb::Question { ask }
}

fn chart(findings: Vec<pb::Finding>, age_days: u32) -> pb::Question {
    let subject = pb::Subject { age_days: Some(age_days), ..pb::Subject::default() };
    asking(Some(Ask::Differential(pb::DifferentialQuestion { subject: Some(subject), findings })))
}

/// What is no question at all, or is wrong in one field.
fn malformed() -> Vec<(&'static str, pb::Question)> {
    let finding = |term: &str| pb::Finding { term: term.to_owned(), ..pb::Finding::default() };
    vec![
        ("nothing asked", asking(None)),
        ("a term that is none", chart(vec![finding("canary-not-a-term")], 7)),
        ("a finding without origin", chart(vec![finding("HP:0001083")], 7)),
        ("more findings than a chart has", chart(vec![finding("HP:0001083"); 5_000], 7)),
        ("an age of a thousand years", chart(Vec::new(), 365_000)),
    ]
}

/// Good questions, to other agents.
fn others() -> Vec<(&'static str, pb::Question)> {
    let subject = Some(pb::Subject::default());
    let note = pb::IntakeQuestion { subject, note: "canary-note".to_owned(), coded: Vec::new() };
    let price = pb::PriceQuestion { tests: Vec::new(), spent_cents: 0, budget_cents: 1 };
    let second = pb::DifferentialQuestion { subject, findings: Vec::new() };
    vec![
        ("intake's", asking(Some(Ask::Extract(note)))),
        ("the cost guardian's", asking(Some(Ask::Price(price)))),
        ("the verifier's", asking(Some(Ask::SecondOpinion(second)))),
    ]
}

/// The caller learns a code alone; the record has one more entry, which says so and repeats nothing.
#[track_caller]
fn turned_away(world: &World, what: &str, answer: Result<(), Status>, who: &str, code: Code, cause: &str) {
    let status = answer.expect_err(what);
    assert_eq!((status.code(), status.message()), (code, cause), "{what}");
    let entry = world.kept.all().pop().expect("an entry");
    assert_eq!(
        (entry.kind, entry.verdict, entry.cause.as_str()),
        (Kind::Refusal, Some(Verdict::Deny), cause),
        "{what}"
    );
    assert_eq!((entry.action.as_str(), entry.resource.as_str()), ("ask", "diagnostician/unknown"), "{what}");
    assert_eq!(entry.actors, vec![name(who)], "{what}");
    assert!(!format!("{entry:?}").contains("canary"), "{what}");
}

async fn ask(world: &World, who: &str, question: pb::Question, number: u8) -> Result<(), Status> {
    let (root, call) = chain(number).write();
    world.client(who).ask(with_tokens(question, Some(&root), Some(&call))).await.map(drop)
}

#[tokio::test]
async fn what_is_no_question_or_another_agents_is_turned_away_with_an_entry() {
    let world = World::new().await;
    world.pass(2_500);
    let all: Vec<_> = malformed().into_iter().chain(others()).collect();
    for (what, wrong) in &all {
        let answer = ask(&world, HOLDER, wrong.clone(), 1).await;
        turned_away(&world, what, answer, HOLDER, Code::InvalidArgument, "malformed");
    }
    assert_eq!(world.kept.all().len(), all.len(), "one entry each, and no attempt");
    assert!(world.reached() == 0 && world.has_cells(1), "none of these reached a cell");
    ask(&world, HOLDER, question(), 1).await.expect("the token beside them was not used up");
}

#[tokio::test]
async fn who_may_not_ask_learns_only_that() {
    let world = World::new().await;
    world.pass(2_500);
    for who in ["/agent/intake", ME, "/service/audit", "/human/ada"] {
        for (what, wrong) in malformed() {
            let answer = ask(&world, who, wrong, 1).await;
            turned_away(&world, what, answer, who, Code::PermissionDenied, "not_a_caller");
        }
    }
    world.gate.trust().replace(View { revoked: HashSet::from([id(HOLDER)]), ..view() });
    let answer = ask(&world, HOLDER, asking(None), 1).await;
    turned_away(&world, "revoked", answer, HOLDER, Code::PermissionDenied, "revoked");
    world.gate.trust().replace(view());
    world.kept.broken.store(true, std::sync::atomic::Ordering::SeqCst);
    let status = ask(&world, HOLDER, asking(None), 1).await.expect_err("without a record");
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "no_record"));
}

#[tokio::test]
async fn a_gate_that_hears_nothing_judges_no_message_either() {
    let world = World::with(bodh_gate::Trust::followed).await;
    world.pass(2_500);
    let answer = ask(&world, HOLDER, asking(None), 1).await;
    turned_away(&world, "stale", answer, HOLDER, Code::Unavailable, "stale_trust");
}
