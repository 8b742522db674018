//! The supervisor's opinion.

use crate::pb::{self, supervision::Step as Wire};
use crate::wire::{WireError, Within, labels, limits};
use bodh_clinical::{Step, Supervision, TestId};

pub(crate) fn supervision(value: pb::Supervision) -> Result<Supervision, WireError> {
    let step = match Wire::try_from(value.step) {
        Ok(Wire::Order) => Step::Order(TestId::parse(&value.test).within("test")?),
        Ok(Wire::Conclude | Wire::Defer) if !value.test.is_empty() => {
            return Err(WireError::new("test", "given for a step that orders nothing"));
        }
        Ok(Wire::Conclude) => Step::Conclude,
        Ok(Wire::Defer) => Step::Defer,
        Ok(Wire::Unspecified) | Err(_) => return Err(WireError::new("step", "not a known step")),
    };
    Ok(Supervision { step, reasons: labels(value.reasons, limits::REASONS, limits::REASON, "reasons")? })
}

pub(crate) fn supervision_out(value: Supervision) -> pb::Supervision {
    let (step, test) = match value.step {
        Step::Order(test) => (Wire::Order, test.into()),
        Step::Conclude => (Wire::Conclude, String::new()),
        Step::Defer => (Wire::Defer, String::new()),
    };
    pb::Supervision { step: step.into(), test, reasons: value.reasons }
}
