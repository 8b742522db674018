//! Which crate may be made of which: DESIGN's house, one way down.

use super::{
    finding::{Finding, at, finds, hold},
    graph::{Graph, Package, way},
    members::AGENTS,
    tree::Tree,
};

/// Every crate by its folder, the lowest storey first. A crate is made of crates of lower storeys alone.
const STOREYS: [&[&str]; 7] = [
    &[
        "agents/clinical",
        "audit/log",
        "guardian/cell",
        "guardian/identity",
        "guardian/policy",
        "guardian/token",
        "guardian/vault",
        "orchestrator/pictures",
    ],
    &[
        "agents/api",
        "agents/knowledge",
        "audit/api",
        "audit/verify",
        "guardian/api",
        "orchestrator/api",
        "orchestrator/formats",
        "orchestrator/panel",
    ],
    &["agents/inference", "guardian/gate", "orchestrator/evidence"],
    &["guardian/host"],
    &["agents/runtime"],
    &[
        "agents/cost_guardian",
        "agents/diagnostician",
        "agents/intake",
        "agents/reasoning_verifier",
        "agents/supervisor",
        "agents/test_planner",
        "audit/service",
        "guardian/service",
        "orchestrator/console",
        "orchestrator/service",
    ],
    &["orchestrator/cli", "tests"],
];

/// Pairs of top folders where the first needs nothing of the second.
const APART: [(&str, &str); 5] = [
    ("guardian", "agents"),
    ("guardian", "orchestrator"),
    ("audit", "agents"),
    ("audit", "orchestrator"),
    ("agents", "orchestrator"),
];

/// Programs that another crate may use as a library, and why.
const USED: [(&str, &[&str], &str); 1] = [(
    "orchestrator/cli",
    &AGENTS,
    "the benchmark convenes the panel in its own process, with the members' own answers",
)];

fn storey(folder: &str) -> Option<usize> {
    STOREYS.iter().position(|storey| storey.contains(&folder))
}

/// The line of the manifest that names a dependency.
fn manifest_line(tree: &Tree, folder: &str, name: &str) -> (String, usize) {
    let path = format!("{folder}/Cargo.toml");
    let text = tree.file(&path).map_or("", |file| &file.text);
    let names = |line: &str| line.split(['.', '=', ' ']).next().is_some_and(|first| first.trim() == name);
    let line = text.lines().position(names).map_or(1, |line| line + 1);
    (path, line)
}

/// A finding at the manifest line that begins a way.
pub(crate) fn along(tree: &Tree, ways: &[&Package], what: &str) -> Finding {
    let folder = ways.first().and_then(|first| first.folder.as_deref()).unwrap_or_default();
    let next = ways.get(1).map_or("", |next| next.name.as_str());
    let (path, line) = manifest_line(tree, folder, next);
    at(&path, line, format!("{what} ({})", way(ways)))
}

/// Crates that are not made of lower storeys alone.
fn upward(tree: &Tree, graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (package, folder) in graph.ours() {
        let Some(level) = storey(folder) else {
            findings.push(at(&format!("{folder}/Cargo.toml"), 1, format!("{} has no storey", package.name)));
            continue;
        };
        let ours = graph.needs(package).filter_map(|need| need.folder.as_deref().map(|folder| (need, folder)));
        for (need, below) in ours {
            let top = |folder: &str| folder.split('/').next().unwrap_or_default().to_owned();
            let apart = APART.iter().any(|(a, b)| *a == top(folder) && *b == top(below));
            let program = storey(below) == Some(STOREYS.len() - 2);
            let used = USED.iter().any(|(user, used, _)| *user == folder && used.contains(&below));
            if apart || storey(below).is_none_or(|below| below >= level) || (program && !used && folder != "tests") {
                findings.push(along(tree, &[package, need], &format!("{folder} is made of {below}")));
            }
        }
    }
    findings
}

/// The offline verifier's crates beside the log's own words.
fn verifier(tree: &Tree, graph: &Graph) -> Vec<Finding> {
    let Some(package) = graph.at("audit/verify") else {
        return vec![at("audit/verify/Cargo.toml", 1, "there is no such crate")];
    };
    let ours =
        |way: &Vec<&Package>| way.last().and_then(|last| last.folder.as_deref()).is_some_and(|at| at != "audit/log");
    graph
        .closure(package)
        .iter()
        .filter(|way| ours(way))
        .map(|way| along(tree, way, "the verifier stands alone"))
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    hold(
        "dependencies point one way: programs -> gate, vault, contracts, formats -> the pure crates -> nothing of ours",
        "move what is shared to a lower storey; a new crate gets its storey in tests/tests/house/crates.rs",
        upward(Tree::here(), Graph::here()),
    );
}

#[test]
fn the_verifier_depends_on_the_log_alone() {
    hold(
        "audit/verify depends on audit/log and nothing else of ours",
        "take the dependency out: the verifier must be readable, and trustworthy, by itself",
        verifier(Tree::here(), Graph::here()),
    );
}

#[test]
fn every_storey_is_inhabited() {
    let graph = Graph::here();
    let missing: Vec<_> = STOREYS.iter().copied().flatten().filter(|folder| graph.at(folder).is_none()).collect();
    assert!(missing.is_empty(), "STOREYS in tests/tests/house/crates.rs names folders without a crate: {missing:?}");
}

#[test]
fn a_planted_way_up_is_found() {
    let tree = Tree::planted(&[(
        "guardian/token/Cargo.toml",
        "[dependencies]\nring.workspace = true\ngate.workspace = true\n",
    )]);
    let graph = Graph::planted(&[
        ("token", "guardian/token", &["gate", "ring"]),
        ("gate", "guardian/gate", &["inference", "token"]),
        ("inference", "agents/inference", &["clinical"]),
        ("clinical", "agents/clinical", &[]),
        ("cli", "orchestrator/cli", &["intake", "audit"]),
        ("intake", "agents/intake", &[]),
        ("audit", "audit/service", &[]),
        ("stranger", "agents/stranger", &[]),
        ("ring", "", &[]),
    ]);
    finds(
        upward(&tree, &graph),
        &[
            ("agents/stranger/Cargo.toml:1", "no storey"),
            ("guardian/gate/Cargo.toml:1", "gate -> inference"),
            ("guardian/token/Cargo.toml:3", "token -> gate"),
            ("orchestrator/cli/Cargo.toml:1", "cli -> audit"),
        ],
    );
}

#[test]
fn a_verifier_with_company_is_found() {
    let graph = Graph::planted(&[
        ("verify", "audit/verify", &["log", "ring"]),
        ("log", "audit/log", &["words"]),
        ("words", "audit/words", &[]),
        ("ring", "", &[]),
    ]);
    finds(verifier(&Tree::planted(&[]), &graph), &[("audit/verify/Cargo.toml:1", "verify -> log -> words")]);
    finds(verifier(&Tree::planted(&[]), &Graph::planted(&[])), &[("audit/verify/Cargo.toml:1", "no such crate")]);
}
