//! The top level, as the README shows it.

use super::{
    finding::{Finding, at, finds, hold},
    tree::{TOP, Tree},
};

fn strangers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        let top = file.path.split('/').next().unwrap_or_default();
        if !top.starts_with('.') && !TOP.contains(&top) {
            findings.push(at(&file.path, 1, format!("`{top}` at the top level")));
        }
    }
    let missing = TOP.iter().filter(|name| !tree.holds(name));
    findings.extend(missing.map(|name| at(name, 1, "is missing at the top level")));
    findings
}

#[test]
fn the_top_level_holds_what_the_readme_shows() {
    hold(
        "the top level holds Cargo.toml, Cargo.lock, LICENSE, README.md, agents, orchestrator, guardian, audit, deploy, \
         tests and dotfiles",
        "move it to the folder it belongs to; configuration of tools goes to dotfiles",
        strangers(Tree::here()),
    );
}

#[test]
fn a_planted_stranger_is_found() {
    let mut files: Vec<_> = TOP[..4].iter().map(|name| ((*name).to_owned(), "a")).collect();
    files.extend(TOP[4..9].iter().map(|name| (format!("{name}/a"), "a")));
    files.extend([".ci/run", "docs/a.md", "rustfmt.toml"].map(|path| (path.to_owned(), "a")));
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    finds(
        strangers(&Tree::planted(&files)),
        &[("docs/a.md:1", "`docs`"), ("rustfmt.toml:1", "`rustfmt.toml`"), ("tests:1", "missing")],
    );
}
