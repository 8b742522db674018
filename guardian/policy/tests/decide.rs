//! What is answered to which question.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use bodh_policy::{Bundle, Entity, Policies, Request, Ruling, Verdict, kernel};
use serde_json::{Value, json};

const SCHEMA: &str = r#"
entity Person = { level: Long, names: Set<String>, friend?: Person, home?: { street: String, number: Long } };
entity Door = { owner: Person };
action open, close, paint appliesTo { principal: [Person], resource: [Door], context: { night: Bool, count?: Long } };
"#;

const POLICIES: &str = r#"
@id("open-own")
@reason("Owners open their doors.")
permit (principal, action == Action::"open", resource) when { resource.owner == principal };

@id("open-night")
@ask("approver")
@kind("night")
@reason("It is night.")
permit (principal, action == Action::"open", resource) when { context.night };

@id("open-low")
@ask("owner")
@signers("2")
@kind("level")
@reason("The level is low.")
permit (principal, action in [Action::"open"], resource) when { principal.level < 3 };

@id("never-mallory")
@reason("Mallory is not welcome.")
forbid (principal, action, resource) when { principal.names.contains("mallory") };

@id("close-any")
permit (principal, action == Action::"close", resource);

@id("close-overflow")
forbid (principal, action == Action::"close", resource)
when { context has count && context.count + 9223372036854775807 > 0 && context.night };
"#;

fn policies() -> Policies {
    Policies::load(&Bundle::new([("a.cedarschema", SCHEMA), ("b.cedar", POLICIES)]).unwrap()).unwrap()
}

fn person(id: &str, level: i64) -> Entity {
    Entity::new("Person", id).with("level", level).with("names", json!([id]))
}

fn door(owner: &str) -> Entity {
    Entity::new("Door", "front").with("owner", Entity::reference("Person", owner))
}

fn decide(principal: Entity, action: &str, resource: Entity, context: Value) -> Ruling {
    policies().decide(&Request { principal, action, resource, context })
}

fn day() -> Value {
    json!({ "night": false })
}

/// Denied for an error that says this, and not by a policy.
fn assert_invalid(ruling: &Ruling, what: &str) {
    assert_eq!((&ruling.verdict, ruling.policies.len(), ruling.errors.len()), (&Verdict::Deny, 0, 1), "{ruling:?}");
    assert!(ruling.errors[0].contains(what), "{ruling:?}");
    assert!(ruling.why().starts_with("denied: "), "{}", ruling.why());
}

#[test]
fn a_permit_allows_and_is_named() {
    let ruling = decide(person("ada", 5), "open", door("ada"), day());
    assert!(ruling.is_allowed());
    assert_eq!((ruling.policies.as_slice(), ruling.errors.len()), (["open-own".to_owned()].as_slice(), 0));
    assert_eq!(ruling.why(), "allowed by open-own: Owners open their doors.");
}

#[test]
fn nothing_allows_so_it_is_denied() {
    let ruling = decide(person("ada", 5), "open", door("bob"), day());
    assert_eq!(ruling.verdict, Verdict::Deny);
    assert_eq!(ruling.why(), "denied: no policy allows it");
    assert_eq!(decide(person("ada", 5), "paint", door("ada"), day()).why(), "denied: no policy allows it");
}

#[test]
fn a_forbid_wins_and_is_named() {
    let ruling = decide(person("mallory", 1), "open", door("mallory"), json!({ "night": true }));
    assert_eq!((ruling.verdict.clone(), ruling.policies.clone()), (Verdict::Deny, vec!["never-mallory".to_owned()]));
    assert_eq!(ruling.why(), "denied by never-mallory: Mallory is not welcome.");
}

#[test]
fn any_determining_ask_asks_and_all_are_listed() {
    let ruling = decide(person("ada", 1), "open", door("ada"), json!({ "night": true }));
    let Verdict::Ask(reasons) = &ruling.verdict else { panic!("{ruling:?}") };
    let shown: Vec<_> = reasons.iter().map(|r| (r.policy.as_str(), r.role.as_str(), r.kind.as_str())).collect();
    assert_eq!(shown, [("open-low", "owner", "level"), ("open-night", "approver", "night")]);
    assert_eq!(reasons[1].reason, "It is night.");
    assert_eq!((reasons[0].signers, reasons[1].signers), (2, 1), "one person decides unless the policy wants two");
    assert_eq!(ruling.policies, ["open-low", "open-night", "open-own"]);
    assert!(!ruling.is_allowed());
    let why = "asks approver and owner by open-low, open-night, open-own: The level is low. It is night. Owners open their doors.";
    assert_eq!(ruling.why(), why);
    // One alone is enough, also when a plain permit would allow.
    let ruling = decide(person("ada", 5), "open", door("ada"), json!({ "night": true }));
    assert!(matches!(&ruling.verdict, Verdict::Ask(reasons) if reasons.len() == 1));
}

#[test]
fn a_policy_that_fails_denies_although_cedar_would_allow() {
    assert!(decide(person("ada", 5), "close", door("ada"), day()).is_allowed());
    let ruling = decide(person("ada", 5), "close", door("ada"), json!({ "night": false, "count": 1 }));
    assert_eq!((ruling.verdict.clone(), ruling.errors.len()), (Verdict::Deny, 1));
    assert!(ruling.errors[0].contains("close-overflow") && ruling.errors[0].contains("overflow"), "{ruling:?}");
    assert_eq!(ruling.policies, ["close-any"], "what Cedar would have gone by");
}

