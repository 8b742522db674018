//! How long questions waited until somebody opened them: a dot per question (or per so many) on a logarithmic axis.

use super::Table;
use super::marks::{Shape, shape};
use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::words::{count, duration, grouped};

/// The drawing's size.
const SIZE: (f64, f64) = (470.0, 210.0);
/// The plot: left, right, top, bottom.
const PLOT: (f64, f64, f64, f64) = (10.0, 460.0, 46.0, 172.0);
/// The most dots; beyond that each stands for several, at even quantiles.
const DOTS: usize = 60;
/// A dot's size.
const DOT: f64 = 11.0;
/// Where the axis can have a tick, in milliseconds.
const TICKS: [u64; 14] = [
    100,
    1_000,
    5_000,
    20_000,
    60_000,
    300_000,
    1_200_000,
    3_600_000,
    14_400_000,
    43_200_000,
    86_400_000,
    259_200_000,
    604_800_000,
    2_592_000_000,
];

/// The value below which this share of the sorted values lies (nearest rank).
pub fn quantile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Sorted, and nothing shorter than a millisecond.
fn sorted(waits_ms: &[u64]) -> Vec<u64> {
    let mut waits = waits_ms.to_vec();
    waits.sort_unstable();
    waits
}

/// The drawing. `waits_ms` is the time from raised to seen; `unseen` are still waiting.
pub fn draw(id: &str, waits_ms: &[u64], unseen: usize) -> String {
    let waits = sorted(waits_ms);
    let title = "Time from raised to seen";
    let (Some(first), Some(last)) = (waits.first(), waits.last()) else {
        return Svg::nothing(id, "dwell", title, &message(&waits, unseen));
    };
    let mut svg = Svg::open(id, "dwell", SIZE, title, &message(&waits, unseen));
    let (left, right, top, bottom) = PLOT;
    let floor = TICKS.iter().rev().find(|tick| *tick <= first).or(TICKS.first()).copied().unwrap_or(1);
    let ceiling = TICKS.iter().find(|tick| *tick >= last && **tick > floor).copied().unwrap_or((*last).max(floor * 10));
    let x = Scale::new(((floor as f64).ln(), (ceiling as f64).ln()), (left + DOT, right - DOT));
    let at = |ms: u64| x.at((ms.max(floor) as f64).ln());
    svg.line("axis", (left, bottom), (right, bottom));
    let mut free = f64::MIN;
    for tick in TICKS.iter().filter(|tick| (floor..=ceiling).contains(tick)) {
        svg.line("axis", (at(*tick), bottom), (at(*tick), bottom + 5.0));
        if at(*tick) > free {
            svg.text("tick", (at(*tick), bottom + 19.0), Anchor::Middle, &duration(*tick).replace(".0 s", " s"));
            free = at(*tick) + 52.0;
        }
    }
    let shown = dots(&waits);
    let columns = stacks(&shown, at);
    let tallest = columns.iter().map(|(_, height)| *height).max().unwrap_or(0);
    let pitch = ((bottom - top - 6.0) / (tallest as f64 + 0.5)).min(DOT + 1.0);
    for (place, height) in columns {
        svg.fill("dot", &shape(Shape::Circle, (place, bottom - 3.0 - pitch * (height as f64 - 0.5)), DOT.min(pitch)));
    }
    let note = if shown.len() < waits.len() {
        format!(
            "each dot is about {} of {}",
            count(waits.len().div_ceil(shown.len()), "question"),
            grouped(waits.len() as u64)
        )
    } else {
        format!("each dot is one of {}", count(waits.len(), "question"))
    };
    let note = if unseen > 0 { format!("{note}; {} still unseen", grouped(unseen as u64)) } else { note };
    svg.text("tick", (right, SIZE.1 - 3.0), Anchor::End, &note);
    let (median, late) = (quantile(&waits, 50).unwrap_or(0), quantile(&waits, 90).unwrap_or(0));
    // The later one is named above, so that its name does not cross the other's line.
    marker(&mut svg, at(late), at(late) > SIZE.0 * 0.7, &format!("9 in 10 within {}", duration(late)), 14.0);
    marker(&mut svg, at(median), at(median) > SIZE.0 * 0.3, &format!("median {}", duration(median)), 32.0);
    svg.finish()
}

