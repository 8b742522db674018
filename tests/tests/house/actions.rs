//! The actions that services admit, and the words that the policies have for them.

use std::collections::BTreeMap;

use super::{
    finding::{Finding, at, finds, hold},
    handlers::GATED,
    source::{line_of, occurrences},
    tree::Tree,
};

/// An action type's name for policies and the record, and where it is given.
pub(crate) struct Action {
    pub(crate) name: String,
    path: String,
    line: usize,
}

/// The action types in some sources, by the name of the type.
pub(crate) fn actions(tree: &Tree, sources: &str) -> BTreeMap<String, Action> {
    let mut actions = BTreeMap::new();
    for file in tree.production().filter(|file| file.path.starts_with(sources)) {
        let source = file.source();
        let code = &source.production;
        let declares = ["Action for", "enum Act "].iter().any(|mark| occurrences(code, mark).next().is_some());
        for (start, name) in source.strings.iter().filter(|_| declares) {
            let after = code[start + name.len() + 2..].trim_start();
            if let Some(kind) = action_type(code[..*start].trim_end(), after) {
                let action = Action { name: name.clone(), path: file.path.clone(), line: line_of(code, *start) };
                actions.insert(kind.to_owned(), action);
            }
        }
    }
    actions
}

/// The action type that a literal between `before` and `after` names: `const NAME: &'static str = "x"` in
/// `impl Action for X`; `X = "x", effect …` or `X, "x", true` in a macro; `Self::X => "x"` in `fn name` of an enum.
fn action_type<'a>(before: &'a str, after: &str) -> Option<&'a str> {
    let kind = if before.ends_with("const NAME: &'static str =") {
        let header = before.rsplit_once("Action for ")?.1;
        header.split(|c: char| !c.is_alphanumeric()).next()
    } else if [", effect", ", true", ", false"].iter().any(|mark| after.starts_with(mark)) {
        last_word(before.trim_end_matches(['=', ',', ' ']))
    } else {
        let within = before.rsplit_once("fn ")?.1;
        before.strip_suffix("=>").filter(|_| within.starts_with("name(")).and_then(|arm| last_word(arm.trim_end()))
    };
    kind.filter(|kind| kind.starts_with(char::is_uppercase))
}

fn last_word(text: &str) -> Option<&str> {
    text.rsplit(|c: char| !c.is_alphanumeric()).next()
}

/// The actions that a schema declares.
fn declared(schema: &str) -> Vec<(String, usize)> {
    let code: String =
        schema.lines().map(|line| format!("{}\n", line.split("//").next().unwrap_or_default())).collect();
    let mut names = Vec::new();
    for offset in occurrences(&code, "action") {
        let rest = &code[offset + "action".len()..];
        let end = ["appliesTo", " in ", ";"].iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
        let line = line_of(&code, offset);
        names.extend(rest[..end].split(',').map(|name| (name.trim().trim_matches('"').to_owned(), line)));
    }
    names
}

/// Actions of the services that no schema declares.
fn undeclared(tree: &Tree) -> Vec<Finding> {
    let schemas = tree.files().filter(|file| file.path.ends_with(".cedarschema"));
    let declared: Vec<_> = schemas.flat_map(|file| declared(&file.text)).collect();
    let mut findings = Vec::new();
    for (kind, Action { name, path, line }) in GATED.iter().flat_map(|(_, sources)| actions(tree, sources)) {
        if !declared.iter().any(|(declared, _)| *declared == name) {
            findings.push(at(&path, line, format!("{kind} is the action `{name}`, which no schema declares")));
        }
    }
    findings
}

#[test]
fn every_action_is_a_word_of_the_policies() {
    hold(
        "every action that a service admits is declared in a .cedarschema",
        "declare it in guardian/policy/policies/ or deploy/policies/ and say in a policy who may do it",
        undeclared(Tree::here()),
    );
    for (service, sources) in GATED {
        assert!(!actions(Tree::here(), sources).is_empty(), "the rule read no action of {service} in {sources}");
    }
}

/// Declared actions without a row in the golden table that refuses somebody.
fn unrefused(tree: &Tree) -> Vec<Finding> {
    let table = tree.file("tests/golden/permissions").map_or("", |file| &file.text);
    let refuses = |action: &str, row: &str| {
        let mut cells = row.split_whitespace();
        cells.next() == Some(action) && cells.any(|cell| cell == "-")
    };
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| file.path.ends_with(".cedarschema")) {
        let all = declared(&file.text).into_iter();
        let lacking = all.filter(|(action, _)| !table.lines().any(|row| refuses(action, row)));
        findings.extend(lacking.map(|(action, line)| at(&file.path, line, format!("`{action}` refuses nobody"))));
    }
    findings
}

#[test]
fn every_action_refuses_somebody() {
    hold(
        "every action has a row in tests/golden/permissions in which it is refused to somebody",
        "add its rows to tests/tests/permissions.rs and run it with UPDATE_GOLDEN=1",
        unrefused(Tree::here()),
    );
}

#[test]
fn planted_actions_are_read() {
    let macros = "impl Action for $name {}\naction!(/// Reads.\n Read, \"read\", false);\n\
                  actions! { Fine = \"fine\", effect true; }\nconst OTHER: &str = \"other\";\n";
    let plain = "pub enum Act {\n Seal }\nimpl Act { fn name(self) -> &'static str { match self { Self::Seal => \"seal\" } } \
                 fn code(self) -> &'static str { match self { Self::Not => \"not\" } } }\n";
    let tree = Tree::planted(&[
        ("a/src/a.rs", macros),
        ("a/src/b.rs", "impl Action for Open {\n    const NAME: &'static str = \"open\";\n}\n"),
        ("a/src/c.rs", plain),
        ("b/src/c.rs", plain),
    ]);
    let read: Vec<_> = actions(&tree, "a/src/").into_iter().map(|(kind, action)| (kind, action.name)).collect();
    let expected = [("Fine", "fine"), ("Open", "open"), ("Read", "read"), ("Seal", "seal")];
    assert_eq!(read, expected.map(|(kind, name)| (kind.to_owned(), name.to_owned())));
}

#[test]
fn planted_unknown_actions_are_found() {
    let schema = "// action late\naction open, \"read\"\n  appliesTo { principal: [A] };\naction fine appliesTo {};\n";
    let table = "open  here   allow  -\nread  here   allow  allow\nopening  -\n";
    let tree = Tree::planted(&[
        (
            "orchestrator/service/src/a.rs",
            "impl Action for $name {}\naction!(Open, \"open\", true);\naction!(Late, \"late\", true);\n",
        ),
        ("deploy/policies/a.cedarschema", schema),
        ("tests/golden/permissions", table),
    ]);
    finds(undeclared(&tree), &[("orchestrator/service/src/a.rs:3", "`late`, which no schema declares")]);
    finds(
        unrefused(&tree),
        &[("deploy/policies/a.cedarschema:2", "`read`"), ("deploy/policies/a.cedarschema:4", "`fine`")],
    );
}
