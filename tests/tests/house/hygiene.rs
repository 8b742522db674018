//! What no tracked file holds: a place on somebody's machine, another registry, unfinished work, sheer size.

use super::{
    finding::{Finding, at, finds, hold},
    source::line_of,
    tree::Tree,
};

/// No file is longer, in bytes.
const LARGEST: u64 = 6 << 20;

/// Folders of a developer's machine. In two parts, like all words below: these files are searched as well.
const PLACES: [(&str, &str); 4] = [("/wo", "rk/"), ("/ro", "ot/"), ("/ho", "me/"), ("/Us", "ers/")];

/// Words of unfinished work.
const UNFINISHED: [(&str, &str); 6] =
    [("to", "do!"), ("unimpl", "emented!"), ("FIX", "ME"), ("TO", "DO:"), ("#[ig", "nore"), ("db", "g!(")];

/// Cargo's name of crates.io, and how another registry would be named in a manifest or in Cargo's configuration.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
const REGISTRIES: [(&str, &str); 6] = [
    ("replace", "-with"),
    ("[regis", "tries"),
    ("[sour", "ce."),
    ("registry", "-index"),
    ("spar", "se+http"),
    ("index", "-url"),
];

fn joined(parts: &[(&str, &str)]) -> Vec<String> {
    parts.iter().map(|(a, b)| format!("{a}{b}")).collect()
}

/// An absolute path begins after what is no part of a path: not `x/home/`, `$A/home/` or `{}/home/`.
fn is_absolute(text: &str, offset: usize) -> bool {
    let before = text[..offset].chars().next_back();
    !before.is_some_and(|before| before.is_alphanumeric() || "_-.})*".contains(before))
}

fn unwanted(tree: &Tree) -> Vec<Finding> {
    let (places, unfinished, registries) = (joined(&PLACES), joined(&UNFINISHED), joined(&REGISTRIES));
    let mut findings = Vec::new();
    for file in tree.files() {
        let text = &file.text;
        for word in &places {
            let found = text.match_indices(word.as_str()).filter(|(offset, _)| is_absolute(text, *offset));
            findings.extend(
                found.map(|(offset, _)| at(&file.path, line_of(text, offset), format!("a place on a machine: {word}"))),
            );
        }
        for (what, words) in [("unfinished", &unfinished), ("another registry", &registries)] {
            let found = words.iter().flat_map(|word| text.match_indices(word.as_str()));
            findings
                .extend(found.map(|(offset, word)| at(&file.path, line_of(text, offset), format!("{what}: {word}"))));
        }
        if file.length > LARGEST {
            findings.push(at(&file.path, 1, format!("{} bytes, at most {LARGEST}", file.length)));
        }
    }
    findings
}

/// Locked packages that come from anywhere but crates.io.
fn sources(tree: &Tree) -> Vec<Finding> {
    let Some(lock) = tree.file("Cargo.lock") else { return vec![at("Cargo.lock", 1, "there is none")] };
    let named =
        lock.text.lines().enumerate().filter_map(|(number, line)| Some((number + 1, line.strip_prefix("source = ")?)));
    let foreign = named.filter(|(_, source)| source.trim_matches('"') != CRATES_IO);
    foreign.map(|(number, source)| at("Cargo.lock", number, format!("comes from {source}"))).collect()
}

#[test]
fn nothing_tracked_is_private_foreign_unfinished_or_huge() {
    hold(
        "no tracked file holds a path of a machine, another registry, unfinished work, or more than 6 MiB",
        "take it out: use relative paths and crates.io, finish the work, make large files at build time",
        unwanted(Tree::here()),
    );
}

#[test]
fn every_locked_package_comes_from_crates_io() {
    hold("Cargo.lock names crates.io alone", "lock against crates.io's canonical index", sources(Tree::here()));
}

#[test]
fn planted_leftovers_are_found() {
    let lines = [
        format!("see {}{}me", "/ho", "me/"),
        format!("a/b{}{}c $D{}{}x", "/wo", "rk/", "/wo", "rk/"),
        format!("file://{}{}x", "/ro", "ot/"),
        format!("{}{}()", "to", "do!"),
        format!("// {}{} later", "FIX", "ME"),
        format!("{}{}]", "#[ig", "nore"),
        format!("{}{}(a)", "db", "g!"),
    ];
    let huge = "a".repeat(usize::try_from(LARGEST).unwrap() + 1);
    let config = format!("[build]\n{}{} = \"x\"\n", "replace", "-with");
    let text = lines.join("\n");
    finds(
        unwanted(&Tree::planted(&[("a.rs", &text), ("b.pack", &huge), (".cargo/config.toml", &config)])),
        &[
            (".cargo/config.toml:2", "another registry"),
            ("a.rs:1", "a place on a machine"),
            ("a.rs:3", "a place on a machine"),
            ("a.rs:4", "unfinished"),
            ("a.rs:5", "unfinished"),
            ("a.rs:6", "unfinished"),
            ("a.rs:7", "unfinished"),
            ("b.pack:1", "bytes"),
        ],
    );
}

#[test]
fn a_planted_source_is_found() {
    let lock = format!("[[package]]\nname = \"a\"\nsource = \"{CRATES_IO}\"\n\nsource = \"git+https://x.y/z#1\"\n");
    finds(sources(&Tree::planted(&[("Cargo.lock", &lock)])), &[("Cargo.lock:5", "git+https")]);
    finds(sources(&Tree::planted(&[])), &[("Cargo.lock:1", "none")]);
}
