//! The one check of a peer's certificate, for both ends of a connection. Pure: chain, bundle and time go in.

use std::time::{Duration, SystemTime};

use ring::digest::{SHA256, digest};
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::ring::ECDSA_P256_SHA256;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::ca::SKEW;
use crate::id::{InvalidId, SpiffeId};
use crate::svid::{Bundle, MAX_CERTIFICATES, validity};

/// Who is at the other end of a connection, proved by its certificate. Handlers find it in a request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The name in the certificate.
    pub id: SpiffeId,
    /// SHA-256 of the leaf certificate, DER.
    pub cert_sha256: [u8; 32],
    /// When the leaf certificate was made: [`SKEW`] after its beginning, in whole seconds.
    pub certified: SystemTime,
    /// When the leaf certificate ends.
    pub not_after: SystemTime,
}

impl Peer {
    fn of(id: SpiffeId, leaf: &[u8], parsed: &X509Certificate<'_>) -> Self {
        let (not_before, not_after) = validity(parsed);
        Self { id, cert_sha256: sha256(leaf), certified: not_before + SKEW, not_after }
    }

    /// When the leaf certificate was made, Unix milliseconds.
    #[must_use]
    pub fn certified_ms(&self) -> i64 {
        let since = self.certified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Which end is checked; each needs its own extended key usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one who connected.
    Client,
    /// The one who was connected to.
    Server,
}

/// Why a peer was refused. [`Refusal::code`] is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No root of the bundle vouches for the chain, or its key or signature is not P-256 with SHA-256.
    #[error("the certificate chain does not lead to a trusted root")]
    Untrusted,
    /// The certificate, or the only root that vouches for it, has ended.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate has not begun.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// The certificate is good, but names another than was expected, or another trust domain.
    #[error("the certificate names someone else")]
    WrongId,
    /// The certificate carries no valid SPIFFE id with a path.
    #[error("the certificate carries no SPIFFE id")]
    NoSpiffeId,
    /// The certificate carries more than one URI name.
    #[error("the certificate carries more than one URI name")]
    TwoUriSans,
    /// A certificate authority was shown as a leaf.
    #[error("the certificate is that of an authority")]
    IsCa,
    /// No certificate was shown.
    #[error("no certificate was shown")]
    NoCertificate,
    /// The identity is revoked.
    #[error("the identity is revoked")]
    Revoked,
    /// What was sent is not TLS.
    #[error("not TLS")]
    NotTls,
    /// The peer does not speak TLS 1.3 with our algorithms.
    #[error("TLS 1.3 is required")]
    TlsVersion,
    /// HTTP/2 was not agreed.
    #[error("HTTP/2 was not agreed by ALPN")]
    NoAlpn,
    /// The handshake did not finish in time.
    #[error("the handshake took too long")]
    TimedOut,
    /// The peer broke the handshake off, or broke its rules.
    #[error("the handshake failed")]
    Handshake,
    /// As many connections are open as are allowed.
    #[error("too many connections")]
    TooMany,
}

impl Refusal {
    /// The stable name of the reason, for logs and counts.
    pub fn code(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::WrongId => "wrong_id",
            Self::NoSpiffeId => "no_spiffe_id",
            Self::TwoUriSans => "two_uri_sans",
            Self::IsCa => "is_ca",
            Self::NoCertificate => "no_certificate",
            Self::Revoked => "revoked",
            Self::NotTls => "not_tls",
            Self::TlsVersion => "tls_version",
            Self::NoAlpn => "no_alpn",
            Self::TimedOut => "timed_out",
            Self::Handshake => "handshake",
            Self::TooMany => "too_many",
        }
    }
}

