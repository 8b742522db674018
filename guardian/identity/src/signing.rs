//! Signatures whose meaning is part of what is signed: Ed25519 (RFC 8032), or a passkey's ([`crate::passkey`]).
//!
//! Each signature is over `"bodh/v1/CONTEXT\0" + payload`, so one made for one purpose is worth nothing for another.

use data_encoding::BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::id::SpiffeId;
use crate::passkey::Passkey;

/// The largest payload that is signed or checked.
pub const MAX_PAYLOAD: usize = 4 * 1024 * 1024;
/// The largest signed document: base64 of the payload and the fields around it.
pub const MAX_DOCUMENT: usize = MAX_PAYLOAD / 3 * 4 + 8 * 1024;

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// A policy bundle.
    Policy,
    /// The manifest of executables.
    Binaries,
    /// A person's enrolment.
    Enrolment,
    /// An operator's invitation to enrol.
    Invitation,
    /// A change of a person's keys.
    Keys,
    /// A person's decision.
    Decision,
    /// A person's request to open a session at rest.
    Access,
    /// A mark on a record.
    Mark,
    /// The reversal of a rule.
    Reversal,
    /// A review of a record.
    Review,
    /// A proof of possession at the guardian's door.
    Door,
}

impl Context {
    /// Its name inside the signed bytes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Binaries => "binaries",
            Self::Enrolment => "enrolment",
            Self::Invitation => "invitation",
            Self::Keys => "keys",
            Self::Decision => "decision",
            Self::Access => "access",
            Self::Mark => "mark",
            Self::Reversal => "reversal",
            Self::Review => "review",
            Self::Door => "door",
        }
    }

    /// The bytes under a signature.
    #[must_use]
    pub fn signed_bytes(self, payload: &[u8]) -> Vec<u8> {
        [b"bodh/v1/", self.name().as_bytes(), b"\0", payload].concat()
    }
}

/// Why something could not be signed, or a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The private key cannot be read.
    #[error("not an Ed25519 key in PKCS#8")]
    Key,
    /// The signature is not that of this key over this payload for this purpose.
    #[error("the signature does not hold")]
    Signature,
    /// The payload or document is too large.
    #[error("a signed payload has at most 4 MiB")]
    TooLarge,
    /// The document is not in the one accepted form.
    #[error("not a signed document: payload, signer and signature are required, in canonical base64, and nothing else")]
    Malformed,
    /// The document is good, but another signed it.
    #[error("the document names another signer than was expected")]
    WrongSigner,
    /// The operating system gave no randomness, or the key's holder refused.
    #[error("nothing was signed")]
    Refused,
}

/// Signs for one identity: a key in memory here, a token or a security module elsewhere.
pub trait Signer: Send + Sync {
    /// The Ed25519 public key, 32 bytes.
    fn public_key(&self) -> [u8; 32];
    /// Signs a payload for one purpose.
    fn sign(&self, context: Context, payload: &[u8]) -> Result<[u8; 64], SigningError>;
}

/// An Ed25519 private key: of a person, or of a service. Its bytes are wiped when it is dropped.
pub struct PersonKey {
    pkcs8: Zeroizing<Vec<u8>>,
    pair: Ed25519KeyPair,
}

impl PersonKey {
    /// A fresh key from the operating system's randomness.
    pub fn generate() -> Result<Self, SigningError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| SigningError::Refused)?;
        Self::from_pkcs8(document.as_ref())
    }

    /// Reads a PKCS#8 key (version 2, with the public key, as [`PersonKey::pkcs8`] gives it).
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, SigningError> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| SigningError::Key)?;
        Ok(Self { pkcs8: Zeroizing::new(pkcs8.to_vec()), pair })
    }

    /// The key itself, for sealing. Secret.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }
}

impl Signer for PersonKey {
    fn public_key(&self) -> [u8; 32] {
        let mut out = [0; 32];
        let public = self.pair.public_key().as_ref();
        out.iter_mut().zip(public).for_each(|(to, from)| *to = *from);
        out
    }

