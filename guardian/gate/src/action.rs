//! Actions: what a handler does, who may ask for it, and the facts that a policy decides on.

use bodh_identity::{Kind, SpiffeId};
use bodh_policy::Entity;
use std::collections::BTreeMap;

/// One action of a service. A type, so that a permit for one action cannot stand for another.
pub trait Action: Send + Sync + 'static {
    /// The action's name, as policies and the record know it.
    const NAME: &'static str;
    /// Whether it has an effect: then its attempt is durable before it begins.
    const EFFECT: bool;
    /// Whether it needs a token chain.
    const TOKEN: bool;
    /// Who may ask for it at all. Everybody else is refused before any policy is read.
    const CALLERS: &'static [Allowed];
}

/// A named caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// This service.
    Service(&'static str),
    /// Any service of the trust domain.
    AnyService,
    /// Any agent of the trust domain.
    AnyAgent,
    /// Any enrolled person.
    AnyHuman,
}

impl Allowed {
    /// Whether `id` is meant. The trust domain was checked when the connection was made.
    #[must_use]
    pub fn names(self, id: &SpiffeId) -> bool {
        match (self, id.kind()) {
            (Allowed::Service(name), Kind::Service(other)) => name == other,
            (Allowed::AnyService, Kind::Service(_))
            | (Allowed::AnyAgent, Kind::Agent(_))
            | (Allowed::AnyHuman, Kind::Human(_)) => true,
            _ => false,
        }
    }
}

/// What is known of one call, from the decoded request.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What is acted on.
    pub resource: Entity,
    /// What the policy is told beside principal and resource.
    pub context: serde_json::Value,
    /// The session, 32 hex digits, or empty.
    pub session: String,
    /// The trace, 32 hex digits, or empty.
    pub trace: String,
    /// The step within the session, or empty.
    pub step: String,
    /// Which try of the step, from 1; 0 when tries do not apply.
    pub try_number: u32,
    /// The tool and the SHA-256 of its encoded arguments, for actions that need a token.
    pub tool: Option<(&'static str, [u8; 32])>,
    /// Money at stake, in cents.
    pub amount_cents: i64,
    /// Hashes of ciphertext or keyed commitments, by name.
    pub commitments: BTreeMap<String, [u8; 32]>,
    /// Fixes the attempt's idempotency key, for acts that are repeated after a crash; drawn at random otherwise.
    pub key: Option<String>,
}

impl Facts {
    /// Facts about `resource` and nothing else.
    #[must_use]
    pub fn about(resource: Entity) -> Self {
        Self {
            resource,
            context: serde_json::json!({}),
            session: String::new(),
            trace: String::new(),
            step: String::new(),
            try_number: 0,
            tool: None,
            amount_cents: 0,
            commitments: BTreeMap::new(),
            key: None,
        }
    }

    /// With the policy's context.
    #[must_use]
    pub fn context(mut self, context: serde_json::Value) -> Self {
        self.context = context;
        self
    }

    /// Within a session and its trace.
    #[must_use]
    pub fn within(mut self, session: &str, trace: &str) -> Self {
        self.session = session.to_owned();
        self.trace = trace.to_owned();
        self
    }
}
