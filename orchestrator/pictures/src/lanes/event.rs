//! What the lanes and the graph are drawn from.

use super::super::marks::Shape;

/// What sort of thing an event is; its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Something that was done, from its attempt to its outcome.
    Work,
    /// A person, or the policy, decided.
    Decision,
    /// A person was asked.
    Escalation,
    /// A person opened something.
    Opened,
    /// A session moved to another state.
    State,
    /// Needs attention.
    Alert,
    /// Anything else.
    Note,
}

impl Kind {
    /// All, in the order of the key.
    pub(super) const ALL: [Self; 7] =
        [Kind::Work, Kind::Decision, Kind::Escalation, Kind::Opened, Kind::State, Kind::Alert, Kind::Note];

    /// In a word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Kind::Work => "work",
            Kind::Decision => "decision",
            Kind::Escalation => "escalation",
            Kind::Opened => "opened",
            Kind::State => "state",
            Kind::Alert => "alert",
            Kind::Note => "other",
        }
    }

    /// Its shape.
    pub(super) const fn shape(self) -> Shape {
        match self {
            Kind::Decision => Shape::Diamond,
            Kind::Escalation => Shape::Up,
            Kind::Opened => Shape::Plus,
            Kind::State => Shape::Square,
            Kind::Alert => Shape::Down,
            Kind::Work | Kind::Note => Shape::Circle,
        }
    }
}

/// One entry, or an attempt with its outcome.
#[derive(Debug, Clone)]
pub struct Event {
    /// The entry's index in the log; its row in the table is `#e123`.
    pub index: u64,
    /// Who did it, in words: `clinician`, `cost guardian`.
    pub actor: String,
    /// What happened, in a few words.
    pub label: String,
    /// What sort of thing.
    pub kind: Kind,
    /// When, in milliseconds since 1970.
    pub at_unix_ms: i64,
    /// When it ended, for work.
    pub until_unix_ms: Option<i64>,
    /// It was refused.
    pub refused: bool,
    /// Of low value: drawn small.
    pub quiet: bool,
}

/// The lanes from top to bottom; actors that are not here come after them, by name.
pub const LANES: [&str; 12] = [
    "clinician",
    "orchestrator",
    "intake",
    "diagnostician",
    "test planner",
    "cost guardian",
    "reasoning verifier",
    "supervisor",
    "guardian",
    "audit",
    "physician",
    "operator",
];
