//! Raising a session's budget: only by a person's signed approval of exactly that amount, and only as policy has it.

use bodh_guardian_api::{Approval, pb};
use bodh_identity::{
    SpiffeId,
    signing::{self, Context},
};

use crate::{
    error::{Cause, Error},
    sessions::{MAX_BUDGET_CENTS, active},
    state::State,
    store::sessions,
};

/// A verified approval, before policy is asked about its signer.
pub struct Approved {
    /// Who signed.
    pub signer: SpiffeId,
    cents: u64,
    nonce: String,
}

/// Reads the approval and checks that it is one, for this session, by an enrolled person's own key.
pub fn read(state: &State, request: &pb::LiftBudgetRequest) -> Result<Approved, Error> {
    let approval = Approval::parse(&request.statement).ok_or(Error::Malformed("statement"))?;
    let signer = SpiffeId::parse(&approval.signer).map_err(|_| Error::Malformed("statement"))?;
    if state.registry().is_revoked(&signer) {
        return Err(Cause::Revoked.into());
    }
    let person = state.registry().person(&signer).ok_or(Error::Refused(Cause::NotEnrolled))?;
    signing::verify(&person.key, Context::Decision, &request.statement, &request.signature)
        .map_err(|_| Error::Refused(Cause::BadSignature))?;
    match approval.amount_cents {
        Some(cents) if approval.session == request.session && approval.verdict == "approve" => {
            if cents > MAX_BUDGET_CENTS {
                return Err(Error::Malformed("amount"));
            }
            Ok(Approved { signer, cents, nonce: approval.nonce })
        }
        _ => Err(Cause::NotApproved.into()),
    }
}

/// Raises the budget of an active session that `peer` holds. The approval is used up.
pub async fn lift(
    state: &State,
    peer: &SpiffeId,
    request: &pb::LiftBudgetRequest,
    approved: &Approved,
) -> Result<u64, Error> {
    let session = active(state, peer, &request.session).await?;
    let statement = bodh_token::sha256(&request.statement);
    let now = state.clock()();
    let left = sessions::lift(state.store(), &session.id, &approved.nonce, &statement, approved.cents, now).await?;
    left.ok_or(Error::Ended("closed"))
}
