//! `unsafe` is in one crate, and says each time why it is sound.

use super::{
    finding::{Finding, at, finds, hold},
    source::{line_of, occurrences},
    tree::Tree,
};

/// The one crate.
const HOME: &str = "guardian/cell/";
/// How far above the comment may begin when code stands between.
const REACH: usize = 3;

/// Whether a comment that says why reaches the line: within three lines above, or anywhere in the comment right above.
fn is_explained(lines: &[&str], line: usize) -> bool {
    let says = |line: &&str| line.contains("SAFETY") || line.contains("# Safety");
    let above = &lines[..line - 1];
    let near = above.iter().rev().take(REACH).any(says);
    let comment = above.iter().rev().take_while(|line| line.trim_start().starts_with("//"));
    near || comment.into_iter().any(says)
}

fn unsafety(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let code = &file.source().code;
        let lines: Vec<_> = file.text.lines().collect();
        for offset in occurrences(code, "unsafe") {
            let line = line_of(code, offset);
            if !file.path.starts_with(HOME) {
                findings.push(at(&file.path, line, "`unsafe` outside guardian/cell"));
            } else if !is_explained(&lines, line) {
                findings.push(at(&file.path, line, "`unsafe` without a SAFETY comment within the three lines above"));
            }
        }
    }
    findings
}

#[test]
fn unsafe_code_is_in_the_cell_and_explained() {
    hold(
        "`unsafe` is in guardian/cell alone, each with a SAFETY comment",
        "use a safe form, or move the call to guardian/cell and write above it why it is sound",
        unsafety(Tree::here()),
    );
}

#[test]
fn planted_unsafe_code_is_found() {
    let cell = "// SAFETY: a.\nunsafe { a() };\n\n\n\nunsafe { b() };\n/// # Safety\n/// c.\n/// d.\n/// e.\nunsafe fn c() {}\n";
    let tree = Tree::planted(&[
        ("guardian/cell/src/a.rs", cell),
        ("guardian/token/src/a.rs", "#![forbid(unsafe_code)]\n// unsafe\nlet a = \"unsafe\";\nunsafe { a() }\n"),
    ]);
    finds(unsafety(&tree), &[("guardian/cell/src/a.rs:6", "SAFETY"), ("guardian/token/src/a.rs:4", "outside")]);
}
