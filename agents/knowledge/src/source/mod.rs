//! The three files of a release, read strictly: a row that cannot be understood names its file and line.

mod genes;
mod hpoa;
mod obo;

pub(crate) use genes::genes;
pub(crate) use hpoa::{Annotations, SourceDisease, SourceRow, annotations};
pub(crate) use obo::{Ontology, ontology};

use crate::BuildError;

/// Longest file that is read: six times the release's largest.
const LONGEST: usize = 256 << 20;

pub(crate) fn text<'a>(file: &'static str, bytes: &'a [u8]) -> Result<&'a str, BuildError> {
    if bytes.len() > LONGEST {
        return Err(BuildError::TooLarge { what: "bytes in one file", limit: LONGEST });
    }
    std::str::from_utf8(bytes).map_err(|fault| {
        let line = bytes.iter().take(fault.valid_up_to()).filter(|b| **b == b'\n').count() + 1;
        row(file, line, "not UTF-8")
    })
}

pub(crate) fn row(file: &'static str, line: usize, what: impl Into<String>) -> BuildError {
    BuildError::Row { file, line, what: what.into() }
}
