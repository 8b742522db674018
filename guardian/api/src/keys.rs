//! The keys of a person, from their enrolment on: which there are after each change, and whether a change holds.

use crate::{
    chain::{Enrolled, signed_by},
    enrolment::{Enrolment, EnrolmentError},
    invitation::Invitation,
    key_change::{Change, KeyChange, SignedChange, named},
};
use bodh_identity::signing::{Context, verify};

/// The most keys that one person has at a time.
pub const MAX_HELD: usize = 8;
/// The most changes of one person's keys.
pub const MAX_CHANGES: usize = 64;

/// A key and since when it is one of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Ed25519, or a passkey.
    pub key: Vec<u8>,
    /// The time in the record that brought it, RFC 3339.
    pub since: String,
}

/// A person's keys after some of their records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    head: String,
    held: Vec<Held>,
    /// Names of keys that were theirs once.
    gone: Vec<String>,
    changes: usize,
}

/// Why a change does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The record itself.
    #[error(transparent)]
    Record(#[from] EnrolmentError),
    /// It is somebody else's, or after another record than their last one.
    #[error("the change does not follow on this person's last record")]
    NotNext,
    /// The person signs with a key file: only passkeys change.
    #[error("only the keys of somebody who signs with passkeys change")]
    NotPasskeys,
    /// None of the keys that stay signed it.
    #[error("no key that this person has, and keeps, signed the change")]
    Own,
    /// The new key did not sign it.
    #[error("the key that is added did not sign the change")]
    New,
    /// No operator's invitation is for exactly this.
    #[error("no operator's invitation is for this change")]
    NotInvited,
    /// A key that is removed is none of theirs, or one stays that is lost.
    #[error("the keys that are removed are not the ones that this person has")]
    OtherKeys,
    /// They would have none.
    #[error("the last key is not removed: add another first")]
    Last,
    /// The key is, or was, one of theirs.
    #[error("this key is, or was, one of theirs already")]
    Taken,
    /// More keys or changes than are allowed.
    #[error("too many keys, or too many changes of them")]
    TooMany,
}

impl Keys {
    /// The one key of a fresh enrolment.
    #[must_use]
    pub fn first(record: &[u8], enrolment: &Enrolment, key: Vec<u8>) -> Self {
        let held = vec![Held { key, since: enrolment.at.clone() }];
        Self { head: named(record), held, gone: Vec::new(), changes: 0 }
    }

    /// SHA-256 of the last record, in hex: what the next one names.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The keys there are, in the order in which they came.
    #[must_use]
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// The one of these keys that made this signature.
    #[must_use]
    pub fn signer(&self, context: Context, payload: &[u8], signature: &[u8]) -> Option<&[u8]> {
        self.held.iter().map(|held| held.key.as_slice()).find(|key| verify(key, context, payload, signature).is_ok())
    }

    /// Whether one of these keys made this signature.
    #[must_use]
    pub fn signed(&self, context: Context, payload: &[u8], signature: &[u8]) -> bool {
        self.signer(context, payload, signature).is_some()
    }

    /// Whether this is, or was, one of them.
    #[must_use]
    pub fn had(&self, key: &[u8]) -> bool {
        let name = named(key);
        self.gone.contains(&name) || self.held.iter().any(|held| held.key == key)
    }

    /// The keys of `person` after one more change; `operator` is who signed its invitation, if there is one. Whether they
    /// are an operator today, and whether its time has ended, is the caller's to say.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn after(
        &self,
        person: &Enrolment,
        signed: &SignedChange,
        operator: Option<&Enrolled>,
    ) -> Result<(Self, KeyChange), KeyFault> {
        let change = KeyChange::parse(&signed.record)?;
        if change.id != person.id || change.after != self.head {
            return Err(KeyFault::NotNext);
        }
        if person.assurance != "webauthn" {
            return Err(KeyFault::NotPasskeys);
        }
        let (kind, added) = (change.kind()?, change.added()?);
        let stays = |held: &&Held| !change.remove.contains(&named(&held.key));
        let staying: Vec<Held> = self.held.iter().filter(stays).cloned().collect();
        if staying.len() + change.remove.len() != self.held.len() {
            return Err(KeyFault::OtherKeys);
        }
        match kind {
            Change::Add | Change::Remove => {
                if staying.is_empty() {
                    return Err(KeyFault::Last);
                }
                // A key that is removed has no say in it: whoever stole it would keep it and remove the others.
                let own = |held: &Held| verify(&held.key, Context::Keys, &signed.record, &signed.by_own).is_ok();
                if !staying.iter().any(own) {
                    return Err(KeyFault::Own);
                }
            }
            Change::Recover => {
                let invitation = operator.and_then(|operator| recovery(&change, person, operator));
                let invitation = invitation.ok_or(KeyFault::NotInvited)?;
                // For exactly the keys that the operator heard were lost: it is void once they have changed.
                if invitation.replaces.as_deref() != Some(self.head.as_str()) || !signed.by_own.is_empty() {
                    return Err(KeyFault::NotInvited);
                }
                if !staying.is_empty() {
                    return Err(KeyFault::OtherKeys);
                }
            }
        }
        let mut next = Self {
            head: named(&signed.record),
            held: staying,
            gone: [self.gone.as_slice(), &change.remove].concat(),
            changes: self.changes + 1,
        };
        match &added {
            Some(key) if self.had(key) => return Err(KeyFault::Taken),
            Some(key) if verify(key, Context::Keys, &signed.record, &signed.by_new).is_err() => {
                return Err(KeyFault::New);
            }
            Some(key) => next.held.push(Held { key: key.clone(), since: change.at.clone() }),
            None if !signed.by_new.is_empty() => return Err(KeyFault::New),
            None => {}
        }
        if next.held.len() > MAX_HELD || next.changes > MAX_CHANGES {
            return Err(KeyFault::TooMany);
        }
        Ok((next, change))
    }
}

/// The invitation that a change accepts, if `operator` signed it for exactly this person, and it is not for themself.
#[must_use]
pub fn recovery(change: &KeyChange, person: &Enrolment, operator: &Enrolled) -> Option<Invitation> {
    let invitation = signed_by(change.invitation.as_deref()?, operator)?;
    let same = (&invitation.id, &invitation.name, &invitation.roles) == (&person.id, &person.name, &person.roles);
    (same && invitation.replaces.is_some() && invitation.invited_by != person.id).then_some(invitation)
}
