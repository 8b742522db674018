//! Tokens that are missing, stolen, stretched or made up, sent by the orchestrator's own identity.

use super::{
    forgery::{Forged, ISSUED, chain, name},
    guarded::{HOLDER, World, other_question, question, with_tokens},
};
use bodh_agent_api::pb;
use bodh_audit_log::{Kind, Verdict};
use tonic::{Code, Status};

type Change = fn(&mut Forged);

/// One thing wrong each, and the refusal that it meets.
const FORGERIES: &[(&str, Change)] = &[
    ("token_altered", |f| f.root_altered = true),
    ("token_altered", |f| f.call_altered = true),
    ("token_altered", |f| f.root_key = 9),
    ("token_altered", |f| f.call_key = 9),
    // The guardian's key is not the session's, nor the other way round.
    ("token_altered", |f| f.call_key = 1),
    ("token_altered", |f| f.root_key = 2),
    ("token_spliced", |f| f.spliced = true),
    ("token_wrong_issuer", |f| f.root.issuer = name("/service/audit")),
    ("token_wrong_policy", |f| f.root.policy_hash = [0; 32]),
    ("token_wrong_holder", |f| {
        f.root.holder = name("/service/audit");
        f.root.actors = vec![name("/human/ada"), name("/service/audit")];
    }),
    ("token_wrong_actors", |f| f.root.actors = vec![name("/human/eve"), name(HOLDER)]),
    ("token_audience_widened", |f| f.call.audience = name("/agent/intake")),
    ("token_tool_widened", |f| f.call.tool = "price".to_owned()),
    ("token_tool_widened", |f| f.root.tools = ["plan".to_owned()].into()),
    ("token_budget_widened", |f| f.call.budget_cents = 1_001),
    ("token_depth_exhausted", |f| f.root.depth = 0),
    ("token_depth_exhausted", |f| f.call.depth = 1),
    ("token_outlives", |f| f.root.expires_ms = f.call.expires_ms - 1),
    ("token_predates", |f| f.root.issued_ms += 500),
    ("token_lifetime", |f| f.call.expires_ms = ISSUED + 60_001),
    ("token_lifetime", |f| f.root.expires_ms = ISSUED + 300_001),
    ("token_retargeted", |f| f.call.audience = name("/agent/test_planner")),
    ("token_wrong_tool", |f| f.call.tool = "plan".to_owned()),
    ("token_wrong_arguments", |f| f.call.argument_hash = [5; 32]),
    ("token_not_yet_valid", |f| {
        f.root.issued_ms = ISSUED + 10_000;
        f.call.issued_ms = ISSUED + 10_000;
    }),
    ("token_before_start", |f| f.root.issued_ms = ISSUED - 2_000),
    ("token_expired", |f| f.call.expires_ms = ISSUED + 1_000),
];

/// The refusal reached the caller with this code and is the record's last entry; the work was not reached.
#[track_caller]
fn refused(
    world: &World,
    answer: Result<tonic::Response<pb::Opinion>, Status>,
    code: Code,
    cause: &str,
    call: Option<&str>,
) {
    let status = answer.expect_err(cause);
    assert_eq!((status.code(), status.message()), (code, cause));
    let entry = world.kept.all().pop().expect("an entry");
    assert_eq!((entry.kind, entry.verdict, entry.cause.as_str()), (Kind::Refusal, Some(Verdict::Deny), cause));
    assert_eq!((entry.action.as_str(), entry.actors), ("ask", vec![name(HOLDER)]));
    assert_eq!(entry.token, call.map(|call| bodh_token::sha256(call.as_bytes())), "the token can be found again");
}

