//! Who may do what, as a table that people read: `golden/permissions`. `UPDATE_GOLDEN=1` rewrites it, and the diff of a
//! policy change is then the change of this table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bodh_policy::{Bundle, Entity, Policies, Request, Ruling, Verdict};
use serde_json::{Value, json};

const AGENTS: [&str; 6] =
    ["intake", "supervisor", "test_planner", "diagnostician", "reasoning_verifier", "cost_guardian"];

/// A column of the table.
struct Who {
    heading: &'static str,
    entity: Entity,
}

/// A row of the table: an action under a condition, on a resource and in a context that may depend on who asks.
struct Row {
    action: &'static str,
    condition: &'static str,
    resource: Box<dyn Fn(&Entity) -> Entity>,
    context: Box<dyn Fn(&Entity) -> Value>,
}

fn panel() -> Policies {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/policies");
    let files = std::fs::read_dir(folder).expect("deploy/policies").map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a file name").to_owned();
        (name, std::fs::read_to_string(&path).expect("a policy file"))
    });
    let bundle = bodh_policy::kernel().merge(Bundle::new(files).expect("a bundle")).expect("no clash");
    Policies::load(&bundle).unwrap_or_else(|error| panic!("{error}"))
}

fn columns() -> Vec<Who> {
    let human = |roles: &[&str]| Entity::human("p", roles.iter().copied(), "webauthn");
    let who = |heading, entity| Who { heading, entity };
    vec![
        who("guardian", Entity::service("guardian")),
        who("audit", Entity::service("audit")),
        who("orchestr.", Entity::service("orchestrator")),
        who("console", Entity::service("console")),
        who("other svc", Entity::service("other")),
        who("any agent", Entity::agent("diagnostician")),
        who("stranger", human(&[])),
        who("clinician", human(&["clinician"])),
        who("physician", human(&["physician"])),
        who("complian.", human(&["compliance"])),
        who("operator", human(&["operator"])),
    ]
}

fn row(action: &'static str, condition: &'static str, resource: Entity, context: Value) -> Row {
    Row {
        action,
        condition,
        resource: Box::new(move |_| resource.clone()),
        context: Box::new(move |_| context.clone()),
    }
}

/// The person who asks, or somebody if it is not a person.
fn same(who: &Entity) -> Value {
    Entity::reference("Human", if who.kind == "Human" { &who.id } else { "x" })
}

fn other() -> Value {
    Entity::reference("Human", "x")
}

fn kernel_rows() -> Vec<Row> {
    let log = || Entity::new("Log", "log");
    let registry = || Entity::new("Registry", "registry");
    let session = || Entity::new("Session", "s").with("owner", other());
    let mut rows = Vec::new();
    for action in ["append", "checkpoint", "read"] {
        rows.push(row(action, "", log(), json!({})));
    }
    for action in ["renew_session", "spend", "close_session", "erase_session"] {
        rows.push(row(action, "", session(), json!({})));
    }
    for (condition, purpose, standing) in [
        ("for a case", "diagnosis", false),
        ("for a case, standing", "diagnosis", true),
        ("for review rules, standing", "review_rules", true),
    ] {
        rows.push(row("open_session", condition, session(), json!({ "purpose": purpose, "standing": standing })));
    }
    let spend = |kind: &str, signers: u32, over: u32| json!({ "kind": kind, "signers": signers, "over_cents": over });
    let over_budget = move || spend("over_budget", 1, 100_000);
    rows.push(row("approve_spend", "somebody else's session", session(), over_budget()));
    rows.push(row("approve_spend", "approved for another limit", session(), spend("over_test_threshold", 1, 0)));
    rows.push(row("approve_spend", "$1,000.01 over, as over budget", session(), spend("over_budget", 2, 100_001)));
    rows.push(row("approve_spend", "far over budget, one signer", session(), spend("far_over_budget", 1, 100_001)));
    rows.push(row("approve_spend", "far over budget, two signers", session(), spend("far_over_budget", 2, 100_001)));
    rows.push(row("reopen_session", "somebody else's session", session(), json!({})));
    for (action, context) in [("approve_spend", over_budget()), ("reopen_session", json!({}))] {
        rows.push(Row {
            action,
            condition: "their own session",
            resource: Box::new(|who| Entity::new("Session", "s").with("owner", same(who))),
            context: Box::new(move |_| context.clone()),
        });
    }
    for action in ["trust", "watch", "list", "revoke"] {
        rows.push(row(action, "", registry(), json!({})));
    }
    let people = [("enroll", "somebody else", "themselves"), ("change_keys", "somebody else's", "their own")];
    for (action, others, own) in people {
        rows.push(row(action, others, registry(), json!({ "subject": other() })));
        rows.push(Row {
            action,
            condition: own,
            resource: Box::new(move |_| registry()),
            context: Box::new(|who| json!({ "subject": same(who) })),
        });
    }
    rows
}

