//! What the log keeps.

use crate::words::{Invalid, spiffe_id};
use crate::{Draft, Time, leaf};

/// A draft, who reported it (the TLS peer's SPIFFE id, never the message's word) and when (the log's own clock).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// When the log took it in; strictly increasing over the log.
    pub time: Time,
    /// The reporter's SPIFFE id.
    pub reporter: String,
    /// What was reported.
    pub draft: Draft,
}

impl Entry {
    /// The leaf: canonical JSON, at most [`MAX_LEAF`](crate::MAX_LEAF) bytes.
    ///
    /// # Errors
    /// The first field that is out of bounds.
    pub fn encode(&self) -> Result<Vec<u8>, Invalid> {
        self.validate()?;
        let bytes = leaf::write(self);
        if bytes.len() > crate::MAX_LEAF {
            return Err(Invalid::new("entry", "is longer than 65,535 bytes"));
        }
        Ok(bytes)
    }

    /// Reads a leaf. Only the canonical encoding of a valid entry is accepted.
    ///
    /// # Errors
    /// What is wrong with the bytes; never their content.
    pub fn parse(bytes: &[u8]) -> Result<Self, leaf::LeafFault> {
        leaf::read(bytes)
    }

    /// The last segment of the reporter's id: `guardian`, `orchestrator`, a person's name.
    #[must_use]
    pub fn reporter_name(&self) -> &str {
        short_name(&self.reporter)
    }

    /// Its idempotency key in the log.
    #[must_use]
    pub fn key(&self) -> String {
        key_of(&self.reporter, &self.draft.key)
    }

    pub(crate) fn validate(&self) -> Result<(), Invalid> {
        spiffe_id("reporter", &self.reporter)?;
        self.draft.validate()
    }
}

/// The key that a reporter's draft has in the log. Each reporter has keys of its own, so that nobody can use up
/// another's; an id has no space, so that no two pairs give one key.
#[must_use]
pub fn key_of(reporter: &str, key: &str) -> String {
    format!("{reporter} {key}")
}

/// The last segment of a SPIFFE id.
pub(crate) fn short_name(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
