//! Sealing one record under the key of its view.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroizing;

use crate::{
    VaultError, View,
    envelope::{NAME_MAX, derive},
};

/// An AES-256 key, in bytes.
pub(crate) const KEY: usize = 32;
/// The first byte of a sealed record.
const VERSION: u8 = 1;
/// Seals per opened key. With random 96-bit nonces at most 2^32 may be made under one key (NIST SP 800-38D, 8.3); a session
/// can be opened 256 times and use each opening up before that.
const SEALS_MAX: u64 = 1 << 24;
/// The longest record.
const RECORD_MAX: usize = 64 << 20;

/// Opened bytes: overwritten when dropped, never printed. Read them with [`expose`].
pub type Plaintext = SecretBox<Vec<u8>>;

/// The bytes of an opened record.
pub fn expose(plaintext: &Plaintext) -> &[u8] {
    plaintext.expose_secret()
}

/// Where a record belongs. A sealed record opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The session's id.
    pub session: &'a str,
    /// The record's id, unique in its session.
    pub record: &'a str,
    /// The record's place in its sequence, or its version.
    pub sequence: u64,
}

/// The key of one view of one session.
pub struct ViewKey {
    view: View,
    cipher: Zeroizing<[u8; KEY]>,
    commitments: Zeroizing<[u8; KEY]>,
    seals: AtomicU64,
}

/// What [`ViewKey::commitment`] gives, for whoever has the key of the commitments and the value.
pub fn commitment(key: &[u8; KEY], name: &str, plaintext: &[u8]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    context.update(&(name.len() as u64).to_be_bytes());
    context.update(name.as_bytes());
    context.update(plaintext);
    let mut commitment = [0; 32];
    commitment.copy_from_slice(context.sign().as_ref());
    commitment
}

impl ViewKey {
    pub(crate) fn new(view: View, key: &[u8; KEY]) -> Self {
        Self {
            view,
            cipher: derive(key, b"bodh-vault/1 seal"),
            commitments: derive(key, b"bodh-vault/1 commitment"),
            seals: AtomicU64::new(0),
        }
    }

    /// The view that this key opens.
    pub fn view(&self) -> View {
        self.view
    }

    /// Seals a record: `version | nonce | ciphertext and tag`, 29 bytes longer than the plaintext.
    pub fn seal(&self, place: Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, VaultError> {
        let bound = self.bound(place)?;
        if plaintext.len() > RECORD_MAX {
            return Err(VaultError::TooLong);
        }
        let counted =
            self.seals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < SEALS_MAX).then_some(n + 1));
        counted.map_err(|_| VaultError::Exhausted)?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + plaintext.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        // The plaintext is encrypted where it lies in this buffer, so no copy of it stays behind.
        sealed.extend_from_slice(plaintext);
        let (_, text) = sealed.split_at_mut(1 + NONCE_LEN);
        let tag = self.aead()?.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&bound), text);
        match tag {
            Ok(tag) => sealed.extend_from_slice(tag.as_ref()),
            Err(_) => return Err(VaultError::TooLong),
        }
        Ok(sealed)
    }

    /// Opens a record at the place where it was sealed.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Plaintext, VaultError> {
        let bound = self.bound(place)?;
        let (version, rest) = sealed.split_first().ok_or(VaultError::WrongRecord)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::WrongRecord)?;
        if *version != VERSION || text.len() > RECORD_MAX + AES_256_GCM.tag_len() {
            return Err(VaultError::WrongRecord);
        }
        let mut buffer = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.aead()?.open_in_place(nonce, Aad::from(&bound), &mut buffer);
        let length = opened.map_err(|_| VaultError::WrongRecord)?.len();
        buffer.truncate(length);
        Ok(SecretBox::new(Box::new(std::mem::take(&mut *buffer))))
    }

    /// A commitment to a value under a name: HMAC-SHA-256 under a key of this view. It can be published: who has the key and
    /// the value can check it, and once the key is erased nobody can find the value by guessing.
    pub fn commitment(&self, name: &str, plaintext: &[u8]) -> [u8; 32] {
        commitment(&self.commitments, name, plaintext)
    }

    /// The key of this view's commitments, for whoever is given the values: it checks them, and opens nothing.
    pub fn commitment_key(&self) -> Zeroizing<[u8; KEY]> {
        self.commitments.clone()
    }

    /// What the tag covers beside the text. Every name carries its length, so that no two places give the same bytes.
    fn bound(&self, place: Place<'_>) -> Result<Vec<u8>, VaultError> {
        if place.session.len() > NAME_MAX || place.record.len() > NAME_MAX {
            return Err(VaultError::TooLong);
        }
        let mut bound = vec![VERSION];
        for name in [place.session, self.view.name(), place.record] {
            bound.extend_from_slice(&(name.len() as u64).to_be_bytes());
            bound.extend_from_slice(name.as_bytes());
        }
        bound.extend_from_slice(&place.sequence.to_be_bytes());
        Ok(bound)
    }

    fn aead(&self) -> Result<LessSafeKey, VaultError> {
        // It fails for a wrong length only, and the length is a type here.
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, self.cipher.as_slice()).map_err(|_| VaultError::WrongKey)?))
    }
}

impl fmt::Debug for ViewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ViewKey({})", self.view.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { session: "s", record: "r", sequence: 0 };

    #[test]
    fn a_key_stops_before_its_nonces_run_out() {
        let key = ViewKey::new(View::Findings, &[1; KEY]);
        key.seals.store(SEALS_MAX - 1, Ordering::Relaxed);
        let last = key.seal(PLACE, b"x").unwrap();
        assert_eq!(key.seal(PLACE, b"x"), Err(VaultError::Exhausted));
        assert_eq!(key.seal(PLACE, b"x"), Err(VaultError::Exhausted));
        assert!(key.open(PLACE, &last).is_ok());
    }

    #[test]
    fn a_record_or_name_beyond_the_bound_is_refused() {
        let key = ViewKey::new(View::Findings, &[1; KEY]);
        let long = "x".repeat(NAME_MAX + 1);
        assert_eq!(key.seal(Place { session: &long, ..PLACE }, b""), Err(VaultError::TooLong));
        assert_eq!(key.seal(Place { record: &long, ..PLACE }, b""), Err(VaultError::TooLong));
        assert_eq!(key.seal(PLACE, &vec![0; RECORD_MAX + 1]), Err(VaultError::TooLong));
        assert_eq!(key.seals.load(Ordering::Relaxed), 0, "what is refused uses nothing up");
    }
}
