//! Case files, read into the domain's own words.
//!
//! [`read`] detects what the bytes are (a GA4GH Phenopacket v2, an OSCE case or a plain note), takes out every answer
//! the file holds, keeps what identifies the person apart from what reasoning may see, and says where and why a file
//! cannot be used without ever repeating its content. [`truth`] is the other half, for benchmarks alone: only the
//! answers. [`Gatekeeper`] plays a case file as a sequence of findings that are revealed when they are asked for.
//!
//! Out of scope: what the terms mean (`bodh-knowledge`), finding terms in free text (`bodh-intake`), sealing the views
//! (`bodh-vault`), and formats that the panel does not read yet, which are refused by name.
//!
//! One file per format; adding one is a file, a [`Format`] variant and an arm in `detect`.

mod age;
mod demographics;
mod detect;
mod error;
mod field;
mod gatekeeper;
mod json;
mod note;
mod osce;
mod phenopacket;
mod truth;

pub use detect::{Format, Parsed, read};
pub use error::FormatError;
pub use gatekeeper::Gatekeeper;
pub use truth::{Answer, Truth, truth};

/// Largest case file, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Deepest nesting of a JSON case.
pub const MAX_DEPTH: usize = 64;
/// Most coded features of one case.
pub const MAX_FEATURES: usize = 2_000;
/// Longest note, in bytes: what intake's question may carry.
pub const MAX_NOTE: usize = 1024 * 1024;
