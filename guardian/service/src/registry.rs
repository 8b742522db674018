//! Who is enrolled and who is revoked: kept in the store, read from memory, announced to every gate.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use bodh_guardian_api::pb;
use bodh_identity::SpiffeId;
use tokio::sync::{Mutex, MutexGuard, broadcast};

use crate::{
    error::Error,
    person::{self, Person},
    store::{Store, key_changes, meta, people, revocations},
};

/// Changes that a slow watcher may be behind before it has to begin again.
const BACKLOG: usize = 256;

/// The people in the store cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A stored record is malformed, or not signed by whoever had to sign it at that time.
    #[error(
        "guardian.db: the records of person {0} are not signed by whoever had to; restore the state folder from a backup"
    )]
    Forged(String),
    /// The database.
    #[error("the guardian's database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// People and revocations.
pub struct Registry {
    store: Store,
    snapshot: RwLock<Snapshot>,
    writing: Mutex<()>,
    notices: broadcast::Sender<pb::Notice>,
}

#[derive(Debug, Clone, Default)]
struct Snapshot {
    epoch: u64,
    people: Vec<Arc<Person>>,
    revoked: BTreeSet<SpiffeId>,
}

impl Registry {
    /// Reads the store, and checks every person's records up to the self-signed first one.
    pub async fn load(store: Store, trust_domain: &str) -> Result<Self, RegistryError> {
        let mut snapshot = Snapshot { epoch: meta::advance(&store).await?, ..Snapshot::default() };
        let (stored, changes) = (people::all(&store).await?, key_changes::all(&store).await?);
        let people = person::everybody(stored, changes, trust_domain).map_err(RegistryError::Forged)?;
        snapshot.people = people.into_iter().map(Arc::new).collect();
        for id in revocations::all(&store).await? {
            snapshot.revoked.insert(SpiffeId::parse(&id).map_err(|_| RegistryError::Forged(id))?);
        }
        let (notices, _) = broadcast::channel(BACKLOG);
        Ok(Self { store, snapshot: RwLock::new(snapshot), writing: Mutex::new(()), notices })
    }

    fn read(&self) -> RwLockReadGuard<'_, Snapshot> {
        // Nothing that holds the lock can leave it half written: each change replaces one field with no call between.
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everybody, in order of enrolment.
    pub fn people(&self) -> Vec<Arc<Person>> {
        self.read().people.clone()
    }

    /// The person of this id, revoked or not.
    pub fn person(&self, id: &SpiffeId) -> Option<Arc<Person>> {
        self.read().people.iter().find(|person| person.id == *id).cloned()
    }

    /// Whether the id is revoked.
    pub fn is_revoked(&self, id: &SpiffeId) -> bool {
        self.read().revoked.contains(id)
    }

    /// Grows with every change.
    pub fn epoch(&self) -> u64 {
        self.read().epoch
    }

    /// Epoch, people and revoked ids of one moment.
    pub(crate) fn seen(&self) -> (u64, Vec<Arc<Person>>, BTreeSet<SpiffeId>) {
        let now = self.read();
        (now.epoch, now.people.clone(), now.revoked.clone())
    }

    /// Epoch, people and revoked ids of one moment, as the contract has them.
    pub fn told(&self) -> (u64, Vec<pb::Person>, Vec<String>) {
        let (epoch, people, revoked) = self.seen();
        let people = people.iter().map(|person| person.to_message(revoked.contains(&person.id))).collect();
        (epoch, people, revoked.iter().map(ToString::to_string).collect())
    }

    /// A person who is an operator and not revoked.
    pub fn operator(&self, id: &SpiffeId) -> Option<Arc<Person>> {
        self.operators().into_iter().find(|person| person.id == *id)
    }

    /// The operators who are not revoked.
    pub fn operators(&self) -> Vec<Arc<Person>> {
        let now = self.read();
        let active = now.people.iter().filter(|p| p.is_operator() && !now.revoked.contains(&p.id));
        active.cloned().collect()
    }

    /// From here on changes wait, so that what is checked still holds when it is written.
    pub async fn lock(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// Adds a person; `false` if the name or the key is taken. Announced when this returns.
    pub async fn add(&self, person: Person, _lock: &MutexGuard<'_, ()>) -> Result<bool, Error> {
        let Some(epoch) = people::add(&self.store, &person.stored).await? else { return Ok(false) };
        self.announce(pb::Notice { epoch, people_changed: true, ..pb::Notice::default() }, |now| {
            now.people.push(Arc::new(person));
        });
        Ok(true)
    }

    /// Stores the last change of `person`, which is new; the epoch that [`Registry::changed`] announces.
    pub async fn store_change(&self, person: &Person, _lock: &MutexGuard<'_, ()>) -> Result<u64, Error> {
        let change = person.changes.last().ok_or(Error::Malformed("change"))?;
        Ok(key_changes::add(&self.store, change).await?)
    }

    /// `person`, whose last change is stored, takes their own place, and every gate is told.
    pub fn changed(&self, person: &Arc<Person>, epoch: u64, _lock: &MutexGuard<'_, ()>) {
        self.announce(pb::Notice { epoch, people_changed: true, ..pb::Notice::default() }, |now| {
            if let Some(place) = now.people.iter_mut().find(|held| held.id == person.id) {
                *place = Arc::clone(person);
            }
        });
    }

    /// Revokes an id; the epoch since which it is revoked, at the latest. Announced when this returns.
    pub async fn revoke(
        &self,
        id: &SpiffeId,
        reason: &str,
        by: &SpiffeId,
        now_ms: i64,
        _lock: &MutexGuard<'_, ()>,
    ) -> Result<u64, Error> {
        let added = revocations::add(&self.store, id.as_str(), reason, by.as_str(), now_ms).await?;
        let Some(epoch) = added else { return Ok(self.epoch()) };
        let person = self.person(id).is_some();
        let notice = pb::Notice { epoch, revoked: vec![id.to_string()], people_changed: person };
        self.announce(notice, |now| {
            now.revoked.insert(id.clone());
        });
        Ok(epoch)
    }

    fn announce(&self, notice: pb::Notice, change: impl FnOnce(&mut Snapshot)) {
        let mut now = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        now.epoch = notice.epoch;
        change(&mut now);
        // Sent under the lock: whoever subscribes sees the change either in the epoch or as a notice. No watcher is no
        // error.
        let _ = self.notices.send(notice);
    }

    /// The epoch, and every change after it.
    pub fn subscribe(&self) -> (u64, broadcast::Receiver<pb::Notice>) {
        let now = self.read();
        (now.epoch, self.notices.subscribe())
    }
}
