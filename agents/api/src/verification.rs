//! The verifier's opinion of a differential.

use crate::pb::{self, refutation::Cause};
use crate::wire::{WireError, Within, limits, list, probability};
use bodh_clinical::{ClaimId, Refutation, RefutationCause, Verification};

/// Every claim of a whole differential.
const ALL_CLAIMS: usize = limits::HYPOTHESES * limits::CLAIMS;

pub(crate) fn verification(value: pb::Verification) -> Result<Verification, WireError> {
    if value.checked as usize > ALL_CLAIMS {
        return Err(WireError::new("checked", "more than a differential has"));
    }
    Ok(Verification {
        refuted: list(value.refuted, ALL_CLAIMS, "refuted", |one| refutation(&one))?,
        dissent: probability(value.dissent, "dissent")?,
        same_leading: value.same_leading,
        checked: value.checked,
    })
}

fn refutation(value: &pb::Refutation) -> Result<Refutation, WireError> {
    let cause = match Cause::try_from(value.cause) {
        Ok(Cause::NotInChart) => RefutationCause::NotInChart,
        Ok(Cause::NotInPack) => RefutationCause::NotInPack,
        Ok(Cause::WrongRatio) => RefutationCause::WrongRatio,
        Ok(Cause::WrongSource) => RefutationCause::WrongSource,
        Ok(Cause::Unspecified) | Err(_) => return Err(WireError::new("cause", "not a known cause")),
    };
    Ok(Refutation { claim: ClaimId::parse(&value.claim).within("claim")?, cause })
}

pub(crate) fn verification_out(value: Verification) -> pb::Verification {
    let refutation = |r: Refutation| {
        let cause = match r.cause {
            RefutationCause::NotInChart => Cause::NotInChart,
            RefutationCause::NotInPack => Cause::NotInPack,
            RefutationCause::WrongRatio => Cause::WrongRatio,
            RefutationCause::WrongSource => Cause::WrongSource,
        };
        pb::Refutation { claim: r.claim.into(), cause: cause.into() }
    };
    pb::Verification {
        refuted: value.refuted.into_iter().map(refutation).collect(),
        dissent: value.dissent,
        same_leading: value.same_leading,
        checked: value.checked,
    }
}
