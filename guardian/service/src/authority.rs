//! The certificate authority at work: who a process is, one living process per identity, and the roots in use.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bodh_guardian_api::pb;
use bodh_identity::{
    Bundle, SpiffeId, Svid,
    attest::{Caller, Process},
    ca::{Ca, SVID_TTL},
};
use tokio::sync::watch;

use crate::{
    error::{Cause, Error},
    keys::Keyring,
};

/// Vouchers that are kept at most; a panel has about ten children, and a restart replaces its predecessor's.
const MAX_VOUCHERS: usize = 256;

/// A process at the other end of the Unix socket, as far as the kernel lets us look.
pub trait Attested: Clone + Send + Sync + 'static {
    /// Which process.
    fn process(&self) -> Process;
    /// SHA-256 of what it executes, unless it is hidden from us.
    fn executable(&self) -> Option<[u8; 32]>;
    /// The user it ran as.
    fn uid(&self) -> u32;
    /// Whether it still runs.
    fn alive(&self) -> bool;
}

impl Attested for Caller {
    fn process(&self) -> Process {
        Caller::process(self)
    }

    fn executable(&self) -> Option<[u8; 32]> {
        Caller::executable(self).map(|executable| executable.sha256)
    }

    fn uid(&self) -> u32 {
        Caller::uid(self)
    }

    fn alive(&self) -> bool {
        Caller::alive(self)
    }
}

/// The authority, the processes that have identities, and what the launcher vouched for.
pub struct Authority {
    keyring: Keyring,
    inner: Mutex<Inner>,
    bundle: watch::Sender<Arc<Bundle>>,
    vouched: watch::Sender<u64>,
}

struct Inner {
    ca: Ca,
    holders: BTreeMap<SpiffeId, Holder>,
    vouchers: BTreeMap<Process, [u8; 32]>,
}

struct Holder {
    process: Process,
    executable: [u8; 32],
    alive: Box<dyn Fn() -> bool + Send>,
    not_after: Option<SystemTime>,
    issued: u64,
}

impl Authority {
    /// At work with this CA, saved by this keyring.
    pub fn new(ca: Ca, keyring: Keyring) -> Result<Self, Error> {
        let bundle = watch::Sender::new(Arc::new(ca.bundle().map_err(Error::internal)?));
        let inner = Inner { ca, holders: BTreeMap::new(), vouchers: BTreeMap::new() };
        Ok(Self { keyring, inner: Mutex::new(inner), bundle, vouched: watch::Sender::new(0) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The roots to trust, and word when they change.
    pub fn bundle(&self) -> watch::Receiver<Arc<Bundle>> {
        self.bundle.subscribe()
    }

    /// Announces, replaces or forgets roots as `now` asks; tells every follower when they changed.
    pub fn advance(&self, now: SystemTime) -> Result<bool, Error> {
        let mut inner = self.lock();
        if !inner.ca.advance(now).map_err(Error::internal)? {
            return Ok(false);
        }
        // Durable before it is shown: a root that others trust is never lost with its key.
        self.keyring.save_ca(&inner.ca).map_err(Error::internal)?;
        self.bundle.send_replace(Arc::new(inner.ca.bundle().map_err(Error::internal)?));
        Ok(true)
    }

    /// Takes the launcher's word for what a child executes.
    pub fn vouch(&self, process: Process, executable: [u8; 32]) -> Result<(), Error> {
        let mut inner = self.lock();
        if inner.vouchers.len() >= MAX_VOUCHERS {
            inner.vouchers.retain(|process, _| is_running(*process));
        }
        if inner.vouchers.len() >= MAX_VOUCHERS {
            return Err(Error::TooMany("vouchers"));
        }
        inner.vouchers.insert(process, executable);
        drop(inner);
        self.vouched.send_modify(|count| *count += 1);
        Ok(())
    }

    /// What a process executes: as measured, or else as its launcher vouches, waiting a moment for its word.
    pub async fn executable(&self, caller: &impl Attested, patience: Duration) -> Result<[u8; 32], Cause> {
        if let Some(measured) = caller.executable() {
            return Ok(measured);
        }
        let mut vouched = self.vouched.subscribe();
        let voucher = async {
            loop {
                let found = self.lock().vouchers.get(&caller.process()).copied();
                if let Some(executable) = found {
                    return Some(executable);
                }
                vouched.changed().await.ok()?;
            }
        };
        tokio::time::timeout(patience, voucher).await.ok().flatten().ok_or(Cause::UnknownExecutable)
    }

    /// Gives an identity to a process, unless another living one has it.
    pub fn hold(&self, id: &SpiffeId, caller: &impl Attested, executable: [u8; 32]) -> Result<(), Cause> {
        let process = caller.process();
        let mut inner = self.lock();
        // Under the lock, so that of two that come at once one is refused.
        let issued = match inner.holders.get(id) {
            Some(holder) if holder.process == process => return Ok(()),
            Some(holder) if (holder.alive)() => return Err(Cause::SecondProcess),
            holder => holder.map_or(0, |holder| holder.issued),
        };
        let watched = caller.clone();
        let alive = Box::new(move || watched.alive());
        inner.holders.insert(id.clone(), Holder { process, executable, alive, not_after: None, issued });
        Ok(())
    }

    /// A certificate for an identity that [`Authority::hold`] gave.
    pub fn issue(&self, id: &SpiffeId, now: SystemTime) -> Result<Svid, Error> {
        let mut inner = self.lock();
        let svid = inner.ca.issue(id, SVID_TTL, now).map_err(Error::internal)?;
        if let Some(holder) = inner.holders.get_mut(id) {
            holder.not_after = Some(svid.not_after());
            holder.issued += 1;
        }
        Ok(svid)
    }

    /// A certificate for a key that its holder made; its chain.
    pub fn certify(
        &self,
        id: &SpiffeId,
        public_key: &[u8],
        lasts: Duration,
        now: SystemTime,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let chain = self.lock().ca.certify(id, public_key, lasts, now).map_err(|error| match error {
            bodh_identity::ca::CaError::PublicKey => Error::Malformed("public key"),
            other => Error::internal(other),
        })?;
        Ok(chain.iter().map(|certificate| certificate.to_vec()).collect())
    }

    /// The identities given to processes since the start.
    pub fn identities(&self) -> Vec<pb::Identity> {
        let inner = self.lock();
        let shown = inner.holders.iter().map(|(id, holder)| pb::Identity {
            id: id.to_string(),
            pid: holder.process.pid.unsigned_abs(),
            exe_sha256: holder.executable.to_vec(),
            not_after_unix_ms: holder.not_after.map_or(0, unix_ms),
            issued: holder.issued,
        });
        shown.collect()
    }
}

fn is_running(process: Process) -> bool {
    Process::of(process.pid).is_ok_and(|now| now == process)
}

fn unix_ms(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
