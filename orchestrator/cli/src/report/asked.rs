//! What physicians asked for instead of deciding, and how it is answered.

use crate::terminal::{Paint, shown};
use bodh_panel::{AskLine, OrderLine, Report};
use std::fmt::Write;
use std::path::Path;

/// Each request in two lines; the one that waits with the command that answers it.
pub(super) fn asked(out: &mut String, report: &Report, state: Option<&Path>, paint: Paint) -> std::fmt::Result {
    for line in &report.asks {
        let by = line.by.rsplit('/').next().unwrap_or_default();
        let what = if line.label.is_empty() { "an answer".to_owned() } else { shown(&line.label) };
        let waits = if line.waits { "asks for" } else { "asked for" };
        writeln!(out, "  {} {waits} {what}", shown(by))?;
        writeln!(out, "      {}", shown(&line.words))?;
        if let (true, Some(state)) = (line.waits, state) {
            writeln!(out, "      {}", paint.dim(&answer(report, line, state)))?;
        }
    }
    Ok(())
}

/// Why a test is in the list: what the planner expects of it, or who asked for it.
pub(super) fn why(report: &Report, order: &OrderLine) -> String {
    let asked = report.asks.iter().rev().find(|line| line.test.as_ref() == Some(&order.test));
    asked.map_or_else(
        || format!("{:.2} bits expected", order.gain_bits),
        |line| format!("asked for by {}", shown(line.by.rsplit('/').next().unwrap_or_default())),
    )
}

fn answer(report: &Report, line: &AskLine, state: &Path) -> String {
    let about = line.test.as_ref().map(|test| format!(" --about {test}")).unwrap_or_default();
    format!("bodh amend {} --text FILE{about} --state {}", shown(&report.session), state.display())
}
