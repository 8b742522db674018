//! A question to the policies, with all the facts that they may look at.

use serde_json::{Map, Value, json};

/// Who or what: a kind that the schema knows, an id, and attributes typed by the schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// An entity type of the schema, such as `Human`.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// Its attributes; all that the schema requires and no other.
    pub attrs: Map<String, Value>,
}

/// May `principal` do `action` to `resource` in this `context`?
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'a> {
    /// Who acts; identified by TLS, described by the registry.
    pub principal: Entity,
    /// An action of the schema, such as `append`.
    pub action: &'a str,
    /// On what.
    pub resource: Entity,
    /// An object with what the schema requires for this action and nothing else; `{}` for most.
    pub context: Value,
}

impl Entity {
    /// One without attributes; add them with [`Entity::with`].
    #[must_use]
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into(), attrs: Map::new() }
    }

    /// With one more attribute.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attrs.insert(name.into(), value.into());
        self
    }

    /// A service of the system, by its name: `orchestrator`.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self::new("Service", name)
    }

    /// An agent, by its name.
    #[must_use]
    pub fn agent(name: &str) -> Self {
        Self::new("Agent", name)
    }

    /// A person, with the roles and the assurance of their enrolment (none of either for a stranger).
    #[must_use]
    pub fn human<R: Into<String>>(name: &str, roles: impl IntoIterator<Item = R>, assurance: &str) -> Self {
        let roles: Vec<Value> = roles.into_iter().map(|role| Value::String(role.into())).collect();
        Self::new("Human", name).with("roles", roles).with("assurance", assurance)
    }

    /// The value of an attribute, or of a member of the context, that names an entity.
    #[must_use]
    pub fn reference(kind: &str, id: &str) -> Value {
        json!({ "__entity": { "type": kind, "id": id } })
    }
}
