//! Entries as a person reads them: one line each, columns aligned.
//!
//! ```text
//! index  time (UTC)               reporter      kind     action   verdict  cause        step
//!    12  2026-01-02 03:04:05.678  orchestrator  attempt  convene  allow    -            round_1/1
//! ```

use std::fmt::Write as _;

use crate::Entry;

const HEADINGS: [&str; 8] = ["index", "time (UTC)", "reporter", "kind", "action", "verdict", "cause", "step"];

/// A table of entries with their indexes, in the order given; a heading line first. Empty cells show `-`; the
/// last column is `STEP/TRY`.
#[must_use]
pub fn table(entries: &[(u64, Entry)]) -> String {
    let rows: Vec<[String; 8]> = std::iter::once(HEADINGS.map(str::to_owned))
        .chain(entries.iter().map(|(index, entry)| row(*index, entry)))
        .collect();
    let mut widths = [0; 8];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn row(index: u64, entry: &Entry) -> [String; 8] {
    let draft = &entry.draft;
    let time = entry.time.to_string();
    [
        index.to_string(),
        time.get(..23).unwrap_or(&time).replace('T', " "),
        entry.reporter_name().to_owned(),
        draft.kind.to_string(),
        draft.action.clone(),
        or_dash(draft.verdict.map_or("", |verdict| verdict.as_str())),
        or_dash(&draft.cause),
        step(&draft.step, draft.try_number),
    ]
}

fn step(step: &str, try_number: u32) -> String {
    match (step, try_number) {
        (step, 0) => or_dash(step),
        ("", number) => format!("-/{number}"),
        (step, number) => format!("{step}/{number}"),
    }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// The first column is a number and leans right; the others lean left; no space at the end of a line.
fn line(row: &[String; 8], widths: &[usize; 8]) -> String {
    let mut text = String::new();
    for (place, (cell, width)) in row.iter().zip(widths).enumerate() {
        // Writing to a String cannot fail.
        let _ = if place == 0 { write!(text, "{cell:>width$}") } else { write!(text, "  {cell:<width$}") };
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Kind, Time, Verdict};

    #[test]
    fn a_table_lines_up() {
        let entry = |ns, reporter: &str, draft| Entry {
            time: Time::from_unix_ns(ns).unwrap(),
            reporter: format!("spiffe://bodh.internal/{reporter}"),
            draft,
        };
        let mut attempt = Draft::new(Kind::Attempt, "convene", "k1");
        attempt.verdict = Some(Verdict::Allow);
        attempt.step = "round_1".to_owned();
        attempt.try_number = 2;
        let mut refusal = Draft::new(Kind::Refusal, "read", "k2");
        refusal.verdict = Some(Verdict::Deny);
        refusal.cause = "wrong_holder".to_owned();
        let entries = [
            (9, entry(1_709_210_096_123_456_789, "service/orchestrator", attempt)),
            (1_000_010, entry(1_709_210_097_000_000_000, "human/ada", refusal)),
        ];
        assert_eq!(
            table(&entries),
            "  index  time (UTC)               reporter      kind     action   verdict  cause         step\n\
             \x20     9  2024-02-29 12:34:56.123  orchestrator  attempt  convene  allow    -             round_1/2\n\
             1000010  2024-02-29 12:34:57.000  ada           refusal  read     deny     wrong_holder  -\n"
        );
    }
}
