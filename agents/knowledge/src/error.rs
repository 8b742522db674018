//! What can be wrong with a release, a pack, or a question.

/// A release that cannot be made into a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A row that does not say what its format requires.
    #[error("{file}, line {line}: {what}; correct the row or use an unaltered release")]
    Row {
        /// Which of the three files.
        file: &'static str,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A term is its own ancestor.
    #[error("hp.obo, line {line}: {term} is its own ancestor; remove one `is_a` of the cycle")]
    Cycle {
        /// Where the term begins.
        line: usize,
        /// One term of the cycle.
        term: String,
    },
    /// The ontology has no phenotypic root.
    #[error("hp.obo has no term HP:0000118 (Phenotypic abnormality); use an unaltered release")]
    NoRoot,
    /// The annotations hold no disease.
    #[error("phenotype.hpoa annotates no disease; use an unaltered release")]
    NoDisease,
    /// More than the layout holds.
    #[error("more than {limit} {what}: the layout does not hold them")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many fit.
        limit: usize,
    },
    /// Two names that give one id.
    #[error("two {what} have the same id: give one of them another name")]
    SameId {
        /// Of what.
        what: &'static str,
    },
    /// What was built does not pass the checks of a pack.
    #[error("what was built is not a sound pack: {0}")]
    Unsound(#[from] PackError),
}

/// Bytes that are not a sound pack. Fetch the pack again or rebuild it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The compressed form does not decompress within the bound.
    #[error("the compressed pack is damaged or larger than {limit} bytes")]
    Compressed {
        /// The bound.
        limit: usize,
    },
    /// Another kind of file.
    #[error("not a knowledge pack")]
    Magic,
    /// Another version of the layout.
    #[error("the pack has layout version {found}, this program reads version {expected}: rebuild the pack")]
    Version {
        /// In the file.
        found: u32,
        /// Understood here.
        expected: u32,
    },
    /// Shorter or longer than its header says.
    #[error("the pack is {found} bytes long, its header says {stated}")]
    Length {
        /// Present.
        found: usize,
        /// Stated.
        stated: u64,
    },
    /// Some byte differs from what was built.
    #[error("the pack's checksum does not match: some byte has changed")]
    Checksum,
    /// The checksum holds, the content does not make sense.
    #[error("the pack's section `{section}` is unsound: {what}")]
    Content {
        /// Which section.
        section: &'static str,
        /// What is wrong.
        what: &'static str,
    },
}

/// Why a member of the panel does not answer a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The question belongs to another member.
    #[error("{member} does not answer this question; ask the member it belongs to")]
    NotMine {
        /// Who was asked.
        member: &'static str,
    },
    /// More of something than is bounded.
    #[error("more than {limit} {what}; ask with fewer")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// A number that is not one, or out of its range.
    #[error("{what} is out of range")]
    OutOfRange {
        /// Which number.
        what: &'static str,
    },
    /// A finding's term is not one that the pack can reason about.
    #[error("a finding's term is not a current phenotypic term of the pack; give current terms")]
    UnknownTerm,
    /// The same finding twice, or present and excluded at once.
    #[error("the chart says something twice; give one finding per term")]
    Repeated,
}
