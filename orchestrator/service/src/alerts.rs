//! Alerts, from the log alone: when each was raised, seen and investigated; what that comes to, of all and by the day.

use bodh_audit_log::{Entry, Kind};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Single dwell times shown.
const MOST_SHOWN: usize = 1000;
/// Days shown, today included.
const DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Dwell time: from the event until a person saw it. Coverage: the share that was investigated, that is, given a
/// disposition.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Alerts {
    total: u64,
    by_kind: BTreeMap<String, u64>,
    seen: u64,
    investigated: u64,
    /// Investigated over all; none without alerts.
    coverage: Option<f64>,
    dwell_p50_ms: Option<u64>,
    dwell_p90_ms: Option<u64>,
    dwell_max_ms: Option<u64>,
    /// Each of them, the shortest first; at most a thousand, evenly taken.
    dwell_ms: Vec<u64>,
    /// The age of the oldest alert that nobody has seen.
    oldest_unseen_ms: Option<u64>,
    /// The last thirty days that had an alert, in order: each with the alerts that were raised on it.
    days: Vec<Day>,
}

/// The alerts of one day (UTC), and what has become of them by now.
#[derive(Debug, PartialEq, Serialize)]
struct Day {
    /// `2026-11-30`.
    day: String,
    total: u64,
    seen: u64,
    investigated: u64,
    coverage: Option<f64>,
    dwell_p50_ms: Option<u64>,
    dwell_p90_ms: Option<u64>,
}

/// One alert.
struct Alert {
    kind: &'static str,
    raised_ms: i64,
    /// From raised to seen; none while nobody has seen it.
    dwell_ms: Option<u64>,
    investigated: bool,
}

/// What some alerts come to.
struct Sums {
    total: u64,
    investigated: u64,
    /// Of those that were seen, the shortest first.
    dwell_ms: Vec<u64>,
}

impl Sums {
    fn of<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Self {
        let mut sums = Self { total: 0, investigated: 0, dwell_ms: Vec::new() };
        for alert in alerts {
            sums.total += 1;
            sums.investigated += u64::from(alert.investigated);
            sums.dwell_ms.extend(alert.dwell_ms);
        }
        sums.dwell_ms.sort_unstable();
        sums
    }