#[tokio::test]
async fn every_forged_or_misused_token_is_refused_for_its_reason() {
    let world = World::new().await;
    world.pass(2_500);
    let mut client = world.client(HOLDER);
    for (number, (cause, change)) in FORGERIES.iter().enumerate() {
        let mut forged = chain(u8::try_from(number).unwrap());
        change(&mut forged);
        let (root, call) = forged.write();
        let answer = client.ask(with_tokens(question(), Some(&root), Some(&call))).await;
        refused(&world, answer, Code::Unauthenticated, cause, Some(&call));
    }
    let (root, call) = chain(200).write();
    for (root, call) in [(None, None), (Some(root.as_str()), None), (None, Some(call.as_str()))] {
        let answer = client.ask(with_tokens(question(), root, call)).await;
        refused(&world, answer, Code::Unauthenticated, "no_token", call);
    }
    // A token in the other's place, and no token at all.
    let swapped = client.ask(with_tokens(question(), Some(&call), Some(&root))).await;
    refused(&world, swapped, Code::Unauthenticated, "token_altered", Some(&root));
    let nonsense = client.ask(with_tokens(question(), Some("a"), Some("b"))).await;
    refused(&world, nonsense, Code::Unauthenticated, "token_malformed", Some("b"));
    // A right token, other arguments.
    let answer = client.ask(with_tokens(other_question(), Some(&root), Some(&call))).await;
    refused(&world, answer, Code::Unauthenticated, "token_wrong_arguments", Some(&call));
    // A right chain for another purpose: that is the policy's to refuse.
    let mut research = chain(201);
    research.root.purpose = "research".to_owned();
    let (other_root, other_call) = research.write();
    let answer = client.ask(with_tokens(question(), Some(&other_root), Some(&other_call))).await;
    refused(&world, answer, Code::PermissionDenied, "policy_denied", Some(&other_call));

    assert!(world.reached() == 0 && world.has_cells(1), "none of these reached a cell");
    assert_eq!(world.kept.all().len(), FORGERIES.len() + 7, "one entry each, and no attempt");
    assert_eq!(world.kept.of(Kind::Attempt).len(), 0);

    // The very token that was beside wrong arguments is still good, once.
    client.ask(with_tokens(question(), Some(&root), Some(&call))).await.unwrap();
    assert_eq!((world.reached(), world.kept.of(Kind::Attempt).len(), world.kept.of(Kind::Outcome).len()), (1, 1, 1));
    let answer = client.ask(with_tokens(question(), Some(&root), Some(&call))).await;
    refused(&world, answer, Code::Unauthenticated, "token_replayed", Some(&call));
    assert_eq!(world.reached(), 1);
}

/// The same token many times at once, over many connections: it is used once.
#[tokio::test(flavor = "multi_thread")]
async fn a_race_of_replays_has_one_winner() {
    let world = World::new().await;
    world.pass(2_500);
    let (root, call) = chain(1).write();
    let tries = (0..24).map(|_| {
        let (mut client, root, call) = (world.client(HOLDER), root.clone(), call.clone());
        tokio::spawn(async move { client.ask(with_tokens(question(), Some(&root), Some(&call))).await })
    });
    let mut codes = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        codes.push(one.await.unwrap().map_or_else(|status| status.message().to_owned(), |_| "ok".to_owned()));
    }
    codes.sort();
    assert_eq!((codes.remove(0).as_str(), codes), ("ok", vec!["token_replayed".to_owned(); 23]));
    assert_eq!((world.reached(), world.kept.of(Kind::Refusal).len()), (1, 23));
}

#[tokio::test]
async fn time_ends_a_call_and_then_its_root() {
    let world = World::new().await;
    world.pass(2_500);
    let mut client = world.client(HOLDER);
    let (root, call) = chain(1).write();
    world.pass(60_000);
    let answer = client.ask(with_tokens(question(), Some(&root), Some(&call))).await;
    refused(&world, answer, Code::Unauthenticated, "token_expired", Some(&call));
    // A fresh call under the same root still passes, until the root has ended too.
    let mut fresh = chain(1);
    (fresh.call.issued_ms, fresh.call.expires_ms) = (ISSUED + 60_000, ISSUED + 120_000);
    let (root, call) = fresh.write();
    client.ask(with_tokens(question(), Some(&root), Some(&call))).await.unwrap();
    world.pass(60_000);
    let answer = client.ask(with_tokens(question(), Some(&root), Some(&call))).await;
    refused(&world, answer, Code::Unauthenticated, "token_expired", Some(&call));
    assert_eq!(world.reached(), 1);
}
