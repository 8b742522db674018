//! The open connections of a server, by who is at the other end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::GRACE;
use crate::id::SpiffeId;
use crate::verify::Refusal;

/// At most this many connections are open at once; the next is refused with `too_many`.
pub const MAX_LIVE: usize = 4096;

/// Which peers are connected, and which are revoked. Clones share it.
#[derive(Clone)]
pub struct Connections {
    state: Arc<Mutex<State>>,
    grace: Duration,
}

type Live = BTreeMap<(SpiffeId, u64), oneshot::Sender<()>>;

#[derive(Default)]
struct State {
    next: u64,
    live: Live,
    revoked: BTreeSet<SpiffeId>,
}

/// One open connection's place in the registry; leaving is dropping it.
pub(super) struct Entry {
    connections: Connections,
    key: (SpiffeId, u64),
    pub(super) cut: oneshot::Receiver<()>,
}

impl Connections {
    /// An empty registry, with a grace of [`GRACE`].
    pub fn new() -> Self {
        Self::with_grace(GRACE)
    }

    /// An empty registry whose connections are cut this long after their peer's certificate has ended.
    pub fn with_grace(grace: Duration) -> Self {
        Self { state: Arc::default(), grace }
    }

    pub(super) fn grace(&self) -> Duration {
        self.grace
    }

    /// Cuts every connection of this peer, calls in flight included. Returns how many there were. The peer may connect
    /// again: see [`Connections::set_revoked`].
    pub fn close(&self, id: &SpiffeId) -> usize {
        cut(&mut self.lock().live, |live| live == id)
    }

    /// Cuts every connection.
    pub fn close_all(&self) -> usize {
        cut(&mut self.lock().live, |_| true)
    }

    /// Sets who is revoked: they are refused from now on with `revoked`, and their open connections are cut. Returns
    /// how many were.
    pub fn set_revoked(&self, revoked: BTreeSet<SpiffeId>) -> usize {
        let mut state = self.lock();
        let State { live, revoked: held, .. } = &mut *state;
        *held = revoked;
        cut(live, |id| held.contains(id))
    }

    /// Whether this identity is revoked.
    pub fn is_revoked(&self, id: &SpiffeId) -> bool {
        self.lock().revoked.contains(id)
    }

    /// How many connections are open.
    pub fn live(&self) -> usize {
        self.lock().live.len()
    }

    /// How many connections this peer has open.
    pub fn live_of(&self, id: &SpiffeId) -> usize {
        self.lock().live.keys().filter(|(live, _)| live == id).count()
    }

    /// Enters a connection. Revocation is looked at again under the lock: it may have come during the handshake.
    pub(super) fn enter(&self, id: &SpiffeId) -> Result<Entry, Refusal> {
        let mut state = self.lock();
        if state.revoked.contains(id) {
            return Err(Refusal::Revoked);
        }
        if state.live.len() >= MAX_LIVE {
            return Err(Refusal::TooMany);
        }
        let (cut_it, cut) = oneshot::channel();
        state.next += 1;
        let key = (id.clone(), state.next);
        state.live.insert(key.clone(), cut_it);
        Ok(Entry { connections: self.clone(), key, cut })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cut(live: &mut Live, which: impl Fn(&SpiffeId) -> bool) -> usize {
    let mut count = 0;
    for (_, cut_it) in live.extract_if(.., |(id, _), _| which(id)) {
        // A connection that ended by itself just now no longer listens.
        let _ = cut_it.send(());
        count += 1;
    }
    count
}

impl Default for Connections {
    fn default() -> Self {
        Self::new()
    }
}

impl Entry {
    pub(super) fn grace(&self) -> Duration {
        self.connections.grace()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.connections.lock().live.remove(&self.key);
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("live", &self.live()).finish_non_exhaustive()
    }
}
