//! Compliance: who saw what of one patient or session.

use super::Chip;
use super::frame::Frame;
use super::parts::Link;
use super::record_sessions::Pages;
use askama::Template;

/// The access report.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "record_access.html")]
pub(crate) struct RecordAccessPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// Whose: `patient pseudonym K-2041`, `session 29765f59e8ad`.
    pub(crate) subject: String,
    /// What the report rests on, in a sentence: range of entries, checkpoint.
    pub(crate) rests_on: String,
    /// Where the dates are sent, as GET.
    pub(crate) action: String,
    /// From, as `date` writes it.
    pub(crate) from: String,
    /// To, the same.
    pub(crate) to: String,
    /// What was wrong with the dates: the field's id and a sentence.
    pub(crate) wrong: Vec<(String, String)>,
    /// One row per person or service, the most often first.
    pub(crate) people: Vec<Reader>,
    /// How many there are, in words.
    pub(crate) each: String,
    /// Accesses, newest first.
    pub(crate) rows: Vec<Access>,
    /// The pages of them.
    pub(crate) pages: Pages,
    /// Back to the sessions of the patient whom the report is about.
    pub(crate) back: Option<String>,
    /// The entry that this report made.
    pub(crate) recorded: Link,
}

/// Somebody who saw something.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reader {
    /// Who.
    pub(crate) name: String,
    /// As what.
    pub(crate) role: String,
    /// How often.
    pub(crate) times: u32,
    /// How often refused or failed.
    pub(crate) in_vain: u32,
    /// The first time.
    pub(crate) first: String,
    /// The last time.
    pub(crate) last: String,
}

/// One access.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    /// When, UTC.
    pub(crate) time: String,
    /// Who.
    pub(crate) name: String,
    /// As what.
    pub(crate) role: String,
    /// What was seen: `escalation 2 opened`, `report read`, `trace read`.
    pub(crate) what: String,
    /// Why that was allowed: the policy's id.
    pub(crate) allowed_by: String,
    /// Allowed, failed or refused.
    pub(crate) verdict: Chip,
    /// The session.
    pub(crate) session: Link,
    /// The entry.
    pub(crate) entry: Link,
}
