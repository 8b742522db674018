//! Measurements of reasoning that run in this process: no panel.
//!
//! - `cases`: a folder, a `.jsonl`, a `.xz` of cases, row by row. `truth`: what the answers are.
//! - `ranker`: the reasoning that is measured. `row`: one case's line of a rankings file.
//! - `score`: the rank of the right answer. `plain`: what a call costs without any of what Bodh adds.

mod cases;
pub(crate) mod plain;
mod ranker;
mod row;
mod score;
mod truth;

pub(crate) use cases::{Case, read as read_cases};
pub(crate) use ranker::Ranker;
pub(crate) use row::Row;
pub(crate) use score::rank;
pub(crate) use truth::{Answers, of_file as truth_file};
