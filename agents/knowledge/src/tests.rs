//! The tests of a pack: what each costs and which findings it can show.

use crate::flat::{NONE, Section};
use crate::{Pack, TermIx};
use bodh_clinical::{TermId, TestId, Usd};

/// A test, by its place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestIx(pub u32);

/// What is done to get the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestKind {
    /// A question to the patient or the family.
    History,
    /// Looking, listening, measuring.
    Examination,
    /// Blood, urine or other fluids.
    Laboratory,
    /// Pictures.
    Imaging,
    /// Electrical or mechanical function.
    Function,
    /// Tissue.
    Biopsy,
}

impl TestKind {
    const ALL: [(&'static str, TestKind); 6] = [
        ("history", TestKind::History),
        ("examination", TestKind::Examination),
        ("laboratory", TestKind::Laboratory),
        ("imaging", TestKind::Imaging),
        ("function", TestKind::Function),
        ("biopsy", TestKind::Biopsy),
    ];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|k| k.0 == text).map(|k| k.1)
    }

    /// Whether it needs neither a laboratory nor a machine: what a first visit can tell.
    #[must_use]
    pub fn is_bedside(self) -> bool {
        matches!(self, TestKind::History | TestKind::Examination)
    }

    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn of_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).map(|k| k.1)
    }
}

impl Pack {
    /// All tests, in the order of the list. None in a pack without general medicine.
    pub fn tests(&self) -> impl Iterator<Item = TestIx> + use<> {
        (0..u32::try_from(self.flat.len(Section::TestId)).unwrap_or(0)).map(TestIx)
    }

    /// One test.
    #[must_use]
    pub fn test(&self, id: &TestId) -> Option<TestIx> {
        self.tests().find(|test| self.test_id(*test) == id.as_str())
    }

    /// The test's id.
    #[must_use]
    pub fn test_id(&self, test: TestIx) -> &str {
        self.flat.text(self.flat.u32(Section::TestId, test.0 as usize))
    }

    /// Its generic name.
    #[must_use]
    pub fn test_label(&self, test: TestIx) -> &str {
        self.flat.text(self.flat.u32(Section::TestLabel, test.0 as usize))
    }

    /// What kind of test.
    #[must_use]
    pub fn test_kind(&self, test: TestIx) -> TestKind {
        let code = self.flat.section(Section::TestKind).get(test.0 as usize).copied();
        // Checked when the pack was opened.
        code.and_then(TestKind::of_code).unwrap_or(TestKind::Biopsy)
    }

    /// LOINC code of the panel or of its main result, where one is sure.
    #[must_use]
    pub fn test_loinc(&self, test: TestIx) -> Option<&str> {
        self.optional(Section::TestLoinc, test.0)
    }

    /// An approximate yardstick, never zero.
    #[must_use]
    pub fn price(&self, test: TestIx) -> Usd {
        Usd::from_cents(u64::from(self.flat.u32(Section::TestPrice, test.0 as usize)))
    }

    /// Where the price is from.
    #[must_use]
    pub fn price_source(&self, test: TestIx) -> &str {
        self.flat.text(self.flat.u32(Section::TestSource, test.0 as usize))
    }

    /// The tests that show a finding: those that show it or anything above it. One that shows several of these comes
    /// several times.
    pub fn shown_by(&self, term: TermIx) -> impl Iterator<Item = TestIx> + '_ {
        self.ancestors(term)
            .flat_map(|above| self.flat.list(Section::ShownAt, Section::Shown, above.0 as usize))
            .map(TestIx)
    }

    /// Whether the test shows the finding.
    #[must_use]
    pub fn shows(&self, test: &TestId, term: &TermId) -> bool {
        let (Some(test), Some(term)) = (self.test(test), self.term(term.as_str())) else { return false };
        self.shown_by(term).any(|by| by == test)
    }

    /// Whether a finding can be told without a laboratory or a picture: some question or examination shows it, or no test
    /// at all does.
    #[must_use]
    pub fn is_bedside(&self, term: &TermId) -> bool {
        let Some(term) = self.term(term.as_str()) else { return true };
        let mut tests = self.shown_by(term).peekable();
        tests.peek().is_none() || tests.any(|test| self.test_kind(test).is_bedside())
    }

    /// A text that may be missing.
    pub(crate) fn optional(&self, section: Section, index: u32) -> Option<&str> {
        if index as usize >= self.flat.len(section) {
            return None;
        }
        let text = self.flat.u32(section, index as usize);
        (text != NONE).then(|| self.flat.text(text))
    }
}
