//! `bodh-orchestrator`: convenes the panel. Holds ciphertext, and the keys of the sessions at work in memory only.

mod actions;
mod alerts;
mod amend;
mod ask;
mod decide;
mod drive;
mod entries;
mod error;
mod expiry;
mod export;
mod grant;
mod homes;
mod inbox;
mod incident;
mod keys;
mod open;
mod outbox;
mod pair;
mod patients;
mod reading;
mod replay;
mod reporting;
mod resume;
mod review;
mod rules;
mod rulings;
mod runner;
mod service;
mod spans;
mod start;
mod status;
mod store;
mod watching;

use std::process::ExitCode;

fn main() -> ExitCode {
    bodh_host::run("orchestrator", start::keep, start::serve)
}
