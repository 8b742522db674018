//! Compliance: what a replay came to.

use super::{Chip, frame::Frame};
use askama::Template;

/// The page of a replay.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "record_replay.html")]
pub(crate) struct RecordReplayPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// The session's id.
    pub(crate) session: String,
    /// What came of it.
    pub(crate) result: Chip,
    /// How much was compared.
    pub(crate) said: String,
    /// What is not as it was.
    pub(crate) rows: Vec<Row>,
    /// The way back.
    pub(crate) trace: String,
}

/// One thing that is not as it was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// What.
    pub(crate) what: String,
    /// As it was on record.
    pub(crate) then: String,
    /// As it is now.
    pub(crate) now: String,
}
