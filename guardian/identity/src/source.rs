//! The certificate in use now, and the roots that are trusted now.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use rustls::sign::CertifiedKey;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::svid::{Bundle, Svid, SvidError};
use crate::verify::{self, Refusal, Role};
use crate::workload::{self, FetchError, Updates};

/// The pause after the first failure to reach the Workload API; it doubles up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Why a source has no certificate, or refused a new one.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The Workload API gave nothing in the time allowed.
    #[error("no certificate from the Workload API within {waited:?}: {cause}")]
    NoSvid {
        /// How long was waited.
        waited: Duration,
        /// What happened last.
        cause: String,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Svid(#[from] SvidError),
    /// The certificate does not hold against its own bundle.
    #[error("the new certificate is refused by its own bundle: {0}")]
    Refused(#[from] Refusal),
    /// The new certificate names someone else.
    #[error("a source keeps its identity: the new certificate names someone else")]
    OtherIdentity,
}

/// Holds the current [`Svid`] and [`Bundle`] for any number of servers and clients; clones share it.
#[derive(Clone)]
pub struct Source {
    held: Arc<watch::Sender<Held>>,
    follower: Option<Arc<Follower>>,
}

#[derive(Clone)]
struct Held {
    svid: Arc<Svid>,
    bundle: Arc<Bundle>,
    certified: Arc<CertifiedKey>,
}

/// Ends the task that follows the Workload API with the last clone of its source.
struct Follower(AbortHandle);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Source {
    /// A source that its owner replaces by hand (or never: a person's short certificate).
    pub fn fixed(svid: Svid, bundle: Bundle) -> Result<Self, SourceError> {
        Ok(Self { held: Arc::new(watch::Sender::new(Held::new(svid, bundle)?)), follower: None })
    }

    /// A source that follows the Workload API on this Unix socket. Returns with the first certificate, or after
    /// `within` with the cause. From then on it renews by itself, reconnecting for as long as it takes;
    /// [`Source::current`] is the last one received.
    pub async fn follow(socket: &Path, within: Duration) -> Result<Self, SourceError> {
        let mut pause = SHORTEST_PAUSE;
        let mut cause = String::from("it did not answer");
        let first = async {
            loop {
                match first_update(socket).await {
                    Ok(first) => return first,
                    Err(error) => cause = error.to_string(),
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        let (held, updates) = match tokio::time::timeout(within, first).await {
            Ok(first) => first,
            Err(_) => return Err(SourceError::NoSvid { waited: within, cause }),
        };
        let held = Arc::new(watch::Sender::new(held));
        let task = tokio::spawn(keep_following(Arc::downgrade(&held), socket.to_owned(), updates));
        Ok(Self { held, follower: Some(Arc::new(Follower(task.abort_handle()))) })
    }

    /// Replaces the certificate and the bundle together. The next handshake uses them; open connections stay.
    pub fn replace(&self, svid: Svid, bundle: Bundle) -> Result<(), SourceError> {
        install(&self.held, Held::new(svid, bundle)?)
    }

    /// The current certificate. It may have expired, when nobody renewed it; then peers refuse it.
    pub fn current(&self) -> Arc<Svid> {
        self.held.borrow().svid.clone()
    }

    /// The roots trusted now.
    pub fn bundle(&self) -> Arc<Bundle> {
        self.held.borrow().bundle.clone()
    }

    /// Waits for the next replacement after this call.
    pub async fn changed(&self) {
        // The sender lives in self, so the channel cannot be closed while we wait.
        let _ = self.held.subscribe().changed().await;
    }

    /// Whether it renews itself from the Workload API.
    pub fn is_following(&self) -> bool {
        self.follower.is_some()
    }

    pub(crate) fn certified_key(&self) -> Arc<CertifiedKey> {
        self.held.borrow().certified.clone()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.held.borrow();
        f.debug_struct("Source").field("svid", &held.svid).field("bundle", &held.bundle).finish()
    }
}

impl Held {
    fn new(svid: Svid, bundle: Bundle) -> Result<Self, SourceError> {
        let certified = Arc::new(svid.certified_key()?);
        Ok(Self { svid: Arc::new(svid), bundle: Arc::new(bundle), certified })
    }

    /// One from the Workload API: it has to hold against the bundle that came with it.
    fn received(svid: Svid, bundle: Bundle) -> Result<Self, SourceError> {
        verify::exact(svid.chain(), &bundle, Role::Client, svid.id(), SystemTime::now())?;
        Self::new(svid, bundle)
    }
}

fn install(sender: &watch::Sender<Held>, held: Held) -> Result<(), SourceError> {
    if sender.borrow().svid.id() != held.svid.id() {
        return Err(SourceError::OtherIdentity);
    }
    sender.send_replace(held);
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the Workload API sent no renewal in time")]
    Late,
}

async fn first_update(socket: &Path) -> Result<(Held, Updates), FollowError> {
    let mut updates = workload::fetch(socket).await?;
    let (svid, bundle) = updates.next().await?;
    Ok((Held::received(svid, bundle)?, updates))
}

async fn keep_following(held: Weak<watch::Sender<Held>>, socket: std::path::PathBuf, first: Updates) {
    let mut updates = Some(first);
    let mut pause = SHORTEST_PAUSE;
    loop {
        let error = match updates.take() {
            Some(stream) => follow_stream(&held, stream, &mut pause).await,
            None => match first_update(&socket).await {
                Ok((first, stream)) => {
                    updates = Some(stream);
                    let Some(sender) = held.upgrade() else { return };
                    match install(&sender, first) {
                        Ok(()) => continue,
                        Err(error) => error.into(),
                    }
                }
                Err(error) => error,
            },
        };
        if held.strong_count() == 0 {
            return;
        }
        tracing::warn!(%error, "the Workload API was lost; connecting again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Installs what the stream brings, until it fails or is late: a renewal is due at half life, so by three quarters
/// something is wrong.
async fn follow_stream(held: &Weak<watch::Sender<Held>>, mut updates: Updates, pause: &mut Duration) -> FollowError {
    loop {
        let Some(patience) = held.upgrade().map(|sender| {
            let left = sender.borrow().svid.not_after().duration_since(SystemTime::now()).unwrap_or_default();
            (left * 3 / 4).max(LONGEST_PAUSE)
        }) else {
            return FollowError::Late;
        };
        let received = match tokio::time::timeout(patience, updates.next()).await {
            Err(_) => return FollowError::Late,
            Ok(Err(error)) => return error.into(),
            Ok(Ok((svid, bundle))) => Held::received(svid, bundle),
        };
        let Some(sender) = held.upgrade() else { return FollowError::Late };
        if let Err(error) = received.and_then(|received| install(&sender, received)) {
            return error.into();
        }
        *pause = SHORTEST_PAUSE;
    }
}