    fn sign(&self, context: Context, payload: &[u8]) -> Result<[u8; 64], SigningError> {
        if payload.len() > MAX_PAYLOAD {
            return Err(SigningError::TooLarge);
        }
        let signature = self.pair.sign(&context.signed_bytes(payload));
        signature.as_ref().try_into().map_err(|_| SigningError::Refused)
    }
}

impl std::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonKey").finish_non_exhaustive()
    }
}

/// What a passkey signs in place of a payload.
#[must_use]
pub fn challenge(context: Context, payload: &[u8]) -> [u8; 32] {
    let hash = ring::digest::digest(&ring::digest::SHA256, &context.signed_bytes(payload));
    let mut out = [0; 32];
    out.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// Whether `signature` is that of `public_key` over `payload` for this purpose. A key is an Ed25519 key (32 bytes) or a
/// passkey ([`Passkey::to_bytes`], always longer).
///
/// # Errors
/// When it is not, or the payload is too large.
pub fn verify(public_key: &[u8], context: Context, payload: &[u8], signature: &[u8]) -> Result<(), SigningError> {
    if payload.len() > MAX_PAYLOAD {
        return Err(SigningError::TooLarge);
    }
    if let Some(passkey) = Passkey::from_bytes(public_key) {
        return passkey.verify(&challenge(context, payload), signature);
    }
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    key.verify(&context.signed_bytes(payload), signature).map_err(|_| SigningError::Signature)
}

/// A payload with its signer's name and signature; nothing of the payload can be read before the signature holds.
///
/// As JSON: `{"payload": base64, "signer": "spiffe://…", "signature": base64}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedDocument {
    payload: Vec<u8>,
    signer: SpiffeId,
    signature: [u8; 64],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    payload: String,
    signer: SpiffeId,
    signature: String,
}

impl SignedDocument {
    /// Signs a payload.
    pub fn sign(key: &dyn Signer, signer: &SpiffeId, context: Context, payload: Vec<u8>) -> Result<Self, SigningError> {
        let signature = key.sign(context, &payload)?;
        Ok(Self { payload, signer: signer.clone(), signature })
    }

    /// Reads the JSON form. Only its shape is checked here.
    pub fn parse(json: &[u8]) -> Result<Self, SigningError> {
        if json.len() > MAX_DOCUMENT {
            return Err(SigningError::TooLarge);
        }
        let written: Written = serde_json::from_slice(json).map_err(|_| SigningError::Malformed)?;
        let payload = BASE64.decode(written.payload.as_bytes()).map_err(|_| SigningError::Malformed)?;
        let signature = BASE64.decode(written.signature.as_bytes()).map_err(|_| SigningError::Malformed)?;
        let signature = signature.as_slice().try_into().map_err(|_| SigningError::Malformed)?;
        if payload.len() > MAX_PAYLOAD {
            return Err(SigningError::TooLarge);
        }
        Ok(Self { payload, signer: written.signer, signature })
    }

    /// The JSON form.
    pub fn to_json(&self) -> Result<String, SigningError> {
        let written = Written {
            payload: BASE64.encode(&self.payload),
            signer: self.signer.clone(),
            signature: BASE64.encode(&self.signature),
        };
        serde_json::to_string(&written).map_err(|_| SigningError::Malformed)
    }

    /// Who says to have signed it: to look their key up, nothing more.
    pub fn claimed_signer(&self) -> &SpiffeId {
        &self.signer
    }