    fn seen(&self) -> u64 {
        self.dwell_ms.len() as u64
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of alerts stay far below 2^53")]
    fn coverage(&self) -> Option<f64> {
        (self.total > 0).then(|| self.investigated as f64 / self.total as f64)
    }
}

/// Pure: the figures of these entries at `now_ms`.
pub(crate) fn alerts(entries: &[&Entry], now_ms: i64) -> Alerts {
    let all = followed(entries);
    let mut by_kind: BTreeMap<String, u64> = BTreeMap::new();
    for alert in &all {
        *by_kind.entry(alert.kind.to_owned()).or_default() += 1;
    }
    let sums = Sums::of(all.iter());
    let unseen = all.iter().filter(|alert| alert.dwell_ms.is_none());
    let ages = unseen.map(|alert| u64::try_from(now_ms.saturating_sub(alert.raised_ms)).unwrap_or(0));
    Alerts {
        total: sums.total,
        by_kind,
        seen: sums.seen(),
        investigated: sums.investigated,
        coverage: sums.coverage(),
        dwell_p50_ms: quantile(&sums.dwell_ms, 50),
        dwell_p90_ms: quantile(&sums.dwell_ms, 90),
        dwell_max_ms: sums.dwell_ms.last().copied(),
        oldest_unseen_ms: ages.max(),
        days: days(&all, now_ms),
        dwell_ms: sums.dwell_ms.iter().step_by(sums.dwell_ms.len().div_ceil(MOST_SHOWN).max(1)).copied().collect(),
    }
}

fn days(all: &[Alert], now_ms: i64) -> Vec<Day> {
    let today = now_ms.div_euclid(DAY_MS);
    let mut by_day: BTreeMap<i64, Vec<&Alert>> = BTreeMap::new();
    for alert in all {
        by_day.entry(alert.raised_ms.div_euclid(DAY_MS)).or_default().push(alert);
    }
    let last = by_day.range(today - DAYS + 1..=today).map(|(day, alerts)| {
        let sums = Sums::of(alerts.iter().copied());
        let date = chrono::DateTime::from_timestamp_millis(day * DAY_MS).unwrap_or_default();
        Day {
            day: date.format("%Y-%m-%d").to_string(),
            total: sums.total,
            seen: sums.seen(),
            investigated: sums.investigated,
            coverage: sums.coverage(),
            dwell_p50_ms: quantile(&sums.dwell_ms, 50),
            dwell_p90_ms: quantile(&sums.dwell_ms, 90),
        }
    });
    last.collect()
}

/// Each alert with what became of it.
fn followed(entries: &[&Entry]) -> Vec<Alert> {
    let of = |kind| entries.iter().copied().filter(move |e: &&Entry| e.draft.kind == kind);
    let first = |kind| {
        let mut seen: HashMap<&str, i64> = HashMap::new();
        // The first of two approvals disposes of nothing.
        for entry in of(kind).filter(|entry| kind != Kind::Decision || entry.draft.action == "decide") {
            let at = seen.entry(entry.draft.resource.as_str()).or_insert(i64::MAX);
            *at = (*at).min(unix_ms(entry));
        }
        seen
    };
    let (opened, decided) = (first(Kind::Opened), first(Kind::Decision));
    let raised = of(Kind::Escalation)
        .map(|e| ("escalation", e))
        .chain(of(Kind::Incident).map(|e| ("incident", e)))
        .chain(of(Kind::Refusal).filter(|e| e.draft.count == 0).map(|e| ("refusal", e)));
    let follow = |(kind, alert): (&'static str, &Entry)| {
        let raised_ms = unix_ms(alert);
        let key = alert.draft.resource.as_str();
        // A marked incident was made by the person who saw it, with a disposition: the mark itself.
        let marked = alert.draft.action == "mark";
        let at = if marked { Some(raised_ms) } else { opened.get(key).copied().filter(|_| kind != "refusal") };
        Alert {
            kind,
            raised_ms,
            dwell_ms: at.map(|at| u64::try_from(at.saturating_sub(raised_ms)).unwrap_or(0)),
            investigated: marked || (kind == "escalation" && decided.contains_key(key)),
        }
    };
    raised.map(follow).collect()
}

/// The nearest-rank quantile.
fn quantile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn unix_ms(entry: &Entry) -> i64 {
    entry.time.unix_ns() / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_audit_log::{Draft, Time};

    fn entry(kind: Kind, action: &str, resource: &str, at_ms: i64) -> Entry {
        let mut draft = Draft::new(kind, action, format!("{resource}/{action}/{at_ms}"));
        draft.resource = resource.to_owned();
        let time = Time::from_unix_ns(at_ms * 1_000_000).unwrap();
        Entry { time, reporter: "spiffe://d/service/orchestrator".to_owned(), draft }
    }

    #[test]
    fn a_day_has_what_was_raised_on_it_and_thirty_days_are_shown() {
        let now = 20_000 * DAY_MS + 5;
        let mut entries = vec![
            entry(Kind::Escalation, "escalate", "a", now - DAY_MS),
            entry(Kind::Opened, "open", "a", now - DAY_MS + 400),
            entry(Kind::Opened, "open", "a", now),
            entry(Kind::Decision, "decide", "a", now),
            entry(Kind::Escalation, "escalate", "b", now - DAY_MS + 1),
            entry(Kind::Incident, "mark", "c", now),
            entry(Kind::Refusal, "decide", "d", now),
        ];
        entries.push(entry(Kind::Escalation, "escalate", "old", now - 30 * DAY_MS));
        let page = alerts(&entries.iter().collect::<Vec<_>>(), now);
        assert_eq!((page.total, page.seen, page.investigated, page.days.len()), (5, 2, 2, 2));
        let [before, today] = page.days.as_slice() else { panic!("two days") };
        assert_eq!((before.total, before.seen, before.investigated, before.dwell_p50_ms), (2, 1, 1, Some(400)));
        assert_eq!((today.total, today.coverage, today.dwell_p50_ms), (2, Some(0.5), Some(0)));
        assert_eq!((before.day.as_str(), today.day.as_str()), ("2024-10-03", "2024-10-04"));
        assert_eq!(page.oldest_unseen_ms, Some(30 * 24 * 60 * 60 * 1000));
        let many: Vec<Entry> =
            (0..90).map(|n| entry(Kind::Escalation, "escalate", &n.to_string(), now - n * DAY_MS)).collect();
        assert_eq!(alerts(&many.iter().collect::<Vec<_>>(), now).days.len(), 30, "bounded");
        assert!(alerts(&[], now).days.is_empty());
    }
}
