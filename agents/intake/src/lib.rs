//! Intake: reads a case into findings, each with the place that it came from.
//!
//! Coded features are brought up to the pack's terms. Free text, which no other member of the panel ever receives, is
//! searched for the pack's names and for words of clinics and patients (`synonyms.tsv`); what is negated is excluded, what is
//! the family's, feared or planned is left out, and numbers that are a finding by definition are read. No model, no
//! network, no randomness: the same note gives the same chart.
//!
//! Out of scope: what the findings mean (`bodh-inference`), and what identifies the person, which intake is never given.

mod apart;
mod chart;
mod cues;
mod hash;
mod index;
mod lexicon;
mod measured;
mod normal;
mod reader;
mod result;
mod same;
mod scope;
mod section;
mod token;
mod words;

pub use lexicon::Lexicon;
pub use reader::{Mention, Reader};

use bodh_clinical::{Opinion, Question, Subject};
use bodh_knowledge::Pack;

/// Longest note that is read, in bytes.
pub const MAX_NOTE: usize = 1024 * 1024;
/// Most coded features of one case.
pub const MAX_FEATURES: usize = 2_000;

/// A question that intake does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The question is another member's.
    #[error("intake answers extract, not {0}; ask the member whose tool it is")]
    NotMine(&'static str),
    /// The note is too long.
    #[error("the note is longer than 1 MiB; shorten it to the present encounter")]
    NoteTooLong,
    /// Too many coded features.
    #[error("more than 2000 coded features; give the ones of the present encounter")]
    TooManyFeatures,
    /// More findings than a chart can carry.
    #[error("the note names more than 2000 findings; it is no note of one encounter")]
    TooManyFindings,
}

/// Reads a case into a chart with the pack's terms.
pub fn answer(question: &Question, pack: &Pack) -> Result<Opinion, Refusal> {
    answer_with(question, pack)
}

/// The same with any lexicon.
pub fn answer_with(question: &Question, lexicon: &impl Lexicon) -> Result<Opinion, Refusal> {
    extract(question, lexicon, |note, subject| Reader::new(lexicon).read(note, subject, lexicon))
}

/// The same with a reader that was made before, for more than one note.
pub fn answer_by(reader: &Reader, question: &Question, lexicon: &impl Lexicon) -> Result<Opinion, Refusal> {
    extract(question, lexicon, |note, subject| reader.read(note, subject, lexicon))
}

fn extract(
    question: &Question,
    lexicon: &impl Lexicon,
    read: impl FnOnce(&str, &Subject) -> Vec<Mention>,
) -> Result<Opinion, Refusal> {
    let Question::Extract { subject, note, coded } = question else {
        return Err(Refusal::NotMine(question.tool()));
    };
    if note.len() > MAX_NOTE {
        return Err(Refusal::NoteTooLong);
    }
    if coded.len() > MAX_FEATURES {
        return Err(Refusal::TooManyFeatures);
    }
    // A coded case needs no index of names.
    let mentions = if note.trim().is_empty() { Vec::new() } else { read(note, subject) };
    let intake = chart::chart(coded, mentions, lexicon);
    if intake.findings.len() > MAX_FEATURES || intake.contradictory.len() > MAX_FEATURES {
        return Err(Refusal::TooManyFindings);
    }
    Ok(Opinion::Extract(intake))
}
