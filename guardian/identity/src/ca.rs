//! The built-in authority of one trust domain.
//!
//! A root lives 24 hours. Halfway its successor is *announced* (it joins the bundle and signs nothing); two hours
//! later, when every workload has long renewed and so has the new bundle, it *takes over*; the old root stays in the
//! bundle until the last leaf it signed has ended. So replacing the authority drops no connection. [`Ca::advance`] does
//! each step when it is due.

mod saved;

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SubjectPublicKeyInfo,
};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::id::{InvalidId, SpiffeId};
use crate::svid::{Bundle, Svid, SvidError};

/// How long a root lives.
pub const ROOT_TTL: Duration = Duration::from_secs(24 * 3600);
/// How long an SVID lives unless its caller says otherwise.
pub const SVID_TTL: Duration = Duration::from_secs(5 * 60);
/// The longest life an SVID may have.
pub const MAX_SVID_TTL: Duration = Duration::from_secs(3600);
/// How long an announced root waits before it signs: twice the longest time between two renewals.
const ANNOUNCED_FOR: Duration = Duration::from_secs(2 * 3600);
/// A certificate begins this much before it is made, for clocks that differ.
pub(crate) const SKEW: Duration = Duration::from_secs(30);

/// Why the authority could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The trust domain is malformed.
    #[error(transparent)]
    Name(#[from] InvalidId),
    /// The id is not one that this authority may vouch for.
    #[error("{0} is not a workload or person of this trust domain")]
    ForeignId(SpiffeId),
    /// The life asked for is nothing, or too long.
    #[error("an SVID lives between one second and one hour")]
    Ttl,
    /// The root has ended; [`Ca::advance`] makes the next.
    #[error("the authority's certificate has expired: advance it first")]
    Expired,
    /// The public key is not P-256.
    #[error("the public key is not a P-256 SubjectPublicKeyInfo")]
    PublicKey,
    /// The operating system gave no randomness, or a certificate could not be made.
    #[error("a certificate could not be made")]
    Making,
    /// The saved authority cannot be read.
    #[error("the saved authority is malformed: restore it from a backup, or delete it to begin a new one")]
    Saved,
    /// A certificate that was made cannot be used.
    #[error(transparent)]
    Svid(#[from] SvidError),
}

/// The authority: its signing root, the announced one, and those whose leaves are still in use.
pub struct Ca {
    trust_domain: String,
    current: SigningRoot,
    next: Option<Announced>,
    retired: Vec<Retired>,
}

struct SigningRoot {
    key: KeyPair,
    certificate: CertificateDer<'static>,
    not_before: SystemTime,
    not_after: SystemTime,
}

struct Announced {
    root: SigningRoot,
    since: SystemTime,
}

struct Retired {
    certificate: CertificateDer<'static>,
    until: SystemTime,
}

impl Ca {
    /// A new authority with a fresh root.
    pub fn generate(trust_domain: &str, now: SystemTime) -> Result<Self, CaError> {
        SpiffeId::root(trust_domain)?;
        let current = SigningRoot::generate(trust_domain, now)?;
        Ok(Self { trust_domain: trust_domain.to_owned(), current, next: None, retired: Vec::new() })
    }

    /// The trust domain it vouches for.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// The roots to trust now: the signing one, the announced one, and the retired ones.
    pub fn bundle(&self) -> Result<Bundle, CaError> {
        let mut roots = vec![self.current.certificate.clone()];
        roots.extend(self.next.iter().map(|next| next.root.certificate.clone()));
        roots.extend(self.retired.iter().map(|old| old.certificate.clone()));
        Ok(Bundle::new(&self.trust_domain, roots)?)
    }

    /// Announces, replaces or forgets roots as `now` asks. Returns whether anything changed: then save the authority
    /// before its new bundle is shown to anyone, and push the bundle to every workload. Call it every few minutes.
    pub fn advance(&mut self, now: SystemTime) -> Result<bool, CaError> {
        let retired = self.retired.len();
        self.retired.retain(|old| now <= old.until);
        let mut changed = self.retired.len() != retired;
        if now > self.current.not_after {
            // The authority slept through its replacement: no leaf of any older root is alive.
            self.current = SigningRoot::generate(&self.trust_domain, now)?;
            (self.next, self.retired) = (None, Vec::new());
            return Ok(true);
        }
        if self.next.as_ref().is_some_and(|next| now >= next.since + ANNOUNCED_FOR) {
            if let Some(next) = self.next.take() {
                let old = std::mem::replace(&mut self.current, next.root);
                self.retired.push(Retired { certificate: old.certificate, until: now + MAX_SVID_TTL + SKEW });
                changed = true;
            }
        } else if self.next.is_none() && now >= self.current.not_before + ROOT_TTL / 2 {
            self.next = Some(Announced { root: SigningRoot::generate(&self.trust_domain, now)?, since: now });
            changed = true;
        }
        Ok(changed)
    }

    /// A certificate with a fresh key.
    pub fn issue(&self, id: &SpiffeId, ttl: Duration, now: SystemTime) -> Result<Svid, CaError> {
        let key = KeyPair::generate().map_err(|_| CaError::Making)?;
        let chain = self.sign(id, &key, ttl, now)?;
        Ok(Svid::new(chain, Zeroizing::new(key.serialize_der()))?)
    }

    /// A certificate for the holder of a P-256 key that never leaves them; `spki` is the SubjectPublicKeyInfo in DER.
    /// Whoever calls this has seen the holder prove that they have the private key.
    pub fn certify(
        &self,
        id: &SpiffeId,
        spki: &[u8],
        ttl: Duration,
        now: SystemTime,
    ) -> Result<Vec<CertificateDer<'static>>, CaError> {
        let key = SubjectPublicKeyInfo::from_der(spki).map_err(|_| CaError::PublicKey)?;
        if *key.algorithm() != rcgen::PKCS_ECDSA_P256_SHA256 {
            return Err(CaError::PublicKey);
        }
        self.sign(id, &key, ttl, now)
    }

    fn sign(
        &self,
        id: &SpiffeId,
        key: &impl PublicKeyData,
        ttl: Duration,
        now: SystemTime,
    ) -> Result<Vec<CertificateDer<'static>>, CaError> {
        if id.trust_domain() != self.trust_domain || id.path().is_empty() {
            return Err(CaError::ForeignId(id.clone()));
        }
        if ttl < Duration::from_secs(1) || ttl > MAX_SVID_TTL {
            return Err(CaError::Ttl);
        }
        if now >= self.current.not_after {
            return Err(CaError::Expired);
        }
        let leaf = leaf(id, now - SKEW, (now + ttl).min(self.current.not_after))?;
        let issuer =
            Issuer::from_ca_cert_der(&self.current.certificate, &self.current.key).map_err(|_| CaError::Making)?;
        let certificate = leaf.signed_by(key, &issuer).map_err(|_| CaError::Making)?;
        Ok(vec![certificate.into()])
    }
}

