//! What a person signs to have a session opened that is at rest.

use serde::{Deserialize, Serialize};

/// At most this many bytes of a statement are read.
const MAX_STATEMENT: usize = 2 * 1024;

/// A person's request to open one session, as signed (context `access`). It is used once, within minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// 32 hex digits.
    pub session: String,
    /// SPIFFE id of the person who asks.
    pub signer: String,
    /// 32 hex digits, drawn by the signer's client.
    pub nonce: String,
    /// When it was signed, milliseconds since 1970 UTC.
    pub at_unix_ms: i64,
}

impl Access {
    /// The bytes to sign.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Serialising strings to memory has no failure path.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads signed bytes strictly: unknown fields or another spelling are refused.
    #[must_use]
    pub fn parse(statement: &[u8]) -> Option<Self> {
        if statement.len() > MAX_STATEMENT {
            return None;
        }
        let access: Self = serde_json::from_slice(statement).ok()?;
        let hex =
            |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (access.to_bytes() == statement && hex(&access.session) && hex(&access.nonce)).then_some(access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_was_written_and_nothing_else() {
        let access = Access { session: "0".repeat(32), signer: "a".into(), nonce: "b".repeat(32), at_unix_ms: 1 };
        let good = String::from_utf8(access.to_bytes()).unwrap();
        assert_eq!(Access::parse(good.as_bytes()), Some(access));
        for bad in [
            good.replace(":1}", ": 1}"),
            good.replace('{', "{\"more\":1,"),
            good.replace("00", "0"),
            good.replace("bb", "B"),
            String::new(),
            " ".repeat(MAX_STATEMENT + 1),
        ] {
            assert_eq!(Access::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