fn agent_rows() -> Vec<Row> {
    let tool = |agent: &str, name: &str| Entity::new("Tool", name).with("agent", agent).with("name", name);
    let context = |present: bool, token_tool: &str, purpose: &str| json!({ "token_present": present, "token_tool": token_tool, "purpose": purpose });
    let mut rows = Vec::new();
    for (condition, agent, name) in [
        ("intake: extract", "intake", "extract"),
        ("diagnostician: differential", "diagnostician", "differential"),
        ("verifier: second_opinion", "reasoning_verifier", "second_opinion"),
        ("verifier: verify", "reasoning_verifier", "verify"),
        ("test_planner: plan", "test_planner", "plan"),
        ("cost_guardian: price", "cost_guardian", "price"),
        ("supervisor: next", "supervisor", "next"),
        ("another agent's tool", "cost_guardian", "differential"),
        ("an unknown agent", "stranger", "differential"),
    ] {
        rows.push(row("ask", condition, tool(agent, name), context(true, name, "diagnosis")));
    }
    let plan = || tool("test_planner", "plan");
    rows.push(row("ask", "without a token", plan(), context(false, "", "")));
    rows.push(row("ask", "token for another tool", plan(), context(true, "verify", "diagnosis")));
    rows.push(row("ask", "token for another purpose", plan(), context(true, "plan", "research")));
    rows.push(row("dismiss", "", tool("test_planner", "dismiss"), json!({})));
    rows
}

fn people_rows() -> Vec<Row> {
    let panel = || Entity::new("Panel", "panel");
    let mut rows = Vec::new();
    for action in ["convene", "inbox", "rules", "status", "find_patient"] {
        rows.push(row(action, "", panel(), json!({})));
    }
    for (condition, all) in [("their own", false), ("everybody's", true)] {
        rows.push(row("sessions", condition, panel(), json!({ "all": all })));
    }
    for action in ["report", "note", "stop", "amend", "export", "replay", "review"] {
        for (condition, owner) in
            [("of their own session", same as fn(&Entity) -> Value), ("of another's", |_| other())]
        {
            rows.push(Row {
                action,
                condition,
                resource: Box::new(move |who| Entity::new("Session", "s").with("owner", owner(who))),
                context: Box::new(|_| json!({})),
            });
        }
    }
    for action in ["open", "decide"] {
        for (condition, requester) in
            [("requested by another", (|_| other()) as fn(&Entity) -> Value), ("requested by themselves", same)]
        {
            rows.push(Row {
                action,
                condition,
                resource: Box::new(move |who| {
                    Entity::new("Escalation", "e")
                        .with("requester", requester(who))
                        .with("kind", "dissent")
                        .with("asked_by", json!([]))
                        .with("approved_by", json!([]))
                }),
                context: Box::new(|_| json!({})),
            });
        }
        for (condition, barred, free) in [
            ("a test they asked for", "asked_by", "approved_by"),
            ("approved by them already", "approved_by", "asked_by"),
        ] {
            rows.push(Row {
                action,
                condition,
                resource: Box::new(move |who| {
                    Entity::new("Escalation", "e")
                        .with("requester", other())
                        .with("kind", "far_over_budget")
                        .with(barred, json!([same(who)]))
                        .with(free, json!([]))
                }),
                context: Box::new(|_| json!({})),
            });
        }
    }
    rows.push(row("mark_incident", "", Entity::new("Incident", "i"), json!({})));
    rows.push(row("reverse_rule", "", Entity::new("Rule", "r"), json!({})));
    rows
}

