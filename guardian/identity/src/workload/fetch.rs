//! The calling end: certificates as they come.

use std::path::Path;

use tonic::metadata::MetadataValue;
use tonic::{Request, Streaming};

use super::proto::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use super::proto::{X509svidRequest, X509svidResponse};
use super::{SECURITY_HEADER, connect};
use crate::id::SpiffeId;
use crate::svid::{Bundle, Svid, SvidError};

/// The largest response read: a chain, a key and a bundle are a few KiB.
const MAX_RESPONSE: usize = 256 * 1024;

/// Why the Workload API gave no certificate.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It could not be reached, or refused us.
    #[error("the Workload API answered {}: {}", .0.code(), .0.message())]
    Status(#[from] tonic::Status),
    /// It ended the stream.
    #[error("the Workload API ended the stream")]
    Ended,
    /// It gave no identity.
    #[error("the Workload API gave no identity")]
    Nothing,
    /// What it gave cannot be used.
    #[error("the Workload API gave a certificate that cannot be used: {0}")]
    Svid(#[from] SvidError),
    /// The key or chain is not that of the identity named beside it.
    #[error("the Workload API named another identity than its certificate does")]
    OtherId,
}

/// The stream of certificates; see [`fetch`].
#[derive(Debug)]
pub struct Updates {
    stream: Streaming<X509svidResponse>,
}

/// Asks the Workload API on this socket for our certificates.
pub async fn fetch(socket: &Path) -> Result<Updates, FetchError> {
    let mut client = SpiffeWorkloadApiClient::new(connect(socket)).max_decoding_message_size(MAX_RESPONSE);
    let mut request = Request::new(X509svidRequest {});
    request.metadata_mut().insert(SECURITY_HEADER, MetadataValue::from_static("true"));
    Ok(Updates { stream: client.fetch_x509svid(request).await?.into_inner() })
}

impl Updates {
    /// The next certificate and bundle. The first of several identities counts (Workload API, section 5.3: the default
    /// identity).
    pub async fn next(&mut self) -> Result<(Svid, Bundle), FetchError> {
        let response = self.stream.message().await?.ok_or(FetchError::Ended)?;
        let given = response.svids.into_iter().next().ok_or(FetchError::Nothing)?;
        let key = zeroize::Zeroizing::new(given.x509_svid_key);
        let svid = Svid::from_der(&given.x509_svid, &key)?;
        if SpiffeId::parse(&given.spiffe_id).ok().as_ref() != Some(svid.id()) {
            return Err(FetchError::OtherId);
        }
        let bundle = Bundle::from_der(svid.id().trust_domain(), &given.bundle)?;
        Ok((svid, bundle))
    }
}
