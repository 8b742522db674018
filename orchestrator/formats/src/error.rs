//! Why a case file cannot be used.

/// A refused case file. No variant repeats the file's content: places are given as offsets, lines and field names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Nothing but white space.
    #[error("the case is empty; give a Phenopacket v2, an OSCE case or a plain note")]
    Empty,
    /// More bytes than are read.
    #[error("larger than {limit} bytes; give one case at a time")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Free text longer than intake reads.
    #[error("the note is longer than {limit} bytes; shorten it to the present encounter")]
    NoteTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("byte {offset}: not UTF-8; save the case as UTF-8 text")]
    NotUtf8 {
        /// First byte that is not part of a character, from 0.
        offset: usize,
    },
    /// A NUL byte: a binary file.
    #[error("byte {offset}: a NUL byte, which no text has; give JSON or plain text")]
    Nul {
        /// Where, from 0.
        offset: usize,
    },
    /// Nested too deep.
    #[error("line {line}, column {column}: nested deeper than {limit} levels")]
    TooDeep {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// The limit.
        limit: usize,
    },
    /// The JSON ends before it is complete.
    #[error("line {line}, column {column}: the JSON ends too early; the file seems to be cut off")]
    Truncated {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// Not JSON, though it begins like it.
    #[error("line {line}, column {column}: not valid JSON: {cause}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// The JSON rule that was broken.
        cause: String,
    },
    /// A field that breaks the format's rules.
    #[error("{path}: {problem}")]
    Field {
        /// JSON path in the format's own names.
        path: String,
        /// What is wrong and what was expected.
        problem: &'static str,
    },
    /// More of something than is read.
    #[error("{path}: more than {limit} of them")]
    TooMany {
        /// JSON path.
        path: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A format that is recognised, or at least JSON, and not read.
    #[error("{0}")]
    Unsupported(&'static str),
}

impl FormatError {
    pub(crate) fn field(path: impl Into<String>, problem: &'static str) -> Self {
        Self::Field { path: path.into(), problem }
    }
}
