//! What a person signed so that a session may spend more than it was opened with.

use serde::Deserialize;

/// At most this many bytes of a statement are read.
const MAX_STATEMENT: usize = 16 * 1024;

/// The part of a signed decision that the guardian judges. The signature covers the whole statement; what else it says
/// is the application's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Approval {
    /// The session that it is about.
    pub session: String,
    /// Only `approve` lifts a limit.
    pub verdict: String,
    /// Which limit, in the policy's word.
    pub kind: String,
    /// The act that it approves: what is paid for, and nothing else.
    pub action: String,
    /// The amount that was approved, in cents.
    pub amount_cents: Option<u64>,
    /// SHA-256 (hex) of what they were shown.
    pub record_sha256: String,
    /// SPIFFE id of the person who signed.
    pub signer: String,
    /// 32 hex digits, used once.
    pub nonce: String,
}

impl Approval {
    /// Reads a statement. `None` when it is not one, or too long, or its nonce is not one.
    #[must_use]
    pub fn parse(statement: &[u8]) -> Option<Self> {
        if statement.len() > MAX_STATEMENT {
            return None;
        }
        let approval: Self = serde_json::from_slice(statement).ok()?;
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (approval.nonce.len() == 32 && approval.nonce.bytes().all(hex)).then_some(approval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_needs_and_refuses_the_rest() {
        let good = format!(
            r#"{{"escalation":"e-1","session":"s","verdict":"approve","kind":"k","action":"order x","amount_cents":5,"record_sha256":"r","signer":"a","nonce":"{}"}}"#,
            "0".repeat(32)
        );
        let approval = Approval::parse(good.as_bytes()).unwrap();
        assert_eq!((approval.amount_cents, approval.verdict.as_str()), (Some(5), "approve"));
        assert_eq!((approval.kind.as_str(), approval.action.as_str()), ("k", "order x"));
        for field in ["verdict", "kind", "action", "signer", "session", "record_sha256"] {
            assert_eq!(Approval::parse(good.replace(field, "other").as_bytes()), None, "{field}");
        }
        assert_eq!(Approval::parse(good.replace("00", "0G").as_bytes()), None);
        assert_eq!(Approval::parse(b"{}"), None);
        assert_eq!(Approval::parse(&vec![b' '; MAX_STATEMENT + 1]), None);
    }
}
