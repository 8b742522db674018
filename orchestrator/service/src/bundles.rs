//! What a test's bundle shows: needed by the gatekeeper of a sequential session.

use bodh_clinical::{TermId, TestId};
use bodh_knowledge::{Catalogue, Pack, TestKind};

/// The pack and the tests that can be ordered.
pub(crate) struct Bundles {
    pub(crate) pack: Pack,
    catalogue: Catalogue,
}

impl Bundles {
    pub(crate) fn new(pack: Pack, catalogue: Catalogue) -> Self {
        Self { pack, catalogue }
    }

    /// Whether the test's bundle shows the term: it, or a term above it, is among the bundle's roots.
    pub(crate) fn shows(&self, test: &TestId, term: &TermId) -> bool {
        self.catalogue.test(test).is_some_and(|t| self.is_below(term, &t.shows))
    }

    /// Whether the term can be told without a laboratory or a picture: some question or examination shows it, or no
    /// test at all does.
    pub(crate) fn opens(&self, term: &TermId) -> bool {
        let mut others = false;
        for test in self.catalogue.tests().iter().filter(|t| self.is_below(term, &t.shows)) {
            match test.kind {
                TestKind::History | TestKind::Examination => return true,
                TestKind::Laboratory | TestKind::Imaging | TestKind::Function | TestKind::Biopsy => others = true,
            }
        }
        !others
    }

    fn is_below(&self, term: &TermId, roots: &[bodh_knowledge::TermIx]) -> bool {
        let Some(term) = self.pack.term(term.as_str()) else { return false };
        roots.iter().any(|root| self.pack.is_a(term, *root))
    }
}