/// Checks a chain (leaf first) against the bundle at `now`.
///
/// The leaf must not be an authority, lead to a valid root, carry the extended key usage of its role, hold a P-256 key,
/// be in its time, and carry exactly one URI name: a SPIFFE id with a path in the bundle's trust domain (X509-SVID,
/// section 5.2).
pub fn chain(chain: &[CertificateDer<'_>], bundle: &Bundle, role: Role, now: SystemTime) -> Result<Peer, Refusal> {
    let (leaf, intermediates) = chain.split_first().ok_or(Refusal::NoCertificate)?;
    if chain.len() > MAX_CERTIFICATES {
        return Err(Refusal::Untrusted);
    }
    let (rest, parsed) = X509Certificate::from_der(leaf).map_err(|_| Refusal::Untrusted)?;
    if !rest.is_empty() {
        return Err(Refusal::Untrusted);
    }
    if parsed.is_ca() || parsed.key_usage().ok().flatten().is_some_and(|usage| usage.value.key_cert_sign()) {
        return Err(Refusal::IsCa);
    }
    signed(leaf, intermediates, bundle, role, now)?;
    p256(&parsed)?;
    let id = spiffe_id(&parsed)?;
    if id.path().is_empty() {
        return Err(Refusal::NoSpiffeId);
    }
    if id.trust_domain() != bundle.trust_domain() {
        return Err(Refusal::WrongId);
    }
    Ok(Peer::of(id, leaf, &parsed))
}

/// Checks a chain as [`chain`] does, and that it names exactly `expected`.
pub fn exact(
    certificates: &[CertificateDer<'_>],
    bundle: &Bundle,
    role: Role,
    expected: &SpiffeId,
    now: SystemTime,
) -> Result<Peer, Refusal> {
    let peer = chain(certificates, bundle, role, now)?;
    if peer.id == *expected { Ok(peer) } else { Err(Refusal::WrongId) }
}

/// The peer of a chain that [`chain`] has accepted in this handshake.
pub(crate) fn accepted(chain: &[CertificateDer<'_>]) -> Result<Peer, Refusal> {
    let leaf = chain.first().ok_or(Refusal::NoCertificate)?;
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| Refusal::Untrusted)?;
    Ok(Peer::of(spiffe_id(&parsed)?, leaf, &parsed))
}

fn signed(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    bundle: &Bundle,
    role: Role,
    now: SystemTime,
) -> Result<(), Refusal> {
    let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| Refusal::NotYetValid)?;
    // webpki does not look at an anchor's own time, so only the roots valid now are anchors.
    let valid = anchors(bundle, |root| root.not_before <= now && now <= root.not_after)?;
    path(leaf, intermediates, &valid, role, since_epoch).map_err(|refusal| {
        let by_old_root = |all: Vec<_>| path(leaf, intermediates, &all, role, since_epoch).is_ok();
        match refusal {
            Refusal::Untrusted if anchors(bundle, |_| true).is_ok_and(by_old_root) => Refusal::Expired,
            other => other,
        }
    })
}

fn anchors(bundle: &Bundle, keep: impl Fn(&crate::svid::Root) -> bool) -> Result<Vec<TrustAnchor<'_>>, Refusal> {
    let kept = bundle.roots().iter().filter(|root| keep(root));
    kept.map(|root| anchor_from_trusted_cert(&root.certificate).map_err(|_| Refusal::Untrusted)).collect()
}

fn path(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    anchors: &[TrustAnchor<'_>],
    role: Role,
    since_epoch: Duration,
) -> Result<(), Refusal> {
    let usage = match role {
        Role::Client => KeyUsage::client_auth(),
        Role::Server => KeyUsage::server_auth(),
    };
    let time = UnixTime::since_unix_epoch(since_epoch);
    let leaf = EndEntityCert::try_from(leaf).map_err(|error| refusal(&error))?;
    leaf.verify_for_usage(&[ECDSA_P256_SHA256], anchors, intermediates, time, usage, None, None)
        .map_err(|error| refusal(&error))?;
    Ok(())
}

fn refusal(error: &webpki::Error) -> Refusal {
    match error {
        webpki::Error::CertExpired { .. } => Refusal::Expired,
        webpki::Error::CertNotValidYet { .. } => Refusal::NotYetValid,
        webpki::Error::CaUsedAsEndEntity => Refusal::IsCa,
        _ => Refusal::Untrusted,
    }
}

/// The leaf's own key is EC on P-256 (RFC 5480: id-ecPublicKey 1.2.840.10045.2.1, secp256r1 1.2.840.10045.3.1.7).
fn p256(certificate: &X509Certificate<'_>) -> Result<(), Refusal> {
    let algorithm = &certificate.public_key().algorithm;
    let curve = algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
    let is_p256 = algorithm.algorithm.to_id_string() == "1.2.840.10045.2.1"
        && curve.is_some_and(|oid| oid.to_id_string() == "1.2.840.10045.3.1.7");
    if is_p256 { Ok(()) } else { Err(Refusal::Untrusted) }
}

/// The one SPIFFE id of a certificate.
pub(crate) fn spiffe_id(certificate: &X509Certificate<'_>) -> Result<SpiffeId, Refusal> {
    let names = certificate.subject_alternative_name().map_err(|_| Refusal::NoSpiffeId)?.ok_or(Refusal::NoSpiffeId)?;
    let mut uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    match (uris.next(), uris.next()) {
        (None, _) => Err(Refusal::NoSpiffeId),
        (Some(_), Some(_)) => Err(Refusal::TwoUriSans),
        (Some(uri), None) => SpiffeId::parse(uri).map_err(|_: InvalidId| Refusal::NoSpiffeId),
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
