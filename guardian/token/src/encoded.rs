//! The encoded form: `base64url(json) "." base64url(signature)`, RFC 4648 section 5 without padding.
//!
//! Every token has exactly one encoded form. The signature is checked on the bytes as they came, before they are parsed.

use std::collections::BTreeSet;
use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ring::digest;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::claims::Claims;
use crate::refusal::Refusal;

/// The longest encoded token, in bytes.
pub const MAX_ENCODED: usize = 4096;

/// SHA-256, as used for argument hashes, parent hashes and the key of a cache of verified roots.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// Encodes and signs. What this crate would refuse to read it refuses to write.
pub(crate) fn seal<C: Claims>(claims: &C, sign: impl FnOnce(&[u8]) -> Option<[u8; 64]>) -> Result<String, Refusal> {
    claims.check_form()?;
    let payload = serde_json::to_vec(claims).map_err(|_| Refusal::Malformed(C::HOP))?;
    let signature = sign(&signed_bytes::<C>(&payload)).ok_or(Refusal::NotSigned)?;
    let encoded = format!("{}.{}", BASE64URL_NOPAD.encode(&payload), BASE64URL_NOPAD.encode(&signature));
    if encoded.len() > MAX_ENCODED { Err(Refusal::Oversize(C::HOP)) } else { Ok(encoded) }
}

/// Checks, in this order: size, shape, base64, signature, claims, bounds.
pub(crate) fn open<C: Claims>(encoded: &str, key: &[u8; 32]) -> Result<C, Refusal> {
    if encoded.len() > MAX_ENCODED {
        return Err(Refusal::Oversize(C::HOP));
    }
    let (payload, signature) = encoded.split_once('.').ok_or(Refusal::Malformed(C::HOP))?;
    if payload.is_empty() || signature.is_empty() || signature.contains('.') {
        return Err(Refusal::Malformed(C::HOP));
    }
    let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Refusal::NonCanonicalBase64(C::HOP));
    let (payload, signature) = (decode(payload)?, decode(signature)?);
    UnparsedPublicKey::new(&ED25519, key)
        .verify(&signed_bytes::<C>(&payload), &signature)
        .map_err(|_| Refusal::Altered(C::HOP))?;
    let claims: C = parse(&payload)?;
    claims.check_form()?;
    Ok(claims)
}

fn signed_bytes<C: Claims>(payload: &[u8]) -> Vec<u8> {
    [C::CONTEXT, payload].concat()
}

/// Reads the claims so that each way of being wrong has its own refusal, then insists on the one way to write them.
fn parse<C: Claims>(payload: &[u8]) -> Result<C, Refusal> {
    let mut reader = serde_json::Deserializer::from_slice(payload);
    let Members(members) = Members::deserialize(&mut reader).map_err(|_| Refusal::Malformed(C::HOP))?;
    reader.end().map_err(|_| Refusal::TrailingBytes(C::HOP))?;

    let names: BTreeSet<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    if names.len() < members.len() {
        return Err(Refusal::DuplicateField(C::HOP));
    }
    if names.iter().any(|name| !C::FIELDS.contains(name)) {
        return Err(Refusal::UnknownField(C::HOP));
    }
    if C::FIELDS.iter().any(|field| !names.contains(field)) {
        return Err(Refusal::MissingField(C::HOP));
    }
    let object: Map<String, Value> = members.into_iter().collect();
    let claims: C = serde_json::from_value(Value::Object(object)).map_err(|_| Refusal::MistypedField(C::HOP))?;
    match serde_json::to_vec(&claims) {
        Ok(canonical) if canonical == payload => Ok(claims),
        _ => Err(Refusal::NonCanonicalJson(C::HOP)),
    }
}

/// A JSON object with its members as written: a map would silently keep only the last of two equal names.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsWritten;
        impl<'de> Visitor<'de> for AsWritten {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(AsWritten)
    }
}