/// A labelled upright line.
fn marker(svg: &mut Svg, at: f64, to_the_left: bool, label: &str, base: f64) {
    svg.line("marker", (at, base - 10.0), (at, PLOT.3));
    let (place, anchor) = if to_the_left { (at - 6.0, Anchor::End) } else { (at + 6.0, Anchor::Start) };
    svg.text("strong", (place, base), anchor, label);
}

/// The values that have a dot: all, or the middles of even shares.
fn dots(sorted: &[u64]) -> Vec<u64> {
    if sorted.len() <= DOTS {
        return sorted.to_vec();
    }
    (0..DOTS).filter_map(|dot| sorted.get((2 * dot + 1) * sorted.len() / (2 * DOTS)).copied()).collect()
}

/// Each dot's column, and its place in the stack from 1. A column is as wide as a dot.
fn stacks(shown: &[u64], at: impl Fn(u64) -> f64) -> Vec<(f64, usize)> {
    let mut column = f64::MIN;
    let mut height = 0;
    let place = |ms: &u64| {
        let here = at(*ms);
        if here - column >= DOT {
            (column, height) = (here, 0);
        }
        height += 1;
        (column, height)
    };
    shown.iter().map(place).collect()
}

/// The main message.
fn message(sorted: &[u64], unseen: usize) -> String {
    let waiting = if unseen > 0 { format!(" {} still unseen.", count(unseen, "question")) } else { String::new() };
    match (quantile(sorted, 50), quantile(sorted, 90)) {
        (Some(median), Some(late)) => format!(
            "Of {}, half were seen within {} and nine in ten within {}.{waiting}",
            count(sorted.len(), "question"),
            duration(median),
            duration(late)
        ),
        _ => format!("No question was seen yet.{waiting}"),
    }
}

/// The same as a table: how many were seen within each of the axis's times, and the quantiles.
pub fn table(waits_ms: &[u64], unseen: usize) -> Table {
    let sorted = sorted(waits_ms);
    let mut table = Table::new(&["Measure", "Value"]);
    let mut row = |name: String, value: String| table.rows.push(vec![name, value]);
    for (name, percent) in [("Shortest", 0), ("Median", 50), ("Nine in ten within", 90), ("Longest", 100)] {
        row(name.to_owned(), quantile(&sorted, percent).map_or("none".to_owned(), duration));
    }
    for limit in [5_000_u64, 60_000, 1_200_000, 3_600_000, 86_400_000] {
        let within = sorted.partition_point(|wait| *wait <= limit);
        row(
            format!("Seen within {}", duration(limit).replace(".0 s", " s")),
            format!("{within} of {}", sorted.len() + unseen),
        );
    }
    row("Still unseen".to_owned(), unseen.to_string());
    table
}

#[cfg(test)]
mod tests {
    use super::super::check::{is_clean, is_square};
    use super::*;

    #[test]
    fn nothing_one_and_many() {
        let many: Vec<u64> = (1..5_000).map(|n: u64| n * n * 37 % 9_000_000 + 900).collect();
        for (waits, unseen) in
            [(vec![], 0), (vec![], 3), (vec![0], 0), (vec![60_000; 50], 2), (many, 0), (vec![1, u64::MAX], 1)]
        {
            is_clean(&draw("w", &waits, unseen));
            is_square(&table(&waits, unseen));
        }
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let ten: Vec<u64> = (1..=10).collect();
        assert_eq!([0, 50, 90, 100].map(|p| quantile(&ten, p)), [Some(1), Some(5), Some(9), Some(10)]);
        assert_eq!(quantile(&[], 50), None);
        let svg = draw("w", &[60_000, 120_000, 180_000, 240_000], 1);
        assert!(
            svg.contains(
                "Of 4 questions, half were seen within 2 min and nine in ten within 4 min. 1 question still unseen."
            ),
            "{svg}"
        );
    }
}
