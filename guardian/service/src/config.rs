//! The configuration: one JSON document from the launcher, on descriptor 4.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
};

use bodh_identity::{Kind, SpiffeId};
use data_encoding::BASE64;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error as _};

/// The largest document that is read.
pub const MAX_CONFIG: usize = 64 * 1024;
/// As many as a token can name.
const MAX_SET: usize = 32;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not the expected JSON. The position is given, the content (which holds a secret) is not.
    #[error("the configuration is not valid at line {line}, column {column}: {class}")]
    Json {
        /// Line in the document.
        line: usize,
        /// Column in the line.
        column: usize,
        /// What kind of mistake.
        class: &'static str,
    },
    /// Too long.
    #[error("the configuration is longer than 64 KiB")]
    TooLong,
    /// A value that cannot work.
    #[error("the configuration's `{0}` is not valid: {1}")]
    Value(&'static str, &'static str),
}

/// Everything the guardian is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `guardian`.
    pub name: String,
    /// The state folder; the guardian uses its `guardian/`.
    pub state_dir: PathBuf,
    /// The trust domain, for example `bodh.internal`.
    pub trust_domain: String,
    /// The guardian's age identity, which opens its sealed files.
    #[serde(deserialize_with = "secret")]
    pub unlock: SecretString,
    /// The Unix socket of the Workload API and the door.
    pub workload_socket: PathBuf,
    /// Where the guardian listens.
    pub guardian: SocketAddr,
    /// Where the audit service listens.
    pub audit: SocketAddr,
    /// Where the orchestrator listens.
    pub orchestrator: SocketAddr,
    /// Where the agents listen, by name.
    pub agents: BTreeMap<String, SocketAddr>,
    /// The signed policy bundle.
    pub policy: PathBuf,
    /// The signed manifest of executables.
    pub binaries: PathBuf,
    /// The services that session tokens may be used at.
    pub audiences: Vec<SpiffeId>,
    /// The tools that session tokens may be used for.
    pub tools: Vec<String>,
    /// The first person, for the first start.
    #[serde(default)]
    pub bootstrap: Option<Bootstrap>,
    /// Where traces go.
    #[serde(default)]
    pub otlp: Option<String>,
}

/// The first person's record, signed with the key that it names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bootstrap {
    /// The canonical enrolment record, as text.
    pub record: String,
    /// Ed25519 signature over it (context `enrolment`), base64.
    #[serde(deserialize_with = "base64")]
    pub signature: Vec<u8>,
}

impl Config {
    /// Reads and checks a configuration.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        if bytes.len() > MAX_CONFIG {
            return Err(ConfigError::TooLong);
        }
        let config: Self = serde_json::from_slice(bytes).map_err(|error| ConfigError::Json {
            line: error.line(),
            column: error.column(),
            class: match error.classify() {
                serde_json::error::Category::Data => "a field is missing, unknown or of another type",
                _ => "it is not JSON",
            },
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        SpiffeId::root(&self.trust_domain).map_err(|_| ConfigError::Value("trust_domain", "not a trust domain"))?;
        if !self.state_dir.is_absolute() {
            return Err(ConfigError::Value("state_dir", "an absolute path is needed"));
        }
        let audiences: BTreeSet<_> = self.audiences.iter().collect();
        let foreign = |id: &&SpiffeId| id.trust_domain() != self.trust_domain || matches!(id.kind(), Kind::Human(_));
        if audiences.len() != self.audiences.len() || !(1..=MAX_SET).contains(&audiences.len()) {
            return Err(ConfigError::Value("audiences", "between 1 and 32 different ids are needed"));
        }
        if audiences.iter().copied().any(|id| foreign(&id)) {
            return Err(ConfigError::Value("audiences", "services and agents of the trust domain are needed"));
        }
        let tools: BTreeSet<_> = self.tools.iter().collect();
        if tools.len() != self.tools.len() || !(1..=MAX_SET).contains(&tools.len()) {
            return Err(ConfigError::Value("tools", "between 1 and 32 different names are needed"));
        }
        Ok(())
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64.decode(text.as_bytes()).map_err(|_| D::Error::custom("not base64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn document() -> Value {
        json!({
            "name": "guardian", "state_dir": "/state", "trust_domain": "test.internal",
            "unlock": "AGE-SECRET-KEY-1X", "audit": "127.0.0.1:9", "guardian": "127.0.0.1:8", "agents": {},
            "orchestrator": "127.0.0.1:7", "workload_socket": "/state/run/workload.sock", "policy": "/state/policy.json",
            "binaries": "/state/binaries.json", "audiences": ["spiffe://test.internal/agent/one"], "tools": ["look"],
            "bootstrap": {"record": "{}", "signature": "AAAA"},
        })
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut changed = document();
        change(&mut changed);
        Config::parse(&serde_json::to_vec(&changed).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn reads_a_whole_document() {
        let config = Config::parse(&serde_json::to_vec(&document()).unwrap()).unwrap();
        assert_eq!(config.bootstrap.as_ref().unwrap().signature, [0, 0, 0]);
        assert!(!format!("{config:?}").contains("AGE-SECRET"));
    }

    #[test]
    fn refuses_what_is_unknown_missing_or_wrong() {
        assert!(refusal(|c| c["more"] = json!(1)).contains("missing, unknown"));
        assert!(refusal(|c| drop(c.as_object_mut().unwrap().remove("unlock"))).contains("missing, unknown"));
        assert!(refusal(|c| c["trust_domain"] = json!("No Domain")).contains("`trust_domain`"));
        assert!(refusal(|c| c["state_dir"] = json!("state")).contains("`state_dir`"));
        assert!(refusal(|c| c["audiences"] = json!([])).contains("`audiences`"));
        assert!(refusal(|c| c["audiences"] = json!(["spiffe://other/agent/one"])).contains("`audiences`"));
        assert!(refusal(|c| c["audiences"] = json!(["spiffe://test.internal/human/a"])).contains("`audiences`"));
        assert!(refusal(|c| c["tools"] = json!(["a", "a"])).contains("`tools`"));
        assert!(Config::parse(&vec![b' '; MAX_CONFIG + 1]).is_err());
    }

    #[test]
    fn an_error_does_not_repeat_the_secret() {
        let shown = refusal(|c| c["unlock"] = json!(["AGE-SECRET-KEY-1X"]));
        assert!(!shown.contains("AGE-SECRET"), "{shown}");
    }
}
