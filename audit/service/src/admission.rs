//! Who may do what with the record. The seam between the handlers and the gate.
//!
//! The gate records each admitted call as an attempt; appending to the record cannot be an entry about each entry, so
//! the record asks the same questions (fresh trust, not revoked, a named caller, the policy) and writes refusals only.

use bodh_gate::{Allowed, Gate, Person, Refusal};
use bodh_identity::{Kind, server::Peer};
use bodh_policy::{Entity, Request, Verdict};
use tonic::Extensions;

/// What can be asked of the record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Append entries.
    Append,
    /// Have a checkpoint published.
    Checkpoint,
    /// Read entries.
    Read,
}

impl Act {
    /// The action's name in policies and entries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Checkpoint => "checkpoint",
            Self::Read => "read",
        }
    }

    /// Who may ask at all; everybody else is refused before any policy is read.
    const fn callers(self) -> &'static [Allowed] {
        match self {
            Self::Append => &[Allowed::AnyService, Allowed::AnyAgent],
            Self::Checkpoint => &[Allowed::AnyService, Allowed::AnyAgent, Allowed::AnyHuman],
            Self::Read => &[Allowed::AnyService, Allowed::AnyHuman],
        }
    }
}

/// Leave to do one act: by whom, and what determined it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admitted {
    /// The TLS peer's SPIFFE id.
    pub peer: String,
    /// Hash of the policy bundle.
    pub policy: Option<[u8; 32]>,
    /// The policies that allow it.
    pub policies: Vec<String>,
}

/// A call that is turned away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The TLS peer's SPIFFE id, if there is one.
    pub peer: Option<String>,
    /// Why.
    pub refusal: Refusal,
}

/// Decides on calls.
pub trait Admission: Send + Sync + 'static {
    /// Admits or refuses the connection's peer.
    ///
    /// # Errors
    /// Why it is refused.
    fn admit(&self, connection: &Extensions, act: Act) -> impl Future<Output = Result<Admitted, Refused>> + Send;
}

impl Admission for Gate {
    async fn admit(&self, connection: &Extensions, act: Act) -> Result<Admitted, Refused> {
        let Some(peer) = connection.get::<Peer>() else {
            return Err(Refused { peer: None, refusal: Refusal::NoPeer });
        };
        self.trust().acquaint(&peer.id).await;
        judge(self, peer, act).map_err(|refusal| Refused { peer: Some(peer.id.to_string()), refusal })
    }
}

