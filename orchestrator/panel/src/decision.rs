//! What a person signs: decisions, marks and reversals. Canonical JSON, so that the bytes signed are the bytes kept.

use bodh_clinical::TestId;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What a physician decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Go on as proposed.
    Approve,
    /// Do not.
    Deny,
    /// Go on with a reservation: a conclusion carries it, an order is replaced by another of the panel's choice.
    Amend,
    /// Neither, yet: something else is to be known first. It approves nothing.
    Ask,
}

impl Verdict {
    /// Its word, as it is signed and as the log has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Approve => "approve",
            Verdict::Deny => "deny",
            Verdict::Amend => "amend",
            Verdict::Ask => "ask",
        }
    }
}

/// A decision on one escalation, as signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The escalation.
    pub escalation: String,
    /// The session, so that a decision cannot travel.
    pub session: String,
    /// SHA-256 (hex) of the escalation record exactly as shown.
    pub record_sha256: String,
    /// What was decided.
    pub verdict: Verdict,
    /// With the verdict `ask`: the test or the question of the packs that is asked for; none for what only words can say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<TestId>,
    /// The kind of escalation as shown: a decision lifts this limit and no other.
    pub kind: String,
    /// The act as shown, e.g. `order ct_chest`: a decision is about this and nothing else.
    pub action: String,
    /// The amount at stake as shown, in cents; absent when there was none.
    pub amount_cents: Option<u64>,
    /// In the signer's words.
    pub reason: String,
    /// What the signature means, e.g. `decision on an escalation`.
    pub meaning: String,
    /// The signer's SPIFFE id.
    pub signer: String,
    /// 32 hex digits drawn by the signer's client; used once.
    pub nonce: String,
    /// When it was signed, milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
}

/// A physician's statement that a claim is false.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The session.
    pub session: String,
    /// The claim.
    pub claim: String,
    /// In the signer's words.
    pub reason: String,
    /// The signer's SPIFFE id.
    pub signer: String,
    /// 32 hex digits, used once.
    pub nonce: String,
    /// Milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
}

/// A person's reversal of a review rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reversal {
    /// The rule.
    pub rule: String,
    /// In the signer's words.
    pub reason: String,
    /// The signer's SPIFFE id.
    pub signer: String,
    /// 32 hex digits, used once.
    pub nonce: String,
    /// Milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
}

/// What a reviewer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewVerdict {
    /// The session was carried on as it should be.
    InOrder,
    /// A step went wrong.
    Fault,
}

impl ReviewVerdict {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            ReviewVerdict::InOrder => "in_order",
            ReviewVerdict::Fault => "fault",
        }
    }
}

/// What a signature on a review means.
pub const REVIEW_MEANING: &str = "I have read this session's record up to the entry named, and this finding is mine.";

/// A compliance officer's sign-off of a session's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The session.
    pub session: String,
    /// What was found.
    pub verdict: ReviewVerdict,
    /// The last entry that was reviewed: its place in the log.
    pub up_to: u64,
    /// The entry that went wrong, where one did.
    pub entry: Option<u64>,
    /// In the signer's words.
    pub reason: String,
    /// What the signature means.
    pub meaning: String,
    /// The signer's SPIFFE id.
    pub signer: String,
    /// 32 hex digits, used once.
    pub nonce: String,
    /// Milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
}

/// Why bytes are not a statement that a person could have signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// Too long.
    #[error("a signed statement is at most 16 KiB")]
    TooLong,
    /// Not the JSON that was expected.
    #[error("not the expected statement")]
    Malformed,
    /// The same content written another way.
    #[error("not in canonical form")]
    NotCanonical,
    /// A field is empty or too long.
    #[error("{0} is empty or too long")]
    Field(&'static str),
}

/// At most this many bytes of a signed statement are read.
const MAX_BYTES: usize = 16 * 1024;
/// At most this many bytes of a reason.
const MAX_REASON: usize = 4 * 1024;

fn read<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, DecisionError> {
    if bytes.len() > MAX_BYTES {
        return Err(DecisionError::TooLong);
    }
    let value: T = serde_json::from_slice(bytes).map_err(|_| DecisionError::Malformed)?;
    match serde_json::to_vec(&value) {
        Ok(again) if again == bytes => Ok(value),
        _ => Err(DecisionError::NotCanonical),
    }
}

fn bounded(field: &'static str, text: &str, max: usize) -> Result<(), DecisionError> {
    if text.trim().is_empty() || text.len() > max { Err(DecisionError::Field(field)) } else { Ok(()) }
}

fn hex(field: &'static str, text: &str, digits: usize) -> Result<(), DecisionError> {
    let good = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if good { Ok(()) } else { Err(DecisionError::Field(field)) }
}

