//! What can go wrong at a client, sorted by what the caller can do about it.

use tonic::Code;

/// A failed call to the guardian.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The guardian answered and said no: repeating the same call cannot help.
    #[error("the guardian refused ({code:?}): {reason}")]
    Refused {
        /// The gRPC status code.
        code: Code,
        /// The guardian's short reason.
        reason: String,
    },
    /// The guardian, or the audit service behind it, could not be reached in time: repeat later; nothing was granted.
    #[error("the guardian is not available: {0}; is the panel running?")]
    Unavailable(String),
    /// The answer is not of the contract's form: the two sides are of different versions.
    #[error("the guardian's answer lacks {0}; guardian and client must be of the same version")]
    Incomplete(&'static str),
    /// The Unix socket's path cannot be used as an address.
    #[error("{0:?} is not a usable socket path")]
    Address(String),
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        match status.code() {
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                Self::Unavailable(status.message().to_owned())
            }
            code => Self::Refused { code, reason: status.message().to_owned() },
        }
    }
}
