//! Why a token is refused. Every variant is produced by a test.

use std::fmt;

/// Which of the two tokens is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hop {
    /// The root token, signed by the guardian.
    Root,
    /// The call token, signed with the session's key.
    Call,
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::Call => "call",
        })
    }
}

/// A token, or a chain of two, is refused. The text names no content of the token, so it may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Longer than [`crate::MAX_ENCODED`].
    #[error("the {0} token is longer than 4 KiB; ask for fewer audiences or tools")]
    Oversize(Hop),
    /// Not `payload.signature`, not JSON, or a claim outside its bounds.
    #[error("the {0} token is malformed; only tokens made by this crate are accepted")]
    Malformed(Hop),
    /// Base64url with padding, foreign characters, or stray bits at its end.
    #[error("the {0} token is not canonical base64url")]
    NonCanonicalBase64(Hop),
    /// The payload is valid JSON but not the one way to write these claims (space, order of keys, escapes).
    #[error("the {0} token's claims are not written canonically")]
    NonCanonicalJson(Hop),
    /// Something follows the JSON document.
    #[error("the {0} token has bytes after its claims")]
    TrailingBytes(Hop),
    /// A claim that this version does not know.
    #[error("the {0} token has an unknown claim")]
    UnknownField(Hop),
    /// A claim is absent; all are required.
    #[error("the {0} token lacks a claim")]
    MissingField(Hop),
    /// A claim has the wrong type, or a value that its type excludes.
    #[error("the {0} token has a mistyped claim")]
    MistypedField(Hop),
    /// A claim appears twice.
    #[error("the {0} token has a claim twice")]
    DuplicateField(Hop),
    /// The signature does not match: a byte was changed, or another key signed.
    #[error("the {0} token was altered or signed by another key")]
    Altered(Hop),
    /// It lives longer than its kind may, or ends before it begins.
    #[error("the {0} token's lifetime is outside what is allowed")]
    Lifetime(Hop),
    /// Issued in the future.
    #[error("the {0} token is not valid yet; check the clocks")]
    NotYetValid(Hop),
    /// Past its end.
    #[error("the {0} token has expired; renew the session")]
    Expired(Hop),
    /// Issued before this gate started, so this gate cannot know whether it was used already.
    #[error("the {0} token was issued before this service started; renew the session")]
    BeforeStart(Hop),
    /// Another issuer than the guardian this gate trusts.
    #[error("the root token names another issuer")]
    WrongIssuer,
    /// Issued under another policy bundle.
    #[error("the root token was issued under another policy; renew the session")]
    WrongPolicy,
    /// Presented by another peer than the one it is bound to.
    #[error("the root token is bound to another peer")]
    WrongHolder,
    /// The actor chain does not run from the subject to the holder.
    #[error("the root token's actor chain does not run from its subject to its holder")]
    WrongActors,
    /// The session's key does not belong to this root token.
    #[error("the session key does not belong to this root token")]
    WrongKey,
    /// The call token was narrowed from another root token: a spliced chain.
    #[error("the call token belongs to another root token")]
    WrongParent,
    /// The call token names another audience than this service.
    #[error("the call token is for another audience")]
    WrongAudience,
    /// The call token names an audience that its root does not grant.
    #[error("the root token does not grant this audience")]
    AudienceWidened,
    /// The call token names another tool than the one being called.
    #[error("the call token is for another tool")]
    WrongTool,
    /// The call token names a tool that its root does not grant.
    #[error("the root token does not grant this tool")]
    ToolWidened,
    /// The arguments are not those that were signed.
    #[error("the arguments are not those that the call token was made for")]
    WrongArguments,
    /// The call token ends after its root.
    #[error("the call token outlives its root token")]
    Outlives,
    /// The call token begins before its root.
    #[error("the call token is older than its root token")]
    Predates,
    /// The root may not be narrowed further, or the call's depth is not one less.
    #[error("the root token may not be narrowed further")]
    DepthExhausted,
    /// The call token holds more money than its root.
    #[error("the call token holds more budget than its root token")]
    BudgetWidened,
    /// This call token was used already.
    #[error("the call token was used already")]
    Replayed,
    /// The memory of used call tokens is full; refusing is safe, forgetting is not.
    #[error("too many calls are remembered; try again when some have expired")]
    MemoryFull,
    /// The signing key did not sign.
    #[error("the signing key is not available")]
    NotSigned,
}

impl Refusal {
    /// A stable word for logs, metrics and clients. It never changes; new refusals get new words.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Oversize(_) => "oversize",
            Self::Malformed(_) => "malformed",
            Self::NonCanonicalBase64(_) => "non_canonical_base64",
            Self::NonCanonicalJson(_) => "non_canonical_json",
            Self::TrailingBytes(_) => "trailing_bytes",
            Self::UnknownField(_) => "unknown_field",
            Self::MissingField(_) => "missing_field",
            Self::MistypedField(_) => "mistyped_field",
            Self::DuplicateField(_) => "duplicate_field",
            Self::Altered(_) => "altered",
            Self::Lifetime(_) => "lifetime",
            Self::NotYetValid(_) => "not_yet_valid",
            Self::Expired(_) => "expired",
            Self::BeforeStart(_) => "before_start",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongPolicy => "wrong_policy",
            Self::WrongHolder => "wrong_holder",
            Self::WrongActors => "wrong_actors",
            Self::WrongKey => "wrong_key",
            Self::WrongParent => "spliced",
            Self::WrongAudience => "retargeted",
            Self::AudienceWidened => "audience_widened",
            Self::WrongTool => "wrong_tool",
            Self::ToolWidened => "tool_widened",
            Self::WrongArguments => "wrong_arguments",
            Self::Outlives => "outlives",
            Self::Predates => "predates",
            Self::DepthExhausted => "depth_exhausted",
            Self::BudgetWidened => "budget_widened",
            Self::Replayed => "replayed",
            Self::MemoryFull => "memory_full",
            Self::NotSigned => "not_signed",
        }
    }

    /// Whether a fresh root token (a renewed session) would help an honest caller.
    #[must_use]
    pub const fn renewable(self) -> bool {
        matches!(self, Self::Expired(_) | Self::BeforeStart(_) | Self::WrongPolicy | Self::Outlives)
    }
}
