//! Why the guardian refuses, and the one place where that becomes an answer.

use tonic::{Code, Status};

/// A refused or failed request. The caller learns the class and a short reason; the record gets [`Error::code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself is malformed: the caller's mistake, repeating it does not help.
    #[error("the request's {0} is not valid")]
    Malformed(&'static str),
    /// There is no such thing.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// It was made before, and is never made twice.
    #[error("the {0} is in use; it is given once")]
    Taken(&'static str),
    /// The caller may not do this.
    #[error("refused: {0}")]
    Refused(Cause),
    /// The session is over.
    #[error("the session is {0}")]
    Ended(&'static str),
    /// A bound was reached: fewer requests, or later.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// The audit service has not acknowledged what has to be on record first: nothing was done, repeat later.
    #[error("the audit service does not acknowledge entries; nothing was done")]
    Unrecorded,
    /// The guardian's own fault; the cause is in its log.
    #[error("the guardian could not complete the request; its log has the cause")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a caller may not. The text is a code for the record and for tests, never a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The identity is revoked.
    Revoked,
    /// The person is not enrolled.
    NotEnrolled,
    /// The person is not an operator.
    NotOperator,
    /// The record's signer is not the caller.
    NotTheSigner,
    /// An operator tried to enrol themself.
    SelfEnrolment,
    /// No operator's invitation is for this person.
    NotInvited,
    /// The person's keys have changed since, or are others.
    OtherKeys,
    /// The last key is not removed.
    LastKey,
    /// A signature does not hold.
    BadSignature,
    /// The record was written too long ago, or in the future.
    Stale,
    /// The first person is enrolled already.
    BootstrapUsed,
    /// The last operator cannot be revoked: nobody could enrol another.
    LastOperator,
    /// The guardian's own identity cannot be revoked through the guardian.
    Guardian,
    /// The session belongs to another service.
    NotHolder,
    /// The token does not verify for this session.
    Token(&'static str),
    /// The statement approves nothing, or something else, or its signer may not.
    NotApproved,
    /// The session is at rest, and nobody who may has asked to open it.
    NotAsked,
    /// The statement was used before.
    Used,
    /// A key of idempotency came back with another amount.
    OtherAmount,
    /// The executable is not in the signed manifest.
    UnknownExecutable,
    /// The executable has no identity of its own.
    NoIdentity,
    /// Another living process has the identity.
    SecondProcess,
    /// The caller is not the process that started the guardian.
    NotTheLauncher,
    /// The caller ended, or changed, while it was being looked at.
    CallerGone,
    /// The proof at the door does not hold; the same for every reason.
    Door,
}

impl Cause {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::NotEnrolled => "not_enrolled",
            Self::NotOperator => "not_operator",
            Self::NotTheSigner => "not_the_signer",
            Self::SelfEnrolment => "self_enrolment",
            Self::NotInvited => "not_invited",
            Self::OtherKeys => "other_keys",
            Self::LastKey => "last_key",
            Self::BadSignature => "bad_signature",
            Self::Stale => "stale",
            Self::BootstrapUsed => "bootstrap_used",
            Self::LastOperator => "last_operator",
            Self::Guardian => "guardian_itself",
            Self::NotHolder => "not_holder",
            Self::Token(code) => code,
            Self::NotApproved => "not_approved",
            Self::NotAsked => "not_asked",
            Self::Used => "used",
            Self::OtherAmount => "other_amount",
            Self::UnknownExecutable => "unknown_executable",
            Self::NoIdentity => "no_identity",
            Self::SecondProcess => "second_process",
            Self::NotTheLauncher => "not_the_launcher",
            Self::CallerGone => "caller_gone",
            Self::Door => "door",
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl Error {
    /// A failure of the guardian itself.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// The stable code for the record.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Unknown(_) => "unknown",
            Self::Taken(_) => "taken",
            Self::Refused(cause) => cause.code(),
            Self::Ended(_) => "ended",
            Self::TooMany(_) => "too_many",
            Self::Unrecorded => "unrecorded",
            Self::Internal(_) => "internal",
        }
    }

    /// The answer to the caller.
    pub fn status(&self) -> Status {
        let code = match self {
            Self::Malformed(_) => Code::InvalidArgument,
            Self::Unknown(_) => Code::NotFound,
            Self::Taken(_) => Code::AlreadyExists,
            Self::Refused(_) => Code::PermissionDenied,
            Self::Ended(_) => Code::FailedPrecondition,
            Self::TooMany(_) => Code::ResourceExhausted,
            Self::Unrecorded => Code::Unavailable,
            Self::Internal(cause) => {
                tracing::error!(cause = %cause, "a request failed");
                Code::Internal
            }
        };
        Status::new(code, self.to_string())
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        Self::Refused(cause)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::internal(error)
    }
}
