//! What people stated after the case was read, as the report tells it: who, when, and which findings; never the words.

use super::words::presence;
use crate::commands::inbox::time;
use crate::terminal::{Paint, shown};
use bodh_panel::{AmendmentLine, Corrected, Report, Said};
use std::fmt::Write;

pub(super) fn amendments(out: &mut String, report: &Report, paint: Paint) -> std::fmt::Result {
    if report.amendments.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.bold("Added by people"))?;
    for line in &report.amendments {
        let AmendmentLine { by, at_unix_ms, about, corrections, has_text } = line;
        let about = about.as_ref().map(|test| format!(" on {test}")).unwrap_or_default();
        let words = if *has_text { ", in words" } else { "" };
        let by = by.rsplit('/').next().unwrap_or(by);
        writeln!(out, "  {} by {}{about}{words}", time(*at_unix_ms), shown(by))?;
        for corrected in corrections {
            writeln!(out, "      {}", correction(corrected))?;
        }
    }
    Ok(())
}

fn correction(corrected: &Corrected) -> String {
    let now = match corrected.said {
        Said::Present => "present",
        Said::Excluded => "absent",
        Said::NotSaid => "taken out",
    };
    let was = corrected.was.map_or("not in the chart", presence);
    format!("{}: {now} (before: {was})", shown(&corrected.label))
}
