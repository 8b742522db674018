//! Sessions: tokens, budgets, and the key of the session's envelope.
//!
//! The attempt of each of these is durable in the record before it is called (the gate sees to it).

use bodh_guardian_api::pb;
use bodh_identity::SpiffeId;
use bodh_token::{Grant, ROOT_LIFETIME_MS, SessionId, VerifiedRoot, mint_root};
use bodh_vault::Envelope;
use secrecy::ExposeSecret;

use crate::{
    clock::unix_ms,
    error::{Cause, Error},
    random,
    state::State,
    statement::Signed,
    store::sessions::{self, Overspend, Reopening, Spending, Status, StoredSession},
};

/// The largest budget: a million dollars.
pub const MAX_BUDGET_CENTS: u64 = 100_000_000;
/// How long a session at work can be renewed without a person: a day, the life of the certificate authority. One that
/// has not come to rest by then waits for somebody to ask for it.
const LEASE_MS: i64 = 24 * 3600 * 1000;
/// How long a session can be opened at all: 90 days, for what waits on a person. An answer that takes longer begins anew.
const SESSION_LIFETIME_MS: i64 = 90 * 24 * 3600 * 1000;
/// The longest key of idempotency.
const MAX_KEY: usize = 200;
/// A session token is narrowed once, for one call.
const DEPTH: u8 = 1;

/// Opens a session held by `peer`: a token, and a new envelope whose key is stored wrapped.
pub async fn open(state: &State, peer: &SpiffeId, request: &pb::OpenSessionRequest) -> Result<pb::SessionGrant, Error> {
    // A token that nothing records must not exist: not before the audit service has shown that it keeps entries.
    if state.ledger().acknowledged() == 0 {
        return Err(Error::Unrecorded);
    }
    let (id, key) = (session_id(&request.session)?, session_key(&request.session_key)?);
    let owner = SpiffeId::parse(&request.human).map_err(|_| Error::Malformed("human"))?;
    check_owner(state, &owner)?;
    if !is_purpose(&request.purpose) {
        return Err(Error::Malformed("purpose"));
    }
    if request.budget_cents > MAX_BUDGET_CENTS {
        return Err(Error::Malformed("budget"));
    }
    let now = state.clock()();
    let session = StoredSession {
        id: id.to_string(),
        owner: owner.to_string(),
        holder: peer.to_string(),
        purpose: request.purpose.clone(),
        session_key: key.to_vec(),
        budget: request.budget_cents,
        remaining: request.budget_cents,
        status: Status::Active,
        lease_ms: if request.standing { i64::MAX } else { now.saturating_add(LEASE_MS) },
        expires_ms: now.saturating_add(SESSION_LIFETIME_MS),
    };
    let (secret, recipient) = Envelope::create();
    let wrapped = state.vault().wrap(&secret, &session.id).map_err(Error::internal)?;
    // Minted before it is stored: a session whose token cannot be made is not begun.
    let token = mint(state, &session)?;
    if !sessions::add(state.store(), &session, &wrapped, now).await? {
        return Err(Error::Taken("session id"));
    }
    Ok(grant(token, secret.to_secret().expose_secret(), recipient, session.remaining))
}

