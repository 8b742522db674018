//! Taking a touch: what a person's passkey is to sign is kept from the question to the answer, for this person and this act.

use crate::{
    app::{App, Signed},
    fault::Fault,
    signed_in::SignedIn,
};
use axum::{Json, http::StatusCode};
use bodh_identity::{
    passkey::{Assertion, Passkey},
    signing::{Context, challenge},
};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Value, json};

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

/// A new key, as a browser tells of it: each part in base64url.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Made {
    pub(crate) handle: String,
    credential: String,
    public_key: String,
}

impl Made {
    /// The passkey for this site, as a record names it.
    pub(crate) fn passkey(&self, app: &App) -> Result<Vec<u8>, Fault> {
        let unusable = || Fault::bad("That key is of a kind that is not taken here. Use another device.").in_json();
        let part = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| unusable());
        let passkey = Passkey::new(&part(&self.public_key)?, &app.site.rp_id, &part(&self.credential)?);
        Ok(passkey.map_err(|_| unusable())?.to_bytes())
    }
}

/// A statement that waits for a touch: whose, for what, and exactly what is signed.
pub(crate) struct Statement {
    who: String,
    act: Act,
    bytes: Vec<u8>,
}

/// What a touch is for: the signature's context, and the one thing that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act(pub(crate) Context, pub(crate) String);

/// A statement with the signature of whoever touched their key for it.
pub(crate) struct Given {
    pub(crate) statement: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// What a browser needs for a touch: a key of the person's own signs exactly this statement, once, in the next two minutes.
pub(crate) fn ask(app: &App, who: &SignedIn, act: Act, statement: Vec<u8>) -> Result<Json<Value>, Fault> {
    ask_of(app, who, act, statement, |_| true)
}

/// The same of some of their keys.
pub(crate) fn ask_of(
    app: &App,
    who: &SignedIn,
    act: Act,
    statement: Vec<u8>,
    may: impl Fn(&[u8]) -> bool,
) -> Result<Json<Value>, Fault> {
    let passkeys = passkeys(app, who, may)?;
    let shown: Value = serde_json::from_slice(&statement).unwrap_or_default();
    let challenge = BASE64URL_NOPAD.encode(&challenge(act.0, &statement));
    let waiting = Statement { who: who.id.to_string(), act, bytes: statement };
    let handle = app.touches.begin(waiting).ok_or_else(|| Fault::internal("no randomness").in_json())?;
    Ok(Json(json!({
        "challenge": challenge,
        "rp_id": app.site.rp_id,
        "credentials": passkeys,
        "statement": serde_json::to_string_pretty(&shown).unwrap_or_default(),
        "handle": handle,
    })))
}

/// The credential ids of a person's passkeys of this site, for which a browser may ask.
pub(crate) fn passkeys(app: &App, who: &SignedIn, may: impl Fn(&[u8]) -> bool) -> Result<Vec<String>, Fault> {
    let view = app.joined.gate.trust().current().map_err(|_| Fault::of(&tonic::Status::unavailable("")).in_json())?;
    let keys = view.people.get(&who.id).map(|person| person.keys.as_slice()).unwrap_or_default();
    let read = keys.iter().filter(|(key, _)| may(key)).filter_map(|(key, _)| Passkey::from_bytes(key));
    let here = read.filter(|passkey| passkey.rp_id() == app.site.rp_id);
    let found: Vec<String> = here.map(|passkey| BASE64URL_NOPAD.encode(passkey.credential())).collect();
    if found.is_empty() {
        return Err(Fault::bad("You have no key that can sign here: enrol a passkey for this console.").in_json());
    }
    Ok(found)
}

/// The statement that this person was given for this act, with what they signed it with. It is over after this, whatever
/// the answer; what is refused here is counted in the log.
pub(crate) fn take(app: &App, signed: &Signed, act: &Act, touched: &Touched) -> Result<Given, Fault> {
    let refused = |cause: &'static str, fault: Fault| {
        tracing::warn!(cause, "a signature was refused");
        app.joined.tally.count(cause);
        fault.in_json()
    };
    let over = || {
        let happened = "The time for this signature ran out, or it was given before. Nothing was done; try again.";
        refused("touch_over", Fault::new(StatusCode::GONE, "Too late", happened))
    };
    let statement = app.touches.take(&touched.handle).ok_or_else(over)?;
    if statement.who != signed.0.id.as_str() || statement.act != *act {
        let happened = "What was signed is about something else, or was given to somebody else. Nothing was done.";
        return Err(refused("another_statement", Fault::new(StatusCode::FORBIDDEN, "Refused", happened)));
    }
    let unread = || refused("unreadable_touch", Fault::bad("The signature could not be read. Nothing was done."));
    let signature = touched.assertion().ok_or_else(unread)?;
    Ok(Given { statement: statement.bytes, signature })
}
