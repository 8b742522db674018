//! What a compliance officer takes from a trace and leaves on it: the evidence, a replay, a signed review.

use super::touch::{self, Act, Touched};
use crate::{
    app::{App, Signed, page as show},
    assets::Asset,
    fault::Fault,
    fill::replay,
    session::nonce,
};
use axum::{
    Form, Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bodh_evidence::Evidence;
use bodh_identity::signing::Context;
use bodh_panel::{REVIEW_MEANING, Replay, Review, ReviewVerdict};
use bodh_panel_api::pb;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// A review of this session's record.
fn act(session: &str) -> Act {
    Act(Context::Review, session.to_owned())
}

/// The evidence of a session, as a file to keep.
pub(crate) async fn evidence(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    signed: Signed,
) -> Result<Response, Fault> {
    let who = &signed.0;
    let request = pb::ExportRequest { session: id.clone(), access: who.access(&id) };
    let reply = who.panel.clone().export(request).await.map_err(|status| Fault::of(&status))?.into_inner();
    let content = String::from_utf8(reply.content_json).map_err(|_| Fault::internal("evidence"))?;
    let log = app.config.state_dir.join("log");
    // The log is read from its files: not on the threads that serve pages.
    let put = move || Evidence::assemble(&log, reply.page, content, reply.entry).map(|evidence| evidence.to_text());
    let text = tokio::task::spawn_blocking(put).await.map_err(|_| Fault::internal("evidence"))?;
    let text = text.map_err(|fault| {
        tracing::warn!(%fault, "evidence could not be put together");
        Fault::internal("evidence")
    })?;
    // A session's id is 32 hexadecimal digits: the panel has just answered for it.
    let name = format!("attachment; filename=\"bodh-evidence-{id}.html\"");
    let name = HeaderValue::from_str(&name).map_err(|_| Fault::none())?;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], text).into_response())
}

/// The token of a form with nothing else in it.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    csrf: String,
}

/// Every question of the session, put again.
pub(crate) async fn replay(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    signed: Signed,
    Form(asked): Form<Asked>,
) -> Result<Response, Fault> {
    signed.check(&asked.csrf)?;
    let who = &signed.0;
    let request = pb::ReplayRequest { session: id.clone(), access: who.access(&id) };
    let reply = who.panel.clone().replay(request).await.map_err(|status| Fault::of(&status))?.into_inner();
    let replay: Replay = serde_json::from_slice(&reply.replay_json).map_err(|_| Fault::internal("a replay"))?;
    Ok(show(&replay::page(&replay, app.frame(Some(who), "Replay", "/record", &[Asset::Record]))))
}

/// The form.
#[derive(Debug, Deserialize)]
pub(crate) struct Chosen {
    /// The last entry that the page shows.
    record: u64,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    entry: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn options(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    signed: Signed,
    headers: HeaderMap,
    Form(chosen): Form<Chosen>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let who = &signed.0;
    let bad = |happened: &str| Fault::bad(happened).in_json();
    let entry = chosen.entry.trim();
    let (verdict, entry) = match (chosen.verdict.as_str(), entry.parse::<u64>()) {
        ("in_order", _) if entry.is_empty() => (ReviewVerdict::InOrder, None),
        ("in_order", _) => return Err(bad("You name an entry and find the record in order: choose one of the two.")),
        ("fault", Ok(entry)) => (ReviewVerdict::Fault, Some(entry)),
        ("fault", Err(_)) => return Err(bad("Name the entry that went wrong: its number in the first column.")),
        _ => return Err(bad("Choose what you found.")),
    };
    let review = Review {
        session: id.clone(),
        verdict,
        up_to: chosen.record,
        entry,
        reason: chosen.reason.trim().to_owned(),
        meaning: REVIEW_MEANING.to_owned(),
        signer: who.id.to_string(),
        nonce: nonce().ok_or_else(|| Fault::internal("no randomness").in_json())?,
        at_unix_ms: App::now_ms(),
    };
    let statement = review.to_bytes();
    // As the orchestrator will read it: what it would refuse is said before anybody signs.
    Review::from_bytes(&statement).map_err(|error| bad(&format!("That cannot be signed: {error}.")))?;
    touch::ask(&app, who, act(&id), statement)
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
    let touch::Given { statement: review_json, signature } = touch::take(&app, &signed, &act(&id), &touched)?;
    let access = who.access(&id);
    let request = pb::ReviewRequest { session: id.clone(), review_json, signature, access };
    who.panel.clone().review(request).await.map_err(|status| Fault::of(&status).in_json())?;
    Ok(Json(json!({ "next": format!("/record/{id}") })))
}