fn judge(gate: &Gate, peer: &Peer, act: Act) -> Result<Admitted, Refusal> {
    let view = gate.trust().current()?;
    view.check_peer(&peer.id, peer.certified_ms())?;
    let peer = &peer.id;
    if !act.callers().iter().any(|allowed| allowed.names(peer)) {
        return Err(Refusal::NotACaller);
    }
    let principal = match peer.kind() {
        Kind::Service(name) => Entity::service(name),
        Kind::Agent(name) => Entity::agent(name),
        Kind::Human(_) => {
            let Person { roles, assurance, .. } = view.people.get(peer).ok_or(Refusal::UnknownPerson)?;
            Entity::human(peer.as_str(), roles.iter().cloned(), assurance)
        }
        Kind::Other => return Err(Refusal::NotACaller),
    };
    let context = serde_json::json!({});
    let ruling =
        view.policies.decide(&Request { principal, action: act.name(), resource: Entity::new("Log", "log"), context });
    match ruling.verdict {
        Verdict::Allow => {
            Ok(Admitted { peer: peer.to_string(), policy: Some(view.policy_hash), policies: ruling.policies })
        }
        Verdict::Ask(reasons) => Err(Refusal::Asked { kinds: reasons.into_iter().map(|reason| reason.kind).collect() }),
        Verdict::Deny => Err(Refusal::Denied { policies: ruling.policies }),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::UNIX_EPOCH;

    use bodh_audit_log::Draft;
    use bodh_gate::{Record, RecordError, Trust, View};
    use bodh_identity::SpiffeId;
    use bodh_policy::{Policies, kernel};

    use super::*;

    struct Unused;

    impl Record for Unused {
        fn append(&self, _: Draft) -> Pin<Box<dyn Future<Output = Result<u64, RecordError>> + Send + '_>> {
            Box::pin(async { Err(RecordError::Unavailable) })
        }
    }

    fn id(path: &str) -> SpiffeId {
        SpiffeId::new("example.com", path).unwrap()
    }

    fn gate(now: Arc<AtomicI64>) -> Gate {
        let person = |roles: &[&str]| Person {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            assurance: "local_key".to_owned(),
            ..Person::default()
        };
        let lost = Person { since_ms: 1, ..person(&["compliance"]) };
        let people = [
            (id("/human/ada"), person(&["compliance"])),
            (id("/human/bob"), person(&["approver"])),
            (id("/human/lost"), lost),
        ];
        let trust = Trust::followed(Arc::new(move || now.load(Ordering::Relaxed)));
        trust.replace(View {
            policies: Arc::new(Policies::load(&kernel()).unwrap()),
            policy_hash: kernel().hash(),
            token_key: [0; 32],
            issuer: id("/service/guardian"),
            people: people.into(),
            revoked: [id("/agent/revoked")].into(),
            epoch: 1,
        });
        trust.heard();
        Gate::new(id("/service/audit"), trust, Arc::new(Unused))
    }

    async fn ask(gate: &Gate, path: &str, act: Act) -> Result<Vec<String>, String> {
        let mut connection = Extensions::new();
        connection.insert(Peer { id: id(path), cert_sha256: [0; 32], certified: UNIX_EPOCH, not_after: UNIX_EPOCH });
        Admission::admit(gate, &connection, act)
            .await
            .map(|admitted| admitted.policies)
            .map_err(|refused| refused.refusal.code())
    }

    #[tokio::test(start_paused = true)]
    async fn the_kernels_policies_decide() {
        let gate = gate(Arc::default());
        for (peer, act, expected) in [
            ("/agent/one", Act::Append, Ok("log-append")),
            ("/service/guardian", Act::Append, Ok("log-append")),
            ("/service/orchestrator", Act::Read, Ok("log-read-orchestrator")),
            ("/human/ada", Act::Read, Ok("log-read-people")),
            ("/human/bob", Act::Checkpoint, Ok("log-checkpoint")),
            // Whose certificate is from before they lost a key.
            ("/human/lost", Act::Read, Err("key_gone")),
            ("/human/ada", Act::Append, Err("not_a_caller")),
            ("/agent/one", Act::Read, Err("not_a_caller")),
            ("/agent/one", Act::Checkpoint, Err("policy_denied")),
            ("/service/stranger", Act::Append, Err("policy_denied")),
            ("/human/bob", Act::Read, Err("policy_denied")),
            ("/human/eve", Act::Read, Err("unknown_person")),
            ("/agent/revoked", Act::Append, Err("revoked")),
            ("/elsewhere", Act::Append, Err("not_a_caller")),
        ] {
            let expected = expected.map(|policy| vec![policy.to_owned()]).map_err(str::to_owned);
            assert_eq!(ask(&gate, peer, act).await, expected, "{peer} {act:?}");
        }
        let nobody = Admission::admit(&gate, &Extensions::new(), Act::Append).await.unwrap_err();
        assert_eq!(nobody, Refused { peer: None, refusal: Refusal::NoPeer });
    }

    #[tokio::test]
    async fn a_silent_trust_feed_refuses_everyone() {
        let now = Arc::new(AtomicI64::new(1_000_000));
        let gate = gate(Arc::clone(&now));
        assert!(ask(&gate, "/agent/one", Act::Append).await.is_ok());
        now.fetch_add(2_001, Ordering::Relaxed);
        assert_eq!(ask(&gate, "/agent/one", Act::Append).await, Err("stale_trust".to_owned()));
    }
}
