//! The report as it was released: for the screen, and for a good print.

use super::Tone;
use super::amend::{Added, Learned};
use super::frame::Frame;
use super::parts::{Asked, Cost, Dissent, Finding, Hypothesis, Link, Order, Question};
use super::session::Segment;
use askama::Template;

/// The report's page.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "report.html")]
pub(crate) struct ReportPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// The patient's pseudonym.
    pub(crate) pseudonym: String,
    /// Age and sex.
    pub(crate) subject: String,
    /// The session's id.
    pub(crate) session: String,
    /// When it was released.
    pub(crate) released: String,
    /// Who asked for it.
    pub(crate) requester: String,
    /// `PRELIMINARY`, `SIGNED`, `NOT RELEASED`.
    pub(crate) standing: String,
    /// How serious that is.
    pub(crate) tone: Tone,
    /// What it means, in a sentence.
    pub(crate) standing_means: String,
    /// The signatures.
    pub(crate) signed: Vec<Signature>,
    /// Amended so often since its first release; 0 for never.
    pub(crate) revision: u32,
    /// The summary in one sentence.
    pub(crate) summary: String,
    /// The leading diagnoses.
    pub(crate) differential: Vec<Hypothesis>,
    /// How many more, and their share.
    pub(crate) rest: Option<String>,
    /// None of these.
    pub(crate) other: String,
    /// The one finding that would change the order most.
    pub(crate) turns: Option<String>,
    /// Physicians' reservations.
    pub(crate) reservations: Vec<String>,
    /// What physicians asked for instead of deciding.
    pub(crate) asked: Vec<Asked>,
    /// The token for the forms.
    pub(crate) csrf: String,
    /// What people added since the note.
    pub(crate) added: Vec<Added>,
    /// The form for what was learned; none for who may not add.
    pub(crate) learned: Option<Learned>,
    /// The chart.
    pub(crate) findings: Vec<Finding>,
    /// What the reader should know of the input.
    pub(crate) input: Vec<String>,
    /// Tests.
    pub(crate) orders: Vec<Order>,
    /// Money.
    pub(crate) cost: Cost,
    /// Questions and decisions.
    pub(crate) questions: Vec<Question>,
    /// The second opinion.
    pub(crate) dissent: Option<Dissent>,
    /// The log's receipt in pairs: `Entries`, `Root`, `Checkpoint`.
    pub(crate) receipt: Vec<(String, String)>,
    /// How it is checked offline: a command.
    pub(crate) verify: String,
    /// Versions in pairs.
    pub(crate) versions: Vec<(String, String)>,
    /// What a program made, in a sentence.
    pub(crate) transparency: String,
    /// Session, trace, export; not printed.
    pub(crate) links: Vec<Link>,
}

/// One signature.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    /// By whom.
    pub(crate) by: String,
    /// When.
    pub(crate) at: String,
    /// What it means.
    pub(crate) meaning: String,
}