/// A fresh token with what is left of the budget, and the same envelope key; for a new session key if it changed. At rest
/// a session opens only by `access`, which is used up.
pub async fn renew(
    state: &State,
    peer: &SpiffeId,
    request: &pb::RenewSessionRequest,
    access: Option<&Signed>,
) -> Result<pb::SessionGrant, Error> {
    let key = session_key(&request.session_key)?;
    let mut session = held(state, peer, &request.session).await?;
    let now = state.clock()();
    check_alive(&session, now)?;
    if let Some(access) = access {
        let lease = now.saturating_add(LEASE_MS);
        match sessions::reopen(state.store(), &session.id, &access.nonce, &access.sha256, now, lease).await? {
            Reopening::Open => (session.status, session.lease_ms) = (Status::Active, session.lease_ms.max(lease)),
            Reopening::Used => return Err(Cause::Used.into()),
            Reopening::Erased => return Err(Error::Ended("erased")),
        }
    }
    if session.is_at_rest(now) {
        return Err(Cause::NotAsked.into());
    }
    check_owner(state, &SpiffeId::parse(&session.owner).map_err(Error::internal)?)?;
    let wrapped = sessions::wrapped_key(state.store(), &session.id).await?.ok_or(Error::Ended("at rest"))?;
    let secret = state.vault().unwrap(&wrapped, &session.id).map_err(Error::internal)?;
    if session.session_key != key {
        if !sessions::set_key(state.store(), &session.id, &key).await? {
            return Err(Error::Ended("at rest"));
        }
        session.session_key = key.to_vec();
    }
    let token = mint(state, &session)?;
    Ok(grant(token, secret.to_secret().expose_secret(), secret.recipient(), session.remaining))
}

/// Takes from the budget, once per key; beyond it only by `approvals`, which are used up and pay exactly what is missing.
pub async fn spend(
    state: &State,
    peer: &SpiffeId,
    request: &pb::SpendRequest,
    (approvals, missing): (&[Signed], u64),
) -> Result<pb::SpendReply, Error> {
    let printable = |b: u8| b == b' ' || b.is_ascii_graphic();
    if !(1..=MAX_KEY).contains(&request.key.len()) || !request.key.bytes().all(printable) {
        return Err(Error::Malformed("key"));
    }
    let session = held(state, peer, &request.session).await?;
    check_active(state, &session)?;
    check_owner(state, &SpiffeId::parse(&session.owner).map_err(Error::internal)?)?;
    check_token(state, &session, &request.token)?;
    // No budget is as large, so the answer is known; and the store never sees an amount beyond its range.
    if request.cents > MAX_BUDGET_CENTS {
        return Ok(pb::SpendReply { granted: false, remaining_cents: session.remaining });
    }
    let overspend = approvals.iter().map(|signed| Overspend { nonce: &signed.nonce, statement: &signed.sha256 });
    let overspend: Vec<Overspend<'_>> = overspend.collect();
    let (store, now) = (state.store(), state.clock()());
    match sessions::spend(store, &session.id, (&request.key, request.cents), (&overspend, missing), now).await? {
        Spending::Granted(remaining_cents) => Ok(pb::SpendReply { granted: true, remaining_cents }),
        Spending::Short(remaining_cents) => Ok(pb::SpendReply { granted: false, remaining_cents }),
        Spending::OtherAmount => Err(Cause::OtherAmount.into()),
        Spending::Used => Err(Cause::Used.into()),
        Spending::TooMany => Err(Error::TooMany("spends in this session")),
        Spending::Ended => Err(Error::Ended("at rest")),
    }
}

/// Puts a session to rest: no token, spending or key before a person asks. Repeating it is harmless.
pub async fn close(state: &State, peer: &SpiffeId, session: &str) -> Result<(), Error> {
    let session = held(state, peer, session).await?;
    sessions::close(state.store(), &session.id).await?;
    Ok(())
}

/// Destroys a session's key for ever. Repeating it is harmless.
pub async fn erase(state: &State, peer: &SpiffeId, session: &str) -> Result<(), Error> {
    let session = held(state, peer, session).await?;
    sessions::erase(state.store(), &session.id).await?;
    Ok(())
}

/// The owner of a session, for the policy; none if there is no such session.
pub async fn owner(state: &State, session: &str) -> Result<Option<String>, Error> {
    Ok(sessions::find(state.store(), session).await?.map(|session| session.owner))
}

/// How far this spending goes over what is left of the budget, for the policy: all of it if there is no such session, and
/// nothing if it was made before, for asking again spends nothing.
pub async fn missing(state: &State, request: &pb::SpendRequest) -> Result<u64, Error> {
    if sessions::is_spent(state.store(), &request.session, &request.key).await? {
        return Ok(0);
    }
    let left = sessions::find(state.store(), &request.session).await?.map_or(0, |session| session.remaining);
    Ok(request.cents.saturating_sub(left))
}

