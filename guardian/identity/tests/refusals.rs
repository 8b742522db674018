//! Each refusal over a real connection.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[macro_use]
mod stage;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bodh_identity::ca::Ca;
use bodh_identity::client::refusal;
use bodh_identity::verify::Refusal;
use bodh_identity::{Source, Svid};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use stage::{Forge, Forged, HOUR, Stage, call, id, leaf, source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

const AUDIT: &str = "spiffe://test.internal/service/audit";

/// Trusts any server: for clients that mean to be refused.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Knocks with these certificates (or none) and ALPN; true when the server kept the connection.
async fn knock(stage: &Stage, shown: Option<Forged>, alpn: &[&[u8]]) -> bool {
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone));
    let mut config = match shown {
        Some(shown) => builder.with_client_auth_cert(shown.chain, PrivatePkcs8KeyDer::from(shown.key).into()).unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let tcp = TcpStream::connect(stage.addr).await.unwrap();
    let name = ServerName::try_from("test.internal").unwrap();
    let Ok(mut tls) = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await else { return false };
    // An HTTP/2 server speaks first, so the first byte tells.
    matches!(tokio::time::timeout(Duration::from_secs(5), tls.read_u8()).await, Ok(Ok(_)))
}

async fn forged_stage(forge: &Forge) -> Stage {
    let own = forge.sign(&leaf(&["spiffe://test.internal/service/mirror"]));
    Stage::new(Source::fixed(Svid::new(own.chain, Zeroizing::new(own.key)).unwrap(), forge.bundle()).unwrap()).await
}

#[tokio::test]
async fn wrong_certificates_are_refused_by_the_server_with_their_code() {
    let (forge, stranger) = (Forge::new(), Forge::new());
    let stage = forged_stage(&forge).await;
    assert!(knock(&stage, Some(forge.sign(&leaf(&[AUDIT]))), &[b"h2"]).await, "a good certificate is let in");
    let with = |change: fn(&mut rcgen::CertificateParams)| {
        let mut params = leaf(&[AUDIT]);
        change(&mut params);
        forge.sign(&params)
    };
    for (shown, code) in [
        (None, "no_certificate"),
        (Some(stranger.sign(&leaf(&[AUDIT]))), "untrusted"),
        (Some(with(|leaf| leaf.not_after = at!(-1))), "expired"),
        (Some(with(|leaf| leaf.not_before = at!(60))), "not_yet_valid"),
        (Some(with(|leaf| leaf.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0)))), "is_ca"),
        (Some(forge.sign(&leaf(&[AUDIT, "spiffe://test.internal/agent/x"]))), "two_uri_sans"),
        (Some(forge.sign(&leaf(&[]))), "no_spiffe_id"),
        (Some(forge.sign(&leaf(&["spiffe://other.internal/service/audit"]))), "wrong_id"),
    ] {
        assert!(!knock(&stage, shown, &[b"h2"]).await, "{code}");
        assert_eq!(stage.refusal().await, code);
    }
    assert_eq!(stage.connections.live(), 0);
}

#[tokio::test]
async fn plaintext_no_alpn_and_silence_are_refused() {
    let forge = Forge::new();
    let stage = forged_stage(&forge).await;
    assert!(!knock(&stage, Some(forge.sign(&leaf(&[AUDIT]))), &[]).await);
    assert_eq!(stage.refusal().await, "no_alpn");
    assert!(!knock(&stage, Some(forge.sign(&leaf(&[AUDIT]))), &[b"http/1.1"]).await);
    assert_eq!(stage.refusal().await, "no_alpn");
    let mut plain = TcpStream::connect(stage.addr).await.unwrap();
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    assert_eq!(stage.refusal().await, "not_tls");
    let silent = TcpStream::connect(stage.addr).await.unwrap();
    // Others are served while one says nothing.
    assert!(knock(&stage, Some(forge.sign(&leaf(&[AUDIT]))), &[b"h2"]).await);
    assert_eq!(stage.refusal().await, "timed_out");
    drop(silent);
    drop(TcpStream::connect(stage.addr).await.unwrap());
    assert_eq!(stage.refusal().await, "handshake");
}

#[tokio::test]
async fn the_client_calls_only_whom_it_means() {
    let ca = Ca::generate(stage::DOMAIN, SystemTime::now()).unwrap();
    let stage = Stage::new(source(&ca, "mirror", HOUR)).await;
    let mine = source(&ca, "audit", HOUR);
    assert_eq!(call(&stage.channel("mirror", &mine)).await.unwrap().0, AUDIT);
    let error = call(&stage.channel("guardian", &mine)).await.unwrap_err();
    assert_eq!(refusal(&error), Some(Refusal::WrongId));
    let elsewhere = Ca::generate(stage::DOMAIN, SystemTime::now()).unwrap();
    let error = call(&stage.channel("mirror", &source(&elsewhere, "audit", HOUR))).await.unwrap_err();
    assert_eq!(refusal(&error), Some(Refusal::Untrusted));
}

#[tokio::test]
async fn an_expired_server_and_a_plain_server_are_refused_by_the_client() {
    let ca = Ca::generate(stage::DOMAIN, SystemTime::now()).unwrap();
    let then = SystemTime::now() - Duration::from_secs(120);
    let old = ca.issue(&id("mirror"), Duration::from_secs(60), then).unwrap();
    let stage = Stage::new(Source::fixed(old, ca.bundle().unwrap()).unwrap()).await;
    let mine = source(&ca, "audit", HOUR);
    let error = call(&stage.channel("mirror", &mine)).await.unwrap_err();
    assert_eq!(refusal(&error), Some(Refusal::Expired));

    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = plain.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    });
    let channel = bodh_identity::client::channel(addr, id("mirror"), mine);
    assert_eq!(refusal(&call(&channel).await.unwrap_err()), Some(Refusal::NotTls));
}

#[tokio::test]
async fn a_revoked_identity_is_cut_and_refused_until_it_is_restored() {
    let ca = Ca::generate(stage::DOMAIN, SystemTime::now()).unwrap();
    let stage = Stage::new(source(&ca, "mirror", HOUR)).await;
    let (mine, other) = (source(&ca, "audit", HOUR), source(&ca, "guardian", HOUR));
    let (my_channel, others) = (stage.channel("mirror", &mine), stage.channel("mirror", &other));
    assert!(call(&my_channel).await.is_ok() && call(&others).await.is_ok());
    assert_eq!(stage.connections.set_revoked(BTreeSet::from([id("audit")])), 1);
    // The first may fail on the connection that was cut; the next connects, and is refused.
    assert!(call(&my_channel).await.is_err() && call(&my_channel).await.is_err());
    assert_eq!(stage.refusal().await, "revoked");
    assert!(call(&others).await.is_ok());
    stage.connections.set_revoked(BTreeSet::new());
    assert!(call(&my_channel).await.is_ok());
}