#[test]
fn unknown_words_are_denied_with_the_word() {
    assert_invalid(&decide(person("ada", 5), "eat", door("ada"), day()), "unknown action \"eat\"");
    assert_invalid(&decide(person("ada", 5), "", door("ada"), day()), "unknown action");
    let ghost = Entity::new("Ghost", "g");
    assert_invalid(&decide(ghost.clone(), "open", door("ada"), day()), "unknown kind \"Ghost\"");
    assert_invalid(&decide(person("ada", 5), "open", ghost, day()), "unknown kind \"Ghost\"");
    assert_invalid(&decide(door("ada"), "open", door("ada"), day()), "the request to open");
    assert_invalid(&decide(person("ada", 5), "open", person("ada", 5), day()), "the request to open");
    let stranger = Entity::new("Door", "d").with("owner", Entity::reference("Ghost", "g"));
    assert_invalid(&decide(person("ada", 5), "open", stranger, day()), "unknown kind");
    let long = "x".repeat(10_000);
    let ruling = decide(person("ada", 5), &long, door("ada"), day());
    assert!(ruling.errors[0].len() < 100, "an error does not repeat what it was sent");
}

#[test]
fn attributes_are_exactly_those_of_the_schema() {
    let with = |principal: Entity| decide(principal, "open", door("ada"), day());
    let ada = || person("ada", 5);
    assert!(with(ada().with("friend", Entity::reference("Person", "bob"))).is_allowed());
    assert!(with(ada().with("home", json!({ "street": "a", "number": 1 }))).is_allowed());
    for wrong in [
        Entity::new("Person", "ada"),
        Entity::new("Person", "ada").with("level", 5),
        ada().with("height", 3),
        ada().with("level", "5"),
        ada().with("names", "ada"),
        ada().with("names", json!([1])),
        ada().with("names", json!(["a", 1])),
        ada().with("friend", "bob"),
        ada().with("friend", Entity::reference("Door", "front")),
        ada().with("home", json!({ "street": "a" })),
        ada().with("home", json!({ "street": "a", "number": 1, "flat": 2 })),
    ] {
        assert_invalid(&with(wrong), "entity of open");
    }
    assert_invalid(&with(ada().with("level", 1.5)), "not a Long");
    assert_invalid(&with(ada().with("level", u64::MAX)), "not a Long");
    assert_invalid(&with(ada().with("friend", Value::Null)), "null");
    assert_invalid(&with(ada().with("friend", json!({ "__entity": { "type": "Person" } }))), "type and id");
    assert_invalid(&with(ada().with("names", (0..12).fold(json!("a"), |inner, _| json!([inner])))), "too deep");
    assert_invalid(&with(Entity { id: String::new(), ..ada() }), "1 to 256 bytes");
    assert_invalid(&with(Entity { id: "x".repeat(257), ..ada() }), "1 to 256 bytes");
}

#[test]
fn the_context_is_exactly_that_of_the_schema() {
    for wrong in [
        json!({}),
        json!(null),
        json!([]),
        json!("night"),
        json!({ "night": 1 }),
        json!({ "night": "false" }),
        json!({ "night": null }),
        json!({ "night": false, "approved": true }),
        json!({ "night": false, "count": 1.5 }),
        json!({ "night": false, "count": u64::MAX }),
    ] {
        assert_invalid(&decide(person("ada", 5), "open", door("ada"), wrong), "open");
    }
}

#[test]
fn an_id_is_only_an_id() {
    // Nothing in an id is read as Cedar.
    let evil = "ada\" || true || \"";
    assert!(!decide(person(evil, 5), "open", door("ada"), day()).is_allowed());
    assert!(decide(person(evil, 5), "open", door(evil), day()).is_allowed());
}

#[test]
fn a_ruling_is_written_as_json_for_the_log() {
    let ruling = decide(person("ada", 5), "open", door("bob"), json!({ "night": true }));
    let expected = json!({
        "verdict": { "ask": [{ "policy": "open-night", "role": "approver", "kind": "night", "reason": "It is night.", "signers": 1 }] },
        "policies": ["open-night"], "reasons": ["It is night."], "errors": [],
    });
    assert_eq!(serde_json::to_value(&ruling).unwrap(), expected);
}

#[test]
fn the_kernel_lets_agents_report_and_follow_only() {
    let policies = Policies::load(&kernel()).unwrap();
    let log = || Entity::new("Log", "log");
    let registry = || Entity::new("Registry", "registry");
    let ask = |principal, action, resource| {
        policies.decide(&Request { principal, action, resource, context: json!({}) }).verdict
    };
    let agent = || Entity::agent("any");
    assert_eq!(ask(agent(), "append", log()), Verdict::Allow);
    assert_eq!(ask(agent(), "trust", registry()), Verdict::Allow);
    assert_eq!(ask(agent(), "watch", registry()), Verdict::Allow);
    assert_eq!(ask(agent(), "read", log()), Verdict::Deny);
    assert_eq!(ask(agent(), "checkpoint", log()), Verdict::Deny);
    assert_eq!(ask(agent(), "list", registry()), Verdict::Deny);
    assert_eq!(ask(Entity::human("ada", ["operator"], "local_key"), "revoke", registry()), Verdict::Allow);
    assert_eq!(ask(Entity::human("ada", ["owner"], "local_key"), "revoke", registry()), Verdict::Deny);
    assert_eq!(ask(Entity::service("other"), "append", log()), Verdict::Deny);
}
