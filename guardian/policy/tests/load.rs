//! What does not load, and where it says the fault is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use bodh_policy::{Bundle, LoadError, Policies, kernel};

const SCHEMA: &str = "entity Person = { level: Long };\nentity Door;\naction open, close appliesTo {\n  principal: [Person],\n  resource: [Door],\n  context: { night: Bool },\n};\n";

fn load(files: &[(&str, &str)]) -> Result<Policies, LoadError> {
    Policies::load(&Bundle::new(files.iter().copied()).unwrap())
}

/// The problems of a policy file beside a good schema, each as `line: what`.
fn problems(text: &str) -> Vec<String> {
    let LoadError(problems) = load(&[("a.cedarschema", SCHEMA), ("b.cedar", text)]).expect_err(text);
    assert!(problems.iter().all(|problem| problem.file == "b.cedar"), "{problems:?}");
    problems.iter().map(|problem| format!("{}: {}", problem.line, problem.what)).collect()
}

fn assert_problem(text: &str, line: usize, what: &str) {
    let found = problems(text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("{line}: ")) && found[0].contains(what), "{found:?}");
}

const GOOD: &str =
    "@id(\"open-by-day\")\npermit (principal, action == Action::\"open\", resource) when { !context.night };\n";

#[test]
fn a_good_bundle_loads_and_keeps_its_hash() {
    let bundle = Bundle::new([("a.cedarschema", SCHEMA), ("b.cedar", GOOD)]).unwrap();
    let policies = Policies::load(&bundle).unwrap();
    assert_eq!(*policies.hash(), bundle.hash());
    assert_eq!(policies.cedar().1.num_of_policies(), 1);
}

#[test]
fn text_that_is_not_cedar_names_its_line() {
    assert_problem("// first\n\npermit (principal, action, resorce);\n", 3, "resorce");
    assert_problem(&format!("{GOOD}@id(\"x\")\nallow (principal, action, resource);"), 4, "allow");
    let LoadError(problems) =
        load(&[("a.cedarschema", "entity A;\nentity B = {\n  x: Strin\n}"), ("b.cedar", GOOD)]).unwrap_err();
    assert_eq!((problems[0].file.as_str(), problems.len()), ("a.cedarschema", 1));
    assert!(problems[0].line >= 3, "{problems:?}");
}

#[test]
fn policies_are_validated_strictly() {
    let wrong = |body: &str, what: &str| {
        let found = problems(&format!("// line 1\n@id(\"x\")\n{body}\n"));
        let placed = |problem: &String| problem.starts_with("2: ") || problem.starts_with("3: ");
        assert!(found.iter().all(placed) && found.iter().any(|problem| problem.contains(what)), "{found:?}");
    };
    wrong("permit (principal, action == Action::\"opne\", resource);", "opne");
    wrong("permit (principal == Persn::\"a\", action, resource);", "Persn");
    wrong("permit (principal, action, resource) when { principal.height > 3 };", "height");
    wrong("permit (principal, action, resource) when { principal.level };", "Bool");
    wrong("permit (principal, action, resource) when { context.night && principal.level + 1 };", "Bool");
    wrong("permit (principal, action, resource) when { context.day };", "day");
    wrong("permit (principal, action, resource) when { principal.level == \"3\" };", "not compatible");
    // A policy that can never apply is a mistake, not a policy.
    wrong("forbid (principal, action, resource) when { principal is Door };", "impossible");
    wrong("permit (principal, action, resource) when { context.night && !context.night && false };", "impossible");
    wrong("forbid (principal is Door, action, resource);", "applicable");
}

