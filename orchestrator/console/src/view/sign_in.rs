//! The way in: a passkey, nothing else.

use super::frame::Frame;
use askama::Template;

/// The sign-in page.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage {
    /// The frame; nobody is signed in.
    pub(crate) frame: Frame,
    /// Where the answer goes.
    pub(crate) action: String,
    /// Where the challenge comes from.
    pub(crate) options: String,
    /// Where one goes afterwards, carried along; empty for the start.
    pub(crate) next: String,
    /// What went wrong last time.
    pub(crate) error: Option<String>,
}