fn cost_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for action in ["propose", "order"] {
        let (budget, limit, price) = ("over_budget", "over_test_threshold", "unknown_price");
        for (condition, price, remaining, threshold, approved) in [
            ("$500 of $500 left", Some(50_000), 50_000, None, vec![]),
            ("$500 of $499.99 left", Some(50_000), 49_999, None, vec![]),
            ("$500.01 of $2,500 left", Some(50_001), 250_000, None, vec![]),
            ("$500.01 of $500 left", Some(50_001), 50_000, None, vec![]),
            ("$200, session's limit $100", Some(20_000), 250_000, Some(10_000), vec![]),
            ("$600, session's limit $900", Some(60_000), 250_000, Some(90_000), vec![]),
            ("no known price", None, 250_000, None, vec![]),
            ("$1,010 of $10 left", Some(101_000), 1_000, None, vec![limit]),
            ("$1,010.01 of $10 left", Some(101_001), 1_000, None, vec![limit, budget]),
            ("$1,010.01 of $10, far approved", Some(101_001), 1_000, None, vec![limit, "far_over_budget"]),
            ("$600 of $10, both approved", Some(60_000), 1_000, None, vec![budget, limit]),
            ("$600 of $10, limit approved", Some(60_000), 1_000, None, vec![limit]),
            ("no known price, approved", None, 250_000, None, vec![price]),
            ("a negative price", Some(-1), 250_000, None, vec![budget, limit]),
        ] {
            let mut context = json!({
                "price_known": price.is_some(), "price_cents": price.unwrap_or(0), "remaining_cents": remaining,
                "approved_kinds": approved,
            });
            if let Some(threshold) = threshold {
                context["test_threshold_cents"] = json!(threshold);
            }
            rows.push(row(action, condition, Entity::new("Order", "o"), context));
        }
    }
    rows
}

fn conclusion_rows() -> Vec<Row> {
    const KINDS: [&str; 6] =
        ["rare_diagnosis", "dissent", "low_confidence", "red_flag", "review_rule", "refuted_claim"];
    let plain = json!({
        "rare": false, "prevalence_known": true, "dissent_permille": 480, "leading_permille": 500, "red_flag": false,
        "rule_matches": 0, "refuted_open": 0, "approved_kinds": [],
    });
    let all = json!({
        "rare": true, "dissent_permille": 481, "leading_permille": 499, "red_flag": true, "rule_matches": 1,
        "refuted_open": 1,
    });
    let mut rows = Vec::new();
    let mut push = |condition, changes: &[&Value]| {
        let mut context = plain.clone();
        for (name, value) in changes.iter().filter_map(|change| change.as_object()).flatten() {
            context[name] = value.clone();
        }
        rows.push(row("conclude", condition, Entity::new("Conclusion", "c"), context));
    };
    push("common, agreed, 50 %", &[]);
    push("rare", &[&json!({ "rare": true })]);
    push("prevalence not known", &[&json!({ "prevalence_known": false })]);
    push("dissent 48.1 %", &[&json!({ "dissent_permille": 481 })]);
    push("leading at 49.9 %", &[&json!({ "leading_permille": 499 })]);
    push("a red flag", &[&json!({ "red_flag": true })]);
    push("a review rule applies", &[&json!({ "rule_matches": 1 })]);
    push("a refuted claim", &[&json!({ "refuted_open": 1 })]);
    push("all of these", &[&all]);
    push("all, rare approved", &[&all, &json!({ "approved_kinds": ["rare_diagnosis"] })]);
    push("all, all approved", &[&all, &json!({ "approved_kinds": KINDS })]);
    push("rare, dissent approved", &[&json!({ "rare": true, "approved_kinds": ["dissent"] })]);
    push("a share of 100.1 %", &[&json!({ "leading_permille": 1001 })]);
    let session = || Entity::new("Session", "s").with("owner", other());
    for (condition, concluded, open) in
        [("concluded, nothing open", true, 0), ("concluded, one open", true, 1), ("not concluded", false, 0)]
    {
        rows.push(row("release", condition, session(), json!({ "concluded": concluded, "open_escalations": open })));
    }
    rows
}

fn ask(policies: &Policies, row: &Row, who: &Entity) -> Ruling {
    let request = Request {
        principal: who.clone(),
        action: row.action,
        resource: (row.resource)(who),
        context: (row.context)(who),
    };
    let ruling = policies.decide(&request);
    assert_eq!(ruling.errors, Vec::<String>::new(), "{} {}: a valid question", row.action, row.condition);
    ruling
}

