//! What a rule finds, and how it says so.

use std::fmt;

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, relative to the root.
    path: String,
    /// The line, from 1.
    line: usize,
    /// What is there.
    pub(crate) what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// A finding in a line (from 1) of a file.
pub(crate) fn at(path: &str, line: usize, what: impl Into<String>) -> Finding {
    Finding { path: path.to_owned(), line, what: what.into() }
}

/// Fails with every finding, the rule and what to do.
pub(crate) fn hold(rule: &str, remedy: &str, mut findings: Vec<Finding>) {
    findings.sort();
    findings.dedup();
    let list: Vec<_> = findings.iter().map(|finding| format!("  {finding}")).collect();
    assert!(findings.is_empty(), "\nhouse rule: {rule}\n{}\nwhat to do: {remedy}\n", list.join("\n"));
}

/// For planted text: exactly these places are found, in this order, each for a reason that names `why`.
#[track_caller]
pub(crate) fn finds(mut findings: Vec<Finding>, expected: &[(&str, &str)]) {
    findings.sort();
    let places: Vec<_> = findings.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect();
    let wanted: Vec<_> = expected.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, wanted, "{findings:#?}");
    for (finding, (_, why)) in findings.iter().zip(expected) {
        assert!(finding.what.contains(why), "{finding} does not say {why:?}");
    }
}

#[test]
#[should_panic(expected = "house rule: nothing is planted\n  a.rs:3: a plant\nwhat to do: pull it out")]
fn a_finding_fails_and_says_where_which_rule_and_what_to_do() {
    hold("nothing is planted", "pull it out", vec![at("a.rs", 3, "a plant")]);
}
