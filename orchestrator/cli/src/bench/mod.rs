//! Measurements: of reasoning, in this process alone; and what others are held against.
//!
//! - `cases`: a folder, a `.jsonl`, a `.xz` of cases, row by row. `truth`: what the answers are.
//! - `convene`: the whole panel on one case. `rivals`: other ways of ordering tests. `batch`: many cases.
//! - `row`: one case's line of a rankings file. `score`: the rank of the right answer.
//! - `chart`: pictures of what was measured. `plain`: what a call costs without any of what Bodh adds.
//! - `web`, `authenticator`: a browser and its passkey, for the pages. `plain_page`: a page without any of what the console does.

pub(crate) mod authenticator;
mod batch;
mod cases;
pub(crate) mod chart;
mod convene;
pub(crate) mod plain;
pub(crate) mod plain_page;
mod rivals;
mod row;
mod score;
mod truth;
pub(crate) mod web;

pub(crate) use batch::{Batch, Done, run_all, with_visit};
pub(crate) use cases::{Case, read as read_cases};
pub(crate) use convene::{InProcess, Stage};
pub(crate) use rivals::Rival;
pub(crate) use row::Row;
pub(crate) use score::rank;
pub(crate) use truth::{Answers, of_file as truth_file};