macro_rules! statement {
    ($name:ident, |$value:ident| $check:expr) => {
        impl $name {
            /// The bytes to sign.
            #[must_use]
            pub fn to_bytes(&self) -> Vec<u8> {
                serde_json::to_vec(self).unwrap_or_default()
            }

            /// Reads signed bytes strictly: unknown fields, another spelling, or an empty reason are refused.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecisionError> {
                let $value: Self = read(bytes)?;
                bounded("reason", &$value.reason, MAX_REASON)?;
                bounded("signer", &$value.signer, 256)?;
                hex("nonce", &$value.nonce, 32)?;
                $check
                Ok($value)
            }
        }
    };
}

statement!(Decision, |value| {
    bounded("escalation", &value.escalation, 64)?;
    hex("session", &value.session, 32)?;
    hex("record_sha256", &value.record_sha256, 64)?;
    bounded("kind", &value.kind, 64)?;
    bounded("action", &value.action, 128)?;
    bounded("meaning", &value.meaning, 256)?;
    if value.asked.is_some() && value.verdict != Verdict::Ask {
        return Err(DecisionError::Field("asked"));
    }
});
statement!(Mark, |value| {
    hex("session", &value.session, 32)?;
    bounded("claim", &value.claim, 160)?;
});
statement!(Reversal, |value| {
    bounded("rule", &value.rule, 64)?;
});
statement!(Review, |value| {
    hex("session", &value.session, 32)?;
    bounded("meaning", &value.meaning, 256)?;
    let named = match value.verdict {
        ReviewVerdict::InOrder => value.entry.is_none(),
        ReviewVerdict::Fault => value.entry.is_some_and(|entry| entry <= value.up_to),
    };
    if !named {
        return Err(DecisionError::Field("entry"));
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    fn decision() -> Decision {
        Decision {
            escalation: "0123456789abcdef-1".into(),
            session: "0".repeat(32),
            record_sha256: "a".repeat(64),
            verdict: Verdict::Approve,
            asked: None,
            kind: "over_budget".into(),
            action: "order ct_chest".into(),
            amount_cents: Some(100),
            reason: "agreed".into(),
            meaning: "decision on an escalation".into(),
            signer: "spiffe://bodh.internal/human/ann".into(),
            nonce: "b".repeat(32),
            at_unix_ms: 1,
        }
    }

    #[test]
    fn reads_back_what_was_written() {
        assert_eq!(Decision::from_bytes(&decision().to_bytes()), Ok(decision()));
    }

    #[test]
    fn a_review_names_the_entry_that_went_wrong_and_no_other() {
        let review = |verdict, entry| Review {
            session: "0".repeat(32),
            verdict,
            up_to: 9,
            entry,
            reason: "read".into(),
            meaning: "review of a session's record".into(),
            signer: "spiffe://bodh.internal/human/cleo".into(),
            nonce: "b".repeat(32),
            at_unix_ms: 1,
        };
        for (verdict, entry, good) in [
            (ReviewVerdict::InOrder, None, true),
            (ReviewVerdict::InOrder, Some(3), false),
            (ReviewVerdict::Fault, Some(9), true),
            (ReviewVerdict::Fault, Some(10), false),
            (ReviewVerdict::Fault, None, false),
        ] {
            let read = Review::from_bytes(&review(verdict, entry).to_bytes());
            assert_eq!(read.is_ok(), good, "{verdict:?} {entry:?}");
        }
    }

    #[test]
    fn refuses_other_spellings_and_empty_fields() {
        let mut spaced = decision().to_bytes();
        spaced.push(b' ');
        assert_eq!(Decision::from_bytes(&spaced), Err(DecisionError::NotCanonical));
        let text = String::from_utf8(decision().to_bytes()).unwrap();
        let extra = text.replacen('{', "{\"extra\":1,", 1);
        assert_eq!(Decision::from_bytes(extra.as_bytes()), Err(DecisionError::Malformed));
        let silent = Decision { reason: "  ".into(), ..decision() };
        assert_eq!(Decision::from_bytes(&silent.to_bytes()), Err(DecisionError::Field("reason")));
        let strange = Decision { asked: TestId::parse("ct_chest").ok(), ..decision() };
        assert_eq!(Decision::from_bytes(&strange.to_bytes()), Err(DecisionError::Field("asked")));
        let asking = Decision { verdict: Verdict::Ask, ..strange };
        assert_eq!(Decision::from_bytes(&asking.to_bytes()), Ok(asking));
        let stray = Decision { record_sha256: "A".repeat(64), ..decision() };
        assert_eq!(Decision::from_bytes(&stray.to_bytes()), Err(DecisionError::Field("record_sha256")));
        assert_eq!(Decision::from_bytes(&vec![b'x'; 20_000]), Err(DecisionError::TooLong));
    }
}
