//! Taking away a key of one's own that is lost: another signs, and whoever has the lost one is out at once.

use super::{
    keys::{change, next},
    touch::{self, Act, Touched},
};
use crate::{
    app::{App, Signed},
    fault::Fault,
};
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use bodh_guardian_api::{SignedChange, named};
use bodh_identity::signing::Context;
use serde_json::{Value, json};
use std::sync::Arc;

/// The removal of this key.
fn act(key: &str) -> Act {
    Act(Context::Keys, key.to_owned())
}

pub(crate) async fn options(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
    signed: Signed,
    headers: HeaderMap,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let record = next(&app, &signed)?.removing([key.clone()]);
    let statement = record.to_bytes();
    // As the guardian will read it: what it would refuse is said before anybody signs.
    bodh_guardian_api::KeyChange::parse(&statement).map_err(|_| Fault::bad("That is not a key.").in_json())?;
    touch::ask_of(&app, &signed.0, act(&key), statement, |own| named(own) != key)
}

pub(crate) async fn answer(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
    signed: Signed,
    headers: HeaderMap,
    Json(touched): Json<Touched>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let touch::Given { statement: record, signature } = touch::take(&app, &signed, &act(&key), &touched)?;
    change(&app, &signed, SignedChange { record, by_own: signature, by_new: Vec::new() }).await?;
    Ok(Json(json!({ "next": "/keys" })))
}
