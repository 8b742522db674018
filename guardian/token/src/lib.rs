//! Session tokens and call tokens: who acts for whom, on what, for how long, with how much money.
//!
//! The guardian mints a *root token* for one session. The session's holder narrows it, once per call, into a *call
//! token* for one audience, one tool and one set of arguments, with a key that only this session has. A gate verifies
//! the two together ([`verify`]) and remembers the call ([`Spent`]). There is one algorithm (Ed25519, RFC 8032), no
//! header, and no optional claim: what is missing, unknown, mistyped or written in another way is refused.
//!
//! The crate is pure: the time (unix milliseconds), random bytes and keys are arguments. Out of scope: transport,
//! storage of keys, what a tool may do (that is policy), and the money itself (the guardian decrements it).

#![forbid(unsafe_code)]

mod claims;
mod encoded;
mod id;
mod key;
mod mint;
mod refusal;
mod spent;
mod verify;
mod word;

pub use claims::{CallClaims, Parent, RootClaims};
pub use encoded::{MAX_ENCODED, sha256};
pub use id::{IdError, SessionId, TokenId, TraceId};
pub use key::{KeyError, SigningKey};
pub use mint::{CallGrant, Grant, mint_root, narrow};
pub use refusal::{Hop, Refusal};
pub use spent::Spent;
pub use verify::{Chain, Expect, VerifiedRoot, verify};

/// The longest life of a root token, in milliseconds (5 minutes).
pub const ROOT_LIFETIME_MS: u64 = 300_000;
/// The longest life of a call token, in milliseconds (60 seconds).
pub const CALL_LIFETIME_MS: u64 = 60_000;
/// The gRPC metadata key that carries the root token.
pub const ROOT_METADATA: &str = "bodh-root";
/// The gRPC metadata key that carries the call token.
pub const CALL_METADATA: &str = "bodh-call";
