//! From a bundle to policies that can be asked: parse, check, validate, index by action.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cedar_policy::{
    ActionConstraint, Effect, Entities, EntityUid, Policy, PolicyId, PolicySet, Schema, SchemaFragment, ValidationMode,
    Validator,
};

use crate::bundle::Bundle;
use crate::problem::{LoadError, Problem};
use crate::ruling::Reason;

/// What a ruling says about a policy.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) id: String,
    pub(crate) ask: Option<Reason>,
    pub(crate) reason: Option<String>,
}

/// A loaded bundle. See [`crate::Policies`].
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) schema: Schema,
    pub(crate) all: PolicySet,
    pub(crate) labels: HashMap<PolicyId, Label>,
    pub(crate) slices: HashMap<String, Slice>,
}

/// The policies that can apply to one action.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) action: EntityUid,
    pub(crate) policies: PolicySet,
}

/// A parsed policy and its place.
struct Placed<'a> {
    file: &'a str,
    text: &'a str,
    policy: Policy,
}

impl Placed<'_> {
    fn problem(&self, what: impl Into<String>) -> Problem {
        Problem::at(self.file, self.text, self.policy.as_ref().loc().map_or(0, |loc| loc.start()), what)
    }
}

impl Loaded {
    pub(crate) fn load(bundle: &Bundle) -> Result<Self, LoadError> {
        let schema = schema(bundle)?;
        let placed = parse(bundle)?;
        let labelled = label(&placed)?;

        let mut all = PolicySet::new();
        let mut labels = HashMap::new();
        let mut places = HashMap::new();
        for (place, label) in placed.iter().zip(labelled) {
            let id = PolicyId::new(&label.id);
            all.add(place.policy.new_id(id.clone())).map_err(|e| LoadError(vec![place.problem(e.to_string())]))?;
            labels.insert(id.clone(), label);
            places.insert(id, place);
        }
        validate(&schema, &all, &places)?;
        let slices = slices(&schema, &all).map_err(|what| LoadError(vec![Problem::at("schema", "", 0, what)]))?;
        Ok(Self { schema, all, labels, slices })
    }
}

/// All schema files together: a type or an action may be declared once.
fn schema(bundle: &Bundle) -> Result<Schema, LoadError> {
    let mut fragments = Vec::new();
    let mut problems = Vec::new();
    let files: Vec<_> = bundle.files().filter(|(name, _)| name.ends_with(".cedarschema")).collect();
    for (name, text) in &files {
        match SchemaFragment::from_cedarschema_str(text) {
            Ok((fragment, warnings)) => {
                problems.extend(warnings.map(|warning| Problem::of(name, text, &warning)));
                fragments.push(fragment);
            }
            Err(error) => problems.push(Problem::of(name, text, &error)),
        }
    }
    if let Some((name, text)) = files.last()
        && problems.is_empty()
    {
        return Schema::from_schema_fragments(fragments).map_err(|e| LoadError(vec![Problem::of(name, text, &e)]));
    }
    if files.is_empty() {
        problems.push(Problem::at("bundle", "", 0, "it has no .cedarschema file; policies are never used unchecked"));
    }
    Err(LoadError(problems))
}

fn parse(bundle: &Bundle) -> Result<Vec<Placed<'_>>, LoadError> {
    let mut placed = Vec::new();
    let mut problems = Vec::new();
    for (file, text) in bundle.files().filter(|(name, _)| name.ends_with(".cedar")) {
        match text.parse::<PolicySet>() {
            Ok(set) => {
                let mut policies: Vec<_> =
                    set.policies().map(|policy| Placed { file, text, policy: policy.clone() }).collect();
                policies.sort_by_key(|place| place.policy.as_ref().loc().map(|loc| loc.start()));
                placed.extend(policies);
                problems.extend(set.templates().map(|template| {
                    let what = "templates are not used here; write a policy without ?principal and ?resource";
                    Problem::at(file, text, template.as_ref().loc().map_or(0, |loc| loc.start()), what)
                }));
            }
            Err(errors) => problems.push(Problem::of(file, text, &errors)),
        }
    }
    if problems.is_empty() && placed.is_empty() {
        problems.push(Problem::at("bundle", "", 0, "it has no policy"));
    }
    if problems.is_empty() { Ok(placed) } else { Err(LoadError(problems)) }
}

