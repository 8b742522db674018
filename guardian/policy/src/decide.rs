//! Asking the policies.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Response,
    RestrictedExpression, Schema,
};
use serde_json::Value;

use crate::bundle::Bundle;
use crate::load::{Label, Loaded, Slice};
use crate::problem::LoadError;
use crate::request::{Entity, Request};
use crate::ruling::{Reason, Ruling, Verdict};

/// Longest entity id, in bytes.
const MAX_ID: usize = 256;
/// Most values inside each other in an attribute.
const MAX_NESTING: usize = 8;

/// A loaded bundle. Loading takes milliseconds, so load once; deciding is cheap and needs no lock.
#[derive(Debug)]
pub struct Policies {
    loaded: Loaded,
    kinds: HashMap<String, EntityTypeName>,
    hash: [u8; 32],
}

impl Policies {
    /// Loads a bundle, or nothing of it.
    ///
    /// # Errors
    /// Everything that is wrong with it, by file and line.
    pub fn load(bundle: &Bundle) -> Result<Self, LoadError> {
        let loaded = Loaded::load(bundle)?;
        let kinds = loaded.schema.entity_types().map(|name| (name.to_string(), name.clone())).collect();
        Ok(Self { loaded, kinds, hash: bundle.hash() })
    }

    /// The hash of the bundle.
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The schema and the policies as Cedar has them, each policy under its `@id`: for provers and viewers.
    #[must_use]
    pub fn cedar(&self) -> (&Schema, &PolicySet) {
        (&self.loaded.schema, &self.loaded.all)
    }

    /// The text of a policy, by its `@id`, as it is in force: for people who ask why.
    #[must_use]
    pub fn text(&self, id: &str) -> Option<String> {
        let policy = self.loaded.all.policies().find(|policy| policy.annotation("id") == Some(id))?;
        Some(policy.to_string())
    }

    /// Answers a request. It never fails: whatever is wrong is a denial that says so.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Ruling {
        match self.evaluate(request) {
            Ok(response) => self.ruling(&response),
            Err(error) => Ruling::invalid(error),
        }
    }

    fn evaluate(&self, request: &Request<'_>) -> Result<Response, String> {
        let Slice { action, policies } = self
            .loaded
            .slices
            .get(request.action)
            .ok_or_else(|| format!("unknown action {:?}", short(request.action)))?;
        let schema = &self.loaded.schema;
        let principal = self.entity(&request.principal)?;
        let resource = self.entity(&request.resource)?;
        let context = self.context(&request.context).map_err(|e| format!("the context of {}: {e}", request.action))?;
        // With the schema: kinds of principal and resource, and the context's members and types, are those declared.
        let question =
            cedar_policy::Request::new(principal.uid(), action.clone(), resource.uid(), context, Some(schema))
                .map_err(|e| format!("the request to {}: {e}", request.action))?;
        let entities = Entities::from_entities([principal, resource], Some(schema))
            .map_err(|e| format!("an entity of {}: {e}", request.action))?;
        Ok(Authorizer::new().is_authorized(&question, policies, &entities))
    }

    fn ruling(&self, response: &Response) -> Ruling {
        let labels = &self.loaded.labels;
        let mut determining: Vec<&Label> =
            response.diagnostics().reason().filter_map(|policy| labels.get(policy)).collect();
        determining.sort_by(|a, b| a.id.cmp(&b.id));
        // Cedar skips a policy that fails, so that a permit may win over a forbid that failed. Here any failure denies.
        let mut errors: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
        errors.sort();
        let asks: Vec<Reason> = determining.iter().filter_map(|label| label.ask.clone()).collect();
        let verdict = match response.decision() {
            Decision::Allow if !errors.is_empty() => Verdict::Deny,
            Decision::Allow if asks.is_empty() => Verdict::Allow,
            Decision::Allow => Verdict::Ask(asks),
            Decision::Deny => Verdict::Deny,
        };
        Ruling {
            verdict,
            policies: determining.iter().map(|label| label.id.clone()).collect(),
            reasons: determining.iter().filter_map(|label| label.reason.clone()).collect(),
            errors,
        }
    }

    fn context(&self, context: &Value) -> Result<Context, String> {
        let members = context.as_object().ok_or("it is not an object")?;
        let pairs = members.iter().map(|(name, value)| Ok((name.clone(), self.expression(value, MAX_NESTING)?)));
        Context::from_pairs(pairs.collect::<Result<Vec<_>, String>>()?).map_err(|e| e.to_string())
    }

    fn entity(&self, entity: &Entity) -> Result<cedar_policy::Entity, String> {
        let uid = self.uid(&entity.kind, &entity.id)?;
        let attrs = entity
            .attrs
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.expression(value, MAX_NESTING)?)))
            .collect::<Result<HashMap<_, _>, String>>()?;
        cedar_policy::Entity::new(uid, attrs, HashSet::new()).map_err(|e| e.to_string())
    }

    fn uid(&self, kind: &str, id: &str) -> Result<EntityUid, String> {
        let name = self.kinds.get(kind).ok_or_else(|| format!("unknown kind {:?}", short(kind)))?;
        if id.is_empty() || id.len() > MAX_ID {
            return Err(format!("the id of a {kind} has 1 to {MAX_ID} bytes"));
        }
        Ok(EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id)))
    }

    /// The value of an attribute or of a member of the context; whether it is the right one the schema says afterwards.
    /// Cedar's own reading of JSON would do the same several times slower, with the schema at each value.
    fn expression(&self, value: &Value, nesting: usize) -> Result<RestrictedExpression, String> {
        let inner = nesting.checked_sub(1).ok_or("a value is nested too deep")?;
        match value {
            Value::String(text) => Ok(RestrictedExpression::new_string(text.clone())),
            Value::Bool(truth) => Ok(RestrictedExpression::new_bool(*truth)),
            Value::Number(number) => {
                number.as_i64().map(RestrictedExpression::new_long).ok_or_else(|| "a number is not a Long".to_owned())
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| self.expression(item, inner)).collect::<Result<Vec<_>, _>>()?;
                Ok(RestrictedExpression::new_set(items))
            }
            Value::Object(members) => match members.get("__entity") {
                Some(named) if members.len() == 1 => self.named(named),
                _ => {
                    let fields = members.iter().map(|(k, v)| Ok((k.clone(), self.expression(v, inner)?)));
                    let fields = fields.collect::<Result<Vec<_>, String>>()?;
                    RestrictedExpression::new_record(fields).map_err(|e| e.to_string())
                }
            },
            Value::Null => Err("a value is null; leave it out".to_owned()),
        }
    }

    fn named(&self, named: &Value) -> Result<RestrictedExpression, String> {
        let part = |name: &str| named.get(name).and_then(Value::as_str);
        match (part("type"), part("id")) {
            (Some(kind), Some(id)) => Ok(RestrictedExpression::new_entity_uid(self.uid(kind, id)?)),
            _ => Err("an entity is named by its type and id".to_owned()),
        }
    }
}

/// Enough of a name to recognise it, for an error text.
fn short(text: &str) -> String {
    text.chars().take(64).collect()
}