#[test]
fn every_policy_has_an_id_of_its_own() {
    assert_problem("// a\npermit (principal, action, resource);", 2, "no @id");
    assert_problem("@id permit (principal, action, resource);", 1, "not a word");
    assert_problem("@id(\"A b\") permit (principal, action, resource);", 1, "not a word");
    assert_problem(&format!("{GOOD}\n{GOOD}"), 4, "used already");
    let LoadError(problems) = load(&[("a.cedarschema", SCHEMA), ("b.cedar", GOOD), ("c.cedar", GOOD)]).unwrap_err();
    assert_eq!(problems[0].to_string(), "c.cedar:1: @id(\"open-by-day\") is used already, in b.cedar");
}

#[test]
fn annotations_are_known_and_complete() {
    let with =
        |annotations: &str, effect: &str| format!("@id(\"x\")\n{annotations}\n{effect} (principal, action, resource);");
    let wrong = |annotations: &str, what| assert_problem(&with(annotations, "permit"), 1, what);
    wrong("@aks(\"owner\") @reason(\"r\")", "unknown annotation @aks");
    wrong("@advice(\"a\")", "unknown annotation @advice");
    wrong("@signers(\"2\") @reason(\"r\")", "@signers has no meaning without @ask");
    for count in ["0", "1", "3", "two", ""] {
        let annotations = format!("@ask(\"owner\") @kind(\"k\") @reason(\"r\") @signers(\"{count}\")");
        wrong(&annotations, "@signers is \"2\", or left out");
    }
    wrong("@ask(\"owner\")", "needs a @kind and a @reason");
    wrong("@ask(\"owner\") @kind(\"k\")", "needs a @kind and a @reason");
    wrong("@ask(\"owner\") @reason(\"r\")", "needs a @kind and a @reason");
    wrong("@ask(\"owner\") @kind(\"k\") @reason(\" \")", "@reason is empty");
    wrong("@ask @kind(\"k\") @reason(\"r\")", "are words");
    wrong("@ask(\"The Owner\") @kind(\"k\") @reason(\"r\")", "are words");
    wrong("@kind(\"k\")", "without @ask");
    let asking = "@ask(\"owner\") @kind(\"k\") @reason(\"r\")";
    assert_problem(&with(asking, "forbid"), 1, "a forbid cannot @ask");
    assert!(load(&[("a.cedarschema", SCHEMA), ("b.cedar", &with(asking, "permit"))]).is_ok());
    assert!(load(&[("a.cedarschema", SCHEMA), ("b.cedar", &with("@reason(\"r\")", "forbid"))]).is_ok());
}

#[test]
fn templates_and_incomplete_bundles_are_refused() {
    assert_problem("@id(\"x\")\npermit (principal == ?principal, action, resource);", 1, "templates are not used");
    assert!(load(&[("b.cedar", GOOD)]).unwrap_err().to_string().contains("no .cedarschema"));
    assert!(load(&[("a.cedarschema", SCHEMA)]).unwrap_err().to_string().contains("no policy"));
    assert!(load(&[]).is_err());
    // A schema that is split must fit together, and nothing is declared twice.
    assert!(load(&[("a.cedarschema", "entity Person in [Group];"), ("b.cedar", GOOD)]).is_err());
    assert!(load(&[("a.cedarschema", SCHEMA), ("c.cedarschema", "entity Door;"), ("b.cedar", GOOD)]).is_err());
}

#[test]
fn every_problem_is_listed() {
    let text = "permit (principal, action, resource);\nforbid (principal, action, resource);\n";
    let error = load(&[("a.cedarschema", SCHEMA), ("b.cedar", text)]).unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains("\n  b.cedar:1: ") && shown.contains("\n  b.cedar:2: "), "{shown}");
}

#[test]
fn an_application_cannot_replace_a_kernel_file_or_policy() {
    let same_file = Bundle::new([("kernel-log.cedar", "")]).unwrap();
    assert!(kernel().merge(same_file).is_err());
    let same_id = "@id(\"log-append\") permit (principal, action == Action::\"append\", resource);";
    let bundle = kernel().merge(Bundle::new([("mine.cedar", same_id)]).unwrap()).unwrap();
    assert!(Policies::load(&bundle).unwrap_err().to_string().contains("used already"));
}