/// The annotations of each policy. A misspelt one would be without effect (`@aks` would allow what nobody was asked
/// about), so only five are known, and each only where it has a meaning.
fn label(placed: &[Placed<'_>]) -> Result<Vec<Label>, LoadError> {
    let mut labels = Vec::new();
    let mut problems = Vec::new();
    let mut seen = BTreeMap::new();
    for place in placed {
        match label_one(&place.policy) {
            Ok(label) => {
                if let Some(first) = seen.insert(label.id.clone(), place.file) {
                    problems.push(place.problem(format!("@id(\"{}\") is used already, in {first}", label.id)));
                }
                labels.push(label);
            }
            Err(what) => problems.push(place.problem(what)),
        }
    }
    if problems.is_empty() { Ok(labels) } else { Err(LoadError(problems)) }
}

fn label_one(policy: &Policy) -> Result<Label, String> {
    let annotations: BTreeMap<&str, &str> = policy.annotations().collect();
    let known = BTreeSet::from(["ask", "id", "kind", "reason", "signers"]);
    if let Some(unknown) = annotations.keys().find(|key| !known.contains(*key)) {
        return Err(format!("unknown annotation @{unknown}; there are @id, @ask, @kind, @reason and @signers"));
    }
    let id = *annotations.get("id").ok_or("the policy has no @id(\"...\")")?;
    if !is_word(id) {
        return Err(format!("@id({id:?}) is not a word of a-z, 0-9, - and _"));
    }
    let reason = annotations.get("reason").map(|text| (*text).to_owned());
    if reason.as_deref().is_some_and(|text| text.trim().is_empty()) {
        return Err("@reason is empty".to_owned());
    }
    // One is what every @ask means; nothing here could count to three.
    let signers = match (annotations.get("signers"), annotations.contains_key("ask")) {
        (None, _) => 1,
        (Some(&"2"), true) => 2,
        (Some(_), true) => return Err("@signers is \"2\", or left out".to_owned()),
        (Some(_), false) => return Err("@signers has no meaning without @ask".to_owned()),
    };
    let ask = match (annotations.get("ask"), annotations.get("kind"), &reason) {
        (None, None, _) => None,
        (None, Some(_), _) => return Err("@kind has no meaning without @ask".to_owned()),
        (Some(_), _, _) if policy.effect() == Effect::Forbid => {
            return Err("a forbid cannot @ask: it forbids; write a permit with @ask".to_owned());
        }
        (Some(role), Some(kind), Some(reason)) if is_word(role) && is_word(kind) => Some(Reason {
            policy: id.to_owned(),
            role: (*role).to_owned(),
            kind: (*kind).to_owned(),
            reason: reason.clone(),
            signers,
        }),
        (Some(_), Some(_), Some(_)) => return Err("@ask and @kind are words of a-z, 0-9, - and _".to_owned()),
        (Some(_), _, _) => return Err("@ask needs a @kind and a @reason".to_owned()),
    };
    Ok(Label { id: id.to_owned(), ask, reason })
}

fn is_word(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(inside)
}

/// Strict validation; a warning (a policy that can never apply, a look-alike character) is refused too.
fn validate(schema: &Schema, all: &PolicySet, places: &HashMap<PolicyId, &Placed<'_>>) -> Result<(), LoadError> {
    let result = Validator::new(schema.clone()).validate(all, ValidationMode::Strict);
    let at = |id: &PolicyId, error: &dyn miette::Diagnostic| match places.get(id) {
        Some(place) if error.labels().is_some_and(|mut labels| labels.next().is_some()) => {
            Problem::of(place.file, place.text, error)
        }
        Some(place) => place.problem(error.to_string()),
        None => Problem::at("bundle", "", 0, error.to_string()),
    };
    let mut problems: Vec<_> = result.validation_errors().map(|error| at(error.policy_id(), error)).collect();
    // What is wrong is often impossible as well, and that would only be said twice.
    if problems.is_empty() {
        problems.extend(result.validation_warnings().map(|warning| at(warning.policy_id(), warning)));
    }
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    if problems.is_empty() { Ok(()) } else { Err(LoadError(problems)) }
}

/// For each action the policies whose scope can match it. Cedar's decision is linear in the policies it is given, and
/// a policy whose action constraint does not match can neither determine a decision nor fail.
fn slices(schema: &Schema, all: &PolicySet) -> Result<HashMap<String, Slice>, String> {
    let groups = schema.action_entities().map_err(|e| e.to_string())?;
    let mut slices = HashMap::new();
    for action in schema.actions() {
        let matching = all.policies().filter(|policy| covers(&policy.action_constraint(), action, &groups)).cloned();
        let policies = PolicySet::from_policies(matching).map_err(|e| e.to_string())?;
        slices.insert(action.id().unescaped().to_owned(), Slice { action: action.clone(), policies });
    }
    Ok(slices)
}

fn covers(constraint: &ActionConstraint, action: &EntityUid, groups: &Entities) -> bool {
    let is_in = |group: &EntityUid| group == action || groups.is_ancestor_of(group, action);
    match constraint {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(one) => one == action,
        ActionConstraint::In(many) => many.iter().any(is_in),
    }
}
