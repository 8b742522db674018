//! How likely each disease is, which test is worth its price, and whether a stated reasoning holds.
//!
//! - [`rank`]: likelihood ratios over the ontology, a flat prior and a mass for "none of these"; the numbers in a
//!   differential are the product of its claims.
//! - [`second_opinion`]: a different method, semantic similarity; [`verify`] re-derives claims and measures dissent.
//! - [`plan`]: expected information gain per dollar over bundles of findings.
//! - [`accuracy`]: how good rankings are, with intervals over publications.
//!
//! Everything is pure and gives the same bits for the same input, whatever the number of threads. Out of scope: where
//! packs come from (`bodh-knowledge`), and what a session does with an opinion (`bodh-panel`).

pub mod accuracy;
mod calibration;
mod chart;
mod claim;
mod domain;
mod explain;
mod gain;
mod likeness;
mod posterior;
mod similarity;
mod verification;

pub use chart::{MOST_FINDINGS, check_chart};
pub use claim::Evidence;
pub use gain::{ROUND, candidates, plan};
pub use likeness::likeness;
pub use posterior::{order, rank};
pub use similarity::second_opinion;
pub use verification::{check_differential, dissent, verify};
