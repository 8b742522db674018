//! People: their key files on this machine, and what they do with them.
//!
//! - `keys`: one Ed25519 key per person, outside the state folder.
//! - `passphrase`: what may protect one.
//! - `client`: a person at the panel's door, and behind it.

mod client;
mod keys;
mod passphrase;

pub(crate) use client::{Visitor, at, at_guardian, trace};
pub(crate) use keys::KeyRing;

use crate::failure::{Failure, Outcome};
use bodh_identity::SpiffeId;
use bodh_identity::signing::{Context, PersonKey, SignedDocument, Signer, SigningError};
use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom, SystemRandom};

/// The operating-system user, enrolled by the first start of a state folder.
pub(crate) const LOCAL: &str = "local";

/// Who signs a state folder's documents.
pub(crate) struct Operator<'a> {
    pub(crate) key: &'a PersonKey,
    pub(crate) id: &'a SpiffeId,
}

impl Operator<'_> {
    /// The payload of a document of ours.
    pub(crate) fn verify<'d>(&self, document: &'d SignedDocument, context: Context) -> Result<&'d [u8], SigningError> {
        document.verify(self.id, &self.key.public_key(), context)
    }
}

/// The SPIFFE id of a person.
pub(crate) fn id_of(trust_domain: &str, name: &str) -> Outcome<SpiffeId> {
    SpiffeId::human(trust_domain, name).map_err(|wrong| Failure::input(format!("{name}: {wrong}")))
}

/// A name that a SPIFFE id and a file name can carry: a letter, then letters, digits, `_`, `-`, `.`.
pub(crate) fn check_name(name: &str) -> Outcome {
    let mut letters = name.bytes();
    let good = name.len() <= 64
        && letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b));
    if good {
        return Ok(());
    }
    Err(Failure::input("a name is a lower-case letter, then letters, digits, `_`, `-`, `.`; at most 64"))
}

/// Random bytes of the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Outcome {
    SystemRandom::new().fill(bytes).map_err(|_| Failure::failed("the operating system gave no random bytes"))
}

/// 32 random hexadecimal digits: a trace id, or a nonce.
pub(crate) fn random_hex() -> Outcome<String> {
    let mut bytes = [0_u8; 16];
    fill_random(&mut bytes)?;
    Ok(HEXLOWER.encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_folder() {
        for good in ["local", "ann", "dr.m-lee_2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "Ann", "../x", "a/b", "1a", ".a", "a b", "é", &"a".repeat(65)] {
            assert_eq!(check_name(bad).unwrap_err().code(), 2, "{bad}");
        }
    }
}
