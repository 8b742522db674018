//! Checking what came in: bounds, ranges, and errors that name the field.

use bodh_clinical::{IdError, TermId, TestId, Usd};

/// The bounds of every question and opinion.
pub mod limits {
    /// Findings, coded features, ignored features and contradictory terms of one case.
    pub const FINDINGS: usize = 2_000;
    /// Hypotheses of one differential.
    pub const HYPOTHESES: usize = 50;
    /// Claims of one hypothesis.
    pub const CLAIMS: usize = 2_000;
    /// Other ids of one disease.
    pub const ALSO: usize = 3;
    /// References of one claim.
    pub const SOURCES: usize = 256;
    /// Proposals of one plan.
    pub const PROPOSALS: usize = 10;
    /// Terms that one proposal names.
    pub const REVEALS: usize = 100;
    /// Tests in one list.
    pub const TESTS: usize = 1_000;
    /// Findings that a hypothesis would have made one expect.
    pub const EXPECTED: usize = 8;
    /// Reasons of one step.
    pub const REASONS: usize = 64;
    /// Bytes of a label, a source or another text of the pack's vocabulary.
    pub const LABEL: usize = 300;
    /// Bytes of one reason.
    pub const REASON: usize = 1_000;
    /// Bytes of a note.
    pub const NOTE: usize = 1024 * 1024;
    /// Statements that people add to one session.
    pub const STATEMENTS: u32 = 1_000;
    /// Rounds of one session.
    pub const ROUNDS: u32 = 10_000;
    /// Days of an age: 130 years.
    pub const AGE_DAYS: u32 = 47_482;
    /// Cents of an amount: a billion dollars, as `Usd::parse` reads at most.
    pub const CENTS: u64 = 100_000_000_000;
    /// Bits of information or of a log-likelihood ratio, either way: far beyond what finite frequencies give.
    pub const BITS: f64 = 10_000.0;
}

/// A message that breaks the contract. It names the field, never its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct WireError {
    /// Path of the field in `agent.proto`'s names, e.g. `extract.coded[3].term`.
    pub field: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl WireError {
    pub(crate) fn new(field: &str, problem: &'static str) -> Self {
        Self { field: field.to_owned(), problem }
    }
}

/// Puts errors of an inner message under the field that holds it.
pub(crate) trait Within<T> {
    fn within(self, field: &str) -> Result<T, WireError>;
}

impl<T> Within<T> for Result<T, WireError> {
    fn within(self, field: &str) -> Result<T, WireError> {
        self.map_err(|e| {
            let dot = if e.field.is_empty() || e.field.starts_with('[') { "" } else { "." };
            WireError { field: format!("{field}{dot}{}", e.field), problem: e.problem }
        })
    }
}

impl<T> Within<T> for Result<T, IdError> {
    fn within(self, field: &str) -> Result<T, WireError> {
        self.map_err(|e| WireError::new(field, e.rule))
    }
}

pub(crate) fn required<T>(value: Option<T>, field: &str) -> Result<T, WireError> {
    value.ok_or_else(|| WireError::new(field, "missing"))
}

/// Every item of a bounded list, each error under its index.
pub(crate) fn list<A, B>(
    items: Vec<A>,
    limit: usize,
    field: &str,
    one: impl Fn(A) -> Result<B, WireError>,
) -> Result<Vec<B>, WireError> {
    if items.len() > limit {
        return Err(WireError::new(field, "too many"));
    }
    items.into_iter().enumerate().map(|(n, item)| one(item).within(&format!("{field}[{n}]"))).collect()
}

pub(crate) fn terms(items: Vec<String>, limit: usize, field: &str) -> Result<Vec<TermId>, WireError> {
    list(items, limit, field, |id| TermId::parse(&id).within(""))
}

pub(crate) fn tests(items: Vec<String>, field: &str) -> Result<Vec<TestId>, WireError> {
    list(items, limits::TESTS, field, |id| TestId::parse(&id).within(""))
}

/// A text of our own vocabulary: short, and on one line so that it cannot forge another in a log or a report.
pub(crate) fn label(text: String, limit: usize, field: &str) -> Result<String, WireError> {
    if text.len() > limit {
        return Err(WireError::new(field, "too long"));
    }
    if text.chars().any(char::is_control) {
        return Err(WireError::new(field, "holds a control character"));
    }
    Ok(text)
}

pub(crate) fn labels(items: Vec<String>, count: usize, each: usize, field: &str) -> Result<Vec<String>, WireError> {
    list(items, count, field, |text| label(text, each, ""))
}

pub(crate) fn probability(value: f64, field: &str) -> Result<f64, WireError> {
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(WireError::new(field, "not between 0 and 1")) }
}

pub(crate) fn bits(value: f64, field: &str) -> Result<f64, WireError> {
    if value.abs() <= limits::BITS { Ok(value) } else { Err(WireError::new(field, "not a finite number of bits")) }
}

pub(crate) fn cents(value: u64, field: &str) -> Result<Usd, WireError> {
    if value <= limits::CENTS {
        Ok(Usd::from_cents(value))
    } else {
        Err(WireError::new(field, "more than a billion dollars"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused() {
        for bad in [f64::NAN, f64::INFINITY, -0.001, 1.001] {
            assert_eq!(probability(bad, "p").unwrap_err().to_string(), "p: not between 0 and 1");
        }
        for bad in [f64::NAN, f64::NEG_INFINITY, 10_000.5] {
            assert_eq!(bits(bad, "b").unwrap_err().problem, "not a finite number of bits");
        }
        assert!(probability(0.0, "p").is_ok() && probability(1.0, "p").is_ok() && bits(-10_000.0, "b").is_ok());
        assert!(cents(limits::CENTS, "c").is_ok() && cents(limits::CENTS + 1, "c").is_err());
    }

    #[test]
    fn errors_name_the_path_and_not_the_content() {
        let error =
            terms(vec!["HP:1".to_owned(), "canary".to_owned()], 9, "reveals").within("proposals[2]").unwrap_err();
        assert_eq!(error.to_string(), "proposals[2].reveals[1]: expected PREFIX:LOCAL");
        assert_eq!(
            labels(vec!["a\nb".to_owned()], 9, 9, "x").unwrap_err().to_string(),
            "x[0]: holds a control character"
        );
        assert_eq!(labels(vec!["a".repeat(10)], 9, 9, "x").unwrap_err().to_string(), "x[0]: too long");
        assert_eq!(labels(vec![String::new(); 10], 9, 9, "x").unwrap_err().to_string(), "x: too many");
    }
}
