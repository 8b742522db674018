//! What a person may add to a session at rest, and what was added.

use super::parts::Presence;
use super::session::Segment;

/// A form about one thing: a finding, a test, or the session as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Amending {
    /// Where it is posted.
    pub(crate) action: String,
    /// The rounds that the page shows: a form of an earlier page is refused.
    pub(crate) rounds: u32,
    /// The term or the test; empty for the session.
    pub(crate) about: String,
}

/// The form for whatever else was learned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    /// The form.
    pub(crate) form: Amending,
    /// What is open: the test's or the question's id, and its name.
    pub(crate) open: Vec<(String, String)>,
    /// The most letters.
    pub(crate) most: usize,
}

/// One correction, in words.
#[derive(Debug, Clone)]
pub(crate) struct Correction {
    /// The finding.
    pub(crate) label: String,
    /// What it was before: `present`, `absent`, `not in the chart`.
    pub(crate) was: &'static str,
    /// What it is from then on.
    pub(crate) now: &'static str,
    /// For a finding that is out of the chart, and has no other row to be put right in.
    pub(crate) again: Option<Amending>,
}

/// One amendment.
#[derive(Debug, Clone)]
pub(crate) struct Added {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// By whom.
    pub(crate) by: String,
    /// When.
    pub(crate) at: String,
    /// The test or the question that it answers.
    pub(crate) about: Option<String>,
    /// What was corrected.
    pub(crate) corrections: Vec<Correction>,
    /// The words, in pieces; empty when there are none, or none for this reader.
    pub(crate) text: Vec<Segment>,
    /// There are words, and they are not for this reader, or not now.
    pub(crate) withheld: bool,
}

impl Added {
    /// Whether no finding could be read in the words that are shown.
    pub(crate) fn is_unread(&self) -> bool {
        !self.text.is_empty() && !self.text.iter().any(|segment| matches!(segment, Segment::Finding { .. }))
    }
}

impl Correction {
    /// The word of a finding that is seen or not.
    pub(crate) const fn word(presence: Option<Presence>) -> &'static str {
        match presence {
            Some(presence) => presence.word(),
            None => "not in the chart",
        }
    }
}
