//! What a diagnosis would have made one expect, and the one finding that would change the order most.

use super::words::likelihood;
use crate::terminal::shown;
use bodh_clinical::{Expected, Hypothesis};
use std::fmt::Write;

/// How much of it is shown.
const EXPECTED: usize = 3;
/// In bits: a finding that is less than twice as usual in one disease as in the other turns nothing.
const TURNS: f64 = 1.0;

/// What one would have expected, and the one thing that would change the order most.
pub(super) fn expected(out: &mut String, place: usize, h: &Hypothesis) -> std::fmt::Result {
    let share = |e: &Expected| format!("{} ({:.0} %)", shown(&e.label), e.frequency * 100.0);
    let all: Vec<String> = h.expected.iter().take(EXPECTED).map(share).collect();
    if !all.is_empty() {
        writeln!(out, "        expected, not in the chart: {}", all.join(", "))?;
    }
    let most = h.expected.iter().max_by(|a, b| a.tells_bits.total_cmp(&b.tells_bits));
    match most.filter(|e| e.tells_bits >= TURNS) {
        Some(e) if place == 1 => {
            let times = likelihood(e.tells_bits).replace("likely in this disease", "usual than in the second");
            writeln!(out, "        would settle it most: {}, {times}", shown(&e.label))
        }
        Some(e) => {
            let times = likelihood(e.tells_bits).replace("likely in this disease", "usual than in the leading one");
            writeln!(out, "        would move it up most: {}, {times}", shown(&e.label))
        }
        None => Ok(()),
    }
}