/// The session, if `peer` holds it. To anyone else it does not exist.
async fn held(state: &State, peer: &SpiffeId, session: &str) -> Result<StoredSession, Error> {
    let id = session_id(session)?.to_string();
    let session = sessions::find(state.store(), &id).await?.ok_or(Error::Unknown("session"))?;
    if session.holder == peer.as_str() { Ok(session) } else { Err(Cause::NotHolder.into()) }
}

/// Neither erased nor expired.
fn check_alive(session: &StoredSession, now_ms: i64) -> Result<(), Error> {
    match session.status {
        Status::Erased => Err(Error::Ended("erased")),
        Status::Closed | Status::Active if now_ms >= session.expires_ms => Err(Error::Ended("expired")),
        Status::Closed | Status::Active => Ok(()),
    }
}

fn check_active(state: &State, session: &StoredSession) -> Result<(), Error> {
    let now = state.clock()();
    check_alive(session, now)?;
    if session.is_at_rest(now) { Err(Error::Ended("at rest")) } else { Ok(()) }
}

/// A session runs for an enrolled person who is not revoked.
fn check_owner(state: &State, owner: &SpiffeId) -> Result<(), Error> {
    if state.registry().is_revoked(owner) {
        return Err(Cause::Revoked.into());
    }
    state.registry().person(owner).map(drop).ok_or_else(|| Cause::NotEnrolled.into())
}

fn check_token(state: &State, session: &StoredSession, token: &str) -> Result<(), Error> {
    let refused = |refusal: bodh_token::Refusal| Error::Refused(Cause::Token(refusal.code()));
    let root = VerifiedRoot::verify(token, &state.token_key().public()).map_err(refused)?;
    root.check_time(unix_ms(state.clock()), 0).map_err(refused)?;
    let claims = root.claims();
    let matches = [
        (claims.session.to_string() == session.id, "wrong_session"),
        (claims.holder == session.holder, "wrong_holder"),
        (claims.key.as_slice() == session.session_key, "wrong_key"),
        (claims.issuer == state.guardian().as_str(), "wrong_issuer"),
        (claims.policy_hash == state.policy().hash, "wrong_policy"),
    ];
    match matches.into_iter().find(|(holds, _)| !holds) {
        Some((_, code)) => Err(Cause::Token(code).into()),
        None => Ok(()),
    }
}

fn mint(state: &State, session: &StoredSession) -> Result<String, Error> {
    let grant = Grant {
        issuer: state.guardian().to_string(),
        subject: session.owner.clone(),
        session: session_id(&session.id)?,
        actors: vec![session.owner.clone(), session.holder.clone()],
        key: session_key(&session.session_key)?,
        holder: session.holder.clone(),
        purpose: session.purpose.clone(),
        audience: state.scope().audiences.clone(),
        tools: state.scope().tools.clone(),
        budget_cents: session.remaining,
        depth: DEPTH,
        policy_hash: state.policy().hash,
        lifetime_ms: ROOT_LIFETIME_MS,
    };
    let id = random::bytes::<16>()?;
    mint_root(grant, id, unix_ms(state.clock()), |message| Some(state.token_key().sign(message)))
        .map_err(Error::internal)
}

fn grant(token: String, secret: &str, recipient: String, remaining_cents: u64) -> pb::SessionGrant {
    pb::SessionGrant { token, envelope_secret: secret.to_owned(), envelope_recipient: recipient, remaining_cents }
}

fn session_id(text: &str) -> Result<SessionId, Error> {
    text.parse().map_err(|_| Error::Malformed("session id"))
}

fn session_key(bytes: &[u8]) -> Result<[u8; 32], Error> {
    bytes.try_into().map_err(|_| Error::Malformed("session key"))
}

/// A purpose is a word: lower-case letters, digits, `_` and `-`, beginning with a letter.
fn is_purpose(text: &str) -> bool {
    let tail = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(tail)
}
