//! What several pages show: findings, hypotheses with their evidence, orders, money, pictures.

use super::{Chip, Picture, Tone, amend::Amending};

/// What a physician asked for instead of deciding.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Who.
    pub(crate) by: String,
    /// When.
    pub(crate) at: String,
    /// The test or question by its name, or `an answer`.
    pub(crate) what: String,
    /// In the physician's words.
    pub(crate) words: String,
    /// Whether the session waits for it.
    pub(crate) waits: bool,
}

/// A decision on one of the reader's own sessions that they have not seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct News {
    /// The session's page.
    pub(crate) href: String,
    /// The session's short id.
    pub(crate) session: String,
    /// The kind of question in words.
    pub(crate) kind: String,
    /// What was decided.
    pub(crate) verdict: Chip,
    /// By whom.
    pub(crate) by: String,
    /// When.
    pub(crate) at: String,
}

/// A link, or a word that leads nowhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct Link {
    /// What is read.
    pub(crate) label: String,
    /// Where it leads; none for a plain word.
    pub(crate) href: Option<String>,
}

/// Whether a finding was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Observed.
    Present,
    /// Looked for and not found.
    Absent,
}

impl Presence {
    /// In a word, which is also the style sheet's class.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Presence::Present => "present",
            Presence::Absent => "absent",
        }
    }

    /// Looked for and not found.
    pub(crate) const fn is_absent(self) -> bool {
        matches!(self, Presence::Absent)
    }
}

/// One finding of the chart.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// Its number in the chart, from 1: its row is `#finding-N`, its place in the note `#note-N`.
    pub(crate) number: u32,
    /// The pack's label.
    pub(crate) label: String,
    /// Present or absent.
    pub(crate) presence: Presence,
    /// The term's id.
    pub(crate) term: Link,
    /// Where it came from, in words: `coded`, `the note`, `result of echocardiogram`.
    pub(crate) origin: String,
    /// Whether the note holds it, so that the row can lead there.
    pub(crate) in_note: bool,
    /// The form for a correction; none when it cannot be corrected here.
    pub(crate) correct: Option<Amending>,
}

/// One statement for or against a diagnosis.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    /// The finding's label.
    pub(crate) finding: String,
    /// Present or absent.
    pub(crate) presence: Presence,
    /// How much it says, in words, about the disease it stands under: `60 times more likely`.
    pub(crate) weight: String,
    /// The same in bits, signed: `+5.9`.
    pub(crate) bits: String,
    /// How strong it is in thousandths, for the bar: 1000 is a ratio of 1000 or more.
    pub(crate) strength: u32,
    /// What it rests on; empty for the background rate alone.
    pub(crate) sources: Vec<Link>,
    /// Why it does not stand (refuted, or marked as false); none while it does.
    pub(crate) fallen: Option<String>,
}

/// A finding that a diagnosis would have made one expect.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// Its label.
    pub(crate) label: String,
    /// How many of the disease's patients have it: `60 %`.
    pub(crate) share: String,
}

/// One diagnosis that it could be.
#[derive(Debug, Clone)]
pub(crate) struct Hypothesis {
    /// Its place, from 1.
    pub(crate) rank: u32,
    /// Its name.
    pub(crate) label: String,
    /// Its id.
    pub(crate) id: Link,
    /// Its probability: `87.1 %`.
    pub(crate) percent: String,
    /// The same in thousandths, for the bar.
    pub(crate) permille: u32,
    /// How usual it is: `1 in 5,000`, `prevalence unknown`.
    pub(crate) prevalence: String,
    /// Counts as rare.
    pub(crate) rare: bool,
    /// Must not be missed.
    pub(crate) red_flag: bool,
    /// What speaks for it, strongest first.
    pub(crate) for_it: Vec<Claim>,
    /// What speaks against it, strongest first.
    pub(crate) against_it: Vec<Claim>,
    /// What one would have expected and the chart does not have.
    pub(crate) expected: Vec<Expected>,
    /// The finding that would change its place most, as a sentence.
    pub(crate) turns: Option<String>,
}

/// One test.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Its name.
    pub(crate) label: String,
    /// Its price: `$204.50`, `price unknown`.
    pub(crate) price: String,
    /// What it is expected to tell: `0.42 bits`.
    pub(crate) gain: String,
    /// Where it stands.
    pub(crate) status: Chip,
    /// The form for its result; none when nobody can enter one here.
    pub(crate) result: Option<Amending>,
}

/// Money committed, and the budget.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost {
    /// Committed so far.
    pub(crate) spent: String,
    /// Committed after what is asked; none when nothing costs anything.
    pub(crate) after: Option<String>,
    /// The budget.
    pub(crate) budget: String,
    /// How far the new total is over the budget, in dollars; none when it is not.
    pub(crate) over: Option<String>,
    /// The three on one scale of thousandths: the bar's ends.
    pub(crate) spent_at: u32,
    /// See `spent_at`; equal to it when nothing is added.
    pub(crate) after_at: u32,
    /// See `spent_at`.
    pub(crate) budget_at: u32,
}

impl Cost {
    /// How much of the bar the question adds.
    pub(crate) const fn added(&self) -> u32 {
        self.after_at.saturating_sub(self.spent_at)
    }
}

/// A picture with its table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figure {
    /// Its name within the page: `rounds`.
    pub(crate) id: String,
    /// The drawing.
    pub(crate) picture: Picture,
    /// What it shows, in a sentence.
    pub(crate) caption: String,
    /// The table's heads.
    pub(crate) columns: Vec<String>,
    /// The table's rows; the first cell names the row.
    pub(crate) rows: Vec<Vec<String>>,
}

/// What one member of the panel says.
#[derive(Debug, Clone)]
pub(crate) struct Opinion {
    /// Who: `Diagnostician`.
    pub(crate) member: String,
    /// In one sentence.
    pub(crate) says: String,
    /// What stands behind it, one line each.
    pub(crate) lines: Vec<String>,
    /// A mark, where it needs one: dissent, refuted claims.
    pub(crate) mark: Option<Chip>,
}

/// The verifier's disagreement with the diagnostician.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dissent {
    /// How far apart the two are: `12.0 %`.
    pub(crate) percent: String,
    /// The same in thousandths.
    pub(crate) permille: u32,
    /// How serious that is.
    pub(crate) tone: Tone,
    /// What it means, in a sentence.
    pub(crate) meaning: String,
    /// The verifier's leading diagnoses.
    pub(crate) leads: Vec<String>,
    /// Claims that do not stand: which, and why.
    pub(crate) refuted: Vec<String>,
}

/// One question to a physician, in a line.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The kind in words: `over the budget`.
    pub(crate) kind: String,
    /// What is proposed, in words.
    pub(crate) action: String,
    /// The policy's reason.
    pub(crate) reason: String,
    /// The amount at stake.
    pub(crate) amount: Option<String>,
    /// Where it stands.
    pub(crate) status: Chip,
    /// Its page; none when the reader may not see it.
    pub(crate) href: Option<String>,
    /// What was decided, by whom and when.
    pub(crate) decided: Option<String>,
}
