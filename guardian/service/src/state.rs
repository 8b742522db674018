//! Everything the guardian is, once it has started well. Handlers are functions over it.

use std::{collections::BTreeSet, sync::Arc};

use bodh_gate::{Clock, Trust};
use bodh_guardian_api::{Binaries, pb};
use bodh_identity::{Source, SpiffeId, attest::Process, server::Connections};
use bodh_policy::Policies;
use bodh_token::SigningKey;
use bodh_vault::VaultKey;

use crate::{
    authority::Authority, delegates::Delegates, door::Nonces, ledger::Ledger, refusals::Refusals, registry::Registry,
    store::Store, trust, watch::Watchers,
};

/// What session tokens may be used for.
#[derive(Debug, Clone)]
pub struct Scope {
    /// SPIFFE ids of the services and agents that calls may go to.
    pub audiences: BTreeSet<String>,
    /// The tools.
    pub tools: BTreeSet<String>,
}

/// The policy bundle in force.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The signed document, as it is passed on: every receiver verifies it again.
    pub document: Vec<u8>,
    /// The key that signed it.
    pub operator_key: Vec<u8>,
    /// SHA-256 of the bundle, as tokens name it.
    pub hash: [u8; 32],
    /// Loaded.
    pub policies: Arc<Policies>,
}

/// The guardian's state; [`crate::start::open`] makes it.
pub struct State {
    pub(crate) trust_domain: String,
    pub(crate) guardian: SpiffeId,
    pub(crate) scope: Scope,
    pub(crate) launcher: Option<Process>,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) policy: Policy,
    pub(crate) binaries: Binaries,
    pub(crate) vault: VaultKey,
    pub(crate) token_key: SigningKey,
    pub(crate) authority: Authority,
    pub(crate) source: Source,
    pub(crate) ledger: Ledger,
    pub(crate) refusals: Refusals,
    pub(crate) nonces: Nonces,
    pub(crate) delegates: Delegates,
    pub(crate) watchers: Watchers,
    pub(crate) trust: Trust,
    pub(crate) connections: Connections,
}

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $part:ty,)+) => {
        impl State { $($(#[$doc])* #[must_use] pub fn $name(&self) -> &$part { &self.$name })+ }
    };
}

parts! {
    /// The trust domain.
    trust_domain: str,
    /// The guardian's own SPIFFE id.
    guardian: SpiffeId,
    /// What session tokens may be used for.
    scope: Scope,
    /// The time.
    clock: Clock,
    /// The database.
    store: Store,
    /// People and revocations.
    registry: Registry,
    /// The policy bundle in force.
    policy: Policy,
    /// The manifest of executables.
    binaries: Binaries,
    /// The key that wraps session keys.
    vault: VaultKey,
    /// The key that signs session tokens.
    token_key: SigningKey,
    /// The certificate authority.
    authority: Authority,
    /// The guardian's own certificate.
    source: Source,
    /// Entries on their way to the audit service.
    ledger: Ledger,
    /// Refusals at the Unix socket.
    refusals: Refusals,
    /// Nonces of the door.
    nonces: Nonces,
    /// Keys that people lend to their clients.
    delegates: Delegates,
    /// Places for watchers.
    watchers: Watchers,
    /// What the guardian's own gate knows.
    trust: Trust,
    /// The guardian's live connections.
    connections: Connections,
}

impl State {
    /// The process that started the guardian, if it is known.
    pub fn launcher(&self) -> Option<Process> {
        self.launcher
    }

    /// The identities in use: the guardian's own, and those it gave to processes since it started.
    pub fn identities(&self) -> Vec<pb::Identity> {
        let svid = self.source.current();
        let since = svid.not_after().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let own = self.binaries.entries.iter().find(|entry| entry.spiffe_id.as_deref() == Some(self.guardian.as_str()));
        let sha256 = own.and_then(|entry| data_encoding::HEXLOWER.decode(entry.sha256.as_bytes()).ok());
        let mine = pb::Identity {
            id: self.guardian.to_string(),
            pid: std::process::id(),
            exe_sha256: sha256.unwrap_or_default(),
            not_after_unix_ms: i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            issued: 1,
        };
        let mut all = self.authority.identities();
        all.push(mine);
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// Everything a gate needs to judge calls.
    pub fn trust_reply(&self) -> pb::TrustReply {
        let (epoch, people, revoked) = self.registry.told();
        pb::TrustReply {
            policy_bundle: self.policy.document.clone(),
            token_key: self.token_key.public().to_vec(),
            revoked,
            people,
            operator_key: self.policy.operator_key.clone(),
            epoch,
        }
    }

    /// The registry changed: the guardian's own gate follows, and the connections of whoever is revoked now are closed.
    pub(crate) fn changed(&self, revoked: Option<&SpiffeId>) {
        self.trust.replace(trust::view(&self.registry, &self.policy, &self.token_key, &self.guardian));
        if let Some(id) = revoked {
            self.connections.close(id);
        }
    }
}
