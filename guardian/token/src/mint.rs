//! Making tokens: the guardian mints roots, a session's holder narrows them.

use std::collections::BTreeSet;

use crate::claims::{CallClaims, Parent, RootClaims};
use crate::encoded::seal;
use crate::id::{SessionId, TokenId};
use crate::key::SigningKey;
use crate::refusal::{Hop, Refusal};
use crate::verify::VerifiedRoot;

/// What the guardian grants to one session.
#[derive(Debug, Clone)]
pub struct Grant {
    /// SPIFFE id of the guardian.
    pub issuer: String,
    /// SPIFFE id of the person on whose behalf.
    pub subject: String,
    /// The session.
    pub session: SessionId,
    /// From the subject to the holder.
    pub actors: Vec<String>,
    /// The session's Ed25519 public key.
    pub key: [u8; 32],
    /// SPIFFE id of the peer that will present the token.
    pub holder: String,
    /// What the session is for.
    pub purpose: String,
    /// SPIFFE ids that calls may go to.
    pub audience: BTreeSet<String>,
    /// Tools that may be called.
    pub tools: BTreeSet<String>,
    /// What is left to spend, in whole cents.
    pub budget_cents: u64,
    /// How many times it may be narrowed.
    pub depth: u8,
    /// SHA-256 of the policy bundle in force.
    pub policy_hash: [u8; 32],
    /// How long it lives; at most [`crate::ROOT_LIFETIME_MS`].
    pub lifetime_ms: u64,
}

/// What one call needs.
#[derive(Debug, Clone)]
pub struct CallGrant {
    /// SPIFFE id of the service to call.
    pub audience: String,
    /// The tool to call.
    pub tool: String,
    /// SHA-256 of the encoded arguments.
    pub argument_hash: [u8; 32],
    /// What the call may spend, in whole cents.
    pub budget_cents: u64,
    /// How long it lives; at most [`crate::CALL_LIFETIME_MS`], and cut to the end of its root.
    pub lifetime_ms: u64,
}

/// Mints a root token, valid from `now`. `id` is 16 random bytes. `sign` signs with the guardian's token key, wherever
/// that key is kept, and returns nothing if it cannot.
///
/// # Errors
/// The refusal that a gate would answer the same token with; [`Refusal::NotSigned`] if `sign` returned nothing.
pub fn mint_root(
    grant: Grant,
    id: [u8; 16],
    now: u64,
    sign: impl FnOnce(&[u8]) -> Option<[u8; 64]>,
) -> Result<String, Refusal> {
    let claims = RootClaims {
        id: TokenId::from_bytes(id),
        issuer: grant.issuer,
        subject: grant.subject,
        session: grant.session,
        actors: grant.actors,
        parent: Parent::Root,
        key: grant.key,
        holder: grant.holder,
        purpose: grant.purpose,
        audience: grant.audience,
        tools: grant.tools,
        budget_cents: grant.budget_cents,
        depth: grant.depth,
        policy_hash: grant.policy_hash,
        issued_ms: now,
        expires_ms: now.checked_add(grant.lifetime_ms).ok_or(Refusal::Lifetime(Hop::Root))?,
    };
    seal(&claims, sign)
}

/// Narrows a root token to one call, valid from `now`. `id` is 16 random bytes; `key` is the session's.
///
/// # Errors
/// The refusal that a gate would answer the same chain with; [`Refusal::WrongKey`] if `key` is not the root's.
pub fn narrow(
    root: &VerifiedRoot,
    call: CallGrant,
    id: [u8; 16],
    now: u64,
    key: &SigningKey,
) -> Result<String, Refusal> {
    let parent = root.claims();
    if key.public() != parent.key {
        return Err(Refusal::WrongKey);
    }
    let end = now.checked_add(call.lifetime_ms).ok_or(Refusal::Lifetime(Hop::Call))?;
    if now >= parent.expires_ms {
        return Err(Refusal::Expired(Hop::Root));
    }
    // The lifetime that was asked for is judged before it is cut to the root's end.
    if call.lifetime_ms > crate::CALL_LIFETIME_MS {
        return Err(Refusal::Lifetime(Hop::Call));
    }
    let claims = CallClaims {
        id: TokenId::from_bytes(id),
        parent: Parent::Hash(*root.hash()),
        audience: call.audience,
        tool: call.tool,
        argument_hash: call.argument_hash,
        budget_cents: call.budget_cents,
        depth: parent.depth.checked_sub(1).ok_or(Refusal::DepthExhausted)?,
        issued_ms: now,
        expires_ms: end.min(parent.expires_ms),
    };
    root.check_narrower(&claims)?;
    seal(&claims, |message| Some(key.sign(message)))
}
