//! Passkeys: signatures that a person makes with an authenticator through a browser (WebAuthn Level 3, section 7.2).
//!
//! An authenticator signs a challenge, never a document. Here the challenge is the SHA-256 of what any other key would have
//! signed, its purpose included; so a statement has one form, whoever signs it, and an assertion is checked from the
//! statement, the key and nothing else: by a service as by a reader of the record, years later.
//!
//! Out of scope: attestation (which make of authenticator it is), and the signature counter, which synced passkeys keep at
//! zero: whoever copies a passkey's private key out of its authenticator can sign as the person until the person is revoked.

use crate::signing::SigningError;
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

/// Length of an uncompressed P-256 point (SEC 1, section 2.3.3).
const POINT: usize = 65;
/// What precedes the point in a P-256 SubjectPublicKeyInfo (RFC 5480): the same for every key.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The longest credential id that is taken. The specification allows 1023; authenticators use 16 to 128.
const MAX_CREDENTIAL: usize = 255;
/// The longest assertion as text.
pub const MAX_ASSERTION: usize = 4096;
/// Authenticator data at least: the hash of the relying party, flags, counter.
const MIN_DATA: usize = 37;
/// Flags: somebody was there, and it was the person (by a PIN, a finger, a face).
const PRESENT_AND_VERIFIED: u8 = 0x01 | 0x04;

/// The public half of a passkey, with the site that it is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passkey {
    point: [u8; POINT],
    rp_id: String,
    credential: Vec<u8>,
}

impl Passkey {
    /// From what a browser tells of a new credential: its key as SubjectPublicKeyInfo (ES256 only), the site's name
    /// (relying party id) and the credential's id.
    ///
    /// # Errors
    /// When one of them is not that.
    pub fn new(spki: &[u8], rp_id: &str, credential: &[u8]) -> Result<Self, SigningError> {
        let point = point_of(spki).ok_or(SigningError::Key)?;
        let known = Self { point, rp_id: rp_id.to_owned(), credential: credential.to_vec() };
        Self::from_bytes(&known.to_bytes()).filter(|read| *read == known).ok_or(SigningError::Key)
    }

    /// One spelling: the point, the length of the site's name, the name, the credential's id.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = u8::try_from(self.rp_id.len()).unwrap_or(0);
        [self.point.as_slice(), &[length], self.rp_id.as_bytes(), &self.credential].concat()
    }

    /// Reads [`Passkey::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (point, rest) = bytes.split_first_chunk::<POINT>()?;
        let (length, rest) = rest.split_first()?;
        let (rp_id, credential) = rest.split_at_checked(usize::from(*length))?;
        let rp_id = std::str::from_utf8(rp_id).ok().filter(|name| is_host(name))?.to_owned();
        let known = point.first() == Some(&4) && (1..=MAX_CREDENTIAL).contains(&credential.len());
        known.then(|| Self { point: *point, rp_id, credential: credential.to_vec() })
    }

    /// The site.
    #[must_use]
    pub fn rp_id(&self) -> &str {
        &self.rp_id
    }

    /// The credential's id: what a browser finds it by.
    #[must_use]
    pub fn credential(&self) -> &[u8] {
        &self.credential
    }

    /// Whether `assertion` (as [`Assertion::to_bytes`]) is this passkey's over `challenge`, made by its person on its own
    /// site.
    ///
    /// # Errors
    /// When it is not, whatever the reason.
    pub fn verify(&self, challenge: &[u8; 32], assertion: &[u8]) -> Result<(), SigningError> {
        let assertion = Assertion::from_bytes(assertion).ok_or(SigningError::Signature)?;
        let said = serde_json::from_slice::<ClientData<'_>>(&assertion.client_data).ok();
        let said = said.filter(|said| said.is_about(challenge) && said.is_from(&self.rp_id));
        let data = &assertion.authenticator_data;
        let of_site = data.len() >= MIN_DATA && data.starts_with(digest(&SHA256, self.rp_id.as_bytes()).as_ref());
        let present = data.get(32).is_some_and(|flags| flags & PRESENT_AND_VERIFIED == PRESENT_AND_VERIFIED);
        if said.is_none() || !of_site || !present {
            return Err(SigningError::Signature);
        }
        let signed = [data.as_slice(), digest(&SHA256, &assertion.client_data).as_ref()].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.point);
        key.verify(&signed, &assertion.signature).map_err(|_| SigningError::Signature)
    }
}

/// What an authenticator and its browser return for a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The site, the flags and the counter, as the authenticator signed them.
    pub authenticator_data: Vec<u8>,
    /// What the browser says of the ceremony: JSON, as it was hashed.
    pub client_data: Vec<u8>,
    /// ECDSA in ASN.1.
    pub signature: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    authenticator_data: String,
    client_data: String,
    signature: String,
}

impl Assertion {
    /// JSON with the three parts in base64url: it takes a signature's place beside a statement.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let written = Written {
            authenticator_data: text(&self.authenticator_data),
            client_data: text(&self.client_data),
            signature: text(&self.signature),
        };
        // Serialising strings to memory has no failure path.
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Reads [`Assertion::to_bytes`], and no other spelling.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_ASSERTION {
            return None;
        }
        let written: Written = serde_json::from_slice(bytes).ok()?;
        let read = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
        let assertion = Self {
            authenticator_data: read(&written.authenticator_data)?,
            client_data: read(&written.client_data)?,
            signature: read(&written.signature)?,
        };
        (assertion.to_bytes() == bytes).then_some(assertion)
    }
}

/// The part of a browser's client data that counts. It may say more (section 5.8.1).
#[derive(Deserialize)]
struct ClientData<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    challenge: &'a str,
    origin: &'a str,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
    #[serde(rename = "topOrigin")]
    top_origin: Option<String>,
}

impl ClientData<'_> {
    fn is_about(&self, challenge: &[u8; 32]) -> bool {
        self.kind == "webauthn.get" && self.challenge == BASE64URL_NOPAD.encode(challenge)
    }

    /// The page was the site's own, over TLS, and not framed by another.
    fn is_from(&self, rp_id: &str) -> bool {
        let host = self.origin.strip_prefix("https://").and_then(|rest| rest.strip_prefix(rp_id));
        let port = |rest: &str| {
            let digits = rest.strip_prefix(':').unwrap_or_default();
            rest.is_empty() || (!digits.is_empty() && digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()))
        };
        host.is_some_and(port) && !self.cross_origin && self.top_origin.is_none()
    }
}

/// Whether `signature` (two numbers of 32 bytes) is that of the key in `spki` over `message`: for a key that a passkey's
/// holder has lent, not for the passkey itself.
#[must_use]
pub fn is_signed_by(spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let verify = |point| UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok();
    point_of(spki).is_some_and(verify)
}

fn point_of(spki: &[u8]) -> Option<[u8; POINT]> {
    spki.strip_prefix(SPKI.as_slice())?.try_into().ok()
}

/// A host's name in lower case: letters, digits, dots and dashes.
fn is_host(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    (1..=253).contains(&name.len()) && name.bytes().all(letter) && !name.starts_with(['.', '-']) && !name.ends_with('.')
}

#[cfg(test)]
#[path = "tests/passkey.rs"]
mod tests;
