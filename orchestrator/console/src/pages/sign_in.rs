//! Signing in: a passkey's proof at the guardian's door, for a key that the console made a moment ago.

use super::touch::Touched;
use crate::{
    app::{App, page as show},
    assets::Asset,
    fault::Fault,
    session::{cookie, secret, set_cookie},
    signed_in::SignedIn,
    view::sign_in::SignInPage,
};
use axum::{
    Form, Json,
    extract::{Query, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use bodh_guardian_api::{Door, proof};
use bodh_identity::signing::{Context, challenge};
use data_encoding::BASE64URL_NOPAD;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A sign-in that waits for a touch.
pub(crate) struct Entering {
    nonce: Vec<u8>,
    key: KeyPair,
    next: String,
}

/// Where one wanted to go.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    /// A path of this site, base64url; anything else is the start.
    #[serde(default)]
    next: String,
}

pub(crate) async fn page(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Response {
    show(&SignInPage {
        frame: app.frame(None, "Sign in", "", &[Asset::Passkey]),
        action: "/sign-in".to_owned(),
        options: "/sign-in/options".to_owned(),
        next: wanted.next,
        error: None,
    })
}

pub(crate) async fn options(State(app): State<Arc<App>>, Form(wanted): Form<Wanted>) -> Result<Json<Value>, Fault> {
    let failed = |what: &str| Fault::internal(what).in_json();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| failed("no key for a sign-in"))?;
    let door = door(&app).await?;
    let nonce = door.challenge("").await.map_err(|e| Fault::of_guardian(&e).in_json())?.nonce;
    let challenge = challenge(Context::Door, &proof(&nonce, &key.subject_public_key_info()));
    let entering = Entering { nonce, key, next: path(&wanted.next) };
    let handle = app.entering.begin(entering).ok_or_else(|| failed("no randomness"))?;
    Ok(Json(json!({ "challenge": BASE64URL_NOPAD.encode(&challenge), "rp_id": app.site.rp_id, "handle": handle })))
}

pub(crate) async fn answer(State(app): State<Arc<App>>, Json(touched): Json<Touched>) -> Result<Response, Fault> {
    let refused = || {
        Fault::bad(
            "That passkey is not known here, or its owner's access has ended. Ask an operator for an enrolment link.",
        )
        .in_json()
    };
    let entering =
        app.entering.take(&touched.handle).ok_or_else(|| Fault::bad("That took too long. Try again.").in_json())?;
    // A browser gives back the user handle that was set when the passkey was made: the name.
    let name = BASE64URL_NOPAD.decode(touched.user.as_bytes()).ok().and_then(|name| String::from_utf8(name).ok());
    let name = name.ok_or_else(refused)?;
    let assertion = touched.assertion().ok_or_else(refused)?;
    let spki = entering.key.subject_public_key_info();
    let given = door(&app).await?.prove(&name, entering.nonce, spki, assertion).await.map_err(|error| match error {
        bodh_guardian_api::Error::Unavailable(_) => Fault::of_guardian(&error).in_json(),
        _ => refused(),
    })?;
    let key = Zeroizing::new(entering.key.serialize_der());
    let who =
        SignedIn::new((&app.config, &app.csrf), &name, given, key).map_err(|what| Fault::internal(&what).in_json())?;
    let seconds = (who.until_ms - App::now_ms()) / 1000;
    let value = secret().ok_or_else(|| Fault::internal("no randomness").in_json())?;
    let set = set_cookie(&value, seconds).ok_or_else(|| Fault::internal("a cookie").in_json())?;
    app.people.add(value, who, App::now_ms());
    Ok(([(header::SET_COOKIE, set)], Json(json!({ "next": entering.next }))).into_response())
}

/// The token that the sign-out form carries.
#[derive(Debug, Deserialize)]
pub(crate) struct Out {
    #[serde(default)]
    csrf: String,
}

pub(crate) async fn out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(out): Form<Out>,
) -> Result<Response, Fault> {
    if let (Some(value), Some(who)) = (cookie(&headers), app.who(&headers)) {
        if !crate::session::same(&who.csrf, &out.csrf) {
            return Err(Fault::forged());
        }
        app.people.remove(value);
    }
    let gone = set_cookie("", 0).ok_or_else(|| Fault::internal("a cookie"))?;
    Ok(([(header::SET_COOKIE, gone)], Redirect::to("/sign-in")).into_response())
}

/// The guardian's door, on its Unix socket.
pub(crate) async fn door(app: &App) -> Result<Door, Fault> {
    Door::connect(&app.config.workload_socket).await.map_err(|error| Fault::of_guardian(&error).in_json())
}

/// A path of this site and no other address.
fn path(next: &str) -> String {
    let read = BASE64URL_NOPAD.decode(next.as_bytes()).ok().and_then(|path| String::from_utf8(path).ok());
    let own = |path: &String| path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r']);
    read.filter(own).unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_within_the_site_only() {
        let to = |path: &str| super::path(&BASE64URL_NOPAD.encode(path.as_bytes()));
        assert_eq!(to("/inbox?all=1"), "/inbox?all=1");
        for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", "", "inbox", "/a\r\nb"] {
            assert_eq!(to(elsewhere), "/", "{elsewhere}");
        }
        assert_eq!(super::path("no base64!"), "/");
    }
}
