//! What a caller learns when an entry is not acknowledged, or an answer cannot be used.

use bodh_audit_log::Invalid;
use tonic::{Code, Status};

/// Why the record did not answer as asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The record cannot be reached, is overloaded or cannot write. The entry may or may not be there: append the
    /// same draft again, its key makes that harmless. Until it is acknowledged, do nothing that needs it.
    #[error("the record is not available ({0})")]
    Unavailable(String),
    /// The record refused: a code such as `key_reused` or `denied`. Asking again cannot help.
    #[error("the record refused ({0})")]
    Refused(String),
    /// The draft is out of bounds; nothing was sent.
    #[error("the draft is out of bounds: {0}")]
    Invalid(#[from] Invalid),
    /// The answer does not follow the contract.
    #[error("the record's answer is not valid: {0}")]
    Answer(&'static str),
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Cancelled
            | Code::Aborted
            | Code::Unknown
            | Code::Internal => Self::Unavailable(status.message().to_owned()),
            _ => Self::Refused(status.message().to_owned()),
        }
    }
}
