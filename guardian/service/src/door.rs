//! The door: a person's client proves the person's key and receives a certificate: for five minutes, or for fifteen where a
//! passkey was touched for it.
//!
//! The answer to a wrong name, a revoked person and a wrong proof is the same.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_guardian_api::{pb, proof};
use bodh_identity::{SpiffeId, ca::SVID_TTL, passkey::Passkey, signing::Context};

use crate::{
    authority::Attested,
    error::{Cause, Error},
    passkeys, people,
    person::Person,
    random,
    state::State,
};

/// What the record calls the issue of a person's certificate.
pub const ISSUE_HUMAN_SVID: &str = "issue_human_svid";
/// What the record calls an enrolment by invitation.
pub const ACCEPT_INVITATION: &str = "accept_invitation";
/// What the record calls a new key in place of lost ones.
pub const RECOVER_KEYS: &str = "recover_keys";
/// The executables that may ask: the command line, and the console for people with passkeys.
const CLIENTS: [&str; 2] = ["bodh", "bodh-console"];
/// How long the certificate lasts that a passkey was touched for. It is not renewed without another touch.
const TOUCHED: Duration = Duration::from_secs(15 * 60);
/// How long a nonce is good.
const NONCE_MS: i64 = 60_000;
/// Nonces that wait at most.
pub const MAX_NONCES: usize = 1024;

/// The nonces that were given and not yet used.
#[derive(Default)]
pub struct Nonces {
    given: Mutex<BTreeMap<[u8; 32], Given>>,
}

struct Given {
    human: String,
    until_ms: i64,
}

impl Nonces {
    fn give(&self, human: &str, now_ms: i64) -> Result<[u8; 32], Error> {
        let nonce = random::bytes::<32>()?;
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|_, given| given.until_ms > now_ms);
        if given.len() >= MAX_NONCES {
            return Err(Error::TooMany("challenges"));
        }
        given.insert(nonce, Given { human: human.to_owned(), until_ms: now_ms.saturating_add(NONCE_MS) });
        Ok(nonce)
    }

    /// Whether the nonce was given for this name and is still good. It is not any more after this, whatever the answer.
    fn take(&self, nonce: &[u8], human: &str, now_ms: i64) -> bool {
        let Ok(nonce) = <[u8; 32]>::try_from(nonce) else { return false };
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).remove(&nonce);
        given.is_some_and(|given| (given.human == human || given.human.is_empty()) && given.until_ms > now_ms)
    }
}

/// A nonce for a name, enrolled or not.
pub fn challenge(
    state: &State,
    caller: &impl Attested,
    request: &pb::ChallengeRequest,
) -> Result<pb::ChallengeReply, Error> {
    check_client(state, caller)?;
    let id = match request.human.as_str() {
        // A passkey's browser tells who it is only together with the proof.
        "" => String::new(),
        name => SpiffeId::human(state.trust_domain(), name).map_err(|_| Error::Malformed("name"))?.to_string(),
    };
    let nonce = state.nonces().give(&request.human, state.clock()())?;
    Ok(pb::ChallengeReply { nonce: nonce.to_vec(), id })
}

/// A certificate for the key that the person signed, together with the nonce.
pub async fn human_svid(
    state: &State,
    caller: &impl Attested,
    request: &pb::HumanSvidRequest,
) -> Result<pb::HumanSvidReply, Error> {
    check_client(state, caller)?;
    let Some((person, is_passkey)) = proven(state, request) else {
        state.refusals().count(ISSUE_HUMAN_SVID, Cause::Door.code());
        return Err(Cause::Door.into());
    };
    let id = person.id.clone();
    let lasts = if is_passkey { TOUCHED } else { SVID_TTL };
    // Not before their last loss of a key, as they were when they proved another: should they lose that one meanwhile, the
    // certificate is void when it leaves.
    let from_ms = state.clock()().max(person.since_ms);
    let from = UNIX_EPOCH + Duration::from_millis(u64::try_from(from_ms).unwrap_or(0));
    let chain = state.authority().certify(&id, &request.public_key, lasts, from)?;
    // Commit point: the issue is in the record before the certificate leaves. A crash here leaves an entry and no
    // certificate.
    state
        .ledger()
        .record(Draft {
            verdict: Some(Verdict::Ok),
            actors: vec![id.to_string()],
            ..Draft::new(Kind::Issue, ISSUE_HUMAN_SVID, state.ledger().next_key())
        })
        .await?;
    // Again, because a revocation may have come while the entry was written.
    if state.registry().is_revoked(&id) {
        return Err(Cause::Door.into());
    }
    if is_passkey {
        let until_ms = from_ms.saturating_add(i64::try_from(lasts.as_millis()).unwrap_or(0));
        state.delegates().lend(&id, &request.public_key, (from_ms, until_ms), state.clock()());
    }
    let bundle = state.authority().bundle().borrow().certificates().map(|root| root.to_vec()).collect();
    Ok(pb::HumanSvidReply { chain, bundle, trust_domain: state.trust_domain().to_owned() })
}

/// Enrols the holder of an invitation.
pub async fn accept(
    state: &State,
    caller: &impl Attested,
    request: &pb::AcceptRequest,
) -> Result<pb::AcceptReply, Error> {
    check_client(state, caller)?;
    match people::accept(state, request).await {
        Ok(person) => Ok(pb::AcceptReply { person: Some(person.to_message(false)) }),
        Err(error) => {
            state.refusals().count(ACCEPT_INVITATION, error.code());
            Err(error)
        }
    }
}

/// Gives the holder of an invitation that replaces lost keys a new one.
pub async fn recover(
    state: &State,
    caller: &impl Attested,
    request: pb::ChangeKeysRequest,
) -> Result<pb::ChangeKeysReply, Error> {
    check_client(state, caller)?;
    match passkeys::recover(state, request).await {
        Ok(person) => Ok(pb::ChangeKeysReply { person: Some(person.to_message(false)) }),
        Err(error) => {
            state.refusals().count(RECOVER_KEYS, error.code());
            Err(error)
        }
    }
}

/// Who proved a key of theirs, if anybody, and whether it is a passkey. The nonce is used up first, so that a wrong proof cannot be tried again with it.
fn proven(state: &State, request: &pb::HumanSvidRequest) -> Option<(Arc<Person>, bool)> {
    let fresh = state.nonces().take(&request.nonce, &request.human, state.clock()());
    let id = SpiffeId::human(state.trust_domain(), &request.human).ok()?;
    let person = state.registry().person(&id)?;
    let payload = proof(&request.nonce, &request.public_key);
    let is_passkey = Passkey::from_bytes(person.keys().signer(Context::Door, &payload, &request.signature)?).is_some();
    (fresh && !state.registry().is_revoked(&id)).then_some((person, is_passkey))
}

/// The caller is one of ours. Where the kernel hides what it executes, it is at least a process of our own user:
/// the socket's folder admits no other, and what counts at the door is the person's signature.
fn check_client(state: &State, caller: &impl Attested) -> Result<(), Error> {
    let admitted = match caller.executable() {
        Some(hash) => {
            state.binaries().with_hash(&hash).is_some_and(|entry| CLIENTS.contains(&entry.executable.as_str()))
        }
        None => caller.uid() == rustix::process::getuid().as_raw(),
    };
    if admitted {
        return Ok(());
    }
    state.refusals().count(ISSUE_HUMAN_SVID, Cause::UnknownExecutable.code());
    Err(Cause::UnknownExecutable.into())
}
