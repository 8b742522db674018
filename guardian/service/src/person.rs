//! An enrolled person: what was signed, which keys they have now, and since when.

use bodh_guardian_api::{Enrolled, Enrolment, Invitation, KeyChange, KeyFault, Keys, SignedChange, accepted, pb};
use bodh_identity::{
    SpiffeId,
    passkey::{MAX_ASSERTION, Passkey},
    signing::{Context, verify},
};

use crate::{
    error::Error,
    store::{key_changes::StoredChange, people::StoredPerson},
};

/// An enrolled person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: SpiffeId,
    /// What the operator signed, read, and the keys after the last change.
    pub enrolled: Enrolled,
    /// What the store has: the signed bytes and when they were accepted.
    pub stored: StoredPerson,
    /// The changes of their keys, in order.
    pub changes: Vec<StoredChange>,
    /// What was certified or lent before this (Unix milliseconds) rests on a key that may be gone, and is void.
    pub since_ms: i64,
}

impl Person {
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
        let enrolled = Enrolled { keys: Keys::first(record, &parsed, key), record: parsed };
        Ok(Self { id, enrolled, stored, changes: Vec::new(), since_ms: 0 })
    }

    /// The same person after one more change of their keys; `operator` signed its invitation, if there is one.
    pub fn changed(&self, change: StoredChange, operator: Option<&Enrolled>) -> Result<Self, KeyFault> {
        let (keys, read) = self.enrolled.keys.after(&self.enrolled.record, &change.signed, operator)?;
        let mut next = self.clone();
        if !read.remove.is_empty() {
            next.since_ms = next_second(change.changed_ms);
        }
        next.enrolled.keys = keys;
        next.changes.push(change);
        Ok(next)
    }

    /// What was signed, read.
    pub fn record(&self) -> &Enrolment {
        &self.enrolled.record
    }

    /// The keys that they have now.
    pub fn keys(&self) -> &Keys {
        &self.enrolled.keys
    }

    /// The key that the enrolment brought.
    pub fn first_key(&self) -> &[u8] {
        &self.stored.key
    }

    /// Whether an operator gave them the operator's role.
    pub fn is_operator(&self) -> bool {
        self.enrolled.is_operator()
    }

    /// The invitation that the record accepts, if `operator` signed it for exactly this person.
    pub fn invitation(&self, operator: &Self) -> Option<Invitation> {
        accepted(self.record(), &operator.enrolled)
    }

    /// Whether the enrolment's own key signed it.
    pub fn is_signed_by_themself(&self) -> bool {
        verify(&self.stored.key, Context::Enrolment, &self.stored.record, &self.stored.signature).is_ok()
    }

    /// Whether a key that `operator` has signed the enrolment.
    pub fn is_signed_by(&self, operator: &Self) -> bool {
        operator.keys().signed(Context::Enrolment, &self.stored.record, &self.stored.signature)
    }

    /// As the contract has it.
    pub fn to_message(&self, revoked: bool) -> pb::Person {
        let record = self.record();
        let held = self.keys().held().iter().map(|h| pb::HeldKey { key: h.key.clone(), since: h.since.clone() });
        pb::Person {
            id: self.id.to_string(),
            name: record.name.clone(),
            roles: record.roles.clone(),
            keys: held.collect(),
            assurance: record.assurance.clone(),
            enrolled_unix_ms: self.stored.enrolled_ms,
            enrolled_by: record.enrolled_by.clone(),
            record: self.stored.record.clone(),
            signature: self.stored.signature.clone(),
            revoked,
            since_unix_ms: self.since_ms,
            keys_head: self.keys().head().to_owned(),
            changes: self.changes.iter().map(|change| change.signed.clone().into()).collect(),
        }
    }
}

/// Certificates count in whole seconds: what was made within the second of a change was made before it.
fn next_second(unix_ms: i64) -> i64 {
    unix_ms.saturating_add(999).div_euclid(1000).saturating_mul(1000)
}

/// A change of keys as it is asked for.
pub fn asked(change: Option<pb::SignedKeyChange>) -> Result<SignedChange, Error> {
    let signed: SignedChange = change.ok_or(Error::Malformed("change"))?.into();
    if signed.by_own.len() > MAX_ASSERTION || signed.by_new.len() > MAX_ASSERTION {
        return Err(Error::Malformed("signature"));
    }
    Ok(signed)
}

/// Everybody, from what the store has; each record and change is checked in the order in which they were accepted. An id where
/// one does not hold.
pub fn everybody(
    stored: Vec<StoredPerson>,
    changes: Vec<StoredChange>,
    trust_domain: &str,
) -> Result<Vec<Person>, String> {
    let mut people: Vec<Person> = Vec::with_capacity(stored.len());
    let mut changes = changes.into_iter().peekable();
    for person in stored {
        let enrolled = i64::try_from(people.len()).unwrap_or(i64::MAX);
        while let Some(change) = changes.next_if(|change| change.enrolled <= enrolled) {
            apply(&mut people, change)?;
        }
        let checked = check(&person, &people, trust_domain).ok_or(person.id)?;
        people.push(checked);
    }
    changes.try_for_each(|change| apply(&mut people, change))?;
    Ok(people)
}

fn apply(people: &mut [Person], change: StoredChange) -> Result<(), String> {
    let id = change.id.clone();
    let operator = KeyChange::parse(&change.signed.record).ok().and_then(|change| change.inviter());
    let operator = people.iter().find(|p| Some(p.id.as_str()) == operator.as_deref()).map(|p| p.enrolled.clone());
    let Some(person) = people.iter_mut().find(|person| person.id.as_str() == id) else { return Err(id) };
    *person = person.changed(change, operator.as_ref()).map_err(|_| id)?;
    Ok(())
}

/// A stored person counts only with the signature of an operator enrolled before them, or their own if they are first.
fn check(stored: &StoredPerson, before: &[Person], trust_domain: &str) -> Option<Person> {
    let person = Person::read(&stored.record, &stored.signature, trust_domain, stored.enrolled_ms).ok()?;
    let by = match before {
        [] => None,
        before => Some(before.iter().find(|p| p.id.as_str() == person.record().enrolled_by)?),
    };
    let holds = Enrolled::check(&stored.record, &stored.signature, by.map(|by| &by.enrolled)).is_some();
    (holds && person.stored == *stored).then_some(person)
}

/// Whether this key is, or was, anybody's.
pub fn is_known<'a>(people: impl IntoIterator<Item = &'a Person>, key: &[u8]) -> bool {
    people.into_iter().any(|person| person.keys().had(key))
}
