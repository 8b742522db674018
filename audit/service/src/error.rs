//! What can go wrong, who is to blame, and the one place where it becomes a gRPC status.

use bodh_audit_log::Invalid;
use tonic::Status;

/// Everything that ends a request or the service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's draft is out of bounds.
    #[error("draft {place}: {invalid}")]
    Draft {
        /// Which of the request's drafts.
        place: usize,
        /// Why.
        invalid: Invalid,
    },
    /// The caller used an idempotency key again for something else.
    #[error("draft {place}: its key belongs to another entry")]
    KeyReused {
        /// Which of the request's drafts.
        place: usize,
    },
    /// The caller asked for more than a request may.
    #[error("{0}")]
    TooMuch(&'static str),
    /// The caller asked for a checkpoint over entries that are not there.
    #[error("the log has fewer entries than that")]
    NotYet,
    /// The service cannot write, or too many wait: nothing was acknowledged. The operator's log has the cause.
    #[error("the record does not take entries now")]
    Unavailable,
    /// What is stored or published is not what was acknowledged. The service must not run on it.
    #[error(
        "the record is not whole: first bad entry {index}: {what}; restore the state folder from a copy that verifies"
    )]
    NotWhole {
        /// The first entry that is not what it was.
        index: u64,
        /// What does not agree.
        what: String,
    },
    /// The store is older than what was published from it.
    #[error(
        "the record was rewound: {published} entries are published and only {stored} are stored (first missing entry \
         {stored}); restore audit/audit.db from its newest copy"
    )]
    Rewound {
        /// Entries that the checkpoint covers.
        published: u64,
        /// Entries in the store.
        stored: u64,
    },
    /// Another process has the log open.
    #[error("another process keeps this record: stop it first")]
    Busy,
    /// The log's key is missing, or is not the one that published.
    #[error("the log's key: {0}")]
    Key(String),
    /// The database failed.
    #[error("the store failed: {0}")]
    Store(#[from] sqlx::Error),
    /// A file could not be written or read.
    #[error("{path}: {cause}")]
    File {
        /// The file or folder.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl Error {
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + use<'_> {
        move |cause| Self::File { path: path.display().to_string(), cause }
    }
}

/// Callers learn a code; causes stay in the operator's log.
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Draft { place, invalid } => {
                Self::invalid_argument(format!("invalid_draft:{place}:{}", invalid.field))
            }
            Error::TooMuch(_) => Self::invalid_argument("too_much"),
            Error::KeyReused { place } => Self::already_exists(format!("key_reused:{place}")),
            Error::NotYet => Self::out_of_range("not_yet"),
            Error::Unavailable => Self::unavailable("unavailable"),
            error @ (Error::NotWhole { .. }
            | Error::Rewound { .. }
            | Error::Busy
            | Error::Key(_)
            | Error::Store(_)
            | Error::File { .. }) => {
                tracing::error!(%error, "a request failed");
                Self::unavailable("unavailable")
            }
        }
    }
}
