//! Opinions, without the pack's hash; [`Answer`](crate::Answer) carries both.

use crate::differential::{differential, differential_out};
use crate::finding::{intake, intake_out};
use crate::order::{plan, plan_out, pricing, pricing_out};
use crate::pb::{self, opinion::Answer as Wire};
use crate::supervision::{supervision, supervision_out};
use crate::verification::{verification, verification_out};
use crate::wire::{WireError, Within, required};
use bodh_clinical::Opinion;

impl TryFrom<pb::Opinion> for Opinion {
    type Error = WireError;

    fn try_from(value: pb::Opinion) -> Result<Self, WireError> {
        if !matches!(value.pack_sha256.len(), 0 | 32) {
            return Err(WireError::new("pack_sha256", "not 32 bytes"));
        }
        Ok(match required(value.answer, "answer")? {
            Wire::Extract(answer) => Opinion::Extract(intake(answer).within("extract")?),
            Wire::Differential(answer) => Opinion::Differential(differential(answer).within("differential")?),
            Wire::SecondOpinion(answer) => Opinion::SecondOpinion(differential(answer).within("second_opinion")?),
            Wire::Verify(answer) => Opinion::Verify(verification(answer).within("verify")?),
            Wire::Plan(answer) => Opinion::Plan(plan(answer).within("plan")?),
            Wire::Price(answer) => Opinion::Price(pricing(answer).within("price")?),
            Wire::Next(answer) => Opinion::Next(supervision(answer).within("next")?),
        })
    }
}

impl From<Opinion> for pb::Opinion {
    fn from(value: Opinion) -> Self {
        let answer = match value {
            Opinion::Extract(answer) => Wire::Extract(intake_out(answer)),
            Opinion::Differential(answer) => Wire::Differential(differential_out(answer)),
            Opinion::SecondOpinion(answer) => Wire::SecondOpinion(differential_out(answer)),
            Opinion::Verify(answer) => Wire::Verify(verification_out(answer)),
            Opinion::Plan(answer) => Wire::Plan(plan_out(answer)),
            Opinion::Price(answer) => Wire::Price(pricing_out(answer)),
            Opinion::Next(answer) => Wire::Next(supervision_out(answer)),
        };
        pb::Opinion { answer: Some(answer), pack_sha256: Vec::new() }
    }
}

impl From<&Opinion> for pb::Opinion {
    fn from(value: &Opinion) -> Self {
        value.clone().into()
    }
}
