//! How long files are, and what a crate's face looks like.

use super::{
    finding::{Finding, at, finds, hold},
    tree::{File, Tree},
};

/// No file is longer.
const LONGEST: usize = 350;
/// A file of tests alone may be somewhat longer: it is read one test at a time, and its size is not part of the spread.
const LONGEST_TESTS: usize = 400;
/// At most one in twenty is longer than this.
const LONG: usize = 250;
/// At least half are at most this long.
const MEDIAN: usize = 160;
/// A `lib.rs` has at most this many lines beside its documentation.
const FACE: usize = 80;

fn lines(file: &File) -> usize {
    file.text.lines().count()
}

/// Files that people write.
fn written(tree: &Tree) -> Vec<&File> {
    tree.rust().filter(|file| !file.text.lines().take(3).any(|line| line.contains("@generated"))).collect()
}

fn is_tests(file: &File) -> bool {
    file.path.starts_with("tests/") || file.path.contains("/tests/")
}

fn long_files(tree: &Tree) -> Vec<Finding> {
    let check = |file: &File| {
        let most = if is_tests(file) { LONGEST_TESTS } else { LONGEST };
        (lines(file) > most).then(|| at(&file.path, most + 1, format!("{} lines, at most {most}", lines(file))))
    };
    written(tree).into_iter().filter_map(check).collect()
}

fn spread(tree: &Tree) -> Vec<Finding> {
    let kept = written(tree).into_iter().filter(|file| !is_tests(file));
    let mut files: Vec<_> = kept.map(|file| (lines(file), file)).collect();
    files.sort_by_key(|(lines, _)| *lines);
    let mut findings = Vec::new();
    let long: Vec<_> = files.iter().filter(|(lines, _)| *lines > LONG).collect();
    if long.len() * 20 > files.len() {
        let say = |(lines, file): &&(usize, &File)| {
            at(&file.path, LONG + 1, format!("{lines} lines; {} of {} files are over {LONG}", long.len(), files.len()))
        };
        findings.extend(long.iter().map(say));
    }
    if let Some((median, file)) = files.get(files.len() / 2).filter(|(median, _)| *median > MEDIAN) {
        findings.push(at(&file.path, 1, format!("the median file has {median} lines, at most {MEDIAN}")));
    }
    findings
}

fn faces(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| file.path.ends_with("src/lib.rs")) {
        let first = file.text.lines().next().unwrap_or_default();
        let purpose = first.strip_prefix("//!").map(str::trim).unwrap_or_default();
        // A crate's own name is not its purpose.
        if !purpose.contains(' ') {
            findings.push(at(&file.path, 1, "does not begin with `//!` and what the crate is for"));
        }
        let is_doc = |line: &&str| ["//!", "///"].iter().any(|mark| line.trim_start().starts_with(mark));
        let code = file.text.lines().filter(|line| !is_doc(line)).count();
        if code > FACE {
            findings.push(at(&file.path, 1, format!("{code} lines beside its documentation, at most {FACE}")));
        }
    }
    findings
}

#[test]
fn no_file_is_too_long() {
    hold("no Rust file is over 350 lines", "split it by what its parts are about", long_files(Tree::here()));
}

#[test]
fn few_files_are_long() {
    hold(
        "at most 5 % of the Rust files are over 250 lines, and the median is at most 160",
        "split some of the long files by what their parts are about",
        spread(Tree::here()),
    );
}

#[test]
fn a_crates_face_is_its_purpose_and_few_names() {
    hold(
        "lib.rs begins with what the crate is for, and has at most 80 lines beside its documentation",
        "write the purpose and what is out of scope; move code to a module",
        faces(Tree::here()),
    );
}

#[test]
fn planted_lengths_are_found() {
    let (short, long, longest, middle) = ("a\n".repeat(9), "a\n".repeat(251), "a\n".repeat(351), "a\n".repeat(161));
    let generated = format!("// @generated\n{longest}");
    let tree = Tree::planted(&[
        ("a.rs", &longest),
        ("b.rs", &generated),
        ("c.md", &longest),
        ("d.rs", "a\n"),
        ("e/tests/f.rs", &longest),
    ]);
    finds(long_files(&tree), &[("a.rs:351", "351 lines")]);
    let story = "a\n".repeat(401);
    finds(long_files(&Tree::planted(&[("e/tests/f.rs", &story)])), &[("e/tests/f.rs:401", "401 lines")]);
    finds(
        spread(&Tree::planted(&[("a.rs", &short), ("b.rs", &short), ("c.rs", &long)])),
        &[("c.rs:251", "1 of 3 files")],
    );
    finds(spread(&Tree::planted(&[("a.rs", &short), ("b.rs", &middle)])), &[("b.rs:1", "median file has 161")]);
}

#[test]
fn planted_faces_are_found() {
    let fat = format!("//! What it is for.\n{}", "use a;\n".repeat(81));
    let thin = format!("//! What it is for.\n{}{}", "/// a\n".repeat(200), "use a;\n".repeat(80));
    let tree = Tree::planted(&[
        ("a/src/lib.rs", "mod a;\n"),
        ("b/src/lib.rs", "//! bodh-b\n"),
        ("c/src/lib.rs", &fat),
        ("d/src/lib.rs", &thin),
    ]);
    finds(faces(&tree), &[("a/src/lib.rs:1", "begin"), ("b/src/lib.rs:1", "begin"), ("c/src/lib.rs:1", "81 lines")]);
}
