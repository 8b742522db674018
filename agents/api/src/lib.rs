//! The agents' questions and opinions on the wire, and their typed form in `bodh-clinical`.
//!
//! Going out, a typed question or opinion always has a wire form ([`From`]). Coming in, every field is checked
//! ([`TryFrom`]): ids parse, enums are set, numbers are finite and in range, lists and texts are bounded; what is not is a
//! [`WireError`] that names the field and never its content. [`Answer`] is an opinion with the hash of the knowledge pack
//! that it rests on.
//!
//! Out of scope: who may ask (`bodh-gate`) and what is answered (the agents themselves).

mod answer;
mod case;
mod differential;
mod finding;
mod opinion;
mod order;
mod question;
mod supervision;
mod verification;
mod wire;

pub use answer::Answer;
pub use wire::{WireError, limits};

/// Generated from `proto/agent.proto`, where each field is documented.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated code; documented in the .proto"
)]
pub mod pb {
    tonic::include_proto!("bodh.agent.v1");
}
