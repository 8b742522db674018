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
    /// Where spans go (an OTLP/gRPC endpoint), if anywhere.
    #[serde(default)]
    pub otlp: Option<String>,
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

    /// The port of the OTLP endpoint, so that confinement lets it out.
    #[must_use]
    pub fn otlp_port(&self) -> Option<u16> {
        let endpoint = self.otlp.as_deref()?;
        let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest).split('/').next()?;
        authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok())
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
    fn the_port_of_an_endpoint_is_found() {
        let mut config: Config = serde_json::from_value(serde_json::json!({
            "name": "a", "trust_domain": "t", "state_dir": "/s", "workload_socket": "/w", "guardian": "127.0.0.1:1",
            "audit": "127.0.0.1:2", "orchestrator": "127.0.0.1:3", "agents": {}
        }))
        .unwrap();
        assert_eq!(config.otlp_port(), None);
        config.otlp = Some("http://127.0.0.1:4317/v1".into());
        assert_eq!(config.otlp_port(), Some(4317));
    }
}
