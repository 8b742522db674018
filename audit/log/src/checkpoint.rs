//! C2SP `tlog-checkpoint`: the log's name, its size and its root, in a signed note.

use std::fmt;

use crate::note::{Note, NoteFault};
use crate::{Hash, SigningKey, VerifierKey};

/// What the log states about itself at one size. `Display` is the text that is signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The log's name, which is also its key's.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The Merkle tree hash over them.
    pub root: Hash,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }
}

/// Why a checkpoint is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointFault {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// Not origin, size and root, one line each, and nothing else.
    #[error("the checkpoint is not origin, size and root, one line each")]
    Malformed,
    /// Another log's checkpoint.
    #[error("the checkpoint names another log than the key")]
    Origin,
}

impl Checkpoint {
    /// Reads the signed text. Extension lines are refused: this log writes none.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, CheckpointFault> {
        let mut lines = text.split('\n');
        let mut line = || lines.next().ok_or(CheckpointFault::Malformed);
        let origin = line()?.to_owned();
        let size = line()?.parse().map_err(|_| CheckpointFault::Malformed)?;
        let root = Hash::from_base64(line()?).ok_or(CheckpointFault::Malformed)?;
        let checkpoint = Self { origin, size, root };
        // Signs, leading zeros and further lines: only the canonical text comes back the same.
        if !checkpoint.origin.is_empty() && checkpoint.to_string() == text {
            Ok(checkpoint)
        } else {
            Err(CheckpointFault::Malformed)
        }
    }

    /// The signed note; the key must carry the origin's name.
    ///
    /// # Errors
    /// When the key belongs to another log.
    pub fn sign(self, key: &SigningKey) -> Result<SignedCheckpoint, CheckpointFault> {
        if key.verifier().name() != self.origin {
            return Err(CheckpointFault::Origin);
        }
        let note = key.sign(&self.to_string())?;
        Ok(SignedCheckpoint { checkpoint: self, note })
    }
}

/// A checkpoint whose signature was verified, or just made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

impl SignedCheckpoint {
    /// Reads a signed note and verifies it with the log's key.
    ///
    /// # Errors
    /// Why this is not a checkpoint of that log.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointFault> {
        let parsed = Note::parse(note)?;
        key.verify(&parsed)?;
        let checkpoint = Checkpoint::parse(&parsed.text)?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointFault::Origin);
        }
        Ok(Self { checkpoint, note: note.to_owned() })
    }

    /// What is stated.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signed note, as it is published.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }
}
