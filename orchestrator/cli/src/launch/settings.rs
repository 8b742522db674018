//! What `--config` and `--policies` may say.

use super::members::Process;
use crate::failure::{Failure, Outcome};
use crate::state::read_bounded;
use serde::{Deserialize, Deserializer, de::Error};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The guardian opens a session again for ninety days: what waits, and what must be read then, ends before that.
const LONGEST: Duration = Duration::from_secs(85 * 24 * 3600);

/// How a panel is started. Every field has a default that suits one machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Of every SPIFFE id of the panel; fixed by a state folder's first start.
    pub(crate) trust_domain: String,
    /// Fixed ports by process name; any other takes a free one.
    pub(crate) ports: BTreeMap<String, u16>,
    /// How long an escalation waits for a decision; then it lapses, undecided.
    #[serde(deserialize_with = "lasting")]
    pub(crate) escalations_lapse_after: Duration,
    /// How long a review rule asks for a second look at similar cases.
    #[serde(deserialize_with = "lasting")]
    pub(crate) review_rules_lapse_after: Duration,
    /// The collector that spans are sent to (OTLP over gRPC): `http://127.0.0.1:4317`; nowhere by default.
    #[serde(deserialize_with = "collector")]
    pub(crate) otlp: Option<SocketAddr>,
    /// The console's name in its address, for which its passkeys are; fixed once somebody has enrolled one.
    pub(crate) console_name: String,
    /// Start the console as well.
    #[serde(skip)]
    pub(crate) with_console: bool,
    /// Policies in place of the built-in domain policies.
    #[serde(skip)]
    pub(crate) policies: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trust_domain: "bodh.internal".into(),
            ports: BTreeMap::new(),
            escalations_lapse_after: 30 * DAY,
            review_rules_lapse_after: LONGEST,
            otlp: None,
            console_name: "localhost".into(),
            with_console: false,
            policies: None,
        }
    }
}

impl Settings {
    /// Reads the file, if one is given.
    pub(crate) fn read(config: Option<&Path>, policies: Option<&Path>) -> Outcome<Self> {
        let mut settings = match config {
            Some(path) => {
                let bytes = read_bounded(path, 64 * 1024)?;
                let text = String::from_utf8_lossy(&bytes);
                Self::parse(&text).map_err(|wrong| Failure::input(format!("{}: {wrong}", path.display())))?
            }
            None => Self::default(),
        };
        settings.policies = policies.map(Path::to_owned);
        Ok(settings)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = toml::from_str(text).map_err(|wrong| {
            let before = wrong.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, wrong.message())
        })?;
        let known = Process::all();
        if let Some(name) = settings.ports.keys().find(|name| !known.iter().any(|p| p.name == name.as_str())) {
            let names: Vec<_> = known.iter().map(|p| p.name).collect();
            return Err(format!("ports: no process is named {name:?}; there are {}", names.join(", ")));
        }
        let mut ports: Vec<_> = settings.ports.values().filter(|port| **port != 0).collect();
        ports.sort();
        if ports.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err("ports: one port is given to two processes".into());
        }
        let label = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        let domain = &settings.trust_domain;
        if domain.is_empty() || domain.len() > 255 || !domain.bytes().all(label) {
            return Err("trust_domain: lower-case letters, digits, dots, dashes and underscores".into());
        }
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
        let name = &settings.console_name;
        if name.is_empty() || name.len() > 253 || !name.bytes().all(letter) || name.starts_with(['.', '-']) {
            return Err("console_name: a host's name in lower case, such as localhost or console.example.org".into());
        }
        Ok(settings)
    }
}

/// A number and a unit: `30 days`.
fn lasting<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    let (number, unit) = text.split_once(' ').unwrap_or_default();
    let seconds = match unit {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 24 * 3600,
        _ => 0,
    };
    let number: u64 = number.parse().unwrap_or(0);
    let lasting = Duration::from_secs(number.saturating_mul(seconds));
    if lasting.is_zero() || lasting > LONGEST {
        return Err(D::Error::custom(
            "say how long as \"12 hours\" or \"30 days\": at least a second, at most 85 days",
        ));
    }
    Ok(lasting)
}

/// A collector on this machine. The confined services reach no other: it is the one to pass spans on, and to encrypt them.
fn collector<'de, D: Deserializer<'de>>(text: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(text)?;
    let address = text.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let address = address.and_then(|address| address.parse::<SocketAddr>().ok());
    address.filter(|address| address.ip().is_loopback() && address.port() != 0).map(Some).ok_or_else(|| {
        D::Error::custom("otlp: expected a collector on this machine by its number, such as http://127.0.0.1:4317")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_read() {
        let settings = Settings::parse(include_str!("../../../../deploy/samples/panel.toml")).unwrap();
        assert_eq!(settings.trust_domain, "bodh.internal");
        assert_eq!(settings.ports.get("orchestrator"), Some(&7443));
        assert_eq!(settings.escalations_lapse_after, Settings::default().escalations_lapse_after);
        assert_eq!(settings.review_rules_lapse_after, Settings::default().review_rules_lapse_after);
    }

    #[test]
    fn a_collector_is_on_this_machine() {
        let told = |text: &str| Settings::parse(&format!("otlp = \"{text}\"")).unwrap().otlp;
        assert_eq!(told("http://127.0.0.1:4317"), Some("127.0.0.1:4317".parse().unwrap()));
        assert_eq!(told("http://[::1]:4317/"), Some("[::1]:4317".parse().unwrap()));
        assert_eq!(Settings::parse("").unwrap().otlp, None);
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for (text, said) in [
            ("\ncolour = 1", "line 2: unknown field"),
            ("[ports]\negress = 1", "no process is named \"egress\""),
            ("[ports]\naudit = 7000\nguardian = 7000", "two processes"),
            ("[ports]\naudit = 70000", "u16"),
            ("trust_domain = \"Bodh Internal\"", "trust_domain"),
            ("console_name = \"https://localhost\"", "console_name"),
            ("otlp = \"http://10.0.0.1:4317\"", "on this machine"),
            ("otlp = \"https://collector.example:4317\"", "on this machine"),
            ("otlp = \"http://127.0.0.1.example:4317\"", "on this machine"),
            ("otlp = \"http://127.0.0.1\"", "on this machine"),
            ("otlp = \"http://127.0.0.1:0\"", "on this machine"),
            ("otlp = \"http://127.0.0.1:4317/v1\"", "on this machine"),
            ("otlp = 4317", "string"),
            ("escalations_lapse_after = \"never\"", "30 days"),
            ("escalations_lapse_after = \"0 days\"", "30 days"),
            ("review_rules_lapse_after = \"86 days\"", "at most 85 days"),
        ] {
            let wrong = Settings::parse(text).unwrap_err();
            assert!(wrong.contains(said), "{text}: {wrong}");
        }
    }
}
