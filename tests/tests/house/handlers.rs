//! The gate stands before every method: permits are made there alone, and every handler is admitted for its own action.

use std::collections::BTreeMap;

use super::{
    actions::{Action, actions},
    finding::{Finding, at, finds, hold},
    proto::{Proto, snake},
    source::{braces_end, line_of, occurrences},
    tree::{File, Tree},
};

/// Each service behind a gate, and the sources of the process that serves it.
pub(crate) const GATED: [(&str, &str); 4] = [
    ("Agent", "agents/runtime/src/"),
    ("Audit", "audit/service/src/"),
    ("Guardian", "guardian/service/src/"),
    ("Panel", "orchestrator/service/src/"),
];

/// Services on the Unix socket, where there is no certificate yet, hence no gate.
const UNGATED: [(&str, &str); 3] = [
    (
        "SpiffeWorkloadAPI",
        "the caller is known by peer credentials and the hash of its executable: it comes for its first certificate",
    ),
    (
        "Door",
        "a person proves possession of the enrolled key, by a signature over a nonce, to get the first certificate",
    ),
    ("Launcher", "the process that started the guardian, known by peer credentials, vouches for its own children"),
];

/// Methods whose action has another name than the method.
const ACTIONS: [(&str, &str, &str); 3] = [
    ("Guardian", "People", "list"),
    ("Guardian", "Identities", "list"),
    // Watching is reading the report for as long as it changes.
    ("Panel", "Watch", "report"),
];

/// How a handler asks for its permit.
const ADMISSIONS: [&str; 5] = ["admit(", "admit::<", "guarded(", "guarded::<", "act::<"];

/// Permits made outside the gate.
fn permits(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| !file.path.starts_with("guardian/gate/")) {
        let code = &file.source().code;
        for word in ["Permit {", "Permit{", "Permit::new", "Permit::<"] {
            let places =
                occurrences(code, word).map(|offset| at(&file.path, line_of(code, offset), format!("`{word}`")));
            findings.extend(places);
        }
    }
    findings
}

/// The body of the function `name` in `code`, with its offset.
fn function<'a>(code: &'a str, name: &str) -> Option<(usize, &'a str)> {
    let start = occurrences(code, &format!("fn {name}")).next()?;
    let open = start + code[start..].find('{')?;
    Some((start, &code[open..braces_end(code, open)]))
}

/// The block `impl … Service for …` of a file, with its offset.
fn implementation<'a>(code: &'a str, service: &str) -> Option<(usize, &'a str)> {
    occurrences(code, &format!("{service} for")).find_map(|named| {
        let start = code[..named].rfind("impl").filter(|start| !code[*start..named].contains(['{', ';']))?;
        let open = start + code[start..].find('{')?;
        Some((start, &code[start..braces_end(code, open)]))
    })
}

/// Whether `kind` stands in `code` as what a permit is for: `<X>`, `<X, _>`, `<actions::X, _>`, or `Act::X`.
fn is_permitted(code: &str, kind: &str) -> bool {
    occurrences(code, kind).any(|at| {
        let (before, after) = (&code[..at], &code[at + kind.len()..]);
        let generic = (before.ends_with('<') || before.ends_with("::")) && after.starts_with([',', '>']);
        generic || before.ends_with("Act::")
    })
}

/// What is wrong with one method's handler.
fn handler(
    file: &File,
    block: (usize, &str),
    method: (&str, &str),
    actions: &BTreeMap<String, Action>,
) -> Vec<Finding> {
    let (code, (service, method)) = (&file.source().production, method);
    let Some((start, body)) = function(block.1, &snake(method)) else {
        return vec![at(&file.path, line_of(code, block.0), format!("{service}.{method} has no handler"))];
    };
    let line = line_of(code, block.0 + start);
    let called = occurrences(body, "self").filter_map(|at| {
        let method = body[at + "self".len()..].trim_start().strip_prefix('.')?.trim_start();
        let name = method.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())?;
        function(code, name).map(|(_, body)| body)
    });
    let reached = std::iter::once(body).chain(called).collect::<Vec<_>>().join("\n");
    let says = |text: &str, words: &[&str]| words.iter().any(|word| occurrences(text, word).next().is_some());
    if !says(body, &ADMISSIONS) || !says(&reached, &ADMISSIONS[..2]) {
        return vec![at(&file.path, line, format!("{service}.{method} is not admitted by the gate"))];
    }
    let renamed = ACTIONS.iter().find(|(s, m, _)| (*s, *m) == (service, method)).map(|(_, _, action)| *action);
    let expected = renamed.map_or_else(|| snake(method), str::to_owned);
    let named = |kind: &String| {
        let alias = code.split_once(&format!("{kind} as ")).map(|(_, rest)| rest);
        let alias = alias.and_then(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
        [kind.as_str()].into_iter().chain(alias).any(|kind| is_permitted(&reached, kind))
    };
    let admitted: Vec<_> = actions.iter().filter(|(kind, _)| named(kind)).map(|(_, action)| &action.name).collect();
    if admitted == [&expected] {
        return Vec::new();
    }
    vec![at(&file.path, line, format!("{service}.{method} is admitted for {admitted:?}, not for `{expected}`"))]
}

