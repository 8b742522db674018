//! Enrolment: a one-time link from an operator becomes a passkey.

use super::frame::Frame;
use askama::Template;

/// The enrolment page.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "enrol.html")]
pub(crate) struct EnrolPage {
    /// The frame; nobody is signed in.
    pub(crate) frame: Frame,
    /// Whether the new key replaces lost ones.
    pub(crate) recovers: bool,
    /// The invitation's secret, posted with the form.
    pub(crate) invitation: String,
    /// Who is invited.
    pub(crate) name: String,
    /// The roles, each with what it allows: `physician: decides what the panel may not`.
    pub(crate) roles: Vec<(String, String)>,
    /// Who invites.
    pub(crate) inviter: String,
    /// Until when the link works: `today, 18:05 (in 23 hours)`.
    pub(crate) until: String,
    /// Where the first signature goes.
    pub(crate) action: String,
    /// Where the challenge comes from.
    pub(crate) options: String,
    /// Where the new key goes.
    pub(crate) made: String,
    /// What went wrong last time.
    pub(crate) error: Option<String>,
}
