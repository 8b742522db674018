//! The configuration that the launcher hands over: one JSON document, secrets included.

use crate::Fatal;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

/// At most this many bytes of configuration are read.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// What every service is told. What only one service is told stays in the document, for it to read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Config {
    /// The service's own name.
    pub name: String,
    /// The trust domain.
    pub trust_domain: String,
    /// The state folder, absolute.
    pub state_dir: PathBuf,
    /// The Workload API's Unix socket.
    pub workload_socket: PathBuf,
    /// Where the guardian listens.
    pub guardian: SocketAddr,
    /// Where the record listens.
    pub audit: SocketAddr,
    /// Where the orchestrator listens.
    pub orchestrator: SocketAddr,
    /// Agent name to address.
    pub agents: BTreeMap<String, SocketAddr>,
    /// The collector that spans go to (OTLP over gRPC), if any. On this machine, so that they leave it by its will alone.
    #[serde(default)]
    pub otlp: Option<SocketAddr>,
}

impl Config {
    /// Reads the common part of the document.
    ///
    /// # Errors
    /// Says what is missing or mistyped, never what was there: the document holds secrets.
    pub fn parse(document: &[u8]) -> Result<Self, Fatal> {
        serde_json::from_slice(document).map_err(|error| {
            let place = format!("line {} column {}", error.line(), error.column());
            Fatal::usage(format!("configuration: {place}: a field is missing, mistyped or malformed"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_place_and_not_the_content() {
        let error = Config::parse(br#"{"name":"x","unlock":"AGE-SECRET-KEY-1"}"#).unwrap_err().to_string();
        assert!(error.contains("line 1") && !error.contains("SECRET"), "{error}");
    }

    #[test]
    fn a_collector_is_an_address() {
        let told = |otlp: serde_json::Value| {
            let document = serde_json::json!({
                "name": "a", "trust_domain": "t", "state_dir": "/s", "workload_socket": "/w", "guardian": "127.0.0.1:1",
                "audit": "127.0.0.1:2", "orchestrator": "127.0.0.1:3", "agents": {}, "otlp": otlp
            });
            Config::parse(document.to_string().as_bytes()).map(|config| config.otlp)
        };
        assert_eq!(told(serde_json::Value::Null).unwrap(), None);
        assert_eq!(told("127.0.0.1:4317".into()).unwrap(), Some("127.0.0.1:4317".parse().unwrap()));
        assert!(told("http://collector:4317".into()).is_err());
    }
}
