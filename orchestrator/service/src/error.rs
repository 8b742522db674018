//! What can go wrong, and the one place where it becomes a gRPC status.

use crate::store::StoreError;
use bodh_gate::Refusal;
use tonic::{Code, Status};

/// Everything that ends a request to the orchestrator. No variant carries content of a case.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The gate refused.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The guardian refused or is gone.
    #[error(transparent)]
    Guardian(#[from] bodh_guardian_api::Error),
    /// The record refused or is gone.
    #[error("the record: {0}")]
    Record(#[from] bodh_audit_api::Error),
    /// A key or a sealed value does not open.
    #[error("the vault: {0}")]
    Vault(#[from] bodh_vault::VaultError),
    /// Something stored is not what was stored.
    #[error("{0} does not read: the state folder was changed from outside")]
    Corrupt(&'static str),
    /// The case cannot be read.
    #[error("{0}")]
    Case(#[from] bodh_formats::FormatError),
    /// A request that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The session is over: nothing could be made of its case. Its report stays readable.
    #[error("{0}")]
    Unusable(String),
    /// There is no such thing, or it is not the caller's to see.
    #[error("no such {0}")]
    NoSuch(&'static str),
    /// It was decided, changed or used before.
    #[error("{0}")]
    Stale(&'static str),
    /// The session cannot take this event now.
    #[error("the session cannot do this now: {0}")]
    Step(#[from] bodh_panel::StepError),
    /// The record did not acknowledge in time: nothing was done, the session goes on when it is back.
    #[error("the record is not available; the session is kept and goes on when it is")]
    Waiting,
    /// A signature or its statement does not hold.
    #[error("the signed statement was refused: {0}")]
    Signature(String),
}

impl Error {
    /// A code for the record: never a sentence, never content.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Store(_) => "store",
            Self::Guardian(_) => "guardian",
            Self::Record(_) | Self::Waiting => "record",
            Self::Vault(_) => "vault",
            Self::Corrupt(_) => "corrupt",
            Self::Case(_) => "case",
            Self::Invalid(_) => "invalid",
            Self::Unusable(_) => "unusable",
            Self::NoSuch(_) => "no_such",
            Self::Stale(_) => "stale",
            Self::Step(_) => "step",
            Self::Signature(_) => "signature",
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let line = error.to_string();
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Case(_) | Error::Invalid(_) | Error::Unusable(_) => Status::invalid_argument(line),
            Error::NoSuch(_) => Status::not_found(line),
            Error::Stale(_) | Error::Step(_) | Error::Store(StoreError::Replayed) => Status::failed_precondition(line),
            Error::Signature(_) => Status::permission_denied(line),
            Error::Guardian(bodh_guardian_api::Error::Refused { code: Code::PermissionDenied, .. }) => {
                Status::permission_denied(line)
            }
            Error::Waiting | Error::Guardian(_) | Error::Record(_) => {
                tracing::warn!(error = %line, "not available");
                Status::unavailable(line)
            }
            Error::Store(StoreError::Full) => {
                tracing::error!(error = %line, "failed");
                Status::resource_exhausted(line)
            }
            Error::Store(_) | Error::Vault(_) | Error::Corrupt(_) => {
                // The operator's log has the cause; the caller learns that it failed.
                tracing::error!(error = %line, "failed");
                Status::internal("the orchestrator failed; its log says why")
            }
        }
    }
}
