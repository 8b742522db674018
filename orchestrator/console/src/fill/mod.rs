//! From what the services answer to what the pages show. Pure.

pub(crate) mod amend;
pub(crate) mod ask;
pub(crate) mod chart;
pub(crate) mod escalation;
pub(crate) mod evidence;
pub(crate) mod live;
pub(crate) mod operations;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod trace;
pub(crate) mod words;
