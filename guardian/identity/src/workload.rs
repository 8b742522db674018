//! The SPIFFE Workload API, X.509 part: both ends of it, over a Unix socket.
//!
//! The server asks an [`Issuer`] who the caller is before each certificate, the first and every renewal, and sends the
//! next one at half life or as soon as the roots change. JWT methods are absent. Other tonic services may share the
//! socket: [`incoming`] and [`service`] are the pieces.

mod fetch;
mod serve;
mod socket;

pub use fetch::{FetchError, Updates, fetch};
pub use serve::{Denied, Issuer, MAX_STREAMS, Workload, serve, service};
pub use socket::{SocketConn, SocketIncoming, connect, incoming};

/// The metadata that every request carries (Workload API, section 4), so that a confused web client cannot make one.
pub const SECURITY_HEADER: &str = "workload.spiffe.io";

/// The generated client and server, for use with [`connect`] and by third parties' tests.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated from the published protocol"
)]
pub mod proto {
    tonic::include_proto!("_");
}
