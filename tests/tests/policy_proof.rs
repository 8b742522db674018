//! Proofs about the policies, over all inputs: every id, attribute, context and entity store that the schema admits, by
//! symbolic compilation and an SMT solver (cedar-policy-symcc, cvc5), for every request environment of the schema.
//!
//! The strongest property about agents comes first: *the permits alone*, with every `forbid` taken away, never reach an
//! agent except to append, trust and watch. It implies the same for all policies together, since a `forbid` can only
//! take away; and unlike a proof of the whole, it cannot be kept true by a `forbid` that hides a bad permit. The second
//! property is the other half of the defence: *the forbids alone* hold, whatever permit is ever added.
//!
//! "Allows" includes `@ask`: for Cedar a policy with `@ask` is a permit, so what is proved never to be allowed is never
//! asked either.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use cedar_policy::{Effect, Policy, PolicyId, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet};

/// All that an agent may ever do.
const AGENT_MAY: [&str; 3] = ["append", "trust", "watch"];
/// What must be among the things that are proved impossible for an agent, so that the proof is not about nothing.
const AGENT_NEVER: [&str; 29] = [
    "ask",
    "change_keys",
    "checkpoint",
    "close_session",
    "conclude",
    "convene",
    "decide",
    "dismiss",
    "enroll",
    "erase_session",
    "find_patient",
    "inbox",
    "list",
    "mark_incident",
    "open",
    "open_session",
    "order",
    "propose",
    "read",
    "release",
    "renew_session",
    "report",
    "reverse_rule",
    "revoke",
    "rules",
    "spend",
    "approve_spend",
    "reopen_session",
    "status",
];
/// What a careless change would add.
const PLANTED: &str = "permit (principal, action, resource);";

type Solver = CedarSymCompiler<LocalSolver>;

fn solver() -> Solver {
    let cvc5 = LocalSolver::cvc5().expect(
        "the policy proofs need the cvc5 solver: install it (Debian and Ubuntu: apt-get install cvc5) or set CVC5 to its path; \
         tests/run does this",
    );
    CedarSymCompiler::new(cvc5).expect("a fresh solver")
}

/// The policies that the panel runs with: the kernel's and the domain's.
fn panel() -> (Schema, PolicySet) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/policies");
    let files = std::fs::read_dir(folder).expect("deploy/policies").map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a file name").to_owned();
        (name, std::fs::read_to_string(&path).expect("a policy file"))
    });
    let bundle = bodh_policy::kernel().merge(bodh_policy::Bundle::new(files).expect("a bundle")).expect("no clash");
    let policies = bodh_policy::Policies::load(&bundle).unwrap_or_else(|error| panic!("{error}"));
    let (schema, set) = policies.cedar();
    (schema.clone(), set.clone())
}

fn select(set: &PolicySet, keep: impl Fn(&Policy) -> bool) -> PolicySet {
    PolicySet::from_policies(set.policies().filter(|policy| keep(policy)).cloned()).expect("a subset")
}

fn permits(set: &PolicySet) -> PolicySet {
    select(set, |policy| policy.effect() == Effect::Permit)
}

fn without(set: &PolicySet, id: &str) -> PolicySet {
    let rest = select(set, |policy| policy.id() != &PolicyId::new(id));
    assert_eq!(rest.num_of_policies() + 1, set.num_of_policies(), "there is a policy {id}");
    rest
}

fn with(set: &PolicySet, text: &str) -> PolicySet {
    let mut more = set.clone();
    more.add(Policy::parse(Some(PolicyId::new("planted")), text).expect("a policy")).expect("a new id");
    more
}

fn only(text: &str) -> PolicySet {
    with(&PolicySet::new(), text)
}

fn name(env: &RequestEnv) -> String {
    format!("{} {} {}", env.principal(), env.action().id().unescaped(), env.resource())
}