fn handlers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| file.path.ends_with(".proto")) {
        for service in Proto::parse(&file.text).services {
            let name = service.name.text.as_str();
            let Some((_, sources)) = GATED.iter().find(|(gated, _)| *gated == name) else {
                if !UNGATED.iter().any(|(ungated, _)| *ungated == name) {
                    findings.push(at(
                        &file.path,
                        service.name.line,
                        format!("nobody says which gate {name} is behind"),
                    ));
                }
                continue;
            };
            let actions = actions(tree, sources);
            let served = tree.production().filter(|file| file.path.starts_with(sources));
            let blocks: Vec<_> =
                served.filter_map(|file| Some((file, implementation(&file.source().production, name)?))).collect();
            let [(source, block)] = blocks.as_slice() else {
                findings.push(at(
                    &file.path,
                    service.name.line,
                    format!("{name} has {} handlers in {sources}", blocks.len()),
                ));
                continue;
            };
            findings.extend(service.methods.iter().flat_map(|m| handler(source, *block, (name, &m.text), &actions)));
        }
    }
    findings
}

#[test]
fn only_the_gate_makes_permits() {
    hold("only guardian/gate makes a Permit", "ask the gate: `gate.admit::<A>(caller, facts)`", permits(Tree::here()));
}

#[test]
fn every_method_is_admitted_for_its_own_action() {
    hold(
        "every method of a service goes through the gate, for the action of its own name",
        "call `gate.admit` for an Action whose NAME is the method's; exceptions stand with their reason in \
         tests/tests/house/handlers.rs",
        handlers(Tree::here()),
    );
}

#[test]
fn a_planted_permit_is_found() {
    let tree = Tree::planted(&[
        ("guardian/gate/src/gate.rs", "Ok(Permit { a })"),
        (
            "audit/service/src/a.rs",
            "// Permit { }\nlet p: Permit<A> = x;\nOwnedPermit { };\nlet p = gate::Permit { a };\n",
        ),
        ("tests/tests/b.rs", "Permit::new()"),
    ]);
    finds(permits(&tree), &[("audit/service/src/a.rs:4", "Permit {"), ("tests/tests/b.rs:1", "Permit::new")]);
}

#[test]
fn planted_handlers_that_go_round_the_gate_are_found() {
    let proto = "service Panel {\n  rpc Open(A) returns (B);\n  rpc Read(A) returns (B);\n  rpc Away(A) returns (B);\n  \
                 rpc Late(A) returns (B);\n  rpc Fine(A) returns (B);\n  rpc Idle(A) returns (B);\n}\n\
                 service Odd { rpc X(A) returns (B); }\n";
    let actions = "impl Action for $name {}\naction!(Open, \"open\", true);\naction!(Read, \"read\", true);\n\
                   action!(Late, \"early\", true);\naction!(Fine, \"fine\", true);\naction!(Idle, \"idle\", true);\n";
    let service = "#[tonic::async_trait]\nimpl Panel for Service {\n    async fn open(&self) {\n        self.store.open()\n    }\n\
                   async fn read(&self) { self\n.guarded::<Open, _>(f) }\n\
                   async fn late(&self) { self.gate.admit::<Late>(f) }\n\
                   use actions::Fine as Finest;\nasync fn fine(&self) { let p: Permit<Finest> = self.gate.admit(f); }\n\
                   async fn idle(&self) { self.act::<actions::Idle, _>(f) }\n}\n\
                   impl Service { fn guarded<A>(&self) { self.gate.admit::<A>(f) } fn act<A>(&self) {} }\n";
    let tree = Tree::planted(&[
        ("orchestrator/api/proto/panel.proto", proto),
        ("orchestrator/service/src/actions.rs", actions),
        ("orchestrator/service/src/a.rs", service),
    ]);
    finds(
        handlers(&tree),
        &[
            ("orchestrator/api/proto/panel.proto:9", "Odd"),
            ("orchestrator/service/src/a.rs:2", "Away has no handler"),
            ("orchestrator/service/src/a.rs:3", "Open is not admitted"),
            ("orchestrator/service/src/a.rs:6", "[\"open\"], not for `read`"),
            ("orchestrator/service/src/a.rs:8", "[\"early\"], not for `late`"),
            ("orchestrator/service/src/a.rs:11", "Idle is not admitted"),
        ],
    );
}
