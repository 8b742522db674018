//! The guardian's contract: the messages, thin typed clients, and the documents that people sign.
//!
//! - [`Client`]: the `Guardian` service over mutual TLS (sessions, people, revocation, trust).
//! - [`Door`]: the `Door` service on the Workload API's Unix socket, for people who have no certificate yet.
//! - [`Enrolment`]: the canonical record that an operator signs to enrol a person.
//! - [`Invitation`]: what an operator signs to let a person enrol a passkey of their own.
//! - [`KeyChange`]: what a person signs to have one more passkey or one fewer; [`Keys`]: which they have after it.
//! - [`Binaries`]: the manifest of executables that an operator signs.
//!
//! Out of scope: keys and signatures (`bodh-identity`), the channel that the client runs on, retries other than the
//! transport's own, and every rule: the guardian decides, this crate only carries.

mod access;
mod approval;
mod binaries;
mod chain;
mod client;
mod door;
mod enrolment;
mod error;
mod invitation;
mod key_change;
mod keys;

pub use access::Access;
pub use approval::Approval;
pub use binaries::{Binaries, BinariesError, Binary};
pub use chain::{Enrolled, OPERATOR, accepted};
pub use client::{Approvals, Client, Grant, OpenSession, Spent, Trace};
pub use door::{Challenge, Credential, Door, proof};
pub use enrolment::{Enrolment, EnrolmentError};
pub use error::Error;
pub use invitation::{Invitation, Signed as SignedInvitation};
pub use key_change::{Change, KeyChange, SignedChange, named};
pub use keys::{Held, KeyFault, Keys, MAX_CHANGES, MAX_HELD, recovery};

/// Generated from `proto/guardian.proto`, where each field is documented.
#[allow(
    missing_docs,
    clippy::all,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    reason = "generated code; documented in the .proto"
)]
pub mod pb {
    tonic::include_proto!("bodh.guardian.v1");
}
