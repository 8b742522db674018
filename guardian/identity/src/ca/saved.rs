//! The authority at rest: plain bytes, to be sealed by whoever keeps them.

use std::time::{Duration, SystemTime};

use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Announced, Ca, CaError, Retired, SigningRoot, seconds};
use crate::id::SpiffeId;

/// More than three roots and a few retired ones take.
const ROOM: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    trust_domain: String,
    current: SavedRoot,
    next: Option<(SavedRoot, u64)>,
    retired: Vec<(Vec<u8>, u64)>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct SavedRoot {
    key: Vec<u8>,
    certificate: Vec<u8>,
    not_before: u64,
    not_after: u64,
}

impl Ca {
    /// Everything, private keys included, for sealing. Secret.
    pub fn to_secret(&self) -> Result<Zeroizing<Vec<u8>>, CaError> {
        let announced = |next: &Announced| Ok::<_, CaError>((SavedRoot::of(&next.root)?, seconds(next.since)?));
        let retired = self.retired.iter().map(|old| Ok((old.certificate.to_vec(), seconds(old.until)?)));
        let saved = Saved {
            trust_domain: self.trust_domain.clone(),
            current: SavedRoot::of(&self.current)?,
            next: self.next.as_ref().map(announced).transpose()?,
            retired: retired.collect::<Result<_, CaError>>()?,
        };
        // Reserved in full, so that growing leaves no copy of a key behind.
        let mut out = Zeroizing::new(Vec::with_capacity(ROOM));
        serde_json::to_writer(&mut *out, &saved).map_err(|_| CaError::Saved)?;
        Ok(out)
    }

    /// Reads what [`Ca::to_secret`] wrote.
    pub fn from_secret(secret: &[u8]) -> Result<Self, CaError> {
        let saved: Saved = serde_json::from_slice(secret).map_err(|_| CaError::Saved)?;
        SpiffeId::root(&saved.trust_domain)?;
        let announced =
            |(root, since): &(SavedRoot, u64)| Ok::<_, CaError>(Announced { root: root.open()?, since: at(*since)? });
        let retired = saved.retired.iter().map(|(certificate, until)| {
            Ok(Retired { certificate: CertificateDer::from(certificate.clone()), until: at(*until)? })
        });
        let ca = Self {
            current: saved.current.open()?,
            next: saved.next.as_ref().map(announced).transpose()?,
            retired: retired.collect::<Result<_, CaError>>()?,
            trust_domain: saved.trust_domain,
        };
        ca.bundle()?;
        Ok(ca)
    }
}

impl SavedRoot {
    fn of(root: &SigningRoot) -> Result<Self, CaError> {
        Ok(Self {
            key: root.key.serialize_der(),
            certificate: root.certificate.to_vec(),
            not_before: seconds(root.not_before)?,
            not_after: seconds(root.not_after)?,
        })
    }

    fn open(&self) -> Result<SigningRoot, CaError> {
        Ok(SigningRoot {
            key: KeyPair::try_from(self.key.as_slice()).map_err(|_| CaError::Saved)?,
            certificate: CertificateDer::from(self.certificate.clone()),
            not_before: at(self.not_before)?,
            not_after: at(self.not_after)?,
        })
    }
}

fn at(seconds: u64) -> Result<SystemTime, CaError> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).ok_or(CaError::Saved)
}
