//! The panel's contract for people's clients.

/// Generated from `proto/panel.proto`, where each field is documented.
#[allow(
    missing_docs,
    clippy::all,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    reason = "generated code; documented in the .proto"
)]
pub mod pb {
    tonic::include_proto!("bodh.panel.v1");
}
