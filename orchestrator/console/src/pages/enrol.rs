//! Enrolment: the link that an operator gave becomes a passkey, which signs the record that makes its holder a person here,
//! or that it takes the place of the keys that they have lost.

use super::touch::{Made, Touched};
use crate::{
    app::{App, page as show},
    assets::Asset,
    fault::{Fault, sentence},
    fill::words,
    session::nonce,
    view::enrol::EnrolPage,
};
use axum::{
    Form, Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use bodh_guardian_api::{Enrolment, Invitation, KeyChange, SignedChange, SignedInvitation, named};
use bodh_identity::signing::{Context, challenge};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// An enrolment on its way.
pub(crate) enum Enrolling {
    /// The browser is making a key.
    Making(String, Invitation),
    /// The new key is to sign this record: an enrolment.
    Signing(Vec<u8>),
    /// The same: a change of keys that takes the place of lost ones.
    Replacing(Vec<u8>),
}

/// The form's one field.
#[derive(Debug, Deserialize)]
pub(crate) struct Invited {
    invitation: String,
}

/// An invitation that can be read and has not ended. Whether an operator signed it is for the guardian to say.
fn read(link: &str) -> Result<Invitation, Fault> {
    let wrong = |happened: &str| Fault::new(StatusCode::BAD_REQUEST, "This link does not work", happened.to_owned());
    let signed = SignedInvitation::from_link(link);
    let invitation = signed.and_then(|signed| Invitation::parse(&signed.invitation).ok());
    let invitation = invitation.ok_or_else(|| wrong("It is not whole. Copy it again, to its last letter."))?;
    match invitation.until() {
        Ok(until) if until > chrono::Utc::now() => Ok(invitation),
        _ => Err(wrong("Its time has ended. Ask the operator for another.")),
    }
}

pub(crate) async fn page(State(app): State<Arc<App>>, Path(link): Path<String>) -> Result<Response, Fault> {
    let invitation = read(&link)?;
    if invitation.replaces.is_some() {
        lost(&app, &invitation)?;
    }
    let roles = invitation.roles.iter().map(|role| (role.clone(), words::role(role).to_owned()));
    Ok(show(&EnrolPage {
        frame: app.frame(None, "Enrol", "", &[Asset::Passkey]),
        name: invitation.name.clone(),
        roles: roles.collect(),
        recovers: invitation.replaces.is_some(),
        inviter: words::person(&invitation.invited_by),
        until: invitation.until().map(|until| words::when(until.timestamp_millis())).unwrap_or_default(),
        invitation: link,
        action: "/enrol".to_owned(),
        options: "/enrol/options".to_owned(),
        made: "/enrol/made".to_owned(),
        error: None,
    }))
}

pub(crate) async fn options(State(app): State<Arc<App>>, Form(invited): Form<Invited>) -> Result<Json<Value>, Fault> {
    let invitation = read(&invited.invitation).map_err(Fault::in_json)?;
    let name = invitation.name.clone();
    let handle = app.enrolling.begin(Enrolling::Making(invited.invitation, invitation));
    let handle = handle.ok_or_else(|| Fault::internal("no randomness").in_json())?;
    Ok(Json(json!({
        // Nothing is made of what an authenticator attests: the key proves itself by signing, a moment later.
        "challenge": BASE64URL_NOPAD.encode(handle.as_bytes()), "rp_id": app.site.rp_id,
        "user_id": BASE64URL_NOPAD.encode(name.as_bytes()), "user_name": name, "handle": handle,
    })))
}

pub(crate) async fn made(State(app): State<Arc<App>>, Json(made): Json<Made>) -> Result<Json<Value>, Fault> {
    let Some(Enrolling::Making(link, invitation)) = app.enrolling.take(&made.handle) else { return Err(late()) };
    let key = made.passkey(&app)?;
    if invitation.replaces.is_some() {
        let record =
            KeyChange { invitation: Some(link), ..lost(&app, &invitation).map_err(Fault::in_json)?.adding(&key) };
        let record = record.to_bytes();
        let challenge = challenge(Context::Keys, &record);
        app.enrolling.go_on(&made.handle, Enrolling::Replacing(record));
        return Ok(Json(json!({ "challenge": BASE64URL_NOPAD.encode(&challenge), "rp_id": app.site.rp_id })));
    }
    let roles: Vec<&str> = invitation.roles.iter().map(String::as_str).collect();
    let (domain, by) = (app.config.trust_domain.as_str(), invitation.invited_by.as_str());
    let record = Enrolment::new(&invitation.name, domain, &roles, &key, "webauthn", by, chrono::Utc::now());
    let record = Enrolment { invitation: Some(link), ..record }.to_bytes();
    let challenge = challenge(Context::Enrolment, &record);
    app.enrolling.go_on(&made.handle, Enrolling::Signing(record));
    Ok(Json(json!({ "challenge": BASE64URL_NOPAD.encode(&challenge), "rp_id": app.site.rp_id })))
}

pub(crate) async fn answer(State(app): State<Arc<App>>, Json(touched): Json<Touched>) -> Result<Json<Value>, Fault> {
    let taken = app.enrolling.take(&touched.handle);
    let assertion = touched.assertion().ok_or_else(|| Fault::bad("The signature could not be read.").in_json())?;
    let (trace, door) = (nonce().unwrap_or_default(), super::sign_in::door(&app).await?);
    let accepted = match taken {
        Some(Enrolling::Signing(record)) => door.accept(record, assertion, &trace).await,
        Some(Enrolling::Replacing(record)) => {
            door.recover(SignedChange { record, by_own: Vec::new(), by_new: assertion }, &trace).await
        }
        _ => return Err(late()),
    };
    accepted.map_err(|error| match error {
        bodh_guardian_api::Error::Unavailable(_) => Fault::of_guardian(&error).in_json(),
        other => Fault::bad(format!("The guardian did not accept it: {}", sentence(&other.to_string()))).in_json(),
    })?;
    Ok(Json(json!({ "next": "/sign-in" })))
}

/// The change that ends all keys of whom this invitation is for, as long as they are those of which the operator heard that
/// they were lost.
fn lost(app: &App, invitation: &Invitation) -> Result<KeyChange, Fault> {
    let view = app.joined.gate.trust().current().map_err(|_| Fault::of(&tonic::Status::unavailable("")))?;
    let person = view.people.iter().find(|(id, _)| id.as_str() == invitation.id).map(|(_, person)| person);
    let person = person.filter(|person| invitation.replaces.as_deref() == Some(person.keys_head.as_str()));
    let person = person.ok_or_else(|| {
        let happened = "It was used, or these keys have changed since it was signed. Ask the operator for another.";
        Fault::new(StatusCode::BAD_REQUEST, "This link does not work", happened)
    })?;
    let keys = person.keys.iter().map(|(key, _)| named(key));
    Ok(KeyChange::new(&invitation.id, &person.keys_head, chrono::Utc::now()).removing(keys))
}

fn late() -> Fault {
    Fault::bad("That took too long. Load the page and try again.").in_json()
}
