//! What is watched over time: how long what was raised waits until somebody sees it, and how much of it is investigated.

use super::words;
use crate::view::{
    Picture,
    format::{age, percent},
    operations::Measure,
    parts::Figure,
};
use bodh_pictures::{self as picture, Table, days::Day};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Days shown, today included: as many as the orchestrator tells of.
const DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Alerts as the orchestrator computes them from the log.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Alerts {
    pub(super) total: u64,
    by_kind: BTreeMap<String, u64>,
    seen: u64,
    investigated: u64,
    coverage: Option<f64>,
    dwell_p50_ms: Option<u64>,
    dwell_p90_ms: Option<u64>,
    dwell_ms: Vec<u64>,
    pub(super) oldest_unseen_ms: Option<u64>,
    days: Vec<Raised>,
}

/// A day on which something was raised.
#[derive(Debug, Default, Deserialize)]
struct Raised {
    /// `2026-11-30`.
    day: String,
    total: u64,
    seen: u64,
    investigated: u64,
    coverage: Option<f64>,
    dwell_p50_ms: Option<u64>,
    dwell_p90_ms: Option<u64>,
}

/// A length of time in few words.
pub(super) fn ms(value: u64) -> String {
    if value < 60_000 { "under 1 min".to_owned() } else { age(i64::try_from(value).unwrap_or(i64::MAX)) }
}

/// The last days, each in its place whether or not anything was raised on it.
fn days(raised: &[Raised], now_ms: i64) -> Vec<Day> {
    let one = |ago: i64| {
        let at = chrono::DateTime::from_timestamp_millis(now_ms.saturating_sub(ago * DAY_MS)).unwrap_or_default();
        let (name, label) = (at.format("%Y-%m-%d").to_string(), at.format("%-d %b").to_string());
        let Some(on) = raised.iter().find(|raised| raised.day == name) else {
            return Day { label, ..Day::default() };
        };
        Day {
            label,
            total: on.total,
            seen: on.seen,
            investigated: on.investigated,
            median_ms: on.dwell_p50_ms,
            late_ms: on.dwell_p90_ms,
            coverage: on.coverage,
        }
    };
    (0..DAYS).rev().map(one).collect()
}

fn figure(id: &str, caption: &str, drawing: String, table: Table) -> Figure {
    Figure {
        id: id.to_owned(),
        picture: Picture(drawing),
        caption: caption.to_owned(),
        columns: table.headers,
        rows: table.rows,
    }
}

/// Time from raised to seen.
pub(super) fn dwell(alerts: &Alerts, now_ms: i64) -> Measure {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let unseen = usize::try_from(alerts.total.saturating_sub(alerts.seen)).unwrap_or(usize::MAX);
    let time = |value: Option<u64>| value.map_or_else(|| "none yet".to_owned(), ms);
    let month = days(&alerts.days, now_ms);
    let all = picture::dwell::draw("dwell", &alerts.dwell_ms, unseen);
    let by_day = picture::days::dwell("dwell-days", &month);
    Measure {
        facts: vec![
            fact("Half are seen within", time(alerts.dwell_p50_ms)),
            fact("Nine in ten within", time(alerts.dwell_p90_ms)),
            fact("Not seen yet", unseen.to_string()),
        ],
        figures: vec![
            figure(
                "dwell-days",
                "By the day on which it was raised: a dot where half were seen, a line up to nine in ten",
                by_day,
                picture::days::dwell_table(&month),
            ),
            figure(
                "dwell",
                "How long it took until somebody saw it, of all",
                all,
                picture::dwell::table(&alerts.dwell_ms, unseen),
            ),
        ],
    }
}

/// What was investigated of what was raised.
pub(super) fn coverage(alerts: &Alerts, now_ms: i64) -> Measure {
    let mut facts = vec![
        ("Investigated".to_owned(), alerts.coverage.map_or_else(|| "no alert yet".to_owned(), percent)),
        ("Alerts".to_owned(), alerts.total.to_string()),
        ("Decided or marked".to_owned(), alerts.investigated.to_string()),
    ];
    facts.extend(alerts.by_kind.iter().map(|(kind, count)| (words::capital(kind), count.to_string())));
    let month = days(&alerts.days, now_ms);
    let by_day = picture::days::coverage("coverage-days", &month);
    let caption = "By the day on which it was raised: the share that was decided or marked by now";
    Measure { facts, figures: vec![figure("coverage-days", caption, by_day, picture::days::coverage_table(&month))] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_its_place() {
        let now = 20_000 * DAY_MS + 5;
        let raised = |day: &str| Raised { day: day.to_owned(), total: 2, ..Raised::default() };
        let shown = days(&[raised("2024-09-05"), raised("2024-10-04"), raised("2024-09-04")], now);
        let first_and_last = |day: Option<&Day>| day.map(|day| (day.label.clone(), day.total));
        assert_eq!(shown.len(), 30);
        assert_eq!(first_and_last(shown.first()), Some(("5 Sep".to_owned(), 2)));
        assert_eq!(first_and_last(shown.last()), Some(("4 Oct".to_owned(), 2)));
        assert_eq!(shown.iter().filter(|day| day.total > 0).count(), 2, "older than that is not shown");
        assert_eq!(dwell(&Alerts::default(), now).figures.len(), 2);
        assert_eq!(coverage(&Alerts::default(), i64::MIN).figures.len(), 1);
    }
}
