//! Verifying a chain of two tokens.
//!
//! The order is fixed, so that one fault has one answer:
//! 1. root: size, shape, base64, signature, claims, bounds, actor chain, lifetime (once per token: [`VerifiedRoot`]);
//! 2. root, at every use: signer, issuer, not yet valid, expired, before start, policy, holder;
//! 3. call: size, shape, base64, signature by the root's key, claims, bounds, lifetime;
//! 4. narrowing: parent, depth, audience, tool, budget, beginning, end;
//! 5. call, against what is being done: not yet valid, expired, before start, audience, tool, arguments;
//! 6. replay, by the caller: [`crate::Spent`].
//!
//! No clock skew is forgiven: with any, a call could be replayed across a restart of the gate.

use crate::claims::{CallClaims, Parent, RootClaims};
use crate::encoded::{open, sha256};
use crate::id::{SessionId, TokenId};
use crate::refusal::{Hop, Refusal};

/// What a gate knows by itself, and holds a chain against.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// The guardian's Ed25519 public key for tokens.
    pub token_key: &'a [u8; 32],
    /// SPIFFE id of the guardian.
    pub issuer: &'a str,
    /// Now, in unix milliseconds.
    pub now: u64,
    /// When this gate started, in unix milliseconds.
    pub started: u64,
    /// SPIFFE id of this service.
    pub me: &'a str,
    /// The tool being called, from the decoded request.
    pub tool: &'a str,
    /// SHA-256 of the encoded arguments as received.
    pub argument_hash: &'a [u8; 32],
    /// SPIFFE id of the TLS peer.
    pub peer: &'a str,
    /// SHA-256 of the policy bundle in force here.
    pub policy_hash: &'a [u8; 32],
}

/// A root token whose signature and form were checked. Keep it by [`VerifiedRoot::hash`] to check a session's root
/// once; whatever depends on the moment, the peer or the policy is checked again at every use.
#[derive(Debug, Clone)]
pub struct VerifiedRoot {
    claims: RootClaims,
    hash: [u8; 32],
    token_key: [u8; 32],
}

/// A verified chain: what a gate may rely on, and what it logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The root token.
    pub root: RootClaims,
    /// The call token.
    pub call: CallClaims,
    /// SHA-256 of the encoded root token.
    pub root_hash: [u8; 32],
    /// SHA-256 of the encoded call token; goes into the log.
    pub call_hash: [u8; 32],
}

impl Chain {
    /// The session, and with it the case.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.root.session
    }

    /// The call token's id.
    #[must_use]
    pub fn call_id(&self) -> TokenId {
        self.call.id
    }
}

/// Verifies a root token and a call token against what the gate expects; then hand the chain to [`crate::Spent`].
///
/// # Errors
/// The first fault, in the order given at the top of this module.
pub fn verify(root: &str, call: &str, expect: &Expect<'_>) -> Result<Chain, Refusal> {
    VerifiedRoot::verify(root, expect.token_key)?.check(call, expect)
}

impl VerifiedRoot {
    /// Checks a root token's signature and form: step 1.
    ///
    /// # Errors
    /// The first fault found.
    pub fn verify(encoded: &str, token_key: &[u8; 32]) -> Result<Self, Refusal> {
        let claims: RootClaims = open(encoded, token_key)?;
        Ok(Self { claims, hash: sha256(encoded.as_bytes()), token_key: *token_key })
    }

    /// What it says.
    #[must_use]
    pub fn claims(&self) -> &RootClaims {
        &self.claims
    }

    /// SHA-256 of its encoded form: equals [`sha256`] of the text it came as.
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Whether it is valid at this moment, for a gate that started at `started`.
    ///
    /// # Errors
    /// [`Refusal::NotYetValid`], [`Refusal::Expired`] or [`Refusal::BeforeStart`].
    pub fn check_time(&self, now: u64, started: u64) -> Result<(), Refusal> {
        check_time(Hop::Root, self.claims.issued_ms, self.claims.expires_ms, now, started)
    }

    /// Checks a call token under this root: steps 2 to 5.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self, call: &str, expect: &Expect<'_>) -> Result<Chain, Refusal> {
        self.check_use(expect)?;
        let claims: CallClaims = open(call, &self.claims.key)?;
        self.check_narrower(&claims)?;
        check_call(&claims, expect)?;
        Ok(Chain { root: self.claims.clone(), call: claims, root_hash: self.hash, call_hash: sha256(call.as_bytes()) })
    }

    fn check_use(&self, expect: &Expect<'_>) -> Result<(), Refusal> {
        let root = &self.claims;
        // A cached root must not outlive a change of the guardian's key.
        if self.token_key != *expect.token_key {
            return Err(Refusal::Altered(Hop::Root));
        }
        if root.issuer != expect.issuer {
            return Err(Refusal::WrongIssuer);
        }
        self.check_time(expect.now, expect.started)?;
        if root.policy_hash != *expect.policy_hash {
            return Err(Refusal::WrongPolicy);
        }
        if root.holder != expect.peer {
            return Err(Refusal::WrongHolder);
        }
        Ok(())
    }

    pub(crate) fn check_narrower(&self, call: &CallClaims) -> Result<(), Refusal> {
        let root = &self.claims;
        if call.parent != Parent::Hash(self.hash) {
            return Err(Refusal::WrongParent);
        }
        if root.depth.checked_sub(1) != Some(call.depth) {
            return Err(Refusal::DepthExhausted);
        }
        if !root.audience.contains(&call.audience) {
            return Err(Refusal::AudienceWidened);
        }
        if !root.tools.contains(&call.tool) {
            return Err(Refusal::ToolWidened);
        }
        if call.budget_cents > root.budget_cents {
            return Err(Refusal::BudgetWidened);
        }
        if call.issued_ms < root.issued_ms {
            return Err(Refusal::Predates);
        }
        if call.expires_ms > root.expires_ms {
            return Err(Refusal::Outlives);
        }
        Ok(())
    }
}

fn check_call(call: &CallClaims, expect: &Expect<'_>) -> Result<(), Refusal> {
    check_time(Hop::Call, call.issued_ms, call.expires_ms, expect.now, expect.started)?;
    if call.audience != expect.me {
        return Err(Refusal::WrongAudience);
    }
    if call.tool != expect.tool {
        return Err(Refusal::WrongTool);
    }
    if call.argument_hash != *expect.argument_hash {
        return Err(Refusal::WrongArguments);
    }
    Ok(())
}

fn check_time(hop: Hop, issued: u64, expires: u64, now: u64, started: u64) -> Result<(), Refusal> {
    if issued > now {
        return Err(Refusal::NotYetValid(hop));
    }
    if expires <= now {
        return Err(Refusal::Expired(hop));
    }
    if issued < started {
        return Err(Refusal::BeforeStart(hop));
    }
    Ok(())
}
