//! Reversals of a review rule that nobody signed, or that were signed for something else.

use super::visitor::{Visitor, now_ms, says};
use crate::harness::{MARFAN, Stage, Up, sample};
use bodh_identity::signing::{Context, Signer};
use bodh_panel::Reversal;
use bodh_panel_api::pb;
use data_encoding::HEXLOWER;
use serde_json::Value;
use tonic::{Code, Status};

const CLAIM: &str = "OMIM:154700/HP:0001083";

/// The rule that a marked case leaves behind: its id.
fn rule(stage: &Stage) -> String {
    let report = stage.diagnose(sample(MARFAN), &[]).ended(3).json();
    let session = report["session"].as_str().unwrap();
    let line = ["incident", "mark", session, CLAIM, "--reason", "the lens is in place", "--state", "DIR"];
    let marked = stage.bodh(&[&line[..], &["--as", "ann", "--json"]].concat()).ended(0).json();
    marked["rule"]["id"].as_str().unwrap().to_owned()
}

fn about(rule: &str, signer: &Visitor, nonce: u8) -> Reversal {
    Reversal {
        rule: rule.to_owned(),
        reason: "too wide".to_owned(),
        signer: signer.id.to_string(),
        nonce: HEXLOWER.encode(&[nonce; 16]),
        at_unix_ms: now_ms(),
    }
}

async fn send(who: &Visitor, rule: &str, reversal_json: Vec<u8>, signature: Vec<u8>) -> Result<(), Status> {
    let request = pb::ReverseRuleRequest { rule: rule.to_owned(), reversal_json, signature };
    who.panel().reverse_rule(request).await.map(drop)
}

async fn reverse(who: &Visitor, rule: &str, reversal: &Reversal, context: Context) -> Result<(), Status> {
    let statement = reversal.to_bytes();
    let signature = who.key.sign(context, &statement).unwrap().to_vec();
    send(who, rule, statement, signature).await
}

fn standing(stage: &Stage, rule: &str) -> Value {
    let said = stage.bodh(&["rules", "--state", "DIR", "--json"]).ended(0).json();
    said["rules"].as_array().unwrap().iter().find(|one| one["id"] == *rule).unwrap().clone()
}

fn panel(stage: &Stage) -> Up {
    let up = stage.up();
    stage.physician("ann");
    up
}

#[track_caller]
fn refused(code: Code, says: &str, answer: Result<(), Status>) {
    let status = answer.expect_err(says);
    assert_eq!(status.code(), code, "{status}");
    assert!(status.message().contains(says), "{says}: {status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_reversed_by_what_its_signer_signed_and_once() {
    let stage = Stage::new();
    let up = panel(&stage);
    let (one, other) = (rule(&stage), rule(&stage));
    stage.physician("ben");
    let (ann, ben) = (Visitor::enter(&stage, &up, "ann").await, Visitor::enter(&stage, &up, "ben").await);
    let right = about(&one, &ann, 1);

    // Signed for the one rule, sent for the other.
    refused(Code::PermissionDenied, "another rule", reverse(&ann, &other, &right, Context::Reversal).await);
    // Signed for another purpose, by another person, in another's name.
    refused(Code::PermissionDenied, "does not hold", reverse(&ann, &one, &right, Context::Mark).await);
    refused(Code::PermissionDenied, "not the caller", reverse(&ben, &one, &right, Context::Reversal).await);
    let posing = about(&one, &ben, 2);
    refused(Code::PermissionDenied, "does not hold", {
        let statement = posing.to_bytes();
        let signature = ann.key.sign(Context::Reversal, &statement).unwrap().to_vec();
        send(&ben, &one, statement, signature).await
    });
    // Without a signature, without a reason, not a statement at all, an hour old.
    refused(Code::PermissionDenied, "does not hold", send(&ann, &one, right.to_bytes(), Vec::new()).await);
    let silent = Reversal { reason: " ".to_owned(), ..right.clone() };
    refused(Code::PermissionDenied, "reason is empty", reverse(&ann, &one, &silent, Context::Reversal).await);
    refused(Code::PermissionDenied, "not the expected", send(&ann, &one, b"{}".to_vec(), vec![0; 64]).await);
    let old = Reversal { at_unix_ms: now_ms() - 3_600_000, ..right.clone() };
    refused(Code::PermissionDenied, "ten minutes", reverse(&ann, &one, &old, Context::Reversal).await);
    let nowhere = about("rule-0", &ann, 3);
    refused(Code::NotFound, "no such rule", reverse(&ann, "rule-0", &nowhere, Context::Reversal).await);
    for rule in [&one, &other] {
        assert_eq!(standing(&stage, rule)["reversed"], false, "{rule}");
    }

    reverse(&ann, &one, &right, Context::Reversal).await.unwrap();
    refused(Code::FailedPrecondition, "reversed already", reverse(&ann, &one, &right, Context::Reversal).await);
    // The number of a statement that was used is used, whatever else it says.
    let replayed = Reversal { rule: other.clone(), ..right.clone() };
    refused(Code::FailedPrecondition, "", reverse(&ann, &other, &replayed, Context::Reversal).await);
    assert_eq!(standing(&stage, &other)["reversed"], false);

    // Each of them is an outcome in the record, with its cause.
    let outcomes = Visitor::enter(&stage, &up, "local").await.entries("outcome").await;
    let of = |cause: &str| {
        let fields = [("action", "reverse_rule"), ("cause", cause), ("verdict", "failed")];
        outcomes.iter().filter(|entry| says(entry, &fields)).count()
    };
    assert_eq!((of("signature"), of("no_such"), of("stale"), of("store")), (8, 1, 1, 1), "{outcomes:#?}");
}
