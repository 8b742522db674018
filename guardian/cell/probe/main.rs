//! Tries what must not be possible: in a cell on request, and as a confined host. Only the tests of this crate run it.
#![allow(unsafe_code, reason = "forbidden system calls are tried without the library that would not make them")]

mod attempts;
mod host;

use std::{io::Write, process::ExitCode};

use bodh_cell::{Cell, Launcher, Limits, OWN_PROGRAM, SealedPack};

fn main() -> ExitCode {
    if bodh_cell::is_cell() {
        bodh_cell::serve(attempts::Memory::new, attempts::answer);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let report = match words.as_slice() {
        ["ask", question] => in_a_runtime(ask(question)),
        ["hold"] => in_a_runtime(hold()),
        ["inherit"] => host::inherit(),
        ["threads"] => host::confine_with_threads(),
        ["host", folder, readable, secret, listed, other] => host::attempts(folder, readable, secret, listed, other),
        _ => "unknown words".to_owned(),
    };
    // A reader that is gone needs no report.
    let _ = writeln!(std::io::stdout(), "{report}");
    ExitCode::SUCCESS
}

fn in_a_runtime(work: impl Future<Output = String>) -> String {
    match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => error.to_string(),
    }
}

/// Starts a cell, asks it one question and tells the outcome.
async fn ask(question: &str) -> String {
    match start().await {
        Ok(mut cell) => format!("{:?}", cell.ask(question.as_bytes()).await),
        Err(error) => error,
    }
}

/// Starts a cell, tells its process id and waits to be killed.
async fn hold() -> String {
    match start().await {
        Ok(mut cell) => {
            let answered = cell.ask(b"echo here").await.is_ok();
            let _ = writeln!(std::io::stdout(), "{} {answered}", cell.pid());
            std::future::pending().await
        }
        Err(error) => error,
    }
}

async fn start() -> Result<Cell, String> {
    let pack = SealedPack::new(b"the pack").map_err(|error| error.to_string())?;
    let launcher = Launcher::new(OWN_PROGRAM, Some(pack), Limits::default());
    Cell::start(&launcher).await.map_err(|error| error.to_string())
}
