//! What the record is made of: entries, the Merkle tree over them, and the files that anyone can verify.
//!
//! - [`Draft`] is what a service asks to have recorded; [`Entry`] is what the log keeps: the draft, who reported it
//!   and when. An entry has exactly one encoding, its leaf.
//! - [`Tree`], [`Edge`] and [`proof`] are the SHA-256 tree of RFC 6962, from leaf hashes alone.
//! - [`tile`] names and lays out the published files (C2SP `tlog-tiles`, height 8).
//! - [`SignedCheckpoint`] and [`note`] are C2SP `tlog-checkpoint` and `signed-note` with Ed25519.
//! - [`show`] renders entries for a person.
//!
//! Pure: no clock, no files, no randomness. Out of scope: storage and ordering (`audit/service`), reading a published
//! folder (`audit/verify`), who may append (the gate).

mod checkpoint;
mod draft;
mod entry;
mod hash;
mod leaf;
pub mod note;
pub mod proof;
pub mod show;
pub mod tile;
mod time;
mod tree;
mod words;

pub use checkpoint::{Checkpoint, CheckpointFault, SignedCheckpoint};
pub use draft::Draft;
pub use entry::{Entry, key_of};
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use leaf::LeafFault;
pub use note::{SigningKey, VerifierKey};
pub use tile::Edge;
pub use time::Time;
pub use tree::{Tree, root_of};
pub use words::{Invalid, Kind, Verdict};

/// The longest leaf: an entry bundle of C2SP `tlog-tiles` gives each entry a 16-bit length.
pub const MAX_LEAF: usize = 65_535;
