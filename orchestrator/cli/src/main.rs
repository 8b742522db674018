//! `bodh`: the command line of the panel, and the launcher of its processes.
//!
//! - `commands`: one file per command; adding one is a file, an enum arm and a match arm.
//! - `state`: the state folder, its lock, and the unlock key that lives outside it.
//! - `people`: people's key files, and their mutual-TLS clients.
//! - `launch`: binds the listeners, starts the processes, restarts them, stops them all.
//! - `report`: a session's report on a terminal.
//! - `usage`: mistakes in the arguments, one line each.
//! - `bench`: measurements that run in this process.
//!
//! Out of scope: reasoning (`bodh-inference`), reading cases (`bodh-formats`), and every decision about a session
//! (`bodh-panel`). The meaning of each exit code is in `failure`, and nowhere else.

mod bench;
mod commands;
mod failure;
mod launch;
mod people;
mod report;
mod state;
mod terminal;
mod usage;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match commands::Cli::try_parse() {
        Ok(cli) => failure::exit(commands::run(cli)),
        Err(mistake) => usage::exit(&mistake),
    }
}