impl SigningRoot {
    fn generate(trust_domain: &str, now: SystemTime) -> Result<Self, CaError> {
        let key = KeyPair::generate().map_err(|_| CaError::Making)?;
        let (not_before, not_after) = (whole(now - SKEW), whole(now + ROOT_TTL));
        let mut params = CertificateParams::default();
        set_validity(&mut params, not_before, not_after)?;
        params.serial_number = Some(serial()?);
        params.distinguished_name = named(trust_domain);
        params.subject_alt_names = vec![uri(&SpiffeId::root(trust_domain)?)?];
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(|_| CaError::Making)?.into();
        Ok(Self { key, certificate, not_before, not_after })
    }
}

fn leaf(id: &SpiffeId, not_before: SystemTime, not_after: SystemTime) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    set_validity(&mut params, not_before, not_after)?;
    params.serial_number = Some(serial()?);
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![uri(id)?];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn named(trust_domain: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, trust_domain);
    name
}

fn uri(id: &SpiffeId) -> Result<SanType, CaError> {
    Ok(SanType::URI(id.as_str().try_into().map_err(|_| CaError::Making)?))
}

fn serial() -> Result<SerialNumber, CaError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| CaError::Making)?;
    Ok(SerialNumber::from_slice(&bytes))
}

fn set_validity(params: &mut CertificateParams, from: SystemTime, until: SystemTime) -> Result<(), CaError> {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(seconds(from)?);
    params.not_after = epoch + Duration::from_secs(seconds(until)?);
    Ok(())
}

fn whole(time: SystemTime) -> SystemTime {
    seconds(time).map_or(SystemTime::UNIX_EPOCH, |s| SystemTime::UNIX_EPOCH + Duration::from_secs(s))
}

fn seconds(time: SystemTime) -> Result<u64, CaError> {
    time.duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs()).map_err(|_| CaError::Saved)
}
