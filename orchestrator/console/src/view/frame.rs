//! The frame around every page: who is signed in, where one can go, what is in use.

use super::Tone;

/// What `base.html` needs; every page carries one as `frame`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    /// The page's title.
    pub(crate) title: String,
    /// Path of the style sheet.
    pub(crate) css: String,
    /// Paths of the style sheets beside it.
    pub(crate) sheets: Vec<String>,
    /// Paths of the scripts that this page uses.
    pub(crate) scripts: Vec<String>,
    /// Where one can go; empty when nobody is signed in.
    pub(crate) nav: Vec<NavItem>,
    /// Who is signed in.
    pub(crate) person: Option<Person>,
    /// One message above the page.
    pub(crate) notice: Option<Notice>,
    /// Versions for the footer, each as it is shown: `bodh 0.4.0`.
    pub(crate) versions: Vec<String>,
}

/// One place in the navigation.
#[derive(Debug, Clone)]
pub(crate) struct NavItem {
    /// Its name.
    pub(crate) label: String,
    /// Its path.
    pub(crate) href: String,
    /// Whether the page is in it.
    pub(crate) current: bool,
    /// How much waits there; none when nothing is counted.
    pub(crate) count: Option<u32>,
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// Their name.
    pub(crate) name: String,
    /// Their roles in words: `physician, clinician`.
    pub(crate) roles: String,
    /// When the sign-in ends: `14:32`.
    pub(crate) until: String,
    /// The token for the sign-out form.
    pub(crate) csrf: String,
}

/// One message above the page.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    /// How serious it is.
    pub(crate) tone: Tone,
    /// The message.
    pub(crate) text: String,
}

impl Notice {
    /// The ARIA role: only what went wrong interrupts a reader.
    pub(crate) fn role(&self) -> &'static str {
        match self.tone {
            Tone::Warning | Tone::Bad => "alert",
            Tone::Quiet | Tone::Info | Tone::Good => "status",
        }
    }
}
