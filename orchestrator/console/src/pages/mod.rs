//! One file per page: what it asks of the services, and which form does what.

pub(crate) mod amend;
pub(crate) mod decide;
pub(crate) mod enrol;
pub(crate) mod escalation;
pub(crate) mod inbox;
pub(crate) mod operations;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod review;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod verify;

use crate::{
    app::{App, Signed},
    fault::Fault,
    signed_in::SignedIn,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use bodh_identity::{
    passkey::{Assertion, Passkey},
    signing::{Context, challenge},
};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a browser sends after a touch: each part in base64url.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Touched {
    pub(crate) handle: String,
    #[serde(default)]
    pub(crate) user: String,
    /// Sent by the browser; which key signed is known by the signature.
    #[serde(default, rename = "credential")]
    _credential: String,
    authenticator_data: String,
    client_data: String,
    signature: String,
}

impl Touched {
    /// As it stands in a signature's place. Whether it holds is for the services to say.
    pub(crate) fn assertion(&self) -> Option<Vec<u8>> {
        let read = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
        let assertion = Assertion {
            authenticator_data: read(&self.authenticator_data)?,
            client_data: read(&self.client_data)?,
            signature: read(&self.signature)?,
        };
        Some(assertion.to_bytes())
    }
}

/// What a browser needs for a touch: the person's own key signs exactly this statement.
pub(crate) fn to_touch(
    app: &App,
    who: &SignedIn,
    context: Context,
    statement: &[u8],
    handle: &str,
) -> Result<Json<Value>, Fault> {
    let unusable = || Fault::bad("Your key cannot sign here: enrol a passkey for this console.").in_json();
    let view = app.joined.gate.trust().current().map_err(|_| Fault::of(&tonic::Status::unavailable("")).in_json())?;
    let passkey = view.people.get(&who.id).and_then(|person| Passkey::from_bytes(&person.key)).ok_or_else(unusable)?;
    let shown: Value = serde_json::from_slice(statement).unwrap_or_default();
    Ok(Json(json!({
        "challenge": BASE64URL_NOPAD.encode(&challenge(context, statement)),
        "rp_id": passkey.rp_id(),
        "credential": BASE64URL_NOPAD.encode(passkey.credential()),
        "statement": serde_json::to_string_pretty(&shown).unwrap_or_default(),
        "handle": handle,
    })))
}

/// Where a person begins: at what they are there for.
pub(crate) async fn home(State(app): State<Arc<App>>, signed: Signed) -> Response {
    let roles = app.roles(&signed.0);
    let has = |role: &str| roles.iter().any(|known| known == role);
    let start = match () {
        () if has("physician") => "/inbox",
        () if has("clinician") => "/sessions",
        () if has("compliance") => "/record",
        () => "/operations",
    };
    Redirect::to(start).into_response()
}
