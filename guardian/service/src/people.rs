//! Enrolment and revocation: the rules.

use std::{sync::Arc, time::Duration};

use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_gate::Clock;
use bodh_guardian_api::pb;
use bodh_identity::{Kind as IdKind, SpiffeId};
use bodh_token::sha256;
use tokio::sync::MutexGuard;

use crate::{
    clock::system_time,
    config::Bootstrap,
    error::{Cause, Error},
    person::Person,
    registry::Registry,
    state::State,
};

/// The oldest record that is accepted: an operator signs and presents in one sitting.
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);
/// How much a signer's clock may be ahead.
const MAX_AHEAD: Duration = Duration::from_secs(300);
/// The most people, revoked ones included.
const MAX_PEOPLE: usize = 10_000;
/// The longest reason for a revocation.
const MAX_REASON: usize = 200;

/// Enrols the first person, whose record is signed with the key that it names. Once: a state folder with people refuses
/// it, unless it is the very record that was accepted (the launcher ended before it knew).
pub async fn bootstrap(
    registry: &Registry,
    trust_domain: &str,
    clock: &Clock,
    bootstrap: &Bootstrap,
) -> Result<(), Error> {
    let record = bootstrap.record.as_bytes();
    let person = Person::read(record, &bootstrap.signature, trust_domain, clock())?;
    let lock = registry.lock().await;
    if let Some(first) = registry.people().first() {
        let same = first.stored.record == record && first.stored.signature == bootstrap.signature;
        return if same { Ok(()) } else { Err(Cause::BootstrapUsed.into()) };
    }
    if person.record().enrolled_by != person.record().id {
        return Err(Cause::NotTheSigner.into());
    }
    if !person.is_operator() {
        return Err(Cause::NotOperator.into());
    }
    if !person.is_signed_by_themself() {
        return Err(Cause::BadSignature.into());
    }
    check_fresh(clock, &person)?;
    // Durable when this returns; the entry follows as soon as there is a record, under a key that makes it one.
    registry.add(person, &lock).await?;
    Ok(())
}

/// Enrols the person in `record`, on the word of the operator `peer` who signed it.
pub async fn enroll(state: &State, peer: &SpiffeId, request: &pb::EnrollRequest) -> Result<Person, Error> {
    let now = state.clock()();
    let person = Person::read(&request.record, &request.signature, state.trust_domain(), now)?;
    if person.record().enrolled_by != peer.as_str() {
        return Err(Cause::NotTheSigner.into());
    }
    // Held until the person is stored: an operator who is being revoked enrols nobody.
    let lock = state.registry().lock().await;
    let operator = operator(state, peer)?;
    if person.id == *peer || operator.keys().had(person.first_key()) {
        return Err(Cause::SelfEnrolment.into());
    }
    // A passkey is enrolled by its holder (see `accept`).
    if person.record().invitation.is_some() || !person.is_signed_by(&operator) {
        return Err(Cause::BadSignature.into());
    }
    admit(state, person, (peer, "enroll", &request.trace), &lock).await
}

/// Lets a person in whose record holds: fresh, and under a name and a key that nobody has had.
async fn admit(
    state: &State,
    person: Person,
    (operator, action, trace): (&SpiffeId, &str, &str),
    lock: &MutexGuard<'_, ()>,
) -> Result<Person, Error> {
    check_fresh(state.clock(), &person)?;
    let people = state.registry().people();
    if people.iter().any(|other| other.id == person.id || other.keys().had(person.first_key())) {
        return Err(Error::Taken("name or key"));
    }
    if people.len() >= MAX_PEOPLE {
        return Err(Error::TooMany("people"));
    }
    // Commit point: who let whom in is on record before they are in.
    decided(state, operator, action, &person.id, Some(&person.stored.record), trace).await?;
    if !state.registry().add(person.clone(), lock).await? {
        return Err(Error::Taken("name or key"));
    }
    state.changed(None);
    Ok(person)
}

