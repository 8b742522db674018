//! A person's own keys.

use super::frame::Frame;
use super::operations::Signing;
use askama::Template;

/// The page of one's own keys.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "keys.html")]
pub(crate) struct KeysPage {
    /// The frame.
    pub(crate) frame: Frame,
    /// The token of the forms.
    pub(crate) csrf: String,
    /// The keys, the oldest first.
    pub(crate) keys: Vec<Key>,
    /// Whether they are passkeys, of which there may be several.
    pub(crate) passkeys: bool,
    /// Whether there is one alone.
    pub(crate) last: bool,
}

/// A key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Key {
    /// The first digits of its SHA-256: `9f86 d081 884c 7d65`.
    pub(crate) print: String,
    /// `Passkey`, `Key file`.
    pub(crate) kind: String,
    /// Since when it is theirs.
    pub(crate) since: String,
    /// The form that takes it away; none for the last one.
    pub(crate) remove: Option<Signing>,
}
