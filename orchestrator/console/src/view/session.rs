//! One session: where it stands, why, and what it cost.

use super::Tone;
use super::amend::{Added, Learned};
use super::frame::Frame;
use super::parts::{Asked, Cost, Dissent, Figure, Finding, Hypothesis, Link, Opinion, Order, Presence, Question};
use askama::Template;

/// The session's page.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "session.html")]
pub(crate) struct SessionPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// What changes while one looks.
    pub(crate) live: Live,
}

/// The part that changes, alone: the answer to `?part=live`.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "live.html")]
pub(crate) struct LivePart {
    /// What changes while one looks.
    pub(crate) live: Live,
}

/// What changes while one looks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Live {
    /// The token for the forms inside.
    pub(crate) csrf: String,
    /// The event stream; none when nothing will change any more.
    pub(crate) events: Option<String>,
    /// The version shown.
    pub(crate) version: u64,
    /// The patient's pseudonym.
    pub(crate) pseudonym: String,
    /// Started when, by whom: `today, 02:41 by Dr Ines Okafor`.
    pub(crate) started: String,
    /// Age and sex as the panel knows them: `17 years, female`.
    pub(crate) subject: String,
    /// Where the session stands.
    pub(crate) banner: Banner,
    /// The note in pieces; empty when the case was coded.
    pub(crate) note: Vec<Segment>,
    /// What people added since.
    pub(crate) added: Vec<Added>,
    /// The form for what was learned; none while the panel is at work, and for who may not add.
    pub(crate) learned: Option<Learned>,
    /// The chart.
    pub(crate) findings: Vec<Finding>,
    /// What could not be used, and what the reader should know of the input.
    pub(crate) input: Vec<String>,
    /// What it could be, most probable first.
    pub(crate) differential: Vec<Hypothesis>,
    /// How many more there are, and their share: `44 more, 2.1 % together`.
    pub(crate) rest: Option<String>,
    /// None of these: `3.1 %`.
    pub(crate) other: String,
    /// The same in thousandths.
    pub(crate) other_permille: u32,
    /// The second opinion; none before there is one.
    pub(crate) dissent: Option<Dissent>,
    /// Tests.
    pub(crate) orders: Vec<Order>,
    /// Money.
    pub(crate) cost: Cost,
    /// Questions to a physician.
    pub(crate) questions: Vec<Question>,
    /// What each member says.
    pub(crate) opinions: Vec<Opinion>,
    /// Physicians' reservations.
    pub(crate) reservations: Vec<String>,
    /// What physicians asked for instead of deciding.
    pub(crate) asked: Vec<Asked>,
    /// The pictures: the differential over the rounds, the cost burn-down.
    pub(crate) figures: Vec<Figure>,
    /// Trace, report, export.
    pub(crate) links: Vec<Link>,
    /// Where the stop is posted; none when there is nothing to stop.
    pub(crate) stop: Option<String>,
}

/// Where a session stands, in a sentence, and the one thing to do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Banner {
    /// How serious it is.
    pub(crate) tone: Tone,
    /// The state: `Waiting for a physician`.
    pub(crate) state: String,
    /// More: `Round 2: the planner looks for tests.`
    pub(crate) detail: String,
    /// The leading diagnosis and its probability; none before there is one.
    pub(crate) leading: Option<(String, String)>,
    /// The one primary action.
    pub(crate) action: Option<Link>,
}

/// A piece of the note.
#[derive(Debug, Clone)]
pub(crate) enum Segment {
    /// Plain text.
    Text(String),
    /// The words that a finding was read from.
    Finding {
        /// The words.
        text: String,
        /// Present or absent.
        presence: Presence,
        /// The finding's label.
        label: String,
        /// The finding's number in the chart.
        number: u32,
    },
}
