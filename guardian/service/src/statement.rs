//! What a person signed: an approval to spend beyond a budget, a request to open a session at rest. Each is checked here
//! against who is enrolled; what policy says of its signer is asked where it is used.

use bodh_guardian_api::{Access, Approval, pb};
use bodh_identity::{SpiffeId, signing::Context};

use crate::{
    delegates::Delegates,
    error::{Cause, Error},
    sessions::MAX_BUDGET_CENTS,
    state::State,
};

/// A request to open is accepted for this long after it was signed, and this much before our own clock.
const SIGNED_WITHIN_MS: u64 = 10 * 60 * 1000;

/// A statement that holds: who signed it, and what makes it usable once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who signed.
    pub signer: SpiffeId,
    /// Which limit is lifted, in the policy's word; empty for a request to open.
    pub kind: String,
    /// SHA-256 (hex) of what the signer was shown; empty for a request to open.
    pub shown: String,
    /// 32 hex digits, used once.
    pub nonce: String,
    /// SHA-256 of the statement.
    pub sha256: [u8; 32],
    /// SHA-256 of the signature: what the record commits to.
    pub signature_sha256: [u8; 32],
}

/// The approvals of exactly this spending: none, one, or those of two different people who were shown the same.
pub fn approvals(state: &State, request: &pb::SpendRequest) -> Result<Vec<Signed>, Error> {
    let sent = [&request.approval, &request.second].into_iter().flatten();
    let signed = sent.map(|statement| approval(state, request, statement)).collect::<Result<Vec<_>, _>>()?;
    if let [first, second] = signed.as_slice() {
        let same = first.kind == second.kind && first.shown == second.shown;
        if !same || first.signer == second.signer {
            return Err(Cause::NotApproved.into());
        }
    }
    Ok(signed)
}

/// One approval, by an enrolled person's own key.
fn approval(state: &State, request: &pb::SpendRequest, statement: &pb::Statement) -> Result<Signed, Error> {
    let approval = Approval::parse(&statement.json).ok_or(Error::Malformed("approval"))?;
    let signer = verified(state, &approval.signer, Context::Decision, statement)?;
    let exactly = approval.session == request.session
        && approval.verdict == "approve"
        && approval.action == request.key
        && approval.amount_cents == Some(request.cents)
        && request.cents <= MAX_BUDGET_CENTS;
    if exactly {
        Ok(signed(signer, (approval.kind, approval.record_sha256), approval.nonce, statement))
    } else {
        Err(Cause::NotApproved.into())
    }
}

/// The request to open exactly this session, signed just now by an enrolled person's own key, or one that they lend.
pub fn access(state: &State, request: &pb::RenewSessionRequest) -> Result<Option<Signed>, Error> {
    let Some(statement) = &request.access else { return Ok(None) };
    let access = Access::parse(&statement.json).ok_or(Error::Malformed("access"))?;
    let signer = verified(state, &access.signer, Context::Access, statement)?;
    if access.session != request.session {
        return Err(Cause::NotAsked.into());
    }
    if state.clock()().abs_diff(access.at_unix_ms) > SIGNED_WITHIN_MS {
        return Err(Cause::Stale.into());
    }
    Ok(Some(signed(signer, (String::new(), String::new()), access.nonce, statement)))
}

fn verified(state: &State, signer: &str, context: Context, statement: &pb::Statement) -> Result<SpiffeId, Error> {
    let signer = SpiffeId::parse(signer).map_err(|_| Error::Malformed("signer"))?;
    if state.registry().is_revoked(&signer) {
        return Err(Cause::Revoked.into());
    }
    let person = state.registry().person(&signer).ok_or(Error::Refused(Cause::NotEnrolled))?;
    let own = person.keys().signed(context, &statement.json, &statement.signature);
    let lent = || {
        let during = (person.since_ms, state.clock()());
        let signed =
            |delegates: &Delegates| delegates.signed_access(&signer, &statement.json, &statement.signature, during);
        context == Context::Access && signed(state.delegates())
    };
    if own || lent() { Ok(signer) } else { Err(Cause::BadSignature.into()) }
}

fn signed(signer: SpiffeId, (kind, shown): (String, String), nonce: String, statement: &pb::Statement) -> Signed {
    let (sha256, signature_sha256) = (bodh_token::sha256(&statement.json), bodh_token::sha256(&statement.signature));
    Signed { signer, kind, shown, nonce, sha256, signature_sha256 }
}
