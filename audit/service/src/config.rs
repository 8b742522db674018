//! What only this service is told, from the document that the launcher hands over.

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// The service's own part of the configuration. The common part is `bodh_host::Config`.
#[derive(Deserialize)]
pub struct Own {
    /// The age identity that opens `audit/key.sealed`. Secret.
    #[serde(deserialize_with = "secret")]
    unlock: Zeroizing<String>,
}

impl Own {
    /// Reads the document.
    ///
    /// # Errors
    /// One line that says what is missing and nothing of what was there.
    pub fn parse(document: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(document)
            .map_err(|error| format!("configuration: column {}: `unlock` is missing or mistyped", error.column()))
    }

    /// The age identity, as text.
    #[must_use]
    pub fn unlock(&self) -> &str {
        &self.unlock
    }
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unlock_identity_is_required_and_never_repeated() {
        assert_eq!(
            Own::parse(br#"{"name":"audit","unlock":"AGE-SECRET-KEY-1X"}"#).unwrap().unlock(),
            "AGE-SECRET-KEY-1X"
        );
        for document in
            [&br#"{"name":"audit"}"#[..], br#"{"unlock":["AGE-SECRET-KEY-1X"]}"#, b"", br#"{"unlock":null}"#]
        {
            let error = Own::parse(document).err().unwrap();
            assert!(error.contains("`unlock`") && !error.contains("SECRET"), "{error}");
        }
    }
}
