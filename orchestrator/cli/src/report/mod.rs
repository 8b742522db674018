//! A session's report on a terminal, for someone who is tired: where it stands first, then why, then the rest.

mod amendments;
mod asked;
mod escalation;
mod expected;
mod lines;
mod record;
mod words;

pub(crate) use escalation::render as escalation;
pub(crate) use words::{dollars_of, pair};

use crate::failure::{Failure, Outcome};
use crate::terminal::{self, Paint};
use bodh_panel::{Report, Status};

/// What is said under every report.
pub(crate) const NOT_A_DEVICE: &str = "Not a medical device. Not clinically validated. A physician decides.";

/// How a session's report is to be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'a> {
    /// One JSON object on one line.
    pub(crate) json: bool,
    /// The folder to name in the commands that go on from here; none when nothing is kept.
    pub(crate) state: Option<&'a std::path::Path>,
    /// What it is about, for the line that says why there is none.
    pub(crate) named: &'a str,
}

/// Reads and shows a report, and says how the command ends.
pub(crate) fn show(bytes: &[u8], shape: Shape<'_>) -> Outcome {
    let report: Report = serde_json::from_slice(bytes)
        .map_err(|cause| Failure::failed(format!("the orchestrator's report is not of this version: {cause}")))?;
    if let Some(line) = report.unusable() {
        return Err(Failure::input(format!("{}: {line}", shape.named)));
    }
    let text = if shape.json {
        // The orchestrator's own bytes: reading and writing them again could move the last digit of a probability.
        format!("{}\n", String::from_utf8_lossy(bytes).trim())
    } else {
        lines::render(&report, shape.state, Paint::stdout())
    };
    terminal::print(&text).map_err(|cause| Failure::failed(format!("stdout: {cause}")))?;
    ending(&report)
}

/// The exit code's meaning: only a conclusion is a success.
fn ending(report: &Report) -> Outcome {
    match report.status {
        Status::Concluded => Ok(()),
        // For people, either way: a physician, or whoever can say what a physician asked for.
        Status::AwaitingPhysician | Status::AwaitingAnswer => Err(Failure::Waiting),
        Status::Withdrawn => Err(Failure::failed("the session was given up; the report says why")),
        Status::Expired => Err(Failure::failed("nobody decided in time; the session stays undecided")),
        Status::AwaitingResults | Status::Deliberating => {
            Err(Failure::failed("the session has not come to an end; `bodh status` shows where it stands"))
        }
    }
}

#[cfg(test)]
mod tests;