    /// The payload, once the signature of `signer` with `public_key` for this purpose holds.
    pub fn verify(&self, signer: &SpiffeId, public_key: &[u8], context: Context) -> Result<&[u8], SigningError> {
        if self.signer != *signer {
            return Err(SigningError::WrongSigner);
        }
        verify(public_key, context, &self.payload, &self.signature)?;
        Ok(&self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> SpiffeId {
        SpiffeId::human("test.internal", "ada").unwrap()
    }

    #[test]
    fn a_signature_holds_for_its_key_purpose_and_payload_only() {
        let (key, other) = (PersonKey::generate().unwrap(), PersonKey::generate().unwrap());
        let signature = key.sign(Context::Decision, b"yes").unwrap();
        assert_eq!(verify(&key.public_key(), Context::Decision, b"yes", &signature), Ok(()));
        let refused = Err(SigningError::Signature);
        assert_eq!(verify(&key.public_key(), Context::Mark, b"yes", &signature), refused);
        assert_eq!(verify(&key.public_key(), Context::Decision, b"no", &signature), refused);
        assert_eq!(verify(&other.public_key(), Context::Decision, b"yes", &signature), refused);
        assert_eq!(verify(&key.public_key()[1..], Context::Decision, b"yes", &signature), refused);
        assert_eq!(verify(&key.public_key(), Context::Decision, b"yes", &signature[1..]), refused);
    }

    #[test]
    fn the_signed_bytes_are_as_specified() {
        assert_eq!(Context::Door.signed_bytes(b"x"), b"bodh/v1/door\0x");
        let key = PersonKey::generate().unwrap();
        let raw = key.pair.sign(b"bodh/v1/policy\0x");
        assert_eq!(verify(&key.public_key(), Context::Policy, b"x", raw.as_ref()), Ok(()));
    }

    #[test]
    fn a_key_survives_saving_and_rubbish_is_no_key() {
        let key = PersonKey::generate().unwrap();
        assert_eq!(PersonKey::from_pkcs8(key.pkcs8()).unwrap().public_key(), key.public_key());
        assert_eq!(PersonKey::from_pkcs8(b"rubbish").unwrap_err(), SigningError::Key);
    }

    #[test]
    fn a_document_shows_its_payload_only_when_it_holds() {
        let key = PersonKey::generate().unwrap();
        let document = SignedDocument::sign(&key, &signer(), Context::Policy, b"permit".to_vec()).unwrap();
        let document = SignedDocument::parse(document.to_json().unwrap().as_bytes()).unwrap();
        assert_eq!(document.verify(&signer(), &key.public_key(), Context::Policy), Ok(&b"permit"[..]));
        let other = SpiffeId::human("test.internal", "bob").unwrap();
        assert_eq!(document.verify(&other, &key.public_key(), Context::Policy), Err(SigningError::WrongSigner));
        assert_eq!(document.verify(&signer(), &key.public_key(), Context::Binaries), Err(SigningError::Signature));
    }

    #[test]
    fn other_shapes_of_a_document_are_refused() {
        let key = PersonKey::generate().unwrap();
        let good =
            SignedDocument::sign(&key, &signer(), Context::Policy, b"permit".to_vec()).unwrap().to_json().unwrap();
        for bad in [
            good.replace("\"signer\"", "\"extra\":1,\"signer\""),
            good.replace("\"signer\":\"spiffe://test.internal/human/ada\",", ""),
            good.replace("spiffe://test.internal/human/ada", "ada"),
            good.replace("cGVybWl0", "cGVybWl0\\n"),
            good.replace("cGVybWl0", "cGVybWl="),
            good.replace("\"signature\":\"", "\"signature\":\"AAAA"),
            format!("{good} {{}}"),
            good.replace("{\"payload\"", "{\"payload\":\"\",\"payload\""),
        ] {
            assert_eq!(SignedDocument::parse(bad.as_bytes()), Err(SigningError::Malformed), "{bad}");
        }
        assert_eq!(SignedDocument::parse(&vec![b' '; MAX_DOCUMENT + 1]), Err(SigningError::TooLarge));
        let too_large = vec![0; MAX_PAYLOAD + 1];
        assert_eq!(key.sign(Context::Policy, &too_large), Err(SigningError::TooLarge));
    }
}
