//! The kernel and the record know nothing of the domain: another one can use them as they are.

use super::{
    finding::{Finding, at, finds, hold},
    source::line_of,
    tree::Tree,
    words,
};

/// Where nothing of the domain is named.
const FOLDERS: [&str; 2] = ["guardian/", "audit/"];

/// The domain's words; their plurals too.
const WORDS: [&str; 15] = [
    "patient",
    "physician",
    "clinician",
    "clinical",
    "clinically",
    "clinic",
    "disease",
    "hospital",
    "medical",
    "medically",
    "medicine",
    "symptom",
    "doctor",
    "nurse",
    "phenopacket",
];
/// And whatever begins like this.
const STEMS: [&str; 2] = ["diagnos", "phenotyp"];

/// Names that foreign libraries gave to something else: path, what the line says, why.
const FOREIGN: [(&str, &str, &str); 3] = [
    ("guardian/policy/src/", ".diagnostics()", "what Cedar calls the policies that determined an answer"),
    ("guardian/policy/src/", "miette::Diagnostic", "the trait through which Cedar's errors tell their place"),
    ("guardian/policy/src/", "dyn Diagnostic", "the same trait"),
];

fn is_medical(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let singular = word.strip_suffix('s').unwrap_or(&word);
    WORDS.contains(&word.as_str()) || WORDS.contains(&singular) || STEMS.iter().any(|stem| word.starts_with(stem))
}

fn medical(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| FOLDERS.iter().any(|folder| file.path.starts_with(folder))) {
        let named = words::of(&file.path).into_iter().filter(|word| is_medical(word));
        findings.extend(named.map(|word| at(&file.path, 1, format!("the path says `{word}`"))));
        for (offset, word) in words::with_offsets(&file.text).into_iter().filter(|(_, word)| is_medical(word)) {
            let number = line_of(&file.text, offset);
            let line = file.text.lines().nth(number - 1).unwrap_or_default();
            let foreign = |(path, said, _): &(&str, &str, &str)| file.path.starts_with(path) && line.contains(said);
            if !(word.to_ascii_lowercase().starts_with("diagnostic") && FOREIGN.iter().any(foreign)) {
                findings.push(at(&file.path, number, format!("says `{word}`")));
            }
        }
    }
    findings
}

#[test]
fn the_kernel_and_the_record_name_nothing_medical() {
    hold(
        "guardian/ and audit/ name nothing of the domain",
        "say approver, owner, subject or resource there; the domain's words belong to agents/, orchestrator/ and deploy/",
        medical(Tree::here()),
    );
}

#[test]
fn planted_words_are_found() {
    let tree = Tree::planted(&[
        ("guardian/gate/src/a.rs", "//! Nursery, impatient, docs.\nstruct PatientId;\n// the physicians\n"),
        ("guardian/gate/Cargo.toml", "bodh-clinical.workspace = true\n"),
        ("guardian/policy/src/a.rs", "use miette::Diagnostic;\nlet diagnosis = 1;\nstruct Diagnostic;\n"),
        ("audit/diagnosis/src/a.rs", ""),
        ("audit/api/proto/a.proto", "// a disease id\n"),
        ("agents/intake/src/a.rs", "struct Patient;"),
    ]);
    finds(
        medical(&tree),
        &[
            ("audit/api/proto/a.proto:1", "disease"),
            ("audit/diagnosis/src/a.rs:1", "path"),
            ("guardian/gate/Cargo.toml:1", "clinical"),
            ("guardian/gate/src/a.rs:2", "Patient"),
            ("guardian/gate/src/a.rs:3", "physicians"),
            ("guardian/policy/src/a.rs:2", "diagnosis"),
            ("guardian/policy/src/a.rs:3", "Diagnostic"),
        ],
    );
}
