//! The promises of the command line, each on a panel of its own: what a report holds, what the log shows, who decides,
//! what money does, which inputs and folders are refused, and what is never written down.
//!
//! Every test makes its own state folder and keys, so they run side by side. They need the built programs beside the
//! test binary: `tests/run` builds them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod harness;

mod scenarios {
    mod amendments;
    mod asking;
    mod collector;
    mod escalations;
    mod evidence;
    mod incidents;
    mod inputs;
    mod money;
    mod pairs;
    mod patients;
    mod people;
    mod places;
    mod privacy;
    mod record;
    mod report;
    mod state;
    mod told;
    mod traces;
    mod user;
}
