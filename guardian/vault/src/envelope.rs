//! Session secrets, and how the vault's key wraps them.

use std::{fmt, str::FromStr};

use age::x25519::{Identity, Recipient};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::VaultError;

/// Names the format of a wrapped secret; also the context of the derived key (RFC 5869, info).
const WRAP: &[u8] = b"bodh-vault/1 wrap";
/// HMAC-SHA-256, in bytes.
const TAG: usize = 32;
/// An encoded age identity is 74 bytes; an age file around it and a session id stays far below.
const WRAPPED_MAX: usize = 4096;
/// The longest session id or other name.
pub(crate) const NAME_MAX: usize = 256;

/// Makes the keys of a new session.
#[derive(Debug)]
pub struct Envelope;

impl Envelope {
    /// A fresh session secret and the recipient (`age1…`) to which the session's view keys are sealed. Randomness comes from the
    /// operating system.
    pub fn create() -> (SessionSecret, String) {
        let identity = Identity::generate();
        let recipient = identity.to_public().to_string();
        (SessionSecret { identity }, recipient)
    }
}

/// The age identity of one session: opens the session's view keys. Its memory is overwritten when dropped.
#[derive(Clone)]
pub struct SessionSecret {
    identity: Identity,
}

impl SessionSecret {
    /// Reads what [`SessionSecret::to_secret`] gave.
    pub fn from_secret(text: &SecretString) -> Result<Self, VaultError> {
        Ok(Self { identity: parse(text.expose_secret())? })
    }

    /// The secret as text, to be carried to the session's owner over an authenticated connection.
    pub fn to_secret(&self) -> SecretString {
        self.identity.to_string()
    }

    /// The recipient that this secret opens.
    pub fn recipient(&self) -> String {
        self.identity.to_public().to_string()
    }

    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        age::decrypt(&self.identity, sealed).ok().map(Zeroizing::new)
    }
}

/// The vault's own key. Only its holder can wrap and unwrap session secrets.
pub struct VaultKey {
    identity: Identity,
    /// An age file does not say who made it; this key, derived from the identity, does.
    sender: hmac::Key,
}

impl VaultKey {
    /// A fresh key from the operating system's randomness.
    pub fn generate() -> Self {
        Self::new(Identity::generate())
    }

    /// Reads what [`VaultKey::to_secret`] gave.
    pub fn from_secret(text: &SecretString) -> Result<Self, VaultError> {
        Ok(Self::new(parse(text.expose_secret())?))
    }

    /// The key as text, to be sealed for storage.
    pub fn to_secret(&self) -> SecretString {
        self.identity.to_string()
    }

    /// Encrypts a session secret under this key, bound to the session's id.
    pub fn wrap(&self, secret: &SessionSecret, session: &str) -> Result<Vec<u8>, VaultError> {
        if session.len() > NAME_MAX {
            return Err(VaultError::TooLong);
        }
        let text = secret.to_secret();
        let sealed = age::encrypt(&self.identity.to_public(), text.expose_secret().as_bytes())
            .map_err(|_| VaultError::NoRandomness)?;
        let mut wrapped = hmac::sign(&self.sender, &said(session, &sealed)).as_ref().to_vec();
        wrapped.extend_from_slice(&sealed);
        Ok(wrapped)
    }

    /// Opens a wrapped secret. Refuses one that another key wrapped, that belongs to another session, or that was altered.
    pub fn unwrap(&self, wrapped: &[u8], session: &str) -> Result<SessionSecret, VaultError> {
        let sized = session.len() <= NAME_MAX && wrapped.len() <= WRAPPED_MAX;
        let (tag, sealed) = wrapped.split_at_checked(TAG).filter(|_| sized).ok_or(VaultError::WrongWrap)?;
        hmac::verify(&self.sender, &said(session, sealed), tag).map_err(|_| VaultError::WrongWrap)?;
        let text = age::decrypt(&self.identity, sealed).map(Zeroizing::new).map_err(|_| VaultError::WrongWrap)?;
        let text = std::str::from_utf8(&text).map_err(|_| VaultError::WrongWrap)?;
        Ok(SessionSecret { identity: parse(text).map_err(|_| VaultError::WrongWrap)? })
    }

    fn new(identity: Identity) -> Self {
        let sender = authenticator(identity.to_string().expose_secret().as_bytes(), WRAP);
        Self { identity, sender }
    }
}

/// What the tag of a wrapped secret covers: the session's id, with its length so that nothing can move across the border.
fn said(session: &str, sealed: &[u8]) -> Vec<u8> {
    let mut said = WRAP.to_vec();
    said.extend_from_slice(&(session.len() as u64).to_be_bytes());
    said.extend_from_slice(session.as_bytes());
    said.extend_from_slice(sealed);
    said
}

/// An HMAC-SHA-256 key for one purpose.
pub(crate) fn authenticator(secret: &[u8], purpose: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, derive(secret, purpose).as_slice())
}

/// HKDF-SHA-256 (RFC 5869) without salt, for one block of output: extract (2.2), then the first round of expand (2.3).
pub(crate) fn derive(secret: &[u8], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]), secret);
    let mut round = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()));
    round.update(purpose);
    round.update(&[1]);
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(round.sign().as_ref());
    key
}

pub(crate) fn recipient(text: &str) -> Result<Recipient, VaultError> {
    Recipient::from_str(text).map_err(|_| VaultError::NotARecipient)
}

fn parse(text: &str) -> Result<Identity, VaultError> {
    Identity::from_str(text).map_err(|_| VaultError::NotAnIdentity)
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSecret")
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivation_is_hkdf_as_another_implementation_computes_it() {
        struct Block;
        impl ring::hkdf::KeyType for Block {
            fn len(&self) -> usize {
                32
            }
        }
        for (secret, purpose) in [(&b"secret"[..], &b"purpose"[..]), (&[7; 100], b""), (b"", b"x")] {
            let mut expected = [0; 32];
            let salted = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, &[]).extract(secret);
            salted.expand(&[purpose], Block).unwrap().fill(&mut expected).unwrap();
            assert_eq!(*derive(secret, purpose), expected);
        }
    }
}