fn envs(schema: &Schema, wanted: impl Fn(&str, &str) -> bool) -> Vec<RequestEnv> {
    let mut found: Vec<_> = schema
        .request_envs()
        .filter(|env| wanted(&env.principal().to_string(), env.action().id().unescaped()))
        .collect();
    found.sort_by_key(name);
    assert!(!found.is_empty(), "a property about no environment is not a property");
    found
}

fn agent_acts(schema: &Schema) -> Vec<RequestEnv> {
    envs(schema, |principal, action| principal == "Agent" && !AGENT_MAY.contains(&action))
}

fn deciding_without_a_human(schema: &Schema) -> Vec<RequestEnv> {
    envs(schema, |principal, action| principal != "Human" && action == "decide")
}

/// The environments in which some input is allowed: empty is a proof.
async fn reached(schema: &Schema, set: &PolicySet, envs: &[RequestEnv]) -> Vec<String> {
    let mut solver = solver();
    let mut found = Vec::new();
    for env in envs {
        let compiled = CompiledPolicySet::compile(set, env, schema).expect("a well-typed policy set");
        if !solver.check_always_denies_opt(&compiled).await.expect("the solver answers") {
            found.push(name(env));
        }
    }
    found
}

/// Whether, in every one of these environments, whatever `one` allows `other` allows too.
async fn implies(schema: &Schema, one: &PolicySet, other: &PolicySet, envs: &[RequestEnv]) -> bool {
    let mut solver = solver();
    let mut all = true;
    for env in envs {
        let compile = |set| CompiledPolicySet::compile(set, env, schema).expect("a well-typed policy set");
        all &= solver.check_implies_opt(&compile(one), &compile(other)).await.expect("the solver answers");
    }
    all
}

/// Whether, in every one of these environments, nothing is allowed by both.
async fn disjoint(schema: &Schema, one: &PolicySet, other: &PolicySet, envs: &[RequestEnv]) -> bool {
    let mut solver = solver();
    let mut all = true;
    for env in envs {
        let compile = |set| CompiledPolicySet::compile(set, env, schema).expect("a well-typed policy set");
        all &= solver.check_disjoint_opt(&compile(one), &compile(other)).await.expect("the solver answers");
    }
    all
}

