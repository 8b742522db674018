//! What the two tokens say. Flat, typed, every claim required.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::id::{SessionId, TokenId};
use crate::refusal::{Hop, Refusal};
use crate::word::{is_spiffe_id, is_word};
use crate::{CALL_LIFETIME_MS, ROOT_LIFETIME_MS};

/// Most audiences or tools in a root token.
const MAX_SET: usize = 32;
/// Longest actor chain.
const MAX_ACTORS: usize = 8;
/// Deepest chain that a root token may allow.
const MAX_DEPTH: u8 = 8;

/// What a token was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// Nothing: it is a root.
    Root,
    /// The token whose encoded form has this SHA-256.
    Hash([u8; 32]),
}

/// The claims of a root token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootClaims {
    /// This token.
    pub id: TokenId,
    /// SPIFFE id of the guardian that signed it.
    pub issuer: String,
    /// SPIFFE id of the person on whose behalf everything under this token happens.
    pub subject: String,
    /// The session, and with it the case.
    pub session: SessionId,
    /// Who acts for whom: from the subject to the holder.
    pub actors: Vec<String>,
    /// [`Parent::Root`].
    pub parent: Parent,
    /// The session's Ed25519 public key; its private half signs call tokens.
    #[serde(with = "hex32")]
    pub key: [u8; 32],
    /// SPIFFE id of the only peer that may present this token.
    pub holder: String,
    /// What the session is for, in a word that policies know.
    pub purpose: String,
    /// SPIFFE ids of the services that calls may go to.
    pub audience: BTreeSet<String>,
    /// The tools that may be called.
    pub tools: BTreeSet<String>,
    /// What may be spent, in whole cents. The guardian keeps the account; this is what it stood at.
    pub budget_cents: u64,
    /// How many times the token may be narrowed.
    pub depth: u8,
    /// SHA-256 of the policy bundle that it was issued under.
    #[serde(with = "hex32")]
    pub policy_hash: [u8; 32],
    /// Issued, in unix milliseconds.
    pub issued_ms: u64,
    /// First moment at which it is no longer valid, in unix milliseconds.
    pub expires_ms: u64,
}

/// The claims of a call token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallClaims {
    /// This token; a gate accepts it once.
    pub id: TokenId,
    /// The hash of the root token.
    pub parent: Parent,
    /// SPIFFE id of the one service that it is for.
    pub audience: String,
    /// The one tool that it is for.
    pub tool: String,
    /// SHA-256 of the encoded arguments.
    #[serde(with = "hex32")]
    pub argument_hash: [u8; 32],
    /// What this call may spend, in whole cents.
    pub budget_cents: u64,
    /// One less than the root's.
    pub depth: u8,
    /// Issued, in unix milliseconds.
    pub issued_ms: u64,
    /// First moment at which it is no longer valid, in unix milliseconds.
    pub expires_ms: u64,
}

/// Claims of one kind of token: their names, their bounds, and what separates their signatures from all others.
pub(crate) trait Claims: Serialize + for<'de> Deserialize<'de> {
    const HOP: Hop;
    const FIELDS: &'static [&'static str];
    /// Signed before the payload, so that one kind of token can never stand for another or for a signed document.
    const CONTEXT: &'static [u8];

    /// Checks what holds for any token of this kind, whoever presents it to whom.
    fn check_form(&self) -> Result<(), Refusal>;
}

impl Claims for RootClaims {
    const HOP: Hop = Hop::Root;
    const CONTEXT: &'static [u8] = b"bodh/v1/root-token\0";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "issuer",
        "subject",
        "session",
        "actors",
        "parent",
        "key",
        "holder",
        "purpose",
        "audience",
        "tools",
        "budget_cents",
        "depth",
        "policy_hash",
        "issued_ms",
        "expires_ms",
    ];

    fn check_form(&self) -> Result<(), Refusal> {
        let names = [&self.issuer, &self.subject, &self.holder].into_iter().chain(&self.actors).chain(&self.audience);
        let words = std::iter::once(&self.purpose).chain(&self.tools);
        let counted = |n: usize, most: usize| (1..=most).contains(&n);
        if !names.into_iter().all(|n| is_spiffe_id(n))
            || !words.into_iter().all(|w| is_word(w))
            || !counted(self.audience.len(), MAX_SET)
            || !counted(self.tools.len(), MAX_SET)
            || !counted(self.actors.len(), MAX_ACTORS)
            || self.depth > MAX_DEPTH
            || self.parent != Parent::Root
        {
            return Err(Refusal::Malformed(Hop::Root));
        }
        if self.actors.first() != Some(&self.subject) || self.actors.last() != Some(&self.holder) {
            return Err(Refusal::WrongActors);
        }
        check_lifetime(Hop::Root, self.issued_ms, self.expires_ms, ROOT_LIFETIME_MS)
    }
}

impl Claims for CallClaims {
    const HOP: Hop = Hop::Call;
    const CONTEXT: &'static [u8] = b"bodh/v1/call-token\0";
    const FIELDS: &'static [&'static str] =
        &["id", "parent", "audience", "tool", "argument_hash", "budget_cents", "depth", "issued_ms", "expires_ms"];

    fn check_form(&self) -> Result<(), Refusal> {
        if !is_spiffe_id(&self.audience) || !is_word(&self.tool) || self.parent == Parent::Root {
            return Err(Refusal::Malformed(Hop::Call));
        }
        check_lifetime(Hop::Call, self.issued_ms, self.expires_ms, CALL_LIFETIME_MS)
    }
}

fn check_lifetime(hop: Hop, issued: u64, expires: u64, most: u64) -> Result<(), Refusal> {
    match expires.checked_sub(issued) {
        Some(life) if life > 0 && life <= most => Ok(()),
        _ => Err(Refusal::Lifetime(hop)),
    }
}

impl Serialize for Parent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Root => serializer.serialize_str("root"),
            Self::Hash(hash) => hex32::serialize(hash, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Parent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "root" {
            return Ok(Self::Root);
        }
        hex32::decode(&text).map(Self::Hash).ok_or_else(|| D::Error::custom("neither root nor a hash"))
    }
}

/// 32 bytes as 64 lower-case hex digits.
mod hex32 {
    use super::{Deserialize, Deserializer, HEXLOWER, Serializer};
    use serde::de::Error as _;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).ok_or_else(|| D::Error::custom("not 64 lower-case hex digits"))
    }

    pub(super) fn decode(text: &str) -> Option<[u8; 32]> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
    }
}
