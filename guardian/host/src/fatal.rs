//! Why a service ends, and with which exit status.

use std::process::ExitCode;

/// How a fatal error counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FatalKind {
    /// Bad usage, configuration or state: trying again cannot help (exit status 2).
    Usage,
    /// Anything else (exit status 1).
    Failure,
}

/// One clear line for the operator: the place, the cause, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{line}")]
pub struct Fatal {
    /// How it counts.
    pub kind: FatalKind,
    /// The line.
    pub line: String,
}

impl Fatal {
    /// Trying again cannot help.
    #[must_use]
    pub fn usage(line: impl Into<String>) -> Self {
        Self { kind: FatalKind::Usage, line: line.into() }
    }

    /// Something failed.
    #[must_use]
    pub fn failure(line: impl Into<String>) -> Self {
        Self { kind: FatalKind::Failure, line: line.into() }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.kind {
            FatalKind::Usage => ExitCode::from(2),
            FatalKind::Failure => ExitCode::FAILURE,
        }
    }
}
