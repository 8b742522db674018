//! A person's own keys: which they are, and how one more is made. The new key and one that they have both sign the same
//! record; the guardian takes it on these two signatures and on nothing that the console says.

use super::touch::{Made, Touched, passkeys};
use crate::{
    app::{App, Signed, page as show},
    assets::Asset,
    fault::Fault,
    fill::words,
    session::nonce,
    view::{
        keys::{Key, KeysPage},
        operations::Signing,
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bodh_guardian_api::{KeyChange, SignedChange, named};
use bodh_identity::{
    passkey::Passkey,
    signing::{Context, challenge},
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// A key on its way, whose it becomes.
pub(crate) struct Adding {
    who: String,
    step: Step,
}

enum Step {
    /// The browser is making it.
    Making,
    /// It is to sign this record.
    Proving(Vec<u8>),
    /// It has; a key that the person has is to sign too.
    Owning(Vec<u8>, Vec<u8>),
}

pub(crate) async fn page(State(app): State<Arc<App>>, signed: Signed) -> Result<Response, Fault> {
    let who = &signed.0;
    let view = app.joined.gate.trust().current().map_err(|_| Fault::of(&tonic::Status::unavailable("")))?;
    let person = view.people.get(&who.id).ok_or_else(Fault::signed_out)?;
    let passkeys = person.assurance == "webauthn";
    let last = person.keys.len() < 2;
    let key = |(key, since): &(Vec<u8>, String)| {
        let name = named(key);
        let at = format!("/keys/{name}/remove");
        Key {
            print: print(&name),
            kind: if Passkey::from_bytes(key).is_some() { "Passkey" } else { "Key file" }.to_owned(),
            since: words::when_of(since),
            remove: (passkeys && !last).then(|| Signing { options: format!("{at}/options"), action: at }),
        }
    };
    Ok(show(&KeysPage {
        frame: app.frame(Some(who), "Your keys", "/keys", &[Asset::Passkey]),
        csrf: who.csrf.clone(),
        keys: person.keys.iter().map(key).collect(),
        passkeys,
        last,
    }))
}

/// The first digits of a key's name, in groups: enough to tell one's own keys apart.
fn print(name: &str) -> String {
    let groups: Vec<&str> = (0..16).step_by(4).filter_map(|at| name.get(at..at + 4)).collect();
    groups.join(" ")
}

pub(crate) async fn options(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let who = &signed.0;
    let exclude = passkeys(&app, who, |_| true)?;
    let handle = app.adding.begin(Adding { who: who.id.to_string(), step: Step::Making });
    let handle = handle.ok_or_else(|| Fault::internal("no randomness").in_json())?;
    Ok(Json(json!({
        // Nothing is made of what an authenticator attests: the key proves itself by signing, a moment later.
        "challenge": BASE64URL_NOPAD.encode(handle.as_bytes()), "rp_id": app.site.rp_id, "exclude": exclude,
        "user_id": BASE64URL_NOPAD.encode(who.name.as_bytes()), "user_name": who.name, "handle": handle,
    })))
}

pub(crate) async fn made(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    Json(made): Json<Made>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let Step::Making = take(&app, &signed, &made.handle)? else { return Err(late()) };
    let key = made.passkey(&app)?;
    let record = next(&app, &signed)?.adding(&key).to_bytes();
    let challenge = BASE64URL_NOPAD.encode(&challenge(Context::Keys, &record));
    go_on(&app, &signed, &made.handle, Step::Proving(record));
    Ok(Json(json!({ "challenge": challenge, "rp_id": app.site.rp_id })))
}

/// The new key has signed: a key that the person has is to sign the same.
pub(crate) async fn own(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    Json(touched): Json<Touched>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let Step::Proving(record) = take(&app, &signed, &touched.handle)? else { return Err(late()) };
    let by_new = touched.assertion().ok_or_else(|| Fault::bad("The signature could not be read.").in_json())?;
    let credentials = passkeys(&app, &signed.0, |_| true)?;
    let challenge = BASE64URL_NOPAD.encode(&challenge(Context::Keys, &record));
    let shown: Value = serde_json::from_slice(&record).unwrap_or_default();
    go_on(&app, &signed, &touched.handle, Step::Owning(record, by_new));
    Ok(Json(json!({
        "challenge": challenge,
        "rp_id": app.site.rp_id,
        "credentials": credentials,
        "statement": serde_json::to_string_pretty(&shown).unwrap_or_default(),
    })))
}

pub(crate) async fn add(
    State(app): State<Arc<App>>,
    signed: Signed,
    headers: HeaderMap,
    Json(touched): Json<Touched>,
) -> Result<Json<Value>, Fault> {
    signed.check_header(&headers)?;
    let Step::Owning(record, by_new) = take(&app, &signed, &touched.handle)? else { return Err(late()) };
    let by_own = touched.assertion().ok_or_else(|| Fault::bad("The signature could not be read.").in_json())?;
    change(&app, &signed, SignedChange { record, by_own, by_new }).await?;
    Ok(Json(json!({ "next": "/keys" })))
}

/// A change of this person's keys after their last one, which does nothing yet.
pub(crate) fn next(app: &App, signed: &Signed) -> Result<KeyChange, Fault> {
    let unavailable = || Fault::of(&tonic::Status::unavailable("")).in_json();
    let view = app.joined.gate.trust().current().map_err(|_| unavailable())?;
    let person = view.people.get(&signed.0.id).ok_or_else(|| Fault::signed_out().in_json())?;
    Ok(KeyChange::new(signed.0.id.as_str(), &person.keys_head, chrono::Utc::now()))
}

/// The guardian takes a change, or says why not. The next page shows it: this waits until the console has heard of it too.
pub(crate) async fn change(app: &App, signed: &Signed, change: SignedChange) -> Result<(), Fault> {
    let trace = nonce().unwrap_or_default();
    let taken = signed.0.guardian.change_keys(change, &trace).await;
    let person = taken.map_err(|error| match error {
        bodh_guardian_api::Error::Refused { .. } => Fault::new(
            StatusCode::FORBIDDEN,
            "Refused",
            "The guardian did not take it: your keys have changed meanwhile, or one of the two did not sign. Nothing was \
             changed, and the refusal is in the log. Load this page again.",
        )
        .in_json(),
        other => Fault::of_guardian(&other).in_json(),
    })?;
    let heard = || {
        let view = app.joined.gate.trust().current().ok();
        view.is_none_or(|view| view.people.get(&signed.0.id).is_none_or(|p| p.keys_head == person.keys_head))
    };
    for _ in 0..100 {
        if heard() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn take(app: &App, signed: &Signed, handle: &str) -> Result<Step, Fault> {
    let adding = app.adding.take(handle).filter(|adding| adding.who == signed.0.id.as_str());
    adding.map(|adding| adding.step).ok_or_else(late)
}

fn go_on(app: &App, signed: &Signed, handle: &str, step: Step) {
    app.adding.go_on(handle, Adding { who: signed.0.id.to_string(), step });
}

fn late() -> Fault {
    Fault::bad("That took too long. Nothing was changed; try again.").in_json()
}
