//! What is wrong with a log, and from where on.

use std::fmt;

use bodh_audit_log::tile::TilePath;

/// The first thing found wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The first entry that the files no longer vouch for. When the checkpoint or the key is not good, that is entry 0.
    /// Nothing when no entry is concerned: a stray file.
    pub first_bad_index: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// The file, relative to the folder.
    pub place: String,
    /// Whether a publication going on at the same time could look like this.
    pub(crate) passing: bool,
}

impl Fault {
    /// What is wrong with a file, from this entry on.
    #[must_use]
    pub fn new(index: Option<u64>, place: impl fmt::Display, what: impl Into<String>) -> Self {
        Self { first_bad_index: index, what: what.into(), place: place.to_string(), passing: false }
    }

    /// A fault in one tile or bundle, at the item with this place in it.
    pub(crate) fn at(path: &TilePath, item: usize, what: impl Into<String>) -> Self {
        let below = 1
            << (8 * u32::from(match path.shelf {
                bodh_audit_log::tile::Shelf::Entries => 0,
                bodh_audit_log::tile::Shelf::Hashes(level) => level.min(bodh_audit_log::tile::TOP),
            }));
        let index = (item as u64).saturating_mul(below).saturating_add(path.first_entry());
        Self::new(Some(index), path, what)
    }

    pub(crate) fn passing(self) -> Self {
        Self { passing: true, ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first_bad_index {
            Some(index) => write!(f, "first bad entry {index}: {}: {}", self.place, self.what),
            None => write!(f, "{}: {}", self.place, self.what),
        }
    }
}

impl std::error::Error for Fault {}
