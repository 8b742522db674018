//! A physician's inbox: what waits, most urgent first, one row per session. Nothing of a patient's case is in it.

use super::frame::Frame;
use super::parts::{Link, News};
use super::{Chip, Tone};
use askama::Template;

/// The inbox.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "inbox.html")]
pub(crate) struct InboxPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// How many sessions wait, in a sentence: `3 sessions wait for you. The oldest for 2 h 10 min.`
    pub(crate) summary: String,
    /// What was decided of the reader's own sessions and not seen yet.
    pub(crate) news: Vec<News>,
    /// The tiers that hold something, most urgent first.
    pub(crate) tiers: Vec<Tier>,
    /// What was decided, lapsed, or went back.
    pub(crate) past: Vec<PastRow>,
    /// Older ones.
    pub(crate) older: Option<Link>,
}

/// One tier.
#[derive(Debug, Clone)]
pub(crate) struct Tier {
    /// Its name: `Urgent`.
    pub(crate) name: String,
    /// What belongs in it: `a red flag, or a claim that did not stand`.
    pub(crate) holds: String,
    /// How serious it is.
    pub(crate) tone: Tone,
    /// The sessions, oldest first.
    pub(crate) rows: Vec<InboxRow>,
}

/// One session that waits.
#[derive(Debug, Clone)]
pub(crate) struct InboxRow {
    /// The page of the question to look at first.
    pub(crate) href: String,
    /// The session's short id: `3f9a 02c1`.
    pub(crate) session: String,
    /// What it asks, most serious first.
    pub(crate) asks: Vec<InboxAsk>,
    /// How long it has waited: `2 h 10 min`.
    pub(crate) age: String,
    /// Whether that is long.
    pub(crate) late: bool,
    /// When it lapses: `lapses in 5 h`.
    pub(crate) lapses: String,
    /// Who asked for the session.
    pub(crate) requester: String,
    /// Who may decide: `a physician`, `two physicians`.
    pub(crate) who: String,
    /// The reader asked for the session: somebody else decides.
    pub(crate) own: bool,
}

/// One question of a session that waits.
#[derive(Debug, Clone)]
pub(crate) struct InboxAsk {
    /// The kind in words.
    pub(crate) kind: String,
    /// The amount at stake.
    pub(crate) amount: Option<String>,
    /// Where it takes two people and one has approved.
    pub(crate) half: Option<Chip>,
    /// How serious it is.
    pub(crate) tone: Tone,
    /// Its page.
    pub(crate) href: String,
}

/// One question that no longer waits.
#[derive(Debug, Clone)]
pub(crate) struct PastRow {
    /// Its page.
    pub(crate) href: String,
    /// The session's short id.
    pub(crate) session: String,
    /// The kind in words.
    pub(crate) kind: String,
    /// What became of it.
    pub(crate) outcome: Chip,
    /// When.
    pub(crate) at: String,
}
