//! Verifies a log from its published files alone: `checkpoint`, `key` and `tile/…`.
//!
//! [`verify`] hashes every entry again, rebuilds every tile of every level and compares them byte for byte, compares root
//! and size with the signed checkpoint, and reads every entry strictly: canonical, time increasing, keys unique. What it
//! cannot show is that no later checkpoint ever existed: keep the last one you saw, and compare sizes.
//!
//! An [`Excerpt`] holds some entries of a log, each with its proof, and is verified without the rest.
//!
//! It trusts nothing in the folder and runs in bounded memory: a bundle per thread, and eight bytes per entry for the
//! uniqueness of keys. Out of scope: fetching the files, witnesses.

mod bundle;
mod climb;
mod excerpt;
mod fault;
mod folder;
mod keys;
mod shelf;
mod verify;

pub use excerpt::{Excerpt, Excerpted, Proved};
pub use fault::Fault;
pub use verify::{Verified, verify, verify_interrupted};
