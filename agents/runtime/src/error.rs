//! Why there is no opinion, and the one place where that becomes a gRPC status.

use crate::cells::NoAnswer;
use bodh_cell::CellError;
use bodh_gate::Refusal;
use tonic::Status;

/// Everything that ends a call to an agent. Nothing here repeats a question or an answer.
#[derive(Debug)]
pub(crate) enum NoOpinion {
    /// The gate refused.
    Refused(Refusal),
    /// The cell gave no answer to this question; the code.
    Cell(&'static str),
}

/// What the cell wrote is not an answer to this question.
pub(crate) const BABBLED: NoOpinion = NoOpinion::Cell("cell_babbled");

impl NoOpinion {
    /// A code for the record.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            NoOpinion::Refused(_) => "refused_by_gate",
            NoOpinion::Cell(code) => code,
        }
    }
}

impl From<Refusal> for NoOpinion {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<NoAnswer> for NoOpinion {
    fn from(cause: NoAnswer) -> Self {
        Self::Cell(match cause {
            NoAnswer::Full => "agent_full",
            NoAnswer::Cell(CellError::Refused(_)) => "refused",
            NoAnswer::Cell(CellError::Deadline) => "cell_deadline",
            NoAnswer::Cell(CellError::TooLong { .. }) => "cell_too_long",
            NoAnswer::Cell(CellError::Babbled) => "cell_babbled",
            NoAnswer::Cell(_) => "cell_died",
        })
    }
}

impl From<NoOpinion> for Status {
    fn from(error: NoOpinion) -> Self {
        match error {
            NoOpinion::Refused(refusal) => refusal.into(),
            NoOpinion::Cell(code) => Status::internal(code),
        }
    }
}
