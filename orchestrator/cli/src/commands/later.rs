//! Commands that a later version brings: parsed, so that the answer is one clear line and not a usage error.

use crate::failure::Failure;
use std::ffi::OsString;

/// Whatever follows.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Anything {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<OsString>,
}

/// The one line.
pub(crate) fn refusal(command: &'static str) -> Failure {
    Failure::NotThereYet(command)
}
