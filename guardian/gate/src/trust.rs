//! What a gate knows of the world: policies, people, revoked identities, the token key — and how fresh that is.

use crate::Refusal;
use bodh_identity::{
    Kind, SpiffeId,
    signing::{self, Context},
};
use bodh_policy::Policies;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::Notify, time::timeout};

/// A gate whose feed is older than this refuses everything.
pub const STALE_AFTER: Duration = Duration::from_secs(2);

/// Milliseconds since 1970 UTC. Injected, so that tests move it.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The system's clock, in milliseconds since 1970 UTC.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// An enrolled person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The roles of their signed enrolment.
    pub roles: Vec<String>,
    /// How they prove who they are: `local_key` or `webauthn`.
    pub assurance: String,
    /// Their public keys: an Ed25519 one, or passkeys; with the time in the record that brought each, RFC 3339.
    pub keys: Vec<(Vec<u8>, String)>,
    /// SHA-256 of their last record, in hex: what a change of their keys names.
    pub keys_head: String,
    /// Certificates from before this (Unix milliseconds) are void: they lost a key then.
    pub since_ms: i64,
}

impl Person {
    /// As the guardian tells of them.
    #[must_use]
    pub fn of(told: &bodh_guardian_api::pb::Person) -> Self {
        Self {
            roles: told.roles.clone(),
            assurance: told.assurance.clone(),
            keys: told.keys.iter().map(|held| (held.key.clone(), held.since.clone())).collect(),
            keys_head: told.keys_head.clone(),
            since_ms: told.since_unix_ms,
        }
    }

    /// Whether one of their keys made this signature.
    #[must_use]
    pub fn signed(&self, context: Context, payload: &[u8], signature: &[u8]) -> bool {
        self.keys.iter().any(|(key, _)| signing::verify(key, context, payload, signature).is_ok())
    }
}

/// One consistent state of the world.
#[derive(Debug, Clone)]
pub struct View {
    /// The verified policies.
    pub policies: Arc<Policies>,
    /// SHA-256 of their bundle.
    pub policy_hash: [u8; 32],
    /// The guardian's Ed25519 public key for tokens.
    pub token_key: [u8; 32],
    /// SPIFFE id of the guardian: the only issuer of tokens.
    pub issuer: SpiffeId,
    /// Everybody who is enrolled and not revoked.
    pub people: HashMap<SpiffeId, Person>,
    /// Identities that were revoked.
    pub revoked: HashSet<SpiffeId>,
    /// Grows with every change.
    pub epoch: u64,
}

impl View {
    /// Whether an identity may come in with a certificate of that time (Unix milliseconds).
    ///
    /// # Errors
    /// [`Refusal::Revoked`]; [`Refusal::KeyGone`] where the person has lost a key since.
    pub fn check_peer(&self, id: &SpiffeId, certified_ms: i64) -> Result<(), Refusal> {
        if self.revoked.contains(id) {
            return Err(Refusal::Revoked);
        }
        match self.people.get(id) {
            Some(person) if certified_ms < person.since_ms => Err(Refusal::KeyGone),
            _ => Ok(()),
        }
    }
}

/// The current view, shared by a service's gates. Cheap to clone.
#[derive(Clone)]
pub struct Trust {
    inner: Arc<Inner>,
}

struct Inner {
    view: RwLock<Option<Arc<View>>>,
    heard_ms: AtomicI64,
    replaced: Notify,
    followed: bool,
    clock: Clock,
}

impl Trust {
    /// For the guardian, which is the source itself: never stale.
    #[must_use]
    pub fn source(view: View, clock: Clock) -> Self {
        Self::new(Some(Arc::new(view)), false, clock)
    }

    /// For everybody else: refuses until the first view and whenever the feed is silent.
    #[must_use]
    pub fn followed(clock: Clock) -> Self {
        Self::new(None, true, clock)
    }

    fn new(view: Option<Arc<View>>, followed: bool, clock: Clock) -> Self {
        Self {
            inner: Arc::new(Inner {
                view: RwLock::new(view),
                heard_ms: AtomicI64::new(i64::MIN / 2),
                replaced: Notify::new(),
                followed,
                clock,
            }),
        }
    }

    /// Takes a newer view; the one before.
    pub fn replace(&self, view: View) -> Option<Arc<View>> {
        let mut held = self.inner.view.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = held.replace(Arc::new(view));
        drop(held);
        self.inner.replaced.notify_waiters();
        before
    }

    /// Somebody who was enrolled a moment ago holds a certificate before every service has heard of them. Waits until the
    /// view knows this person, or says that they were revoked, for at most [`STALE_AFTER`]; then the view decides as it is.
    pub async fn acquaint(&self, id: &SpiffeId) {
        if !self.inner.followed || !matches!(id.kind(), Kind::Human(_)) {
            return;
        }
        let heard = async {
            loop {
                let replaced = self.inner.replaced.notified();
                tokio::pin!(replaced);
                // Listening before looking, so that no view falls between the two.
                replaced.as_mut().enable();
                match self.current() {
                    Ok(view) if !view.people.contains_key(id) && !view.revoked.contains(id) => replaced.await,
                    _ => return,
                }
            }
        };
        // The time running out is an answer too: the person is unknown.
        let _ = timeout(STALE_AFTER, heard).await;
    }

    /// The feed was heard.
    pub fn heard(&self) {
        self.inner.heard_ms.store((self.inner.clock)(), Ordering::Release);
    }

    /// The clock that freshness is measured with.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        (self.inner.clock)()
    }

    /// The view, if it is fresh.
    ///
    /// # Errors
    /// [`Refusal::Stale`] before the first view and when the feed is silent for longer than [`STALE_AFTER`].
    pub fn current(&self) -> Result<Arc<View>, Refusal> {
        let silent = self.now_ms().saturating_sub(self.inner.heard_ms.load(Ordering::Acquire));
        if self.inner.followed && silent > i64::try_from(STALE_AFTER.as_millis()).unwrap_or(i64::MAX) {
            return Err(Refusal::Stale);
        }
        let view = self.inner.view.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        view.clone().ok_or(Refusal::Stale)
    }
}
