//! Errors and notices: what happened and what to do next.

use super::Tone;
use super::frame::Frame;
use super::parts::Link;
use askama::Template;

/// A page that says one thing.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "message.html")]
pub(crate) struct MessagePage {
    /// The frame.
    pub(crate) frame: Frame,
    /// How serious it is.
    pub(crate) tone: Tone,
    /// The heading.
    pub(crate) heading: String,
    /// What happened, one paragraph each.
    pub(crate) happened: Vec<String>,
    /// What was typed and would otherwise be lost, so that it can be copied.
    pub(crate) kept: Option<String>,
    /// What to do next; the first is the main one.
    pub(crate) next: Vec<Link>,
    /// What to quote to an operator.
    pub(crate) reference: Option<String>,
}
