//! The record's contract and its client.
//!
//! [`Client::append`] is what everyone needs: it answers with the entry's index once the entry is durable. Callers at
//! the same time share one call. [`pb`] is the contract itself, for who serves it or stores messages.
//!
//! Out of scope: who may append or read (the gate), the log's files and proofs (`bodh-audit-log`).

mod client;
mod drafts;
mod error;
mod queue;
mod trace;

pub use client::{Client, Query, Reading};
pub use error::Error;
pub use trace::{TRACE_METADATA, first_span_of};

/// Generated from `proto/audit.proto`, where each field is documented.
#[allow(
    missing_docs,
    clippy::all,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    reason = "generated code; documented in the .proto"
)]
pub mod pb {
    tonic::include_proto!("bodh.audit.v1");
}

/// Drafts in one `Append` call, at most.
pub const MAX_DRAFTS: usize = 512;
/// Bytes of one encoded draft, at most.
pub const MAX_DRAFT_BYTES: usize = 60 * 1024;
/// Sessions that one reading of several may name, at most.
pub const MAX_SESSIONS: usize = 1_000;
/// Bytes of any message of this contract, at most; both sides set it.
pub const MAX_MESSAGE: usize = MAX_DRAFTS * (MAX_DRAFT_BYTES + 16);
