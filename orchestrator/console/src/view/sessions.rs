//! A clinician's sessions, and the form for a new one.

use super::Chip;
use super::frame::Frame;
use super::parts::{Link, News};
use askama::Template;

/// The sessions page.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "sessions.html")]
pub(crate) struct SessionsPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// What was decided of them and not seen yet.
    pub(crate) news: Vec<News>,
    /// The reader's sessions, newest first.
    pub(crate) sessions: Vec<SessionRow>,
    /// Older ones.
    pub(crate) older: Option<Link>,
    /// The form for a new one.
    pub(crate) form: NewSession,
}

/// One session in a line.
#[derive(Debug, Clone)]
pub(crate) struct SessionRow {
    /// Its page.
    pub(crate) href: String,
    /// The patient's pseudonym.
    pub(crate) pseudonym: String,
    /// When it was started: `today, 02:41`.
    pub(crate) started: String,
    /// Where it stands.
    pub(crate) state: Chip,
    /// The budget.
    pub(crate) budget: String,
}

/// The form for a new session, with what was entered.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewSession {
    /// Where it is posted.
    pub(crate) action: String,
    /// The token.
    pub(crate) csrf: String,
    /// The patient's pseudonym as entered.
    pub(crate) pseudonym: String,
    /// What is wrong with it.
    pub(crate) pseudonym_error: Option<String>,
    /// The budget in dollars as entered.
    pub(crate) budget: String,
    /// What is wrong with it.
    pub(crate) budget_error: Option<String>,
    /// The largest budget that policy lets the reader give, in words: `$5,000.00`.
    pub(crate) budget_most: String,
    /// Results can be entered as they come.
    pub(crate) sequential: bool,
    /// The case as entered.
    pub(crate) case: String,
    /// What is wrong with it.
    pub(crate) case_error: Option<String>,
    /// The longest case, in words: `256 KB`.
    pub(crate) case_most: String,
    /// The longest case in bytes, for the script.
    pub(crate) case_bytes: u32,
}

impl NewSession {
    /// The fields that are wrong, in the form's order: the field's id and what is wrong.
    pub(crate) fn errors(&self) -> Vec<(&'static str, &str)> {
        let all = [("pseudonym", &self.pseudonym_error), ("budget", &self.budget_error), ("case", &self.case_error)];
        all.into_iter().filter_map(|(field, error)| error.as_deref().map(|error| (field, error))).collect()
    }
}
