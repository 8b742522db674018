//! Deciding: the statement is made of exactly the record that was shown, the passkey signs it, the orchestrator judges it.

use super::touch::{self, Act, Touched};
use crate::{
    app::{App, Signed},
    fault::Fault,
    session::nonce,
};
use axum::{
    Form, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use bodh_clinical::TestId;
use bodh_identity::signing::Context;
use bodh_panel::{Decision, Escalation, Verdict};
use bodh_panel_api::pb;
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// A decision on this escalation.
fn act(escalation: &str) -> Act {
    Act(Context::Decision, escalation.to_owned())
}

/// The form.
#[derive(Debug, Deserialize)]
pub(crate) struct Chosen {
    /// SHA-256 of the record that the page shows.
    record: String,
    #[serde(default)]
    verdict: String,
    /// With `ask`: the test or question; empty for what only words can say.
    #[serde(default)]
    asked: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    reason: String,
}

/// Reasons: HL7's for overriding, and one for agreeing.
pub(crate) const CODES: [(&str, &str); 7] = [
    ("agrees", "Agrees with the evidence"),
    ("disagrees_with_evidence", "Disagrees with the evidence"),
    ("not_applicable", "Not applicable to this patient"),
    ("suboptimal_context", "The context was not enough"),
    ("outcome_concerns", "Concerns about the outcome"),
    ("preferences", "The patient's or the team's preferences"),
    ("not_feasible", "Not feasible here"),
];

/// What a signature on a decision means.
pub(crate) const MEANING: &str = "I have reviewed exactly the record shown, and this decision on it is mine.";

pub(crate) async fn options(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    signed: Signed,
    headers: HeaderMap,
    Form(chosen): Form<Chosen>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let who = &signed.0;
    let record = match who.records.get(&id) {
        Some(record) => record,
        // Signed in anew since the page was loaded: the record is opened again, and has to be the same.
        None => super::escalation::open(&signed, &id).await.map_err(Fault::in_json)?.0,
    };
    if sha256(&record) != chosen.record {
        let happened = "This page does not show the record as it is now. Load it again; what you typed is still here.";
        return Err(Fault::new(StatusCode::CONFLICT, "Open it again", happened).in_json());
    }
    let shown: Escalation = serde_json::from_slice(&record).map_err(|_| Fault::internal("a record").in_json())?;
    let decision = decision(who, &shown, &chosen)?;
    touch::ask(&app, who, act(&id), decision.to_bytes())
}

pub(crate) async fn answer(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    signed: Signed,
    headers: HeaderMap,
    Json(touched): Json<Touched>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let who = &signed.0;
    let given = touch::take(&app, &signed, &act(&id), &touched)?;
    let decision = Decision::from_bytes(&given.statement).map_err(|_| Fault::internal("a decision").in_json())?;
    let request = pb::DecideRequest {
        escalation: id,
        decision_json: given.statement,
        signature: given.signature,
        access: who.access(&decision.session),
    };
    let decided = who.panel.clone().decide(request).await;
    let mut events = decided.map_err(|status| Fault::of(&status).in_json())?.into_inner();
    // The session goes on by itself; whoever decided sees it on its page.
    tokio::spawn(async move { while let Ok(Some(_)) = events.message().await {} });
    Ok(Json(json!({ "next": format!("/sessions/{}", decision.session) })))
}

fn decision(who: &crate::signed_in::SignedIn, shown: &Escalation, chosen: &Chosen) -> Result<Decision, Fault> {
    let bad = |happened: &str| Fault::bad(happened).in_json();
    let verdict = match chosen.verdict.as_str() {
        "approve" => Verdict::Approve,
        "deny" => Verdict::Deny,
        "amend" => Verdict::Amend,
        "ask" => Verdict::Ask,
        _ => return Err(bad("Choose what you decide.")),
    };
    let (code, _) = CODES.iter().find(|(code, _)| *code == chosen.code).ok_or_else(|| bad("Choose a reason."))?;
    let words = chosen.reason.trim();
    if words.is_empty() || words.len() > 4000 {
        return Err(bad("Say why in your own words: something, and at most 4,000 bytes."));
    }
    let named = Some(chosen.asked.trim()).filter(|named| verdict == Verdict::Ask && !named.is_empty());
    let asked = named.map(TestId::parse).transpose().map_err(|_| bad("Choose what you ask for from the list."))?;
    let own = who.own.get(&shown.id).map(|own| format!("\nNoted before the differential was shown: {own}"));
    Ok(Decision {
        escalation: shown.id.clone(),
        session: shown.session.clone(),
        record_sha256: chosen.record.clone(),
        verdict,
        asked,
        kind: shown.kind.clone(),
        action: shown.action.clone(),
        amount_cents: shown.amount_cents,
        reason: format!("{code}: {words}{}", own.unwrap_or_default()),
        meaning: MEANING.to_owned(),
        signer: who.id.to_string(),
        nonce: nonce().ok_or_else(|| Fault::internal("no randomness").in_json())?,
        at_unix_ms: App::now_ms(),
    })
}

/// In lower-case hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}
