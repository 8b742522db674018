//! A patient's case, split into the views that are sealed apart.

use crate::{Presence, TermId};
use serde::{Deserialize, Serialize};

/// Sex as the record gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Not given.
    #[default]
    Unknown,
    /// Female.
    Female,
    /// Male.
    Male,
    /// Neither of the two, as recorded.
    Other,
}

/// What reasoning may know of the person: nothing that identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Subject {
    /// Age at the encounter, in days.
    pub age_days: Option<u32>,
    /// Sex as recorded.
    pub sex: Sex,
}

/// A coded feature as the case file gave it, before intake has looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodedFeature {
    /// The term's id as written.
    pub term: TermId,
    /// Observed or excluded.
    pub presence: Presence,
}

/// What identifies the person. Sealed in its own view; no agent ever receives it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identifiers {
    /// Key and value as the case file named them (`case id`, `subject id`, `name`, …).
    pub entries: Vec<(String, String)>,
}

/// A case as read from a file, with any answer it held taken out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Case {
    /// Who it is: sealed apart.
    pub identifiers: Identifiers,
    /// Age and sex.
    pub subject: Subject,
    /// Free text, for intake alone; empty when the case is coded.
    pub note: String,
    /// Coded features in the file's order.
    pub coded: Vec<CodedFeature>,
    /// What was in the file and could not be used, in words of our own (never the file's).
    pub warnings: Vec<String>,
}
