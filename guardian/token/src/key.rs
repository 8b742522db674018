//! Ed25519 keys (RFC 8032). Signing is deterministic: no randomness is drawn here.

use std::fmt;

use ring::signature::{Ed25519KeyPair, KeyPair};

/// Not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 seed; pass 32 random bytes")]
pub struct KeyError;

/// An Ed25519 key pair held in memory: a session's key, or a guardian's token key that is not behind a device.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// From 32 random bytes, which the caller draws and forgets.
    ///
    /// # Errors
    /// [`KeyError`] if the seed is refused.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| KeyError)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        public
    }

    /// Signs `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(message).as_ref());
        signature
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}
