//! A person's client of the tests' own: the same way in as the command line's, and then whatever the test wants.

use crate::harness::{Stage, Up, until};
use bodh_audit_api::pb::{ReadRequest, audit_client::AuditClient};
use bodh_guardian_api::{Access, Door, pb::guardian_client::GuardianClient, proof};
use bodh_identity::{
    Bundle, Source, SpiffeId, Svid,
    client::{self, Channel},
    signing::{Context, PersonKey, Signer},
};
use bodh_panel_api::pb::{Statement, panel_client::PanelClient};
use data_encoding::BASE64;
use rcgen::{KeyPair, PublicKeyData};
use serde_json::Value;
use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use zeroize::Zeroizing;

pub(super) const DOMAIN: &str = "bodh.internal";

/// The six agents, by the name in their SPIFFE ids.
pub(super) const AGENTS: [&str; 6] =
    ["intake", "supervisor", "test_planner", "diagnostician", "reasoning_verifier", "cost_guardian"];

pub(super) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A person who has come in at the door.
pub(super) struct Visitor {
    pub(super) id: SpiffeId,
    pub(super) key: PersonKey,
    pub(super) source: Source,
    panel: Value,
}

impl Visitor {
    pub(super) async fn enter(stage: &Stage, up: &Up, name: &str) -> Self {
        let key = key_of(stage, name);
        let door = Door::connect(&socket(up)).await.unwrap();
        let challenge = door.challenge(name).await.unwrap();
        let fresh = KeyPair::generate().unwrap();
        let public = fresh.subject_public_key_info();
        let signature = key.sign(Context::Door, &proof(&challenge.nonce, &public)).unwrap().to_vec();
        let proved = door.prove(name, challenge.nonce, public, signature).await.unwrap();
        let chain = proved.chain.into_iter().map(Into::into).collect();
        let svid = Svid::new(chain, Zeroizing::new(fresh.serialize_der())).unwrap();
        let bundle = Bundle::new(DOMAIN, proved.bundle.into_iter().map(Into::into).collect()).unwrap();
        let id = SpiffeId::human(DOMAIN, name).unwrap();
        assert_eq!(svid.id(), &id, "the door certifies who proved the key");
        Self { id, key, source: Source::fixed(svid, bundle).unwrap(), panel: up.panel.clone() }
    }

    /// The person's signed request to open a session; each is another one.
    pub(super) fn access(&self, session: &str) -> Option<Statement> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let nonce = format!("{:016x}{:016x}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let access = Access { session: session.to_owned(), signer: self.id.to_string(), nonce, at_unix_ms: now_ms() };
        let json = access.to_bytes();
        let signature = self.key.sign(Context::Access, &json).unwrap().to_vec();
        Some(Statement { json, signature })
    }

    /// A channel to a service or an agent, whose exact identity is expected.
    pub(super) fn channel(&self, name: &str) -> Channel {
        client::channel(address(&self.panel, name), id_of(name), self.source.clone())
    }

    pub(super) fn panel(&self) -> PanelClient<Channel> {
        PanelClient::new(self.channel("orchestrator")).max_decoding_message_size(16 << 20)
    }

    pub(super) fn guardian(&self) -> GuardianClient<Channel> {
        GuardianClient::new(self.channel("guardian"))
    }

    pub(super) fn audit(&self) -> AuditClient<Channel> {
        AuditClient::new(self.channel("audit"))
    }

    /// The record's entries of one kind, as this person reads them.
    pub(super) async fn entries(&self, kind: &str) -> Vec<Value> {
        let request = ReadRequest { kind: kind.to_owned(), ..ReadRequest::default() };
        let mut stream = self.audit().read(request).await.unwrap().into_inner();
        let mut entries = Vec::new();
        while let Some(reply) = stream.message().await.unwrap() {
            entries.push(serde_json::from_slice(&reply.leaf).unwrap());
        }
        entries
    }

    /// The entries of this kind once enough of them fit; counted refusals are written once a second.
    pub(super) async fn wait_for(&self, kind: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        for _ in 0..50 {
            let entries = self.entries(kind).await;
            if enough(&entries) {
                return entries;
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        panic!("not in the record: {:#?}", self.entries(kind).await)
    }
}

/// The key file that `bodh` keeps for this person on the stage.
pub(super) fn key_of(stage: &Stage, name: &str) -> PersonKey {
    let homes = stage.path("home/state/bodh");
    let file = || {
        let mut homes = fs::read_dir(&homes).ok()?;
        homes.find_map(|home| {
            let file = home.ok()?.path().join("people").join(format!("{name}.key"));
            file.exists().then_some(file)
        })
    };
    assert!(until(Duration::from_secs(5), || file().is_some()), "{name} has a key below {}", homes.display());
    let text = fs::read_to_string(file().unwrap()).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    PersonKey::from_pkcs8(&BASE64.decode(body.as_bytes()).unwrap()).unwrap()
}

pub(super) fn id_of(name: &str) -> SpiffeId {
    let agent = AGENTS.contains(&name);
    if agent { SpiffeId::agent(DOMAIN, name).unwrap() } else { SpiffeId::service(DOMAIN, name).unwrap() }
}

pub(super) fn socket(up: &Up) -> PathBuf {
    up.panel["workload_socket"].as_str().unwrap().into()
}

/// Every service and agent with its address.
pub(super) fn addresses(up: &Up) -> Vec<(String, SocketAddr)> {
    let all = up.panel["addresses"].as_object().unwrap();
    all.keys().map(|name| (name.clone(), address(&up.panel, name))).collect()
}

fn address(panel: &Value, name: &str) -> SocketAddr {
    panel["addresses"][name].as_str().unwrap_or_else(|| panic!("an address of {name}")).parse().unwrap()
}

/// Whether an entry has all these texts.
pub(super) fn says(entry: &Value, fields: &[(&str, &str)]) -> bool {
    fields.iter().all(|(name, text)| entry[*name] == **text)
}
