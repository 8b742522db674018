//! Who is calling: from our own TLS session, never from a header.

use crate::Refusal;
use bodh_identity::{SpiffeId, server::Peer};
use bodh_token::{CALL_METADATA, ROOT_METADATA};

/// The metadata key that labels a call's step and try (`<step>/<try>`). A label for readers of the record; nothing is
/// decided on it.
pub(crate) const STEP_METADATA: &str = "bodh-step";

/// The other side of a call and what it presented.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The TLS peer.
    pub id: SpiffeId,
    /// When its certificate was made, Unix milliseconds.
    pub certified_ms: i64,
    /// The root token, if one came along.
    pub root: Option<String>,
    /// The call token, if one came along.
    pub call: Option<String>,
    /// The step and try that the caller names.
    pub step: Option<(String, u32)>,
}

impl Caller {
    /// From a tonic request that came through `bodh_identity::server::incoming`.
    ///
    /// # Errors
    /// When the request did not come through our own TLS.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self, Refusal> {
        let peer = request.extensions().get::<Peer>().ok_or(Refusal::NoPeer)?;
        let text = |key| request.metadata().get(key).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Self {
            id: peer.id.clone(),
            certified_ms: peer.certified_ms(),
            root: text(ROOT_METADATA),
            call: text(CALL_METADATA),
            step: text(STEP_METADATA).and_then(|label| read_step(&label)),
        })
    }
}

fn read_step(label: &str) -> Option<(String, u32)> {
    let (step, attempt) = label.rsplit_once('/')?;
    let plain = step.len() <= 64 && step.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    plain.then(|| attempt.parse().ok().map(|n| (step.to_owned(), n)))?
}
