//! A session's keys: sealing and opening in the right view, at the right place.

use crate::error::Error;
use bodh_guardian_api::Grant;
use bodh_vault::{Place, SessionSecret, View, ViewKeys, expose};
use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};

/// The four view keys of one session, open.
pub(crate) struct Keys {
    session: String,
    views: ViewKeys,
}

impl Keys {
    /// Fresh keys for a new session, and their sealed form for the store.
    pub(crate) fn create(session: &str, grant: &Grant) -> Result<(Self, Vec<u8>), Error> {
        let (views, sealed) = ViewKeys::create(&grant.envelope_recipient)?;
        Ok((Self { session: session.to_owned(), views }, pack(&sealed)))
    }

    /// The keys of a session that was opened before, with the secret that the guardian released.
    pub(crate) fn open_all(session: &str, grant: &Grant, sealed: &[u8]) -> Result<Self, Error> {
        let secret = SessionSecret::from_secret(&SecretString::from(grant.envelope_secret.clone()))?;
        let sealed = unpack(sealed).ok_or(Error::Corrupt("session keys"))?;
        Ok(Self { session: session.to_owned(), views: ViewKeys::open(&secret, &sealed)? })
    }

    pub(crate) fn seal<T: Serialize>(
        &self,
        view: View,
        record: &str,
        sequence: u64,
        value: &T,
    ) -> Result<Vec<u8>, Error> {
        let plain = zeroize_later(serde_json::to_vec(value).map_err(|_| Error::Corrupt("a value to seal"))?);
        let place = Place { session: &self.session, record, sequence };
        Ok(self.views.key(view).seal(place, &plain)?)
    }

    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        view: View,
        record: &str,
        sequence: u64,
        sealed: &[u8],
    ) -> Result<T, Error> {
        let plain = self.open_bytes(view, record, sequence, sealed)?;
        serde_json::from_slice(expose(&plain)).map_err(|_| Error::Corrupt("a sealed value"))
    }

    /// What the log says of a value: nothing without this session's key.
    pub(crate) fn commit<T: Serialize>(
        &self,
        view: View,
        record: &str,
        sequence: u64,
        value: &T,
    ) -> Result<[u8; 32], Error> {
        let plain = zeroize_later(serde_json::to_vec(value).map_err(|_| Error::Corrupt("a value to seal"))?);
        Ok(self.views.key(view).commitment(&bodh_evidence::plain_name(record, sequence), &plain))
    }

    /// The key of a view's commitments, in hex: it checks what was said, and opens nothing.
    pub(crate) fn commitment_key(&self, view: View) -> String {
        data_encoding::HEXLOWER.encode(self.views.key(view).commitment_key().as_slice())
    }

    pub(crate) fn seal_bytes(&self, view: View, record: &str, sequence: u64, plain: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.views.key(view).seal(Place { session: &self.session, record, sequence }, plain)?)
    }

    pub(crate) fn open_bytes(
        &self,
        view: View,
        record: &str,
        sequence: u64,
        sealed: &[u8],
    ) -> Result<bodh_vault::Plaintext, Error> {
        Ok(self.views.key(view).open(Place { session: &self.session, record, sequence }, sealed)?)
    }
}

fn zeroize_later(bytes: Vec<u8>) -> zeroize::Zeroizing<Vec<u8>> {
    zeroize::Zeroizing::new(bytes)
}

/// Four byte strings, each after its length in four bytes.
fn pack(sealed: &[Vec<u8>; 4]) -> Vec<u8> {
    let mut out = Vec::new();
    for one in sealed {
        out.extend_from_slice(&u32::try_from(one.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(one);
    }
    out
}

fn unpack(mut packed: &[u8]) -> Option<[Vec<u8>; 4]> {
    let mut all: [Vec<u8>; 4] = Default::default();
    for one in &mut all {
        let (length, rest) = packed.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        *one = bytes.to_vec();
        packed = rest;
    }
    packed.is_empty().then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_reads_back_and_refuses_anything_else() {
        let four = [vec![1], vec![], vec![2; 300], vec![3, 4]];
        let packed = pack(&four);
        assert_eq!(unpack(&packed), Some(four));
        assert_eq!(unpack(&packed[..packed.len() - 1]), None);
        assert_eq!(unpack(&[packed.as_slice(), &[0]].concat()), None);
        assert_eq!(unpack(&[255; 16]), None);
    }
}
