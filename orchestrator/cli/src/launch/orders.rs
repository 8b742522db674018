//! What each process is told when it starts: one JSON document through fd 4, its secrets included.

use super::members::{AUDIT, CONSOLE, GUARDIAN, ORCHESTRATOR, Process};
use super::settings::Settings;
use super::site::Site;
use crate::failure::{Failure, Outcome};
use crate::state::{Running, Unlock};
use age::secrecy::ExposeSecret;
use bodh_clinical::Member;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The whole configuration of one process.
#[derive(Serialize)]
pub(crate) struct Orders<'a> {
    /// `guardian`, `audit`, `orchestrator`, or a member's name.
    name: &'a str,
    trust_domain: &'a str,
    state_dir: &'a Path,
    workload_socket: &'a Path,
    guardian: SocketAddr,
    audit: SocketAddr,
    orchestrator: SocketAddr,
    /// Member name to address.
    agents: BTreeMap<&'a str, SocketAddr>,
    /// The collector that spans go to, if any.
    otlp: Option<SocketAddr>,
    /// The age identity that opens this service's own sealed keys: guardian, audit and orchestrator only.
    unlock: Option<&'a str>,
    /// The orchestrator's alone.
    #[serde(flatten)]
    orchestrator_only: Option<Lives>,
    /// The guardian's alone.
    #[serde(flatten)]
    guardian_only: Option<&'a GuardianOrders>,
    /// The console's alone: its site and certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    web: Option<Site>,
}

/// How long escalations wait and review rules last: what only the orchestrator is told.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Lives {
    escalations_lapse_after_ms: u64,
    review_rules_lapse_after_ms: u64,
}

impl Lives {
    fn of(settings: &Settings) -> Self {
        let ms = |lasting: Duration| u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX);
        Self {
            escalations_lapse_after_ms: ms(settings.escalations_lapse_after),
            review_rules_lapse_after_ms: ms(settings.review_rules_lapse_after),
        }
    }
}

/// What only the guardian is told.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct GuardianOrders {
    /// Where the signed policy bundle is.
    pub(crate) policy: PathBuf,
    /// Where the signed manifest of executables is.
    pub(crate) binaries: PathBuf,
    /// The first operator's enrolment, signed by that person's own key.
    pub(crate) bootstrap: Bootstrap,
    /// SPIFFE ids that a session's token may be narrowed to.
    pub(crate) audiences: Vec<String>,
    /// Tools that a session's token may be narrowed to.
    pub(crate) tools: Vec<String>,
}

/// A signed enrolment record: its canonical text, and the signature in base64.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bootstrap {
    pub(crate) record: String,
    pub(crate) signature: String,
}

/// The tools of the six members, as `Question::tool` names them.
pub(crate) const TOOLS: [&str; 7] = ["extract", "differential", "second_opinion", "verify", "plan", "price", "next"];

/// The members' SPIFFE ids.
pub(crate) fn audiences(trust_domain: &str) -> Vec<String> {
    Process::all().into_iter().filter(|p| p.is_agent).map(|p| p.spiffe_id(trust_domain)).collect()
}

/// The document for one process.
pub(crate) fn document(
    process: Process,
    state_dir: &Path,
    running: &Running,
    settings: &Settings,
    unlock: &Unlock,
    (guardian, site): (&GuardianOrders, Option<&Site>),
) -> Outcome<Zeroizing<Vec<u8>>> {
    let address = |name: &str| {
        let found = running.addresses.get(name).copied();
        found.ok_or_else(|| Failure::failed(format!("no address for {name}")))
    };
    let mut agents = BTreeMap::new();
    for member in Member::ALL {
        agents.insert(member.name(), address(member.name())?);
    }
    let orders = Orders {
        name: process.name,
        trust_domain: &running.trust_domain,
        state_dir,
        workload_socket: &running.workload_socket,
        guardian: address(GUARDIAN)?,
        audit: address(AUDIT)?,
        orchestrator: address(ORCHESTRATOR)?,
        agents,
        otlp: settings.otlp,
        unlock: unlock.for_service(process.name).map(ExposeSecret::expose_secret),
        orchestrator_only: (process.name == ORCHESTRATOR).then(|| Lives::of(settings)),
        guardian_only: (process.name == GUARDIAN).then_some(guardian),
        web: site.filter(|_| process.name == CONSOLE).cloned(),
    };
    let bytes = serde_json::to_vec(&orders).map_err(|cause| Failure::failed(format!("{}: {cause}", process.name)))?;
    Ok(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents() -> Vec<serde_json::Value> {
        let folder = crate::state::Folder::passing().unwrap();
        let bound = super::super::listeners::Listeners::bind(&folder, &super::super::Settings::default()).unwrap();
        let running = bound.running("bodh.internal");
        let unlock = Unlock::fresh();
        let site = Site::of(&crate::state::KeyHome::nowhere(), "localhost").unwrap();
        let guardian = GuardianOrders {
            policy: folder.policy(),
            binaries: folder.binaries(),
            bootstrap: Bootstrap { record: String::new(), signature: String::new() },
            audiences: audiences("bodh.internal"),
            tools: TOOLS.map(str::to_owned).into(),
        };
        let made = Process::all().into_iter().map(|process| {
            let told = (&guardian, Some(&site));
            let bytes = document(process, folder.path(), &running, &Settings::default(), &unlock, told).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        });
        made.collect()
    }

    #[test]
    fn each_process_receives_only_its_own_secrets() {
        let documents = documents();
        let holders: Vec<_> = documents.iter().filter(|d| !d["unlock"].is_null()).map(|d| d["name"].clone()).collect();
        assert_eq!(holders.len(), 3, "{holders:?}");
        assert!(
            ["guardian", "audit", "orchestrator"].iter().all(|name| holders.contains(&(*name).into())),
            "{holders:?}"
        );
        let keys: std::collections::BTreeSet<_> = documents.iter().filter_map(|d| d["unlock"].as_str()).collect();
        assert_eq!(keys.len(), 3, "each has a key of its own");
        let told: Vec<_> =
            documents.iter().filter(|d| d.get("bootstrap").is_some()).map(|d| d["name"].clone()).collect();
        assert_eq!(told, ["guardian"]);
        let told: Vec<_> = documents.iter().filter(|d| d.get("web").is_some()).map(|d| d["name"].clone()).collect();
        assert_eq!(told, ["console"]);
        assert!(documents.iter().all(|d| d["agents"].as_object().unwrap().len() == 6));
    }
}
