//! Compliance: one session's trace.

use super::Chip;
use super::frame::Frame;
use super::parts::{Figure, Link};
use super::record_sessions::Pages;
use askama::Template;

/// The page of a trace.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "record_trace.html")]
pub(crate) struct RecordTracePage {
    /// The frame.
    pub(crate) frame: Frame,
    /// The token of the forms.
    pub(crate) csrf: String,
    /// The session's id.
    pub(crate) session: String,
    /// Where it stands.
    pub(crate) state: Chip,
    /// What is said above: requester, started, took, entries, refusals, policy, packs.
    pub(crate) facts: Vec<Fact>,
    /// The page's path, without a query.
    pub(crate) path: String,
    /// Which view.
    pub(crate) view: View,
    /// The ways to the views, which keep the search.
    pub(crate) tabs: Vec<Tab>,
    /// The picture above the table; none in the table view.
    pub(crate) figure: Option<Figure>,
    /// What is searched for in this trace.
    pub(crate) search: String,
    /// What the search found, in words; none when nothing is searched for.
    pub(crate) hits: Option<String>,
    /// The entries in order, quiet ones folded.
    pub(crate) runs: Vec<Run>,
    /// The pages of a long trace.
    pub(crate) pages: Pages,
    /// The policies of this trace with their texts, each once; entries lead to them.
    pub(crate) policies: Vec<Policy>,
    /// Where the log is verified in this browser.
    pub(crate) verify: String,
    /// Who saw this session.
    pub(crate) access: String,
    /// The entry that reading this trace made.
    pub(crate) recorded: Link,
    /// The evidence, to be taken along.
    pub(crate) evidence: String,
    /// Where a replay is asked for.
    pub(crate) replay: String,
    /// Reviews so far, the newest first.
    pub(crate) reviews: Vec<Reviewed>,
    /// The form of a review; none for whoever may not.
    pub(crate) review: Option<ReviewForm>,
}

/// A review on record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reviewed {
    /// What was found.
    pub(crate) found: Chip,
    /// Who and when.
    pub(crate) by: String,
    /// The entry that went wrong, where one did.
    pub(crate) wrong: Option<Link>,
    /// Its own entry.
    pub(crate) entry: Link,
}

/// The form of a review.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReviewForm {
    /// Where the signature goes.
    pub(crate) action: String,
    /// Where the challenge comes from.
    pub(crate) options: String,
    /// The last entry that the page shows: what is reviewed.
    pub(crate) up_to: u64,
    /// What the signature means.
    pub(crate) meaning: &'static str,
}

/// The way to a view.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tab {
    /// Its name.
    pub(crate) label: String,
    /// Its path with the query, encoded.
    pub(crate) href: String,
    /// Whether it is this one.
    pub(crate) current: bool,
}

/// One value with its name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fact {
    /// What it is.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: String,
    /// Whether it is a hash or an id.
    pub(crate) mono: bool,
}

/// How the trace is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum View {
    /// A row per entry.
    #[default]
    Table,
    /// The same below a picture of lanes.
    Timeline,
    /// The same below a picture of who called whom.
    Graph,
}

impl View {
    /// All, in the order of the tabs.
    pub(crate) const ALL: [Self; 3] = [View::Table, View::Timeline, View::Graph];

    /// The view of a query's `view`; the table for anything else.
    pub(crate) fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|view| view.name() == name).unwrap_or_default()
    }

    /// Its name in the query, and in a word.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            View::Table => "table",
            View::Timeline => "timeline",
            View::Graph => "graph",
        }
    }
}

/// Entries that stand together.
#[derive(Debug, Clone)]
pub(crate) enum Run {
    /// One that is shown.
    Shown(Box<Entry>),
    /// Quiet ones, folded but there; open when the search found one of them.
    Quiet(Vec<Entry>, bool),
}

/// One entry of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    /// Its index in the log; its row is `#e123`.
    pub(crate) index: u64,
    /// When, with milliseconds, UTC.
    pub(crate) time: String,
    /// Who acted.
    pub(crate) from: String,
    /// On whom; empty when it is the same.
    pub(crate) to: String,
    /// Kind and action: `attempt, ask`.
    pub(crate) action: String,
    /// What was acted on; empty for nothing.
    pub(crate) resource: String,
    /// The verdict in a word: `allowed`, `refused`, `asked a person`, `done`, `failed`.
    pub(crate) verdict: Option<Chip>,
    /// It was refused.
    pub(crate) refused: bool,
    /// The search found it.
    pub(crate) hit: bool,
    /// Why it was allowed or refused; none where no policy was asked.
    pub(crate) why: Option<Why>,
    /// Everything else that the entry holds: hashes, versions, token, tries. Empty where `page` has it.
    pub(crate) more: Vec<Fact>,
    /// A page with all fields: what keeps a long trace light.
    pub(crate) page: Option<String>,
}

impl Entry {
    /// The row's class.
    pub(crate) const fn class(&self) -> &'static str {
        match (self.refused, self.hit) {
            (true, true) => "is-bad refused hit",
            (true, false) => "is-bad refused",
            (false, true) => "hit",
            (false, false) => "",
        }
    }
}

/// What decided.
#[derive(Debug, Clone, Default)]
pub(crate) struct Why {
    /// `Why was this allowed`, `Why was this refused`, `Why was a person asked`.
    pub(crate) question: String,
    /// The answer, in a sentence.
    pub(crate) answer: String,
    /// The cause's code; empty for none.
    pub(crate) cause: String,
    /// The policies that determined it.
    pub(crate) policies: Vec<Policy>,
    /// The hash of the policy bundle that was in force.
    pub(crate) bundle: String,
}

/// One policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    /// Its id.
    pub(crate) id: String,
    /// Its text, as it was in force; empty in an entry where the page's list of policies has it. Refusals bring theirs.
    pub(crate) text: String,
}
