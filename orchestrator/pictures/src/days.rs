//! A month of days: for each the median time until somebody saw what was raised, or the share that was investigated.

use super::Table;
use super::marks::{Shape, shape};
use super::scale::Scale;
use super::svg::{Anchor, At, Svg};
use super::words::{count, duration, percent};

/// The drawing's size.
const SIZE: At = (470.0, 190.0);
/// The plot: left, right, top, bottom.
const PLOT: (f64, f64, f64, f64) = (58.0, 460.0, 28.0, 150.0);
/// A mark's size.
const MARK: f64 = 8.0;
/// Where the axis of times can have a tick, in milliseconds; the lowest is its floor.
const TICKS: [u64; 10] =
    [1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000, 2_592_000_000, 31_536_000_000];

/// One day, with or without anything that was raised on it.
#[derive(Debug, Clone, Default)]
pub struct Day {
    /// `30 Nov`.
    pub label: String,
    /// What was raised on it.
    pub total: u64,
    /// Of these, what somebody has seen.
    pub seen: u64,
    /// Of these, what was investigated.
    pub investigated: u64,
    /// From raised to seen: half within this many milliseconds; none where nothing was seen.
    pub median_ms: Option<u64>,
    /// And nine in ten within this many.
    pub late_ms: Option<u64>,
    /// The share that was investigated; none where nothing was raised.
    pub coverage: Option<f64>,
}

/// A day's place on the upright axis, from 0 to 1: its figure, and how far a second one reaches.
type Height = (f64, f64);

/// Time from raised to seen, by the day on which it was raised; the oldest day first.
pub fn dwell(id: &str, days: &[Day]) -> String {
    let title = "Time from raised to seen, day by day";
    let longest = days.iter().filter_map(|day| day.late_ms.max(day.median_ms)).max();
    let ceiling = TICKS.iter().find(|tick| Some(**tick) >= longest).copied().or(longest).unwrap_or(1);
    let [floor, ..] = TICKS;
    let scale = Scale::new(((floor as f64).ln(), (ceiling.max(floor * 10) as f64).ln()), (0.0, 1.0));
    let at = |ms: u64| scale.at((ms.max(floor) as f64).ln());
    let ticks: Vec<(f64, String)> = TICKS
        .iter()
        .filter(|tick| **tick <= ceiling.max(floor * 10))
        .map(|tick| (at(*tick), duration(*tick).replace(".0 s", " s")))
        .collect();
    let height = |day: &Day| day.median_ms.map(|median| (at(median), at(day.late_ms.unwrap_or(median).max(median))));
    let newest = days.iter().rev().find_map(|day| day.median_ms.map(|median| format!("median {}", duration(median))));
    draw(id, (title, &dwell_message(days)), days, &ticks, height, newest)
}

/// The share that was investigated, by the day on which it was raised; the oldest day first.
pub fn coverage(id: &str, days: &[Day]) -> String {
    let ticks: Vec<(f64, String)> =
        (0..=4_u8).map(|quarter| (f64::from(quarter) / 4.0, format!("{} %", u32::from(quarter) * 25))).collect();
    let height = |day: &Day| day.coverage.map(|share| (share, share));
    let newest = days.iter().rev().find_map(|day| day.coverage.map(percent));
    draw(id, ("Share investigated, day by day", &coverage_message(days)), days, &ticks, height, newest)
}

fn draw(
    id: &str,
    (title, message): (&str, &str),
    days: &[Day],
    ticks: &[(f64, String)],
    height: impl Fn(&Day) -> Option<Height>,
    newest: Option<String>,
) -> String {
    let (Some(first), Some(last), Some(newest)) = (days.first(), days.last(), newest) else {
        return Svg::nothing(id, "days", title, message);
    };
    let mut svg = Svg::open(id, "days", SIZE, title, message);
    let (left, right, top, bottom) = PLOT;
    let x = Scale::new((0.0, days.len().saturating_sub(1) as f64), (left + MARK, right - MARK));
    let y = Scale::new((0.0, 1.0), (bottom, top));
    for (height, label) in ticks {
        svg.line(if *height > 0.0 { "grid" } else { "axis" }, (left, y.at(*height)), (right, y.at(*height)));
        svg.text("tick", (left - 8.0, y.at(*height) + 4.0), Anchor::End, label);
    }
    svg.text("tick", (left, bottom + 20.0), Anchor::Start, &first.label);
    svg.text("tick", (right, bottom + 20.0), Anchor::End, &last.label);
    let place = |(day, of): (usize, &Day)| height(of).map(|(low, high)| ((x.at(day as f64), y.at(low)), y.at(high)));
    let places: Vec<Option<(At, f64)>> = days.iter().enumerate().map(place).collect();
    // A day without the figure is a gap and not a value.
    for run in places.split(Option::is_none) {
        let run: Vec<(At, f64)> = run.iter().flatten().copied().collect();
        for ((across, low), high) in &run {
            if high < low {
                svg.line("reach", (*across, *low), (*across, *high));
            }
        }
        let points: Vec<At> = run.iter().map(|(point, _)| *point).collect();
        if points.len() > 1 {
            svg.polyline("line", "", &points);
        }
        for point in points {
            svg.fill("mark", &shape(Shape::Circle, point, MARK));
        }
    }
    if let Some(((across, _), high)) = places.iter().rev().flatten().next() {
        let anchor = if *across > f64::midpoint(left, right) { Anchor::End } else { Anchor::Start };
        let beside = if anchor == Anchor::End { MARK } else { -MARK };
        svg.text("strong", (across + beside, (high - MARK).max(14.0)), anchor, &newest);
    }
    svg.finish()
}

