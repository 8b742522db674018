//! The pages: what each one shows, as plain values, and the templates that lay it out.

pub(crate) mod amend;
pub(crate) mod enrol;
pub(crate) mod escalation;
pub(crate) mod format;
pub(crate) mod frame;
pub(crate) mod inbox;
pub(crate) mod keys;
pub(crate) mod message;
pub(crate) mod operations;
pub(crate) mod parts;
pub(crate) mod record_access;
pub(crate) mod record_patient;
pub(crate) mod record_replay;
pub(crate) mod record_sessions;
pub(crate) mod record_trace;
pub(crate) mod record_verify;
pub(crate) mod report;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod sign_in;

/// How serious something is. Every tone has its own icon, so that colour is never alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    /// Over, or of no consequence.
    #[default]
    Quiet,
    /// Worth knowing.
    Info,
    /// As it should be.
    Good,
    /// Needs somebody.
    Warning,
    /// Wrong, or must not be missed.
    Bad,
}

impl Tone {
    /// The style sheet's class.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Tone::Quiet => "is-quiet",
            Tone::Info => "is-info",
            Tone::Good => "is-good",
            Tone::Warning => "is-warning",
            Tone::Bad => "is-bad",
        }
    }

    /// The icon's name in `base.html`.
    pub(crate) const fn icon(self) -> &'static str {
        match self {
            Tone::Quiet => "quiet",
            Tone::Info => "info",
            Tone::Good => "good",
            Tone::Warning => "warning",
            Tone::Bad => "bad",
        }
    }
}

/// A state in one or two words, with its icon.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chip {
    /// How serious it is.
    pub(crate) tone: Tone,
    /// The words.
    pub(crate) word: String,
}

/// SVG that the server drew itself: the only value that a template may print unescaped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Picture(pub(crate) String);
