//! What the tests of this folder share: an authority, one service over mutual TLS, and a way to make wrong
//! certificates.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bodh_identity::ca::Ca;
use bodh_identity::client::{self, Channel};
use bodh_identity::server::{self, Connections, Peer};
use bodh_identity::workload::proto::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use bodh_identity::workload::proto::spiffe_workload_api_server::{SpiffeWorkloadApi, SpiffeWorkloadApiServer};
use bodh_identity::workload::proto::*;
use bodh_identity::{Bundle, Source, SpiffeId};
use rcgen::{CertificateParams, DistinguishedName, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::CertificateDer;
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt, wrappers::IntervalStream};
use tonic::{Request, Response, Status};

/// This many seconds from now, in the type that certificates are made with.
#[macro_export]
macro_rules! at {
    ($offset:expr) => {{
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(now.checked_add_signed($offset).unwrap())
    }};
}

pub const DOMAIN: &str = "test.internal";
pub const HOUR: Duration = Duration::from_secs(3600);

pub fn id(name: &str) -> SpiffeId {
    SpiffeId::service(DOMAIN, name).unwrap()
}

pub fn source(ca: &Ca, name: &str, ttl: Duration) -> Source {
    let svid = ca.issue(&id(name), ttl, SystemTime::now()).unwrap();
    Source::fixed(svid, ca.bundle().unwrap()).unwrap()
}

/// A service that tells the caller who it is: once after a pause, or again and again.
pub struct Mirror;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl SpiffeWorkloadApi for Mirror {
    type FetchX509SVIDStream = Answers<X509svidResponse>;
    type FetchX509BundlesStream = Answers<X509BundlesResponse>;

    async fn fetch_x509svid(
        &self,
        request: Request<X509svidRequest>,
    ) -> Result<Response<Self::FetchX509SVIDStream>, Status> {
        let peer = request.extensions().get::<Peer>().cloned().ok_or_else(|| Status::internal("no peer"))?;
        tokio::time::sleep(Duration::from_millis(30)).await;
        let svid =
            X509svid { spiffe_id: peer.id.to_string(), x509_svid: peer.cert_sha256.to_vec(), ..X509svid::default() };
        let answer = X509svidResponse { svids: vec![svid], ..X509svidResponse::default() };
        Ok(Response::new(Box::pin(tokio_stream::once(Ok(answer)))))
    }

    async fn fetch_x509_bundles(
        &self,
        _: Request<X509BundlesRequest>,
    ) -> Result<Response<Self::FetchX509BundlesStream>, Status> {
        let ticks = IntervalStream::new(tokio::time::interval(Duration::from_millis(5)));
        Ok(Response::new(Box::pin(ticks.map(|_| Ok(X509BundlesResponse::default())))))
    }
}

pub struct Stage {
    pub addr: SocketAddr,
    pub connections: Connections,
    refused: Arc<Mutex<Vec<&'static str>>>,
}

impl Stage {
    pub async fn new(source: Source) -> Self {
        Self::with(source, Connections::new()).await
    }

    pub async fn with(source: Source, connections: Connections) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let refused = Arc::new(Mutex::new(Vec::new()));
        let seen = refused.clone();
        let incoming = server::incoming(listener, source, connections.clone(), move |refusal| {
            assert!(refusal.remote.ip().is_loopback());
            seen.lock().unwrap().push(refusal.code);
        });
        let server = tonic::transport::Server::builder().add_service(SpiffeWorkloadApiServer::new(Mirror));
        tokio::spawn(server.serve_with_incoming(incoming));
        Self { addr, connections, refused }
    }

    /// The one refusal that was reported, waiting for it.
    pub async fn refusal(&self) -> &'static str {
        for _ in 0..700 {
            if let Some(code) = self.refused.lock().unwrap().pop() {
                return code;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing was refused");
    }

    pub fn channel(&self, expected: &str, source: &Source) -> Channel {
        client::channel(self.addr, id(expected), source.clone())
    }
}

/// Calls once; the answer is who the server says we are, and the hash of our certificate.
pub async fn call(channel: &Channel) -> Result<(String, Vec<u8>), Status> {
    let mut client = SpiffeWorkloadApiClient::new(channel.clone());
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await?.into_inner();
    let mut answer = stream.message().await?.ok_or_else(|| Status::internal("empty"))?;
    let svid = answer.svids.remove(0);
    Ok((svid.spiffe_id, svid.x509_svid))
}

/// An authority made by hand, which signs anything.
pub struct Forge {
    pub key: KeyPair,
    pub params: CertificateParams,
    pub certificate: CertificateDer<'static>,
}

pub struct Forged {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: Vec<u8>,
}

impl Forge {
    pub fn new() -> Self {
        Self::valid_for(-HOUR_S, HOUR_S)
    }

    pub fn valid_for(from: i64, until: i64) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        (params.not_before, params.not_after) = (at!(from), at!(until));
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap().into();
        Self { key, params, certificate }
    }

    pub fn bundle(&self) -> Bundle {
        Bundle::new(DOMAIN, vec![self.certificate.clone()]).unwrap()
    }

    pub fn sign(&self, params: &CertificateParams) -> Forged {
        self.sign_with(params, &KeyPair::generate().unwrap())
    }

    pub fn sign_with(&self, params: &CertificateParams, key: &KeyPair) -> Forged {
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(key, &issuer).unwrap();
        Forged { chain: vec![certificate.into()], key: key.serialize_der() }
    }
}

pub const HOUR_S: i64 = 3600;

/// A good leaf, to be spoilt.
pub fn leaf(uris: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (at!(-60), at!(300));
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params
}
