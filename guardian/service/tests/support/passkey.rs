//! An authenticator in software, and the browser in front of it.

use bodh_guardian_api::{Enrolment, Invitation, SignedInvitation, pb};
use bodh_identity::{
    passkey::{Assertion, Passkey},
    signing::{Context, PersonKey, Signer, challenge},
};
use chrono::{DateTime, Utc};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};

use super::{DOMAIN, human};

const SITE: &str = "localhost";

pub struct Authenticator {
    pair: EcdsaKeyPair,
}

impl Authenticator {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        Self { pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random).unwrap() }
    }

    pub fn key(&self) -> Vec<u8> {
        Passkey::new(&spki(self.pair.public_key().as_ref()), SITE, b"credential").unwrap().to_bytes()
    }

    pub fn sign(&self, context: Context, payload: &[u8]) -> Vec<u8> {
        let challenge = BASE64URL_NOPAD.encode(&challenge(context, payload));
        let client = format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"https://localhost:1"}}"#);
        let mut authenticator_data = digest(&SHA256, SITE.as_bytes()).as_ref().to_vec();
        authenticator_data.extend([5, 0, 0, 0, 0]);
        let signed = [authenticator_data.as_slice(), digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec();
        Assertion { authenticator_data, client_data: client.into_bytes(), signature }.to_bytes()
    }

    /// The record of `name` with these roles, on an invitation, signed by this authenticator.
    pub fn accept(&self, record: &Enrolment) -> pb::AcceptRequest {
        let record = record.to_bytes();
        let signature = self.sign(Context::Enrolment, &record);
        pb::AcceptRequest { record, signature, trace: String::new() }
    }

    pub fn record(&self, name: &str, roles: &[&str], invitation: &str, at: DateTime<Utc>) -> Enrolment {
        let by = human("local").to_string();
        let record = Enrolment::new(name, DOMAIN, roles, &self.key(), "webauthn", &by, at);
        Enrolment { invitation: Some(invitation.to_owned()), ..record }
    }
}

pub fn spki(point: &[u8]) -> Vec<u8> {
    let prefix = HEXLOWER.decode(b"3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
    [prefix, point.to_vec()].concat()
}

/// An operator's invitation, as a link carries it.
pub fn invitation(name: &str, roles: &[&str], operator: &PersonKey, by: &str, until: DateTime<Utc>) -> String {
    let invitation = Invitation::new((name, DOMAIN), roles, human(by).as_str(), &"0".repeat(32), until).to_bytes();
    let signature = operator.sign(Context::Invitation, &invitation).unwrap().to_vec();
    SignedInvitation { invitation, signature }.to_link()
}
