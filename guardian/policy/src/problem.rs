//! What is wrong with a bundle, and where.

use std::fmt;

use miette::Diagnostic;

/// One thing that is wrong, at its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct Problem {
    /// The file, by its name in the bundle.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

/// A bundle does not load: nothing of it is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policies do not load:{}", Lines(.0))]
pub struct LoadError(
    /// Everything that was found, never empty.
    pub Vec<Problem>,
);

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl Problem {
    /// At a byte of a file's text.
    pub(crate) fn at(file: &str, text: &str, offset: usize, what: impl Into<String>) -> Self {
        let before = text.as_bytes().iter().take(offset);
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        Self { file: file.to_owned(), line, what: what.into() }
    }

    /// Where one of Cedar's errors points to, or the file's first line if it does not say.
    pub(crate) fn of(file: &str, text: &str, error: &dyn Diagnostic) -> Self {
        let offset = error.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset());
        let detail = error.labels().and_then(|mut labels| labels.next()?.label().map(ToOwned::to_owned));
        let what = match detail {
            Some(detail) => format!("{error}: {detail}"),
            None => error.to_string(),
        };
        Self::at(file, text, offset, what)
    }
}
