//! The flat layout: a header, a table of sections, and the sections, all little-endian.
//!
//! ```text
//!  0  magic "BODHPACK"          24  SHA-256 of bytes 0..24 and 56..end
//!  8  layout version, u32       56  per section: offset u64, length u64
//! 12  number of sections, u32   ..  sections, each starting at a multiple of 8
//! 16  length of the whole, u64
//! ```

mod bytes;
mod check;
mod filter;
mod writer;

pub use bytes::PackBytes;
pub(crate) use bytes::{Flat, f64_at, u16_at, u32_at};
pub(crate) use check::check;
pub(crate) use filter::{fold, unfold};
pub(crate) use writer::{Writer, narrow};

pub(crate) const MAGIC: &[u8; 8] = b"BODHPACK";
pub(crate) const VERSION: u32 = 4;
pub(crate) const HASH_AT: usize = 24;
pub(crate) const TABLE_AT: usize = 56;
/// "No term", "no replacement".
pub(crate) const NONE: u32 = u32::MAX;
/// Words of four bytes in one annotation.
pub(crate) const ROW_WORDS: usize = 6;

macro_rules! sections {
    ($($name:ident = $width:literal),+ $(,)?) => {
        /// The sections, in the order of the file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Section { $($name),+ }

        impl Section {
            pub(crate) const ALL: &'static [Section] = &[$(Section::$name),+];

            /// Bytes of one element.
            pub(crate) const fn width(self) -> usize {
                match self { $(Section::$name => $width),+ }
            }

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Section::$name => stringify!($name)),+ }
            }
        }
    };
}

sections! {
    // Every text once; all other sections name a text by its number.
    Text = 1, TextAt = 4,
    // Release and attribution.
    About = 4,
    // Mean breadth of the rare diseases, and of the curated conditions.
    Numbers = 8,
    TermId = 4, TermLabel = 4, Exact = 4, Incidental = 1, SynonymAt = 4, Synonym = 4, ParentAt = 4, Parent = 4, AncestorAt = 4, Ancestor = 4,
    Background = 8, General = 8,
    // What a finding of our own explains by itself, where it is known.
    ExplainsAt = 4, Explains = 4,
    // What is measured, one JSON text each.
    Measure = 4,
    AliasId = 4, AliasTo = 4,
    DiseaseId = 4, DiseaseLabel = 4, AlsoAt = 4, Also = 4, DiseaseSynonymAt = 4, DiseaseSynonym = 4,
    RowAt = 4, Row = 24,
    NamedAt = 4, Named = 4, SeriesAt = 4, Series = 4, GeneAt = 4, Gene = 4,
    Breadth = 8,
    // How many publications report each disease.
    Published = 4,
    ReferenceAt = 4, Reference = 4,
    // Curated conditions: the first diseases, as many as there are prevalences.
    Specialty = 4, RedFlag = 4, Twin = 4, Prevalence = 8, FactorFemale = 8, FactorMale = 8, FactorOutside = 8,
    AgeAt = 4, Age = 4, AntecedentAt = 4, Antecedent = 4, SettledAt = 4, Settled = 4,
    // The tests, with prices in cents; by term the tests that show it.
    TestId = 4, TestLabel = 4, TestKind = 1, TestLoinc = 4, TestPrice = 4, TestSource = 4, ShownAt = 4, Shown = 4,
    // Propagated rates, by term: the diseases in ascending order, and their rates.
    PostingAt = 4, PostingDisease = 2, PostingRate = 1,
}

/// Where each section lies.
pub(crate) const SECTIONS: usize = Section::ALL.len();
