//! Who a process or a person is, and how two of them meet.
//!
//! - [`SpiffeId`], [`Svid`], [`Bundle`]: names, certificates with their key, and the roots that are trusted (SPIFFE-ID,
//!   X509-SVID and Workload API specifications).
//! - [`ca::Ca`]: the built-in authority. [`workload`]: the Workload API that hands its certificates out, to callers
//!   that [`attest`] has measured.
//! - [`Source`]: the certificate in use now; it rotates under open connections.
//! - [`server::incoming`] and [`client::channel`]: mutual TLS 1.3 for tonic, both ends checked by [`verify::chain`].
//! - [`signing`]: signatures with separated contexts, by Ed25519 keys or [`passkey`]s. [`sealed`]: secrets at rest.
//!
//! Out of scope: what an identity may do (the gate and its policies), tokens, and where keys are kept on disk.

pub mod attest;
pub mod ca;
pub mod client;
mod id;
pub mod passkey;
pub mod sealed;
pub mod server;
pub mod signing;
mod source;
mod svid;
mod tls;
pub mod verify;
pub mod workload;

pub use id::{InvalidId, Kind, SpiffeId};
pub use source::{Source, SourceError};
pub use svid::{Bundle, Svid, SvidError};
