//! Pure crates: no runtime, no network, no store, no clock, no randomness but what is passed in.

use super::{
    crates::along,
    finding::{Finding, at, finds, hold},
    graph::Graph,
    source::{line_of, occurrences},
    tree::Tree,
};

/// The pure crates. agents/api converts purely too, but carries tonic's generated code: its sources are held to the rule.
const PURE: [&str; 8] = [
    "agents/clinical",
    "agents/inference",
    "agents/knowledge",
    "audit/log",
    "guardian/policy",
    "guardian/token",
    "orchestrator/formats",
    "orchestrator/panel",
];
const PURE_SOURCES: [&str; 1] = ["agents/api"];

/// What no pure crate is made of, however far down.
const NEVER: [&str; 5] = ["tokio", "tonic", "sqlx", "sqlx-core", "hyper"];
/// What no pure crate asks for itself. (ring brings getrandom for its own use; `SystemRandom` below is its door.)
const NEVER_DIRECTLY: [&str; 4] = ["rand", "rand_core", "getrandom", "fastrand"];
/// The features of chrono that read the machine's clock.
const CLOCK: [&str; 3] = ["clock", "now", "default"];

/// What pure sources do not name.
const IMPURE: [&str; 17] = [
    "SystemTime::now",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "SystemRandom",
    "ring::rand",
    "thread_rng",
    "OsRng",
    "getrandom",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::os",
    "tokio::",
    "sqlx::",
    "File::open",
];
const IMPURE_MODULES: [&str; 5] = ["env", "fs", "net", "process", "os"];

fn impure_graph(tree: &Tree, graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in PURE {
        let Some(package) = graph.at(folder) else {
            findings.push(at(&format!("{folder}/Cargo.toml"), 1, "there is no such crate"));
            continue;
        };
        for way in graph.closure(package) {
            let [.., asker, last] = way.as_slice() else { continue };
            if NEVER.contains(&last.name.as_str()) || (way.len() == 2 && NEVER_DIRECTLY.contains(&last.name.as_str())) {
                findings.push(along(tree, &way, &format!("a pure crate reaches {}", last.name)));
            }
            // Cargo unifies features over the workspace, so what counts is what this tree itself asks of chrono.
            let askers = graph.needs(last).any(|need| need.name == "chrono").then_some(*last);
            let direct = (way.len() == 2 && last.name == "chrono").then_some(*asker);
            for asker in askers.into_iter().chain(direct) {
                let asked = asker.asks.get("chrono").into_iter().flatten();
                if let Some(feature) = asked.into_iter().find(|feature| CLOCK.contains(&feature.as_str())) {
                    findings.push(along(tree, &way, &format!("{} asks chrono for `{feature}`", asker.name)));
                }
            }
        }
    }
    findings
}

fn impure_sources(tree: &Tree) -> Vec<Finding> {
    let folders: Vec<_> = PURE.iter().chain(&PURE_SOURCES).map(|folder| format!("{folder}/src/")).collect();
    let mut findings = Vec::new();
    for file in tree.production().filter(|file| folders.iter().any(|folder| file.path.starts_with(folder))) {
        let code = &file.source().production;
        for word in IMPURE {
            for offset in occurrences(code, word) {
                findings.push(at(&file.path, line_of(code, offset), format!("names `{word}`")));
            }
        }
        for offset in occurrences(code, "std::{") {
            let group = &code[offset..super::source::braces_end(code, offset)];
            let named = group.split(['{', ',', '}']).map(|part| part.trim().split("::").next().unwrap_or_default());
            for module in named.filter(|module| IMPURE_MODULES.contains(module)) {
                findings.push(at(&file.path, line_of(code, offset), format!("names `std::{module}`")));
            }
        }
    }
    findings
}

#[test]
fn pure_crates_are_made_of_pure_crates() {
    hold(
        "a pure crate depends on no runtime, network, store, clock or randomness",
        "take the dependency out, or move what needs it to a service; `now` and random bytes are arguments",
        impure_graph(Tree::here(), Graph::here()),
    );
}

#[test]
fn pure_sources_name_nothing_of_the_machine() {
    hold(
        "the sources of a pure crate name no clock, randomness, environment, file or socket",
        "take the time, the bytes or the text as an argument",
        impure_sources(Tree::here()),
    );
}

#[test]
fn a_planted_runtime_and_clock_are_found() {
    let pure: Vec<(&str, &str, &[&str])> = PURE
        .iter()
        .map(|folder| match *folder {
            "audit/log" => ("log", *folder, ["a", "rand", "ring"].as_slice()),
            "guardian/policy" => ("policy", *folder, ["cedar"].as_slice()),
            "guardian/token" => ("token", *folder, ["chrono"].as_slice()),
            folder => (folder, folder, [].as_slice()),
        })
        .collect();
    let foreign: [(&str, &str, &[&str]); 6] = [
        ("a", "", &["tokio"]),
        ("rand", "", &[]),
        ("ring", "", &["getrandom"]),
        ("getrandom", "", &[]),
        ("cedar", "", &["chrono"]),
        ("chrono", "", &[]),
    ];
    let all: Vec<_> = pure.into_iter().chain(foreign).chain([("tokio", "", [].as_slice())]).collect();
    let graph = Graph::planted(&all).asking("cedar", "chrono", &["alloc", "now"]).asking("token", "chrono", &["clock"]);
    let tree = Tree::planted(&[("audit/log/Cargo.toml", "[dependencies]\na = \"1\"\nrand = \"1\"\n")]);
    finds(
        impure_graph(&tree, &graph),
        &[
            ("audit/log/Cargo.toml:2", "log -> a -> tokio"),
            ("audit/log/Cargo.toml:3", "reaches rand"),
            ("guardian/policy/Cargo.toml:1", "cedar asks chrono for `now`"),
            ("guardian/token/Cargo.toml:1", "token asks chrono for `clock`"),
        ],
    );
}

#[test]
fn planted_impure_words_are_found() {
    let tree = Tree::planted(&[
        ("audit/log/src/a.rs", "// SystemTime::now\nlet t = SystemTime::now();\nuse std::{fmt, fs::File};\n"),
        (
            "audit/log/src/b.rs",
            "let s = \"std::env\";\n#[cfg(test)]\nmod tests { use std::fs; }\nuse std::fmt::Display;\n",
        ),
        ("agents/api/src/c.rs", "use ring::rand::SystemRandom;\n"),
        ("audit/service/src/d.rs", "std::fs::read(x);\n"),
        ("audit/log/tests/e.rs", "std::fs::read(x);\n"),
    ]);
    finds(
        impure_sources(&tree),
        &[
            ("agents/api/src/c.rs:1", "SystemRandom"),
            ("agents/api/src/c.rs:1", "ring::rand"),
            ("audit/log/src/a.rs:2", "SystemTime::now"),
            ("audit/log/src/a.rs:3", "std::fs"),
        ],
    );
}
