//! Compliance: the sessions of one patient.

use super::frame::Frame;
use super::record_sessions::{Pages, SessionRow};
use askama::Template;

/// The sessions that were found by a pseudonym.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "record_patient.html")]
pub(crate) struct RecordPatientPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// What was searched for, as it was entered.
    pub(crate) pseudonym: String,
    /// Where the access report is.
    pub(crate) report: String,
    /// How many were found, in words.
    pub(crate) found: String,
    /// The sessions, newest first.
    pub(crate) rows: Vec<SessionRow>,
    /// The pages of the result.
    pub(crate) pages: Pages,
}
