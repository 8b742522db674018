//! A session's token: bound to a key that only this process holds, narrowed for every call, renewed before it ends.

use crate::error::Error;
use bodh_guardian_api::Grant;
use bodh_token::{CallGrant, SigningKey, VerifiedRoot};
use ring::rand::{SecureRandom, SystemRandom};

/// A token is renewed when less than this is left of it.
const RENEW_MS: u64 = 90_000;

/// A root token and the session's key.
pub(crate) struct SessionGrant {
    encoded: String,
    root: VerifiedRoot,
    key: SigningKey,
}

/// A fresh key for a session, held in memory only.
pub(crate) fn session_key() -> Result<SigningKey, Error> {
    SigningKey::from_seed(&random()?).map_err(|_| Error::Corrupt("a fresh key"))
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Corrupt("the system's randomness"))?;
    Ok(bytes)
}

/// 128 random bits in hex.
pub(crate) fn random_id() -> Result<String, Error> {
    Ok(data_encoding::HEXLOWER.encode(&random::<16>()?))
}

impl SessionGrant {
    pub(crate) fn new(grant: &Grant, key: SigningKey, token_key: &[u8; 32]) -> Result<Self, Error> {
        let root = VerifiedRoot::verify(&grant.token, token_key).map_err(|_| Error::Corrupt("the guardian's token"))?;
        Ok(Self { encoded: grant.token.clone(), root, key })
    }

    pub(crate) fn root(&self) -> &str {
        &self.encoded
    }

    /// Whether it should be renewed before the next call.
    pub(crate) fn ends_soon(&self, now_ms: u64) -> bool {
        self.root.claims().expires_ms.saturating_sub(now_ms) < RENEW_MS
    }

    pub(crate) fn narrow(&self, call: CallGrant, now_ms: u64) -> Option<String> {
        let id = random().ok()?;
        match bodh_token::narrow(&self.root, call, id, now_ms, &self.key) {
            Ok(token) => Some(token),
            Err(refusal) => {
                tracing::warn!(cause = %refusal.code(), "a token could not be narrowed");
                None
            }
        }
    }
}