#[tokio::test]
async fn no_permit_reaches_an_agent_even_without_any_forbid() {
    let (schema, set) = panel();
    let acts = agent_acts(&schema);
    for action in AGENT_NEVER {
        assert!(acts.iter().any(|env| env.action().id().unescaped() == action), "{action} is among what is proved");
    }
    assert_eq!(reached(&schema, &permits(&set), &acts).await, Vec::<String>::new());
    // It follows for all policies together; proved all the same, since it is the sentence that people read.
    assert_eq!(reached(&schema, &set, &acts).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_agent_can_append_trust_and_watch() {
    let (schema, set) = panel();
    let may = envs(&schema, |principal, action| principal == "Agent" && AGENT_MAY.contains(&action));
    assert_eq!(
        reached(&schema, &set, &may).await,
        ["Agent append Log", "Agent trust Registry", "Agent watch Registry"]
    );
}

#[tokio::test]
async fn a_planted_permit_makes_the_proof_fail() {
    let (schema, set) = panel();
    let acts = agent_acts(&schema);
    let every: Vec<String> = acts.iter().map(name).collect();
    assert_eq!(reached(&schema, &with(&permits(&set), PLANTED), &acts).await, every);
    for narrow in [
        r#"permit (principal is Agent, action == Action::"decide", resource);"#,
        r#"permit (principal == Agent::"supervisor", action == Action::"decide", resource) when { resource.kind == "dissent" };"#,
        r#"@ask("physician") permit (principal, action == Action::"decide", resource) unless { principal is Human };"#,
    ] {
        let found = reached(&schema, &with(&permits(&set), narrow), &acts).await;
        assert_eq!(found, ["Agent decide Escalation"], "{narrow}");
    }
}

#[tokio::test]
async fn the_forbids_hold_against_any_permit() {
    let (schema, set) = panel();
    let acts = agent_acts(&schema);
    // No permit allows more than this one, so what holds beside it holds beside any.
    assert_eq!(reached(&schema, &with(&set, PLANTED), &acts).await, Vec::<String>::new());
    let unguarded = with(&without(&set, "agents-never-act"), PLANTED);
    assert!(!reached(&schema, &unguarded, &acts).await.is_empty(), "it is that forbid which holds");
}

#[tokio::test]
async fn only_a_human_decides() {
    let (schema, set) = panel();
    let others = deciding_without_a_human(&schema);
    assert_eq!(reached(&schema, &permits(&set), &others).await, Vec::<String>::new());
    let humans = envs(&schema, |principal, action| principal == "Human" && action == "decide");
    assert_eq!(reached(&schema, &set, &humans).await, ["Human decide Escalation"]);
    // With the forbids in force a planted permit still lets a service decide, and the proof shows it.
    assert_eq!(reached(&schema, &with(&set, PLANTED), &others).await, ["Service decide Escalation"]);
}

#[tokio::test]
async fn nobody_decides_what_they_requested() {
    let (schema, set) = panel();
    let deciding = envs(&schema, |_, action| ["open", "decide"].contains(&action));
    let own = only("permit (principal, action, resource) when { principal == resource.requester };");
    let humans: Vec<_> = deciding.into_iter().filter(|env| env.principal().to_string() == "Human").collect();
    assert!(disjoint(&schema, &set, &own, &humans).await);
    assert!(disjoint(&schema, &with(&set, PLANTED), &own, &humans).await, "whatever permit is added");
    assert!(!disjoint(&schema, &without(&set, "people-no-self-approval"), &own, &humans).await, "it is that forbid");
}

#[tokio::test]
async fn nobody_decides_on_a_test_they_asked_for_or_approves_twice() {
    let (schema, set) = panel();
    let humans = envs(&schema, |principal, action| principal == "Human" && action == "decide");
    for (whom, forbid) in [("asked_by", "people-no-own-request"), ("approved_by", "people-second-is-another")] {
        let own = only(&format!(
            "permit (principal is Human, action, resource) when {{ resource.{whom}.contains(principal) }};"
        ));
        assert!(disjoint(&schema, &with(&set, PLANTED), &own, &humans).await, "{whom}: whatever permit is added");
        assert!(!disjoint(&schema, &without(&set, forbid), &own, &humans).await, "{whom}: it is that forbid");
    }
}

#[tokio::test]
async fn far_beyond_a_budget_one_signature_pays_nothing() {
    let (schema, set) = panel();
    let spending = envs(&schema, |principal, action| principal == "Human" && action == "approve_spend");
    let alone = only(
        "permit (principal is Human, action, resource) when { context.signers < 2 && context.over_cents > 100000 };",
    );
    assert!(disjoint(&schema, &set, &alone, &spending).await);
}

#[tokio::test]
async fn nobody_enrols_themselves() {
    let (schema, set) = panel();
    let enrolling = envs(&schema, |principal, action| principal == "Human" && action == "enroll");
    let own = only("permit (principal, action, resource) when { principal == context.subject };");
    assert!(disjoint(&schema, &with(&set, PLANTED), &own, &enrolling).await);
}

#[tokio::test]
async fn nobody_changes_anothers_keys() {
    let (schema, set) = panel();
    let changing = envs(&schema, |principal, action| principal == "Human" && action == "change_keys");
    let others = only("permit (principal, action, resource) when { principal != context.subject };");
    let by_file = only(r#"permit (principal is Human, action, resource) when { principal.assurance == "local_key" };"#);
    assert!(disjoint(&schema, &set, &others, &changing).await);
    assert!(disjoint(&schema, &set, &by_file, &changing).await, "who signs with a key file has that one");
    assert!(!disjoint(&schema, &with(&set, PLANTED), &others, &changing).await, "the proof is about something");
}

/// Over what is left of the budget, and far over it.
const OVER: &str = "context.price_known && context.price_cents > context.remaining_cents";
const FAR: &str = "context.remaining_cents <= 100000000 && context.price_cents > context.remaining_cents + 100000";

#[tokio::test]
async fn what_must_be_asked_is_never_plainly_allowed() {
    let (schema, set) = panel();
    let asks = select(&set, |policy| policy.annotation("ask").is_some());
    let costs = envs(&schema, |principal, action| principal == "Service" && ["order", "propose"].contains(&action));
    let conclude = envs(&schema, |principal, action| principal == "Service" && action == "conclude");
    let unapproved = |condition: &str| {
        only(&format!(r#"permit (principal == Service::"orchestrator", action, resource) when {{ {condition} }};"#))
    };
    for (kind, condition) in [
        ("unknown_price", "!context.price_known"),
        ("over_budget", &format!("{OVER} && !({FAR})")),
        ("far_over_budget", &format!("context.price_known && {FAR}")),
        ("over_test_threshold", "context.price_known && context.price_cents > 50000"),
    ] {
        let open = unapproved(&format!("{condition} && !context.approved_kinds.contains(\"{kind}\")"));
        let of_kind = select(&asks, |policy| policy.annotation("kind") == Some(kind));
        assert!(implies(&schema, &open, &of_kind, &costs).await, "{kind}: {condition}");
        let lifted = unapproved(&format!("context.approved_kinds.contains(\"{kind}\")"));
        assert!(disjoint(&schema, &of_kind, &lifted, &costs).await, "{kind} is lifted by its own approval");
    }
    // Whatever is over the budget is asked about, by the one kind or the other.
    let both =
        select(&asks, |policy| ["over_budget", "far_over_budget"].map(Some).contains(&policy.annotation("kind")));
    let neither =
        ["over_budget", "far_over_budget"].map(|kind| format!("!context.approved_kinds.contains(\"{kind}\")"));
    let open = unapproved(&format!("{OVER} && {}", neither.join(" && ")));
    assert!(implies(&schema, &open, &both, &costs).await, "over the budget somebody is asked");
    for (kind, condition) in [
        ("rare_diagnosis", "context.rare"),
        ("rare_diagnosis", "!context.prevalence_known"),
        ("dissent", "context.dissent_permille > 480"),
        ("low_confidence", "context.leading_permille < 500"),
        ("red_flag", "context.red_flag"),
        ("review_rule", "context.rule_matches > 0"),
        ("refuted_claim", "context.refuted_open > 0"),
    ] {
        let open = unapproved(&format!("{condition} && !context.approved_kinds.contains(\"{kind}\")"));
        let of_kind = select(&asks, |policy| policy.annotation("kind") == Some(kind));
        assert!(implies(&schema, &open, &of_kind, &conclude).await, "{kind}: {condition}");
        let lifted = unapproved(&format!("context.approved_kinds.contains(\"{kind}\")"));
        assert!(disjoint(&schema, &of_kind, &lifted, &conclude).await, "{kind} is lifted by its own approval");
    }
}

#[tokio::test]
async fn nothing_is_released_while_something_is_open() {
    let (schema, set) = panel();
    let release = envs(&schema, |_, action| action == "release");
    let closed =
        only("permit (principal, action, resource) when { context.concluded && context.open_escalations == 0 };");
    assert!(implies(&schema, &set, &closed, &release).await);
    assert!(!implies(&schema, &with(&set, PLANTED), &closed, &release).await, "a planted permit is caught here too");
}

#[tokio::test]
async fn no_policy_can_fail_to_evaluate() {
    let (schema, set) = panel();
    let mut solver = solver();
    let mut checked = 0;
    for policy in set.policies() {
        for env in policy.get_valid_request_envs(&schema) {
            let compiled = CompiledPolicy::compile(policy, &env, &schema).expect("a well-typed policy");
            let never = solver.check_never_errors_opt(&compiled).await.expect("the solver answers");
            assert!(never, "{} may fail in {}", policy.id(), name(&env));
            checked += 1;
        }
    }
    assert!(checked >= set.num_of_policies());
}
