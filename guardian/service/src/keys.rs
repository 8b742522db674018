//! The guardian's three secrets on disk, each sealed to the unlock identity: `ca.sealed`, `vault.sealed`,
//! `token.sealed`.

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use bodh_identity::{
    ca::{Ca, CaError},
    sealed::{AgeKey, SealedError, read_sealed, write_sealed},
};
use bodh_token::SigningKey;
use bodh_vault::VaultKey;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::{error::Error, random};

/// Why a secret cannot be had. Ends the start of the service.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The unlock identity is not one.
    #[error("the unlock identity is not an age X25519 identity; check the unlock file")]
    Unlock,
    /// The file is sealed to another identity, or altered.
    #[error("{0}: this unlock key does not open it; use the unlock key that this state folder was made with")]
    Sealed(PathBuf),
    /// The file cannot be read or written.
    #[error("{0}: cannot be read or written ({1})")]
    File(PathBuf, io::Error),
    /// The file opens, but does not hold the secret.
    #[error("{0}: does not hold the key it should; restore the state folder from a backup")]
    Content(PathBuf),
    /// A database is there, and the key that opens what is in it is not.
    #[error("{0}: missing while guardian.db exists; restore the state folder from a backup")]
    Missing(PathBuf),
    /// A new key could not be made.
    #[error("a new key could not be made: {0}")]
    Making(String),
}

/// Opens and seals the guardian's secrets.
pub struct Keyring {
    folder: PathBuf,
    unlock: AgeKey,
}

impl Keyring {
    /// The secrets in `folder`, opened with the identity in `unlock`.
    pub fn new(folder: &Path, unlock: &SecretString) -> Result<Self, KeyError> {
        let unlock = AgeKey::parse(unlock.expose_secret()).map_err(|_| KeyError::Unlock)?;
        Ok(Self { folder: folder.to_owned(), unlock })
    }

    /// The vault's key. Made only in a `fresh` folder: a new one would open no session of an old folder.
    pub fn vault(&self, fresh: bool) -> Result<VaultKey, KeyError> {
        if let Some(secret) = self.read("vault.sealed", fresh)? {
            return secret_text(&secret)
                .and_then(|text| VaultKey::from_secret(&text).ok())
                .ok_or_else(|| KeyError::Content(self.path("vault.sealed")));
        }
        let key = VaultKey::generate();
        self.write("vault.sealed", key.to_secret().expose_secret().as_bytes())?;
        Ok(key)
    }

    /// The key that signs session tokens.
    pub fn token(&self, fresh: bool) -> Result<SigningKey, KeyError> {
        let seed = match self.read("token.sealed", fresh)? {
            Some(seed) => seed,
            None => {
                let seed = random::bytes::<32>().map_err(|error: Error| KeyError::Making(error.to_string()))?;
                let seed = Zeroizing::new(seed.to_vec());
                self.write("token.sealed", &seed)?;
                seed
            }
        };
        let seed: Option<Zeroizing<[u8; 32]>> = seed.as_slice().try_into().ok().map(Zeroizing::new);
        seed.and_then(|seed| SigningKey::from_seed(&seed).ok())
            .ok_or_else(|| KeyError::Content(self.path("token.sealed")))
    }

    /// The certificate authority, advanced to `now`.
    pub fn ca(&self, trust_domain: &str, now: SystemTime) -> Result<Ca, KeyError> {
        let wrong = || KeyError::Content(self.path("ca.sealed"));
        // An authority that is gone is replaced: no certificate of it outlives five minutes, and nothing is sealed to
        // it.
        let mut ca = match self.read("ca.sealed", true)? {
            Some(secret) => Ca::from_secret(&secret).map_err(|_| wrong())?,
            None => Ca::generate(trust_domain, now).map_err(making)?,
        };
        if ca.trust_domain() != trust_domain {
            return Err(wrong());
        }
        ca.advance(now).map_err(making)?;
        self.save_ca(&ca)?;
        Ok(ca)
    }

    /// Seals the authority; durable when this returns, so before its new bundle is shown to anyone.
    pub fn save_ca(&self, ca: &Ca) -> Result<(), KeyError> {
        self.write("ca.sealed", &ca.to_secret().map_err(making)?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn read(&self, name: &str, may_be_missing: bool) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        let path = self.path(name);
        match read_sealed(&path, &self.unlock) {
            Ok(secret) => Ok(Some(secret)),
            Err(SealedError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                if may_be_missing {
                    Ok(None)
                } else {
                    Err(KeyError::Missing(path))
                }
            }
            Err(SealedError::Io(error)) => Err(KeyError::File(path, error)),
            Err(_) => Err(KeyError::Sealed(path)),
        }
    }

    fn write(&self, name: &str, secret: &[u8]) -> Result<(), KeyError> {
        let path = self.path(name);
        write_sealed(&path, &self.unlock, secret).map_err(|error| match error {
            SealedError::Io(error) => KeyError::File(path, error),
            other => KeyError::Making(other.to_string()),
        })
    }
}

fn secret_text(secret: &[u8]) -> Option<SecretString> {
    std::str::from_utf8(secret).ok().map(|text| SecretString::from(text.to_owned()))
}

#[allow(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
fn making(error: CaError) -> KeyError {
    KeyError::Making(error.to_string())
}
