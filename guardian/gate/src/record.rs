//! Where the gate writes: the audit service for everybody, the store itself for the audit service.

use bodh_audit_log::Draft;
use std::{future::Future, pin::Pin};

/// Why an entry could not be made durable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record cannot be reached or cannot write: nothing may be done until it can.
    #[error("the record is not available")]
    Unavailable,
    /// The record refused the entry.
    #[error("the record refused the entry ({0})")]
    Refused(String),
}

/// Something that keeps entries: acknowledges only what is durable.
pub trait Record: Send + Sync + 'static {
    /// Appends and answers the entry's index, after the commit.
    fn append(&self, draft: Draft) -> Pin<Box<dyn Future<Output = Result<u64, RecordError>> + Send + '_>>;
}

impl Record for bodh_audit_api::Client {
    fn append(&self, draft: Draft) -> Pin<Box<dyn Future<Output = Result<u64, RecordError>> + Send + '_>> {
        Box::pin(async move {
            Self::append(self, draft).await.map_err(|error| match error {
                bodh_audit_api::Error::Unavailable(_) => RecordError::Unavailable,
                other => RecordError::Refused(other.to_string()),
            })
        })
    }
}
