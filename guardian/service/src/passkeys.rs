//! A person's keys change: one more passkey, one fewer, or one in place of all that were lost. The rules.
//!
//! Whoever has one of a person's keys may add another, as whoever has a key of a house may copy it; so the key that is
//! lost is removed with one that is left, and it has no say in that. Where none is left, an operator invites, and all go.

use std::sync::Arc;

use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_guardian_api::{KeyChange, KeyFault, SignedChange, pb, recovery};
use bodh_identity::SpiffeId;
use bodh_token::sha256;

use crate::{
    clock::system_time,
    error::{Cause, Error},
    people::{decided, fresh, operator},
    person::{self, Person},
    state::State,
    store::key_changes::StoredChange,
};

/// What the record calls a change of keys that was taken.
pub const KEYS: &str = "keys";

/// Changes the keys of `peer`, as one of them that stays has signed.
pub async fn change(state: &State, peer: &SpiffeId, request: pb::ChangeKeysRequest) -> Result<Arc<Person>, Error> {
    let signed = person::asked(request.change)?;
    let change = read(state, &signed)?;
    if change.id != peer.as_str() {
        return Err(Cause::NotTheSigner.into());
    }
    if change.invitation.is_some() {
        return Err(Cause::NotInvited.into());
    }
    take(state, &change, signed, None, ("change_keys", &request.trace)).await
}

/// Gives the holder of an operator's invitation a new key in place of all that the invited person had.
pub async fn recover(state: &State, request: pb::ChangeKeysRequest) -> Result<Arc<Person>, Error> {
    let signed = person::asked(request.change)?;
    let change = read(state, &signed)?;
    let inviter = inviter(&change).ok_or(Cause::NotInvited)?;
    take(state, &change, signed, Some(&inviter), (crate::door::RECOVER_KEYS, &request.trace)).await
}

fn read(state: &State, signed: &SignedChange) -> Result<KeyChange, Error> {
    let change = KeyChange::parse(&signed.record).map_err(|_| Error::Malformed("record"))?;
    fresh(state.clock(), change.written_at().map_err(|_| Error::Malformed("record"))?)?;
    Ok(change)
}

async fn take(
    state: &State,
    change: &KeyChange,
    signed: SignedChange,
    inviter: Option<&SpiffeId>,
    (action, trace): (&str, &str),
) -> Result<Arc<Person>, Error> {
    let id = SpiffeId::parse(&change.id).map_err(|_| Error::Malformed("record"))?;
    // Held until the change is stored: of two changes of the same keys one is first, and the other is then of other keys.
    let lock = state.registry().lock().await;
    let before = state.registry().person(&id).ok_or(Error::Refused(Cause::NotEnrolled))?;
    if state.registry().is_revoked(&id) {
        return Err(Cause::Revoked.into());
    }
    let operator = inviter.map(|inviter| operator(state, inviter)).transpose()?;
    if let Some(operator) = &operator {
        let invitation = recovery(change, before.record(), &operator.enrolled).ok_or(Cause::NotInvited)?;
        let until = invitation.until().map_err(|_| Error::Malformed("invitation"))?;
        if until < chrono::DateTime::<chrono::Utc>::from(system_time(state.clock())) {
            return Err(Cause::Stale.into());
        }
    }
    let people = state.registry().people();
    let stored = StoredChange {
        id: change.id.clone(),
        signed,
        enrolled: i64::try_from(people.len()).unwrap_or(i64::MAX),
        changed_ms: state.clock()(),
    };
    let record = stored.signed.record.clone();
    let after =
        before.changed(stored, operator.as_deref().map(|operator| &operator.enrolled)).map_err(|f| refused(&f))?;
    // One key is one person: a key that signs for two would leave open who it was.
    let added = change.added().map_err(|_| Error::Malformed("record"))?;
    if added.is_some_and(|key| person::is_known(people.iter().map(AsRef::as_ref), &key)) {
        return Err(Error::Taken("key"));
    }
    // Commit point: who changed whose keys is on record before it holds.
    let by = operator.as_ref().map_or(&id, |operator| &operator.id);
    decided(state, by, action, &id, Some(&record), trace).await?;
    let person = Arc::new(after);
    let epoch = state.registry().store_change(&person, &lock).await?;
    // On record before any gate takes the new key: whoever reads the record later finds every signature after the entry that
    // brought its key. What stops the guardian here is made good at its next start; the entry is one, however often it is
    // offered.
    if let Some(entry) = now_have(&person, by) {
        let _told = state.ledger().record(entry).await;
    }
    state.registry().changed(&person, epoch, &lock);
    // The connection stays up for the answer; the gate refuses whatever else comes on it with a certificate from before.
    state.changed(None);
    Ok(person)
}

/// The entry that says which record a person's keys are after, by whom it came about.
fn now_have(person: &Person, by: &SpiffeId) -> Option<Draft> {
    let record = sha256(&person.changes.last()?.signed.record);
    let key = format!("{KEYS}/{}", data_encoding::HEXLOWER.encode(&record));
    Some(Draft {
        verdict: Some(Verdict::Ok),
        actors: vec![by.to_string()],
        resource: person.id.to_string(),
        commitments: [("record".to_owned(), record)].into(),
        ..Draft::new(Kind::State, KEYS, key)
    })
}

/// The entry of the last change of all: whether it was written before the guardian ended is not known.
pub(crate) fn last(state: &State) -> Option<Draft> {
    let people = state.registry().people();
    let last = people.iter().max_by_key(|person| person.changes.last().map(|change| change.changed_ms))?;
    let change = KeyChange::parse(&last.changes.last()?.signed.record).ok()?;
    now_have(last, inviter(&change).as_ref().unwrap_or(&last.id))
}

fn inviter(change: &KeyChange) -> Option<SpiffeId> {
    change.inviter().and_then(|id| SpiffeId::parse(&id).ok())
}

fn refused(fault: &KeyFault) -> Error {
    match fault {
        KeyFault::Record(_) | KeyFault::NotPasskeys => Error::Malformed("record"),
        KeyFault::NotNext | KeyFault::OtherKeys => Cause::OtherKeys.into(),
        KeyFault::Own | KeyFault::New => Cause::BadSignature.into(),
        KeyFault::NotInvited => Cause::NotInvited.into(),
        KeyFault::Last => Cause::LastKey.into(),
        KeyFault::Taken => Error::Taken("key"),
        KeyFault::TooMany => Error::TooMany("keys, or changes of them"),
    }
}
