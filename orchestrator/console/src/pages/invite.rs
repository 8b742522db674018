//! Inviting somebody: an operator's passkey signs who may enrol as what, or whose lost keys a new one replaces, and the link
//! is shown once.

use super::touch::{self, Act, Touched};
use crate::{
    app::{App, Signed},
    fault::Fault,
    session::nonce,
};
use axum::{Form, Json, extract::State, http::HeaderMap, http::StatusCode};
use bodh_guardian_api::{Invitation, OPERATOR, SignedInvitation};
use bodh_identity::{SpiffeId, signing::Context};
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// How long an invitation is good.
pub(crate) const HOURS: i64 = 24;

/// An invitation, of whomever its statement names.
fn act() -> Act {
    Act(Context::Invitation, "invitation".to_owned())
}

/// Only an operator's invitation lets anybody in: the guardian would refuse it when it is used, which is late.
fn operators_only(app: &App, signed: &Signed) -> Result<(), Fault> {
    if app.roles(&signed.0).iter().any(|role| role == OPERATOR) {
        return Ok(());
    }
    app.joined.tally.count("not_an_operator");
    tracing::warn!(who = %signed.0.id, "an invitation by somebody who is no operator was refused");
    let happened = "Only an operator invites people, and the refusal is in the log.";
    Err(Fault::new(StatusCode::FORBIDDEN, "Refused", happened).in_json())
}

pub(crate) async fn options(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    operators_only(&app, &signed)?;
    let who = &signed.0;
    let all =
        |wanted: &'static str| fields.iter().filter(move |(field, _)| field == wanted).map(|(_, text)| text.trim());
    let (name, roles) = (all("name").next().unwrap_or_default(), all("role").collect::<Vec<_>>());
    let bad = |happened: &str| Fault::bad(happened).in_json();
    if roles.is_empty() {
        return Err(bad("Choose what they may do."));
    }
    let id = SpiffeId::human(&app.config.trust_domain, name);
    let id = id.map_err(|_| bad("A name is lower-case letters, digits, dots and dashes, beginning with a letter."))?;
    let view = app.joined.gate.trust().current().map_err(|_| Fault::of(&tonic::Status::unavailable("")).in_json())?;
    if view.people.contains_key(&id) || view.revoked.contains(&id) {
        let happened = format!("{name} is somebody's name already. A name is given once; choose another.");
        return Err(Fault::new(StatusCode::CONFLICT, "Taken", happened).in_json());
    }
    let until = Utc::now() + TimeDelta::hours(HOURS);
    let nonce = nonce().ok_or_else(|| Fault::internal("no randomness").in_json())?;
    let invitation = Invitation::new((name, &app.config.trust_domain), &roles, who.id.as_str(), &nonce, until);
    let statement = invitation.to_bytes();
    // As the guardian will read it: what it would refuse is said before anybody signs.
    Invitation::parse(&statement).map_err(|error| bad(&format!("That cannot be signed: {error}.")))?;
    touch::ask(&app, who, act(), statement)
}

/// Whose keys are lost.
#[derive(Debug, Deserialize)]
pub(crate) struct Lost {
    id: String,
}

/// A link with which somebody whose keys are lost makes a new one; it ends all that they had.
pub(crate) async fn recover(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    Form(lost): Form<Lost>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    operators_only(&app, &signed)?;
    let who = &signed.0;
    let bad = |happened: &str| Fault::bad(happened).in_json();
    let id = SpiffeId::parse(&lost.id).map_err(|_| bad("That is not an identity."))?;
    if id == who.id {
        return Err(bad("Another operator does this for you. A key that you still have adds another by itself."));
    }
    let view = app.joined.gate.trust().current().map_err(|_| Fault::of(&tonic::Status::unavailable("")).in_json())?;
    let person = view.people.get(&id).filter(|person| person.assurance == "webauthn");
    let person = person.ok_or_else(|| bad("Nobody with passkeys has this identity."))?;
    let roles: Vec<&str> = person.roles.iter().map(String::as_str).collect();
    let until = Utc::now() + TimeDelta::hours(HOURS);
    let nonce = nonce().ok_or_else(|| Fault::internal("no randomness").in_json())?;
    let name = crate::fill::words::person(id.as_str());
    let invitation = Invitation::new((&name, &app.config.trust_domain), &roles, who.id.as_str(), &nonce, until);
    let invitation = Invitation { replaces: Some(person.keys_head.clone()), ..invitation };
    touch::ask(&app, who, act(), invitation.to_bytes())
}

pub(crate) async fn answer(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    Json(touched): Json<Touched>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    operators_only(&app, &signed)?;
    let touch::Given { statement: invitation, signature } = touch::take(&app, &signed, &act(), &touched)?;
    let view = app.joined.gate.trust().current().map_err(|_| Fault::of(&tonic::Status::unavailable("")).in_json())?;
    let own = view.people.get(&signed.0.id);
    // The guardian verifies it again when it is used; a link that could not work is not handed out.
    if !own.is_some_and(|person| person.signed(Context::Invitation, &invitation, &signature)) {
        app.joined.tally.count("invitation_signature");
        tracing::warn!(who = %signed.0.id, "an invitation whose signature does not hold was refused");
        let happened = "Your passkey did not sign this invitation. Nothing was done, and the refusal is in the log.";
        return Err(Fault::new(StatusCode::FORBIDDEN, "Refused", happened).in_json());
    }
    let link = SignedInvitation { invitation, signature }.to_link();
    Ok(Json(json!({ "link": format!("{}/enrol/{link}", app.site.origin) })))
}
