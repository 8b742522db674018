//! From what the services answer to what the pages show. Pure.

pub(crate) mod access;
pub(crate) mod amend;
pub(crate) mod ask;
mod calibration;
pub(crate) mod chart;
pub(crate) mod escalation;
pub(crate) mod evidence;
mod incidents;
pub(crate) mod live;
mod measures;
pub(crate) mod operations;
pub(crate) mod patient;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod trace;
mod trace_figures;
pub(crate) mod words;
