//! What intake needs to know of a knowledge pack's terms, and a [`Pack`] as such a lexicon.

use bodh_clinical::{IgnoredCause, TermId};
use bodh_knowledge::{Measure, Pack, TermStatus};

/// The terms of a pack, as intake uses them.
pub trait Lexicon {
    /// The current id of a term as written: alternative ids mapped, obsolete ones replaced. Or why it cannot be used.
    fn resolve(&self, written: &str) -> Result<&str, IgnoredCause>;

    /// The label of a current term; empty if there is none.
    fn label(&self, term: &str) -> &str;

    /// The current term and all that are above it.
    fn above(&self, term: &str) -> Vec<&str>;

    /// Calls `each` with (current id, name) for every observation's label and synonyms, all labels before the synonyms.
    /// Terms that are no observation (onset, inheritance, frequency, modifiers) and obsolete ones are left out.
    fn names(&self, each: &mut dyn FnMut(&str, &str));

    /// What is measured, with its ranges.
    fn measures(&self) -> Vec<Measure> {
        Vec::new()
    }
}

impl Lexicon for Pack {
    fn resolve(&self, written: &str) -> Result<&str, IgnoredCause> {
        match self.status(written) {
            TermStatus::Current(term) if self.is_phenotypic(term) => Ok(self.term_id(term)),
            TermStatus::Current(_) => Err(IgnoredCause::NotPhenotypic),
            TermStatus::Obsolete => Err(IgnoredCause::Obsolete),
            TermStatus::Unknown => Err(IgnoredCause::UnknownTerm),
        }
    }

    fn label(&self, term: &str) -> &str {
        self.term(term).map_or("", |term| self.term_label(term))
    }

    fn above(&self, term: &str) -> Vec<&str> {
        let known = self.term(term).into_iter();
        known.flat_map(|term| self.ancestors(term)).map(|above| self.term_id(above)).collect()
    }

    fn names(&self, each: &mut dyn FnMut(&str, &str)) {
        let observations = || self.terms().filter(|term| self.is_phenotypic(*term));
        observations().for_each(|term| each(self.term_id(term), self.term_label(term)));
        for term in observations() {
            self.term_synonyms(term).for_each(|name| each(self.term_id(term), name));
        }
    }

    fn measures(&self) -> Vec<Measure> {
        Pack::measures(self)
    }
}

/// The current term of a coded feature.
pub(crate) fn resolve(lexicon: &impl Lexicon, written: &TermId) -> Result<TermId, IgnoredCause> {
    TermId::parse(lexicon.resolve(written.as_str())?).map_err(|_| IgnoredCause::UnknownTerm)
}
