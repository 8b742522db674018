//! Taking a review rule back: a reason, and the passkey of somebody whom policy lets do so.

use super::touch::{self, Act, Touched};
use crate::{
    app::{App, Signed},
    fault::Fault,
    session::nonce,
};
use axum::{
    Form, Json,
    extract::{Path, State},
    http::HeaderMap,
};
use bodh_identity::signing::Context;
use bodh_panel::Reversal;
use bodh_panel_api::pb;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The reversal of this rule.
fn act(rule: &str) -> Act {
    Act(Context::Reversal, rule.to_owned())
}

/// The form.
#[derive(Debug, Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    reason: String,
}

pub(crate) async fn options(
    State(app): State<Arc<App>>,
    Path(rule): Path<String>,
    signed: Signed,
    headers: HeaderMap,
    Form(chosen): Form<Chosen>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let who = &signed.0;
    let reversal = Reversal {
        rule: rule.clone(),
        reason: chosen.reason.trim().to_owned(),
        signer: who.id.to_string(),
        nonce: nonce().ok_or_else(|| Fault::internal("no randomness").in_json())?,
        at_unix_ms: App::now_ms(),
    };
    let statement = reversal.to_bytes();
    // As the orchestrator will read it: what it would refuse is said before anybody signs.
    Reversal::from_bytes(&statement)
        .map_err(|error| Fault::bad(format!("That cannot be signed: {error}.")).in_json())?;
    touch::ask(&app, who, act(&rule), statement)
}

pub(crate) async fn answer(
    State(app): State<Arc<App>>,
    Path(rule): Path<String>,
    signed: Signed,
    headers: HeaderMap,
    Json(touched): Json<Touched>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let touch::Given { statement: reversal_json, signature } = touch::take(&app, &signed, &act(&rule), &touched)?;
    let request = pb::ReverseRuleRequest { rule, reversal_json, signature };
    signed.0.panel.clone().reverse_rule(request).await.map_err(|status| Fault::of(&status).in_json())?;
    Ok(Json(json!({ "next": "/operations" })))
}
