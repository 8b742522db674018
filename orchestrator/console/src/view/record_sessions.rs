//! Compliance: find a session.

use super::Chip;
use super::frame::Frame;
use super::parts::Link;
use askama::Template;

/// The page of the search and its result.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "record_sessions.html")]
pub(crate) struct RecordSessionsPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// Where the search is sent, as GET.
    pub(crate) action: String,
    /// What was asked, given back as it was typed.
    pub(crate) query: Query,
    /// Agents to choose from: value and words.
    pub(crate) agents: Vec<(String, String)>,
    /// Kinds of entry to choose from.
    pub(crate) kinds: Vec<(String, String)>,
    /// Decisions to choose from.
    pub(crate) decisions: Vec<(String, String)>,
    /// What was wrong with the question: the field's id and a sentence.
    pub(crate) wrong: Vec<(String, String)>,
    /// How many were found, in words: `214 sessions, 31 to 45 shown`.
    pub(crate) found: String,
    /// The sessions, newest first.
    pub(crate) rows: Vec<SessionRow>,
    /// The pages of the result.
    pub(crate) pages: Pages,
    /// That this search is itself an entry: which one.
    pub(crate) recorded: Link,
    /// The search by a patient's pseudonym; none where the reader may not search by it.
    pub(crate) patient: Option<PatientSearch>,
}

/// The form that finds a patient's sessions. It is sent as POST: a pseudonym has no place in an address, which browsers and
/// servers keep.
#[derive(Debug, Clone, Default)]
pub(crate) struct PatientSearch {
    /// Where it goes.
    pub(crate) action: String,
    /// The form's token.
    pub(crate) csrf: String,
    /// As it was typed.
    pub(crate) pseudonym: String,
    /// What is wrong with it.
    pub(crate) error: Option<String>,
}

/// The search's fields. Empty for not asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    /// Session id, or its beginning.
    pub(crate) session: String,
    /// A person's name or id.
    pub(crate) person: String,
    /// One of `agents`.
    pub(crate) agent: String,
    /// One of `kinds`.
    pub(crate) kind: String,
    /// One of `decisions`.
    pub(crate) decision: String,
    /// From, as `datetime-local` writes it, UTC.
    pub(crate) from: String,
    /// To, the same.
    pub(crate) to: String,
}

impl Query {
    /// Whether anything was asked.
    pub(crate) fn is_asked(&self) -> bool {
        let typed = [&self.session, &self.person, &self.agent, &self.kind, &self.decision, &self.from, &self.to];
        typed.iter().any(|text| !text.is_empty())
    }
}

/// One session.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionRow {
    /// The id as it is shown: its first 12 digits.
    pub(crate) short: String,
    /// Its trace.
    pub(crate) href: String,
    /// Who asked for it.
    pub(crate) requester: String,
    /// When, UTC.
    pub(crate) started: String,
    /// How many entries.
    pub(crate) entries: String,
    /// How many refusals.
    pub(crate) refusals: u32,
    /// How many questions to physicians.
    pub(crate) escalations: u32,
    /// How many decisions of people.
    pub(crate) decisions: u32,
    /// Where it stands.
    pub(crate) state: Chip,
}

/// The pages of a result.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pages {
    /// The first page, where one does not know how many are between.
    pub(crate) newest: Option<String>,
    /// The page before.
    pub(crate) newer: Option<String>,
    /// The page after.
    pub(crate) older: Option<String>,
    /// Which this is: `page 3 of 15`.
    pub(crate) which: String,
}
