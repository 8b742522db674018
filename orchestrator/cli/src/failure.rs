//! Why a command did not conclude, and the exit code that says so. The only place where the two meet.

use std::process::ExitCode;

/// Why a command did not conclude. Each message is one line: the place, the cause, what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Bad usage, or an input that cannot be read: the caller can mend it.
    #[error("{0}")]
    Input(String),
    /// A command that a later version brings.
    #[error("{0} is not there yet in this version; `bodh --help` lists what is")]
    NotThereYet(&'static str),
    /// The session waits for a physician; the report has been shown.
    #[error("")]
    Waiting,
    /// A log, or a signature, does not verify.
    #[error("{0}")]
    Unverified(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
    /// Stopped by a signal; everything that was started has been stopped.
    #[error("stopped")]
    Stopped,
}

/// What a command ends with.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::Input(one_line(&message.into()))
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(one_line(&message.into()))
    }

    pub(crate) fn unverified(message: impl Into<String>) -> Self {
        Self::Unverified(one_line(&message.into()))
    }

    /// The exit code, as the manual promises it.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Input(_) | Self::NotThereYet(_) => 2,
            Self::Waiting => 3,
            Self::Unverified(_) => 4,
            Self::Failed(_) | Self::Stopped => 1,
        }
    }
}

/// Says the failure, if any, on stderr and gives the exit code.
pub(crate) fn exit(outcome: Outcome) -> ExitCode {
    let Err(failure) = outcome else { return ExitCode::SUCCESS };
    if !matches!(failure, Failure::Waiting) {
        eprintln!("bodh: {failure}");
    }
    ExitCode::from(failure.code())
}

/// Control characters would let a file name or a service's words forge lines on the terminal.
fn one_line(message: &str) -> String {
    message.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_exit_code() {
        assert_eq!(Failure::input("x").code(), 2);
        assert_eq!(Failure::NotThereYet("`bodh demo`").code(), 2);
        assert_eq!(Failure::Waiting.code(), 3);
        assert_eq!(Failure::unverified("x").code(), 4);
        assert_eq!(Failure::failed("x").code(), 1);
        assert_eq!(Failure::Stopped.code(), 1);
    }

    #[test]
    fn a_message_is_one_line_whatever_it_quotes() {
        let shown = Failure::input("a file named x\n\u{1b}[2Jconcluded").to_string();
        assert!(!shown.contains(['\n', '\u{1b}']), "{shown:?}");
    }
}
