//! The status: what waits, dwell time and coverage, computed from the log alone.

use crate::{error::Error, runner::Runner};
use bodh_audit_api::Query;
use bodh_audit_log::{Entry, Kind};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// The figures are made of at most this many entries of each kind.
const MOST_ENTRIES: usize = 100_000;

/// Single dwell times shown.
const MOST_SHOWN: usize = 1000;

/// What `bodh status` shows.
#[derive(Debug, Default, Serialize)]
pub(crate) struct StatusPage {
    /// Sessions by state.
    sessions: BTreeMap<String, i64>,
    /// Open escalations.
    open_escalations: usize,
    /// Review rules in force.
    rules_in_force: usize,
    /// Identities that the guardian issued.
    identities: Vec<IdentityLine>,
    /// Escalations, incidents and authenticated refusals.
    alerts: Alerts,
    /// Hashes of what is at work.
    versions: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct IdentityLine {
    id: String,
    pid: u32,
    executable_sha256: String,
    valid_for_s: i64,
    issued: u64,
}

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
}

impl Runner {
    pub(crate) async fn status(&self) -> Result<StatusPage, Error> {
        let now = self.now_ms();
        let mut identities = Vec::new();
        for identity in self.guardian.identities().await? {
            identities.push(IdentityLine {
                id: identity.id,
                pid: identity.pid,
                executable_sha256: data_encoding::HEXLOWER.encode(&identity.exe_sha256),
                valid_for_s: (identity.not_after_unix_ms - now) / 1000,
                issued: identity.issued,
            });
        }
        Ok(StatusPage {
            sessions: self.store.states().await?.into_iter().collect(),
            open_escalations: self.store.escalations(false).await?.len(),
            rules_in_force: self.rules.all().iter().filter(|rule| rule.in_force(now)).count(),
            identities,
            alerts: alerts(&self.entries().await?, now),
            versions: self.versions.clone(),
        })
    }

    /// Every entry that alerts, sightings and dispositions are made of.
    async fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut all = Vec::new();
        for kind in [Kind::Escalation, Kind::Opened, Kind::Decision, Kind::Incident, Kind::Refusal] {
            let query = Query { kind: kind.as_str().to_owned(), ..Query::default() };
            let read = self.audit.read(query).await?.all(MOST_ENTRIES).await?;
            all.extend(read.into_iter().map(|(_, entry)| entry));
        }
        Ok(all)
    }
}

/// Pure: the figures of these entries at `now_ms`.
pub(crate) fn alerts(entries: &[Entry], now_ms: i64) -> Alerts {
    let of = |kind| entries.iter().filter(move |e: &&Entry| e.draft.kind == kind);
    let first = |kind| {
        let mut seen: HashMap<&str, i64> = HashMap::new();
        for entry in of(kind) {
            let at = seen.entry(entry.draft.resource.as_str()).or_insert(i64::MAX);
            *at = (*at).min(unix_ms(entry));
        }
        seen
    };
    let (opened, decided) = (first(Kind::Opened), first(Kind::Decision));
    let mut page = Alerts::default();
    let mut dwell = Vec::new();
    for (kind, alert) in of(Kind::Escalation)
        .map(|e| ("escalation", e))
        .chain(of(Kind::Incident).map(|e| ("incident", e)))
        .chain(of(Kind::Refusal).filter(|e| e.draft.count == 0).map(|e| ("refusal", e)))
    {
        page.total += 1;
        *page.by_kind.entry(kind.to_owned()).or_default() += 1;
        let raised = unix_ms(alert);
        let key = alert.draft.resource.as_str();
        // A marked incident was made by the person who saw it, with a disposition: the mark itself.
        let marked = alert.draft.action == "mark";
        let at = if marked { Some(raised) } else { opened.get(key).copied().filter(|_| kind != "refusal") };
        match at {
            Some(at) => {
                page.seen += 1;
                dwell.push(u64::try_from(at.saturating_sub(raised)).unwrap_or(0));
            }
            None => {
                let age = u64::try_from(now_ms.saturating_sub(raised)).unwrap_or(0);
                page.oldest_unseen_ms = Some(page.oldest_unseen_ms.unwrap_or(0).max(age));
            }
        }
        if marked || (kind == "escalation" && decided.contains_key(key)) {
            page.investigated += 1;
        }
    }
    dwell.sort_unstable();
    page.dwell_p50_ms = quantile(&dwell, 50);
    page.dwell_p90_ms = quantile(&dwell, 90);
    page.dwell_max_ms = dwell.last().copied();
    page.dwell_ms = dwell.iter().step_by(dwell.len().div_ceil(MOST_SHOWN).max(1)).copied().collect();
    page.coverage = share(page.investigated, page.total);
    page
}

#[allow(clippy::cast_precision_loss, reason = "counts of alerts stay far below 2^53")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The nearest-rank quantile.
fn quantile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn unix_ms(entry: &Entry) -> i64 {
    entry.time.unix_ns() / 1_000_000
}
