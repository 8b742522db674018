//! Why a call is refused. The caller learns a code; the record and the operator's log have the rest.

use tonic::{Code, Status};

/// Every reason for which a gate turns a call away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request did not come through our own TLS.
    #[error("no peer")]
    NoPeer,
    /// The trust feed is older than [`crate::STALE_AFTER`].
    #[error("stale trust")]
    Stale,
    /// The peer was revoked.
    #[error("revoked")]
    Revoked,
    /// The peer's certificate is from before they lost a key: they come in anew with one that they have.
    #[error("certified before a key was taken away")]
    KeyGone,
    /// The peer is not a named caller of this action.
    #[error("not a named caller")]
    NotACaller,
    /// The peer is a person whom nobody enrolled.
    #[error("unknown person")]
    UnknownPerson,
    /// The action needs a token chain and none came along.
    #[error("no token")]
    NoToken,
    /// The token chain does not hold.
    #[error("token: {0}")]
    Token(bodh_token::Refusal),
    /// The message is not one that this service answers.
    #[error("malformed")]
    Malformed,
    /// The policy says no.
    #[error("policy denies")]
    Denied {
        /// The policies that determined it; none for the default.
        policies: Vec<String>,
    },
    /// The policy asks a person, and this is not a call that can wait for one.
    #[error("policy asks")]
    Asked {
        /// The kinds that ask.
        kinds: Vec<String>,
    },
    /// The record is not available: nothing is done.
    #[error("no record")]
    NoRecord,
}

impl Refusal {
    /// A stable code for the record and for the caller.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Refusal::NoPeer => "no_peer".into(),
            Refusal::Stale => "stale_trust".into(),
            Refusal::Revoked => "revoked".into(),
            Refusal::KeyGone => "key_gone".into(),
            Refusal::NotACaller => "not_a_caller".into(),
            Refusal::UnknownPerson => "unknown_person".into(),
            Refusal::NoToken => "no_token".into(),
            Refusal::Token(refusal) => format!("token_{}", refusal.code()),
            Refusal::Malformed => "malformed".into(),
            Refusal::Denied { .. } => "policy_denied".into(),
            Refusal::Asked { .. } => "policy_asks".into(),
            Refusal::NoRecord => "no_record".into(),
        }
    }
}

/// The one place where a refusal becomes a gRPC status.
impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::NoPeer | Refusal::NoToken | Refusal::Token(_) => Code::Unauthenticated,
            Refusal::Malformed => Code::InvalidArgument,
            Refusal::Stale | Refusal::NoRecord => Code::Unavailable,
            _ => Code::PermissionDenied,
        };
        Status::new(code, refusal.code())
    }
}
