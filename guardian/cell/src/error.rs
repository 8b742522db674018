//! How work in a cell fails. Each variant names who is to blame; none repeats a question or an answer.

use std::{fmt, io, os::unix::process::ExitStatusExt, process::ExitStatus};

/// Why a cell gave no answer. After every variant but `Refused` and `QuestionTooLong` the cell is gone.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// The process could not be started: the host's program, descriptors or memory.
    #[error("the cell could not be started: {0}; check the program's path and the host's confinement")]
    NotStarted(#[source] io::Error),
    /// The cell ended without answering: its program broke a rule of the sandbox, a limit, or panicked.
    #[error("the cell died: {0}")]
    Died(Ending),
    /// What the cell wrote is not an answer.
    #[error("the cell wrote something that is not an answer; it was killed")]
    Babbled,
    /// The answer is longer than the limits allow.
    #[error("the cell's answer is longer than {limit} bytes; it was killed")]
    TooLong {
        /// The longest answer allowed.
        limit: u32,
    },
    /// The answer did not come in time.
    #[error("the cell did not answer in time; it was killed")]
    Deadline,
    /// The cell refuses this question, with the code that its program gave. It is alive and can be asked again.
    #[error("the cell refuses the question with code {0}")]
    Refused(u8),
    /// The question is longer than the limits allow. Nothing was sent; the caller is to blame.
    #[error("the question has {length} bytes, the limit is {limit}; ask less")]
    QuestionTooLong {
        /// The question's length.
        length: usize,
        /// The longest question allowed.
        limit: u32,
    },
    /// The cell was killed before, by an earlier error or because an earlier question was abandoned. Start another.
    #[error("this cell has ended; start another")]
    Ended,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this status.
    Code(i32),
    /// This signal killed it: SIGSYS is a forbidden system call, SIGXCPU its processor time, SIGABRT its memory.
    Signal(i32),
    /// It was killed, and the kernel's word on how it ended did not arrive.
    Unknown,
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(crate::inside::PANICKED) => f.write_str("its program panicked"),
            Self::Code(crate::inside::NOT_SANDBOXED) => f.write_str("its sandbox could not be set up"),
            Self::Code(code) => write!(f, "it exited with status {code}"),
            Self::Signal(libc::SIGSYS) => f.write_str("it used a system call that the sandbox forbids"),
            Self::Signal(libc::SIGXCPU) => f.write_str("its processor time is used up"),
            Self::Signal(libc::SIGABRT) => f.write_str("it aborted; its memory may be used up"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("it was killed"),
        }
    }
}
