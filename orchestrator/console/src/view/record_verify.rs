//! Compliance: verify the log in this browser, without trusting the server.

use super::frame::Frame;
use askama::Template;

/// The page around `verify.js`.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "record_verify.html")]
pub(crate) struct RecordVerifyPage {
    /// The frame; its scripts are `tlog.js`, `verify.js` and `verify_page.js`, in this order.
    pub(crate) frame: Frame,
    /// Where the log is published, ending with `/`.
    pub(crate) log: String,
    /// An entry to look for; empty for none.
    pub(crate) index: String,
    /// The scripts of this page with their SHA-256, to be compared with the documentation's.
    pub(crate) scripts: Vec<Script>,
}

/// A script.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// Its name.
    pub(crate) name: String,
    /// Its path.
    pub(crate) href: String,
    /// SHA-256 of its bytes, hex.
    pub(crate) sha256: String,
}