/// One line of the table, and the kinds of question that it asks.
fn line(policies: &Policies, row: &Row) -> String {
    let mut text = format!("{:<14} {:<28}", row.action, row.condition);
    let mut kinds = BTreeSet::new();
    for who in columns() {
        let cell = match ask(policies, row, &who.entity).verdict {
            Verdict::Allow => "allow",
            Verdict::Deny => "-",
            Verdict::Ask(reasons) => {
                let said = |reason: bodh_policy::Reason| match reason.signers {
                    1 => format!("{} ({})", reason.kind, reason.role),
                    n => format!("{} ({n} different: {})", reason.kind, reason.role),
                };
                kinds.extend(reasons.into_iter().map(said));
                "ASK"
            }
        };
        let _ = write!(text, " {cell:<9}");
    }
    if !kinds.is_empty() {
        let _ = write!(text, " {}", Vec::from_iter(kinds).join(", "));
    }
    text.trim_end().to_owned()
}

fn table(policies: &Policies) -> String {
    let mut text = String::from(
        "Who may do what. Made from guardian/policy/policies and deploy/policies by tests/tests/permissions.rs;\n\
         UPDATE_GOLDEN=1 rewrites it. allow: it is done; ASK: a person decides, on what the last column says; -: refused.\n\
         One column stands for all agents: the test checks that they do not differ.\n",
    );
    for (heading, rows) in [
        ("The kernel: log, sessions, identities, people", kernel_rows()),
        ("The agents", agent_rows()),
        ("People", people_rows()),
        ("Costs", cost_rows()),
        ("Conclusions", conclusion_rows()),
    ] {
        let _ = write!(text, "\n{heading}\n{:<14} {:<28}", "action", "condition");
        for who in columns() {
            let _ = write!(text, " {:<9}", who.heading);
        }
        let _ = writeln!(text, " asks");
        for row in rows {
            let _ = writeln!(text, "{}", line(policies, &row));
        }
    }
    text
}

fn all_rows() -> Vec<Row> {
    [kernel_rows(), agent_rows(), people_rows(), cost_rows(), conclusion_rows()].into_iter().flatten().collect()
}

#[test]
fn the_permission_table_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/permissions");
    let table = table(&panel());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &table).expect("golden/permissions is written");
    }
    let golden = std::fs::read_to_string(path).expect("golden/permissions; UPDATE_GOLDEN=1 writes it");
    assert!(table == golden, "permissions changed; read the difference, then UPDATE_GOLDEN=1:\n{table}");
}

#[test]
fn every_action_has_a_row() {
    let policies = panel();
    let shown: BTreeSet<String> = all_rows().iter().map(|row| row.action.to_owned()).collect();
    let known: BTreeSet<String> = policies.cedar().0.actions().map(|uid| uid.id().unescaped().to_owned()).collect();
    assert_eq!(shown, known);
}

#[test]
fn all_agents_are_alike() {
    let policies = panel();
    for row in all_rows() {
        let rulings = AGENTS.map(|agent| ask(&policies, &row, &Entity::agent(agent)));
        assert!(rulings.iter().all(|ruling| *ruling == rulings[0]), "{} {}", row.action, row.condition);
    }
}

#[test]
fn only_ones_own_passkeys_change() {
    let (policies, rows) = (panel(), all_rows());
    let may = |condition: &str, assurance: &str| {
        let row = rows.iter().find(|row| (row.action, row.condition) == ("change_keys", condition)).expect("a row");
        ask(&policies, row, &Entity::human("p", ["clinician"], assurance)).is_allowed()
    };
    assert!(may("their own", "webauthn") && !may("their own", "local_key") && !may("somebody else's", "webauthn"));
}

#[test]
fn a_decision_signed_in_an_unknown_way_is_refused() {
    let policies = panel();
    let decide = people_rows().into_iter().find(|row| row.action == "decide").expect("a row");
    for (assurance, allowed) in [("local_key", true), ("webauthn", true), ("password", false), ("", false)] {
        let who = Entity::human("p", ["physician"], assurance);
        let ruling = ask(&policies, &decide, &who);
        assert_eq!(ruling.is_allowed(), allowed, "{assurance:?}: {}", ruling.why());
    }
}
