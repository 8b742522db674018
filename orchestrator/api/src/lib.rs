//! The panel's contract for people's clients.

/// Generated from `proto/panel.proto`, where each field is documented.
#[allow(missing_docs, clippy::all, unreachable_pub, reason = "generated code; documented in the .proto")]
pub mod pb {
    tonic::include_proto!("bodh.panel.v1");
}