/// Enrols the holder of an operator's invitation, whose own passkey signed the record. Whoever has the link may; it names
/// who they become, and is good once.
pub async fn accept(state: &State, request: &pb::AcceptRequest) -> Result<Person, Error> {
    let now = state.clock()();
    let person = Person::read(&request.record, &request.signature, state.trust_domain(), now)?;
    let inviter = SpiffeId::parse(&person.record().enrolled_by).map_err(|_| Error::Malformed("record"))?;
    // Held until the person is stored: the invitation of an operator who is being revoked lets nobody in.
    let lock = state.registry().lock().await;
    let operator = operator(state, &inviter)?;
    let invitation = person.invitation(&operator).ok_or(Error::Refused(Cause::NotInvited))?;
    let until = invitation.until().map_err(|_| Error::Malformed("invitation"))?;
    if until < chrono::DateTime::<chrono::Utc>::from(system_time(state.clock())) {
        return Err(Cause::Stale.into());
    }
    if !person.is_signed_by_themself() {
        return Err(Cause::BadSignature.into());
    }
    admit(state, person, (&inviter, "accept_invitation", &request.trace), &lock).await
}

/// Revokes an identity for good: announced to every gate, its connections here closed, no certificate for it any more.
pub async fn revoke(state: &State, peer: &SpiffeId, id: &SpiffeId, reason: &str, trace: &str) -> Result<u64, Error> {
    if reason.is_empty() || reason.len() > MAX_REASON || reason.chars().any(char::is_control) {
        return Err(Error::Malformed("reason"));
    }
    let lock = state.registry().lock().await;
    operator(state, peer)?;
    check_revocable(state, id)?;
    // Commit point: who revoked whom is on record before it holds.
    decided(state, peer, "revoke", id, None, trace).await?;
    let epoch = state.registry().revoke(id, reason, peer, state.clock()(), &lock).await?;
    state.changed(Some(id));
    Ok(epoch)
}

pub(crate) async fn decided(
    state: &State,
    operator: &SpiffeId,
    action: &str,
    subject: &SpiffeId,
    record: Option<&[u8]>,
    trace: &str,
) -> Result<u64, Error> {
    // Whoever is shown the record later can tell that it is the one that was let in.
    let commitments = record.map(|record| ("record".to_owned(), sha256(record)));
    let draft = Draft {
        commitments: commitments.into_iter().collect(),
        verdict: Some(Verdict::Allow),
        actors: vec![operator.to_string()],
        resource: subject.to_string(),
        trace: trace.to_owned(),
        ..Draft::new(Kind::Decision, action, state.ledger().next_key())
    };
    state.ledger().record(draft).await
}

fn check_revocable(state: &State, id: &SpiffeId) -> Result<(), Error> {
    if *id == *state.guardian() {
        return Err(Cause::Guardian.into());
    }
    let known = match id.kind() {
        IdKind::Human(_) => state.registry().person(id).is_some(),
        _ => state.binaries().entries.iter().any(|entry| entry.spiffe_id.as_deref() == Some(id.as_str())),
    };
    if !known {
        return Err(Error::Unknown("identity"));
    }
    match state.registry().operators().as_slice() {
        [last] if last.id == *id => Err(Cause::LastOperator.into()),
        _ => Ok(()),
    }
}

/// An operator; why not, otherwise.
pub(crate) fn operator(state: &State, id: &SpiffeId) -> Result<Arc<Person>, Error> {
    let registry = state.registry();
    let person = registry.person(id).ok_or(Cause::NotEnrolled)?;
    if registry.is_revoked(id) {
        return Err(Cause::Revoked.into());
    }
    if !person.is_operator() {
        return Err(Cause::NotOperator.into());
    }
    Ok(person)
}

fn check_fresh(clock: &Clock, person: &Person) -> Result<(), Error> {
    fresh(clock, person.record().written_at().map_err(|_| Error::Malformed("record"))?)
}

/// Whether something was written in this sitting.
pub(crate) fn fresh(clock: &Clock, written: chrono::DateTime<chrono::Utc>) -> Result<(), Error> {
    let now = chrono::DateTime::<chrono::Utc>::from(system_time(clock));
    if written > now + MAX_AHEAD || written < now - MAX_AGE {
        return Err(Cause::Stale.into());
    }
    Ok(())
}
