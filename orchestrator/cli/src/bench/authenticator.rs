//! A passkey in software, and what a browser does with it: enrolment on an invitation, and signing in.

use super::web::{Connection, Web};
use crate::failure::{Failure, Outcome};
use crate::people::fill_random;
use bodh_identity::passkey::Assertion;
use data_encoding::BASE64URL_NOPAD;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// One person's passkey.
pub(crate) struct Authenticator {
    pair: EcdsaKeyPair,
    spki: Vec<u8>,
    credential: [u8; 16],
    /// As the site gave it when the passkey was made: the person's name.
    user: String,
}

fn failed(cause: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!("the software passkey: {cause}"))
}

impl Authenticator {
    /// Makes a passkey and enrols its person with the invitation whose page is at `path`.
    pub(crate) async fn enrol(web: &Web, path: &str) -> Outcome<Self> {
        let made = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|cause| failed(&cause))?;
        let key = Zeroizing::new(made.serialize_der());
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key, &SystemRandom::new());
        let mut credential = [0; 16];
        fill_random(&mut credential)?;
        let spki = made.subject_public_key_info();
        let mut own = Self { pair: pair.map_err(|cause| failed(&cause))?, spki, credential, user: String::new() };
        let mut connection = web.connect(None).await?;
        let invitation = path.trim_start_matches("/enrol/");
        let asked = ask(&mut connection, "/enrol/options", FORM, &format!("invitation={invitation}")).await?;
        own.user = text(&asked, "user_id")?;
        let made = json!({
            "handle": text(&asked, "handle")?,
            "credential": BASE64URL_NOPAD.encode(&own.credential),
            "public_key": BASE64URL_NOPAD.encode(&own.spki),
        });
        let again = ask(&mut connection, "/enrol/made", JSON, &made.to_string()).await?;
        let proof = own.touch(web, &text(&again, "challenge")?, &text(&again, "rp_id")?, &text(&asked, "handle")?)?;
        ask(&mut connection, "/enrol", JSON, &proof.to_string()).await?;
        Ok(own)
    }

    /// Signs in; gives the cookie.
    pub(crate) async fn sign_in(&self, web: &Web) -> Outcome<String> {
        let mut connection = web.connect(None).await?;
        let asked = ask(&mut connection, "/sign-in/options", FORM, "next=").await?;
        let proof = self.touch(web, &text(&asked, "challenge")?, &text(&asked, "rp_id")?, &text(&asked, "handle")?)?;
        let answer = connection.post("/sign-in", JSON, proof.to_string().as_bytes()).await?.sound("/sign-in")?;
        let cookie = answer.header("set-cookie").and_then(|set| set.split(';').next());
        cookie.map(str::to_owned).ok_or_else(|| failed(&"no cookie was set"))
    }

    /// What the browser sends after a touch.
    fn touch(&self, web: &Web, challenge: &str, rp_id: &str, handle: &str) -> Outcome<Value> {
        let client =
            json!({ "type": "webauthn.get", "challenge": challenge, "origin": web.origin, "crossOrigin": false });
        let client_data = client.to_string().into_bytes();
        let mut authenticator_data = digest(&SHA256, rp_id.as_bytes()).as_ref().to_vec();
        // Somebody was there, and it was the person; a counter of zero, as synced passkeys have.
        authenticator_data.extend([5, 0, 0, 0, 0]);
        let signed = [authenticator_data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).map_err(|cause| failed(&cause))?;
        let assertion = Assertion { authenticator_data, client_data, signature: signature.as_ref().to_vec() };
        let mut sent: Value = serde_json::from_slice(&assertion.to_bytes()).map_err(|cause| failed(&cause))?;
        let more =
            [("handle", handle), ("user", &self.user), ("credential", &BASE64URL_NOPAD.encode(&self.credential))];
        for (name, value) in more {
            sent[name] = Value::from(value);
        }
        Ok(sent)
    }
}

async fn ask(connection: &mut Connection, path: &str, kind: &str, body: &str) -> Outcome<Value> {
    let answer = connection.post(path, kind, body.as_bytes()).await?;
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status != 200 {
        let error = told.get("error").and_then(Value::as_str).unwrap_or("no reason was given");
        return Err(Failure::failed(format!("{path}: answered {}: {error}", answer.status)));
    }
    Ok(told)
}

fn text(told: &Value, name: &str) -> Outcome<String> {
    told.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| failed(&format!("no {name} was sent")))
}
