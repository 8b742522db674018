//! X.509-SVIDs and the roots that vouch for them.

use std::fmt;
use std::time::{Duration, SystemTime};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use crate::ca::SKEW;
use crate::id::{InvalidId, SpiffeId};
use crate::verify;

/// At most this many certificates in a chain, and roots in a bundle.
pub(crate) const MAX_CERTIFICATES: usize = 8;
/// At most this many bytes in one certificate.
const MAX_CERTIFICATE: usize = 16 * 1024;

/// Why a certificate, a key or a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SvidError {
    /// The bytes are not X.509 certificates, or there are none, or too many.
    #[error("not a chain of X.509 certificates in DER")]
    Certificate,
    /// The certificate does not carry exactly one valid SPIFFE id.
    #[error("the certificate does not carry exactly one SPIFFE id")]
    Id,
    /// The private key cannot be read, or is not that of the certificate.
    #[error("the private key is not the certificate's P-256 key in PKCS#8")]
    Key,
    /// A root is not a certificate authority.
    #[error("a trust bundle holds certificate authorities only")]
    NotAuthority,
    /// The trust domain or the path is malformed.
    #[error(transparent)]
    Name(#[from] InvalidId),
}

/// A certificate chain with its private key: what a workload shows to its peers.
pub struct Svid {
    id: SpiffeId,
    chain: Vec<CertificateDer<'static>>,
    key: Zeroizing<Vec<u8>>,
    not_before: SystemTime,
    not_after: SystemTime,
    serial: String,
}

impl Svid {
    /// Puts a chain (leaf first) and its PKCS#8 key together, and checks that they belong together.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: Zeroizing<Vec<u8>>) -> Result<Self, SvidError> {
        let svid = Self::read(chain, key)?;
        svid.certified_key()?.keys_match().map_err(|_| SvidError::Key)?;
        Ok(svid)
    }

    /// The same from concatenated DER, as the Workload API carries it.
    pub fn from_der(chain: &[u8], key: &[u8]) -> Result<Self, SvidError> {
        Self::new(split_der(chain)?, Zeroizing::new(key.to_vec()))
    }

    fn read(chain: Vec<CertificateDer<'static>>, key: Zeroizing<Vec<u8>>) -> Result<Self, SvidError> {
        let leaf = chain.first().ok_or(SvidError::Certificate)?;
        let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| SvidError::Certificate)?;
        let id = verify::spiffe_id(&parsed).map_err(|_| SvidError::Id)?;
        let (not_before, not_after) = validity(&parsed);
        let serial = data_encoding::HEXLOWER.encode(parsed.raw_serial());
        Ok(Self { id, chain, key, not_before, not_after, serial })
    }

    /// Whom the certificate names.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// The chain, leaf first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The chain as concatenated DER (Workload API, section 5.2.1).
    pub fn chain_der(&self) -> Vec<u8> {
        self.chain.iter().flat_map(|certificate| certificate.iter().copied()).collect()
    }

    /// The private key, PKCS#8. Secret.
    pub fn key_pkcs8(&self) -> &[u8] {
        &self.key
    }

    /// When the certificate begins.
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// When the certificate was made: a little after it begins, so that clocks may differ.
    pub fn certified(&self) -> SystemTime {
        self.not_before + SKEW
    }

    /// When the certificate ends.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// The serial number, in hex.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// When to have the next one: half of what was left at `now`.
    pub fn renew_after(&self, now: SystemTime) -> Duration {
        self.not_after.duration_since(now).unwrap_or_default() / 2
    }

    pub(crate) fn certified_key(&self) -> Result<rustls::sign::CertifiedKey, SvidError> {
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.as_slice()));
        let key = rustls::crypto::ring::sign::any_ecdsa_type(&der).map_err(|_| SvidError::Key)?;
        Ok(rustls::sign::CertifiedKey::new(self.chain.clone(), key))
    }
}

impl fmt::Debug for Svid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Svid").field("id", &self.id).field("serial", &self.serial).finish_non_exhaustive()
    }
}

/// The roots of one trust domain. While an authority is being replaced there is more than one.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    trust_domain: String,
    roots: Vec<Root>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
}

impl Bundle {
    /// A set of roots; each must be a certificate authority. A root counts only while it is valid itself.
    pub fn new(trust_domain: &str, certificates: Vec<CertificateDer<'static>>) -> Result<Self, SvidError> {
        SpiffeId::root(trust_domain)?;
        if certificates.is_empty() || certificates.len() > MAX_CERTIFICATES {
            return Err(SvidError::Certificate);
        }
        let roots = certificates.into_iter().map(Root::read).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { trust_domain: trust_domain.to_owned(), roots })
    }

    /// The same from concatenated DER, as the Workload API carries it.
    pub fn from_der(trust_domain: &str, der: &[u8]) -> Result<Self, SvidError> {
        Self::new(trust_domain, split_der(der)?)
    }

    /// The roots as concatenated DER (Workload API, section 5.2.1).
    pub fn to_der(&self) -> Vec<u8> {
        self.roots.iter().flat_map(|root| root.certificate.iter().copied()).collect()
    }

    /// The trust domain these roots vouch for.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// The roots' certificates.
    pub fn certificates(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.roots.iter().map(|root| &root.certificate)
    }

    pub(crate) fn roots(&self) -> &[Root] {
        &self.roots
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bundle({}, {} roots)", self.trust_domain, self.roots.len())
    }
}

impl Root {
    fn read(certificate: CertificateDer<'static>) -> Result<Self, SvidError> {
        let (not_before, not_after) = {
            let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|_| SvidError::Certificate)?;
            if !parsed.is_ca() {
                return Err(SvidError::NotAuthority);
            }
            validity(&parsed)
        };
        Ok(Self { certificate, not_before, not_after })
    }
}

pub(crate) fn validity(certificate: &X509Certificate<'_>) -> (SystemTime, SystemTime) {
    let at = |seconds: i64| SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    (at(certificate.validity().not_before.timestamp()), at(certificate.validity().not_after.timestamp()))
}

/// Splits concatenated DER certificates.
pub(crate) fn split_der(mut der: &[u8]) -> Result<Vec<CertificateDer<'static>>, SvidError> {
    let mut certificates = Vec::new();
    while !der.is_empty() {
        let (rest, _) = X509Certificate::from_der(der).map_err(|_| SvidError::Certificate)?;
        let length = der.len() - rest.len();
        let one = der.get(..length).ok_or(SvidError::Certificate)?;
        if length > MAX_CERTIFICATE || certificates.len() == MAX_CERTIFICATES {
            return Err(SvidError::Certificate);
        }
        certificates.push(CertificateDer::from(one.to_vec()));
        der = rest;
    }
    if certificates.is_empty() { Err(SvidError::Certificate) } else { Ok(certificates) }
}
