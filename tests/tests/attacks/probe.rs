//! Bare connections: what a server says to somebody who speaks plain HTTP, or TLS with the wrong certificate.

use bodh_identity::Svid;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls13_signature},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime},
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// How an HTTP/2 client begins (RFC 9113, section 3.4): the preface and an empty SETTINGS frame.
pub(super) const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
pub(super) const HTTP1: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A refusal has to come sooner than the handshake's own deadline of 5 s.
const PATIENCE: Duration = Duration::from_secs(4);

/// Everything that is said to a plaintext client before the connection is closed, which it must be.
pub(super) async fn plaintext(at: SocketAddr, words: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(words).await.unwrap();
    let mut said = Vec::new();
    match timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("the connection is closed") {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}"),
    }
    said
}

/// What a client whose handshake is done reads first, HTTP/2 being agreed on. `opening` is written before.
pub(super) async fn tls(at: SocketAddr, shown: Option<&Svid>, opening: &[u8]) -> io::Result<[u8; 9]> {
    let talk = async {
        let connector = TlsConnector::from(Arc::new(config(shown)));
        let mut stream = connector.connect(ServerName::from(at.ip()), TcpStream::connect(at).await?).await?;
        stream.write_all(opening).await?;
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await?;
        Ok(frame)
    };
    timeout(PATIENCE, talk).await.expect("an answer or a refusal")
}

/// The alert that ended a handshake; anything else is a failure.
#[track_caller]
pub(super) fn alert(ended: io::Result<[u8; 9]>) -> rustls::AlertDescription {
    let error = ended.expect_err("the handshake is refused");
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::AlertReceived(alert)) => *alert,
        _ => panic!("no alert but {error:?}"),
    }
}

fn config(shown: Option<&Svid>) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)));
    let mut config = match shown {
        None => config.with_no_client_auth(),
        Some(svid) => {
            let key = PrivatePkcs8KeyDer::from(svid.key_pkcs8().to_vec());
            config.with_client_auth_cert(svid.chain().to_vec(), key.into()).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// Takes any server: what is tried here is what servers take.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
