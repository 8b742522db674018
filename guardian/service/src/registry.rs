//! Who is enrolled and who is revoked: kept in the store, read from memory, announced to every gate.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use bodh_guardian_api::{Enrolled, Enrolment, Invitation, OPERATOR, accepted, pb};
use bodh_identity::{
    SpiffeId,
    passkey::{MAX_ASSERTION, Passkey},
    signing::{Context, verify},
};
use tokio::sync::{Mutex, MutexGuard, broadcast};

use crate::{
    error::Error,
    store::{Store, meta, people, people::StoredPerson, revocations},
};

/// Changes that a slow watcher may be behind before it has to begin again.
const BACKLOG: usize = 256;

/// An enrolled person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: SpiffeId,
    /// What the operator signed, read.
    pub record: Enrolment,
    /// Their key.
    pub key: Vec<u8>,
    /// What the store has: the signed bytes and when they were accepted.
    pub stored: StoredPerson,
}

/// The people in the store cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A stored record is malformed, or not signed by an operator enrolled before it.
    #[error("guardian.db: person {0} was not enrolled by an operator; restore the state folder from a backup")]
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
    /// Reads the store, and checks every person's record up to the self-signed first one.
    pub async fn load(store: Store, trust_domain: &str) -> Result<Self, RegistryError> {
        let mut snapshot = Snapshot { epoch: meta::advance(&store).await?, ..Snapshot::default() };
        for stored in people::all(&store).await? {
            let person = check(&stored, &snapshot.people, trust_domain).ok_or(RegistryError::Forged(stored.id))?;
            snapshot.people.push(Arc::new(person));
        }
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

    /// The key of a person who is an operator and not revoked.
    pub fn operator_key(&self, id: &SpiffeId) -> Option<Vec<u8>> {
        self.operators().into_iter().find(|person| person.id == *id).map(|person| person.key.clone())
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
        self.announce(pb::Notice { epoch, revoked: vec![], people_changed: true }, |now| {
            now.people.push(Arc::new(person));
        });
        Ok(true)
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
        self.announce(pb::Notice { epoch, revoked: vec![id.to_string()], people_changed: person }, |now| {
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

impl Person {
    /// Whether an operator gave them the operator's role.
    pub fn is_operator(&self) -> bool {
        self.record.roles.iter().any(|role| role == OPERATOR)
    }

    /// As the contract has it.
    pub fn to_message(&self, revoked: bool) -> pb::Person {
        pb::Person {
            id: self.id.to_string(),
            name: self.record.name.clone(),
            roles: self.record.roles.clone(),
            key: self.key.to_vec(),
            assurance: self.record.assurance.clone(),
            enrolled_unix_ms: self.stored.enrolled_ms,
            enrolled_by: self.record.enrolled_by.clone(),
            record: self.stored.record.clone(),
            signature: self.stored.signature.clone(),
            revoked,
        }
    }

    /// Reads a record and its signature; the signature is not checked yet.
    pub fn read(record: &[u8], signature: &[u8], trust_domain: &str, enrolled_ms: i64) -> Result<Self, Error> {
        let parsed = Enrolment::parse(record).map_err(|_| Error::Malformed("record"))?;
        let id = SpiffeId::human(trust_domain, &parsed.name).map_err(|_| Error::Malformed("record"))?;
        if id.as_str() != parsed.id {
            return Err(Error::Malformed("trust domain"));
        }
        if signature.is_empty() || signature.len() > MAX_ASSERTION {
            return Err(Error::Malformed("signature"));
        }
        let key = parsed.public_key().map_err(|_| Error::Malformed("record"))?;
        if parsed.invitation.is_some() && Passkey::from_bytes(&key).is_none() {
            return Err(Error::Malformed("passkey"));
        }
        let stored = StoredPerson {
            id: parsed.id.clone(),
            key: key.clone(),
            record: record.to_vec(),
            signature: signature.to_vec(),
            enrolled_ms,
        };
        Ok(Self { id, record: parsed, key, stored })
    }

    /// The invitation that this record accepts, if `operator`'s key signed it for exactly this person.
    pub fn invitation(&self, operator: &[u8]) -> Option<Invitation> {
        accepted(&self.record, operator)
    }

    /// Whether `key` signed this record.
    pub fn is_signed_by(&self, key: &[u8]) -> bool {
        verify(key, Context::Enrolment, &self.stored.record, &self.stored.signature).is_ok()
    }
}

/// A stored person counts only with the signature of an operator enrolled before them, or their own if they are first.
fn check(stored: &StoredPerson, before: &[Arc<Person>], trust_domain: &str) -> Option<Person> {
    let person = Person::read(&stored.record, &stored.signature, trust_domain, stored.enrolled_ms).ok()?;
    let by = match before {
        [] => None,
        before => Some(before.iter().find(|p| p.id.as_str() == person.record.enrolled_by)?),
    };
    let by = by.map(|by| (&by.record, by.key.as_slice()));
    let holds = Enrolled::check(&stored.record, &stored.signature, by).is_some();
    (holds && person.stored == *stored).then_some(person)
}