/// How many days have a figure.
fn known<T>(days: &[Day], figure: impl Fn(&Day) -> Option<T>) -> usize {
    days.iter().filter_map(figure).count()
}

fn dwell_message(days: &[Day]) -> String {
    let medians = || days.iter().filter_map(|day| day.median_ms);
    match (medians().min(), medians().max()) {
        (Some(least), Some(most)) if least < most => format!(
            "On {} with something seen, the median wait was between {} and {}.",
            count(known(days, |day| day.median_ms), "day"),
            duration(least),
            duration(most)
        ),
        (Some(only), _) => {
            format!(
                "On {} with something seen, the median wait was {}.",
                count(known(days, |day| day.median_ms), "day"),
                duration(only)
            )
        }
        _ => "Nothing that was raised within these days was seen yet.".to_owned(),
    }
}

fn coverage_message(days: &[Day]) -> String {
    let sum = |of: fn(&Day) -> u64| days.iter().map(of).fold(0, u64::saturating_add);
    let (total, investigated) = (sum(|day| day.total), sum(|day| day.investigated));
    if total == 0 {
        return "Nothing was raised within these days.".to_owned();
    }
    let alerts = count(usize::try_from(total).unwrap_or(usize::MAX), "alert");
    format!("Of {alerts} within these days, {investigated} were investigated.")
}

/// The times as a table: a row per day with something raised, the newest first.
pub fn dwell_table(days: &[Day]) -> Table {
    let mut table = Table::new(&["Day", "Raised", "Seen", "Median", "Nine in ten within"]);
    let time = |ms: Option<u64>| ms.map_or_else(|| "none".to_owned(), duration);
    for day in days.iter().rev().filter(|day| day.total > 0) {
        let (median, late) = (time(day.median_ms), time(day.late_ms));
        table.rows.push(vec![day.label.clone(), day.total.to_string(), day.seen.to_string(), median, late]);
    }
    table
}

/// The shares as a table: a row per day with something raised, the newest first.
pub fn coverage_table(days: &[Day]) -> Table {
    let mut table = Table::new(&["Day", "Raised", "Investigated", "Share"]);
    for day in days.iter().rev().filter(|day| day.total > 0) {
        let share = day.coverage.map_or_else(|| "none".to_owned(), percent);
        table.rows.push(vec![day.label.clone(), day.total.to_string(), day.investigated.to_string(), share]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::check::{NASTY, is_clean, is_square};
    use super::*;

    fn day(total: u64, median_ms: Option<u64>, coverage: Option<f64>) -> Day {
        let label = "30 Nov".to_owned();
        let late_ms = median_ms.map(|median| median.saturating_mul(9));
        Day { label, total, seen: total, investigated: total, median_ms, late_ms, coverage }
    }

    #[test]
    fn nothing_one_and_many() {
        let many: Vec<Day> =
            (0..30).map(|n| day(n, (n % 7 != 3).then_some(n * n * 40_000), (n > 0).then(|| n as f64 / 29.0))).collect();
        let odd = vec![day(1, Some(u64::MAX), Some(f64::NAN)), day(u64::MAX, Some(0), Some(9.0))];
        for days in [vec![], vec![Day::default(); 30], vec![day(3, Some(0), Some(0.0))], odd, many] {
            is_clean(&dwell("d", &days));
            is_clean(&coverage("c", &days));
            is_square(&dwell_table(&days));
            is_square(&coverage_table(&days));
        }
        is_clean(&coverage("c", &[Day { label: NASTY.to_owned(), ..day(1, None, Some(0.5)) }]));
    }

    #[test]
    fn a_day_without_the_figure_is_a_gap() {
        let waits = [Some(1_000), Some(2_000), None, Some(4_000), None, Some(5_000), Some(6_000)];
        let days: Vec<Day> = waits.iter().map(|wait| day(u64::from(wait.is_some()), *wait, None)).collect();
        let svg = dwell("d", &days);
        let seen = |what: &str| svg.matches(what).count();
        assert_eq!((seen("<polyline"), seen("p-mark"), seen("p-reach")), (2, 5, 5), "{svg}");
        assert!(svg.contains("On 5 days with something seen, the median wait was between 1.0 s and 6.0 s."), "{svg}");
        assert!(svg.contains(">median 6.0 s</text>"), "{svg}");
        assert_eq!(dwell_table(&days).rows.len(), 5);
    }

    #[test]
    fn what_was_investigated_is_said() {
        let part = Day { investigated: 1, ..day(4, None, Some(0.25)) };
        let svg = coverage("c", &[day(1, None, Some(1.0)), part.clone()]);
        assert!(svg.contains("Of 5 alerts within these days, 2 were investigated."), "{svg}");
        assert_eq!(coverage_table(&[part]).rows, [["30 Nov", "4", "1", "25.0 %"]]);
    }
}
