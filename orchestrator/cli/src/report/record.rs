//! Where the report's session is in the record, and how to check it.

use super::NOT_A_DEVICE;
use crate::terminal::{Paint, shown};
use bodh_panel::Report;
use std::fmt::Write;
use std::path::Path;

pub(super) fn record(out: &mut String, report: &Report, state: Option<&Path>, paint: Paint) -> std::fmt::Result {
    writeln!(out, "\n{}", paint.bold("Record"))?;
    writeln!(out, "  session {}  trace {}", shown(&report.session), shown(&report.trace))?;
    let audit = &report.audit;
    writeln!(out, "  {} entries of this session; log size {}, root {}", audit.entries, audit.size, shown(&audit.root))?;
    if let Some((name, key)) = signer(&audit.checkpoint) {
        writeln!(out, "  checkpoint signed by {}, key {key}", shown(&name))?;
    }
    if let Some(state) = state {
        let command = format!("bodh audit verify {}", state.join("log").display());
        writeln!(out, "  {}", paint.dim(&command))?;
    }
    if let Some(total) = report.timings_ms.get("total") {
        writeln!(out, "  {total:.0} ms, {} round(s)", report.rounds)?;
    }
    writeln!(out, "\n{}", paint.dim(NOT_A_DEVICE))
}

/// Name and key id of the log's own signature: the first signature line of a signed note
/// (C2SP signed-note: `— <name> <base64 of 4 bytes of key id and the signature>`).
fn signer(note: &str) -> Option<(String, String)> {
    let (name, signature) = note.lines().find_map(|line| line.strip_prefix("— "))?.rsplit_once(' ')?;
    let bytes = data_encoding::BASE64.decode(signature.as_bytes()).ok()?;
    Some((name.to_owned(), data_encoding::HEXLOWER.encode(bytes.get(..4)?)))
}
