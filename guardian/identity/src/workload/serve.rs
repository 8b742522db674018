//! The serving end.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::net::UnixListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::proto::spiffe_workload_api_server::{SpiffeWorkloadApi, SpiffeWorkloadApiServer};
use super::proto::{X509BundlesRequest, X509BundlesResponse, X509svid, X509svidRequest, X509svidResponse};
use super::{SECURITY_HEADER, incoming};
use crate::attest::Caller;
use crate::id::SpiffeId;
use crate::svid::{Bundle, Svid};

/// At most this many streams at once.
pub const MAX_STREAMS: usize = 256;

/// Why a caller gets no certificate. The caller learns only which of the two; the words are for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// This process has no identity here.
    #[error("the caller has no identity: {0}")]
    NoIdentity(String),
    /// Certificates cannot be issued now.
    #[error("no certificate can be issued now: {0}")]
    Unavailable(String),
}

/// Decides who a caller is, and issues its certificates.
pub trait Issuer: Send + Sync + 'static {
    /// Who this caller is. Asked before each certificate.
    fn attest(&self, caller: &Caller) -> impl Future<Output = Result<SpiffeId, Denied>> + Send;
    /// A new certificate.
    fn issue(&self, id: &SpiffeId) -> impl Future<Output = Result<Svid, Denied>> + Send;
    /// The roots, and word when they change.
    fn bundle(&self) -> watch::Receiver<Arc<Bundle>>;
}

/// The Workload API as a tonic service.
pub struct Workload<I> {
    issuer: Arc<I>,
    streams: Arc<Semaphore>,
}

/// The service, for a tonic server over [`incoming`].
pub fn service<I: Issuer>(issuer: Arc<I>) -> SpiffeWorkloadApiServer<Workload<I>> {
    SpiffeWorkloadApiServer::new(Workload { issuer, streams: Arc::new(Semaphore::new(MAX_STREAMS)) })
}

/// Serves the Workload API alone on this socket until `stop`.
pub async fn serve<I: Issuer>(
    listener: UnixListener,
    issuer: Arc<I>,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let callers = incoming(listener, |error| tracing::warn!(%error, "a caller of the Workload API was refused"));
    tonic::transport::Server::builder().add_service(service(issuer)).serve_with_incoming_shutdown(callers, stop).await
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl<I: Issuer> SpiffeWorkloadApi for Workload<I> {
    type FetchX509SVIDStream = Responses<X509svidResponse>;
    type FetchX509BundlesStream = Responses<X509BundlesResponse>;

    async fn fetch_x509svid(
        &self,
        request: Request<X509svidRequest>,
    ) -> Result<Response<Self::FetchX509SVIDStream>, Status> {
        let (caller, slot) = self.begin(&request)?;
        let mut bundle = self.issuer.bundle();
        bundle.mark_unchanged();
        let first = svid_response(&*self.issuer, &caller, &bundle).await?;
        let (responses, stream) = mpsc::channel(1);
        tokio::spawn(renew(self.issuer.clone(), caller, bundle, first, responses, slot));
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn fetch_x509_bundles(
        &self,
        request: Request<X509BundlesRequest>,
    ) -> Result<Response<Self::FetchX509BundlesStream>, Status> {
        let (caller, slot) = self.begin(&request)?;
        identify(&*self.issuer, &caller).await?;
        let (responses, stream) = mpsc::channel(1);
        tokio::spawn(announce(self.issuer.bundle(), responses, slot));
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

impl<I: Issuer> Workload<I> {
    fn begin<T>(&self, request: &Request<T>) -> Result<(Caller, OwnedSemaphorePermit), Status> {
        if request.metadata().get(SECURITY_HEADER).is_none_or(|value| value.as_bytes() != b"true") {
            return Err(Status::invalid_argument("the metadata workload.spiffe.io: true is required"));
        }
        let caller = request.extensions().get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| Status::permission_denied("the caller is not known"))?;
        let slot = self.streams.clone().try_acquire_owned();
        Ok((caller, slot.map_err(|_| Status::resource_exhausted("too many streams"))?))
    }
}

async fn renew<I: Issuer>(
    issuer: Arc<I>,
    caller: Caller,
    mut bundle: watch::Receiver<Arc<Bundle>>,
    first: (Svid, X509svidResponse),
    responses: mpsc::Sender<Result<X509svidResponse, Status>>,
    _slot: OwnedSemaphorePermit,
) {
    let (mut svid, mut response) = first;
    loop {
        let half_life = svid.renew_after(SystemTime::now());
        if responses.send(Ok(response)).await.is_err() {
            return;
        }
        tokio::select! {
            () = responses.closed() => return,
            () = tokio::time::sleep(half_life) => {}
            changed = bundle.changed() => if changed.is_err() {
                return;
            },
        }
        (svid, response) = match svid_response(&*issuer, &caller, &bundle).await {
            Ok(next) => next,
            Err(status) => {
                // The reader may have left; then nobody needs to know.
                let _ = responses.send(Err(status)).await;
                return;
            }
        };
    }
}

async fn announce(
    mut bundle: watch::Receiver<Arc<Bundle>>,
    responses: mpsc::Sender<Result<X509BundlesResponse, Status>>,
    _slot: OwnedSemaphorePermit,
) {
    loop {
        let response = {
            let now = bundle.borrow_and_update();
            let bundles = HashMap::from([(format!("spiffe://{}", now.trust_domain()), now.to_der())]);
            X509BundlesResponse { crl: Vec::new(), bundles }
        };
        if responses.send(Ok(response)).await.is_err() {
            return;
        }
        tokio::select! {
            () = responses.closed() => return,
            changed = bundle.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

async fn identify<I: Issuer>(issuer: &I, caller: &Caller) -> Result<SpiffeId, Status> {
    if !caller.alive() {
        return Err(Status::permission_denied("the caller has ended"));
    }
    issuer.attest(caller).await.map_err(|denied| status_of(&denied, caller))
}

async fn svid_response<I: Issuer>(
    issuer: &I,
    caller: &Caller,
    bundle: &watch::Receiver<Arc<Bundle>>,
) -> Result<(Svid, X509svidResponse), Status> {
    let id = identify(issuer, caller).await?;
    let svid = issuer.issue(&id).await.map_err(|denied| status_of(&denied, caller))?;
    let given = X509svid {
        spiffe_id: svid.id().to_string(),
        x509_svid: svid.chain_der(),
        x509_svid_key: svid.key_pkcs8().to_vec(),
        bundle: bundle.borrow().to_der(),
        hint: String::new(),
    };
    let response = X509svidResponse { svids: vec![given], crl: Vec::new(), federated_bundles: HashMap::new() };
    Ok((svid, response))
}

fn status_of(denied: &Denied, caller: &Caller) -> Status {
    tracing::warn!(%denied, pid = caller.process().pid, uid = caller.uid(), "no certificate was given");
    match denied {
        Denied::NoIdentity(_) => Status::permission_denied("no identity is issued to this process"),
        Denied::Unavailable(_) => Status::unavailable("no certificate can be issued now"),
    }
}
