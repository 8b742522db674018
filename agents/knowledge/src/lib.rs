//! What the panel knows: diseases with the frequency of their findings, and tests with their prices.
//!
//! A [`Pack`] is one flat, checksummed block of little-endian bytes that is used where it lies: opening it checks
//! the checksum and every offset once, and nothing is parsed or copied afterwards. [`build`] makes the committed
//! (compressed) form from a release of the Human Phenotype Ontology, [`inflate`] turns that back into the flat form,
//! and [`COMMITTED`] is the committed pack.
//!
//! Out of scope: how likely a disease is in a patient (`bodh-inference`), and where files lie.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pack = bodh_knowledge::Pack::open(bodh_knowledge::inflate(bodh_knowledge::COMMITTED)?)?;
//! let marfan = pack.disease("OMIM:154700").ok_or("not in this pack")?;
//! assert_eq!(pack.disease_label(marfan), "Marfan syndrome");
//! # Ok(())
//! # }
//! ```

mod addition;
mod annotation;
mod assemble;
mod curated;
mod derive;
mod error;
mod flat;
mod general;
mod material;
mod merge;
mod names;
mod open;
mod pack;
mod profile;
mod release;
mod source;
mod tests;

pub use annotation::{Annotation, EvidenceCode, Frequency, FrequencyClass, Ground};
pub use assemble::{build, inflate, with_general};
pub use curated::{Fault, Measure, Range};
pub use error::{BuildError, PackError, Refusal};
pub use flat::PackBytes;
pub use pack::{DiseaseIx, Pack, TermIx, TermStatus};
pub use profile::{Grounds, NEVER, Profile, Revision, rate_of, rate_step};
pub use tests::{TestIx, TestKind};

/// The committed pack, packed as `build.rs` does it: rare disease and general medicine. A static and not a constant: a program
/// holds it once.
pub static COMMITTED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bodh.lz4"));
