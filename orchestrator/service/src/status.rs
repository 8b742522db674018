//! The status: what waits, dwell time and coverage, computed from the log alone.

use crate::{
    alerts::{Alerts, alerts},
    error::Error,
    runner::Runner,
};
use bodh_audit_api::Query;
use bodh_audit_log::{Draft, Entry, Kind};
use serde::Serialize;
use std::collections::BTreeMap;

/// The figures are made of at most this many entries: the newest.
const MOST_ENTRIES: usize = 100_000;

/// Incidents shown.
const MOST_INCIDENTS: usize = 50;

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
    /// The newest incidents first; at most [`MOST_INCIDENTS`].
    incidents: Vec<IncidentLine>,
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

/// An incident: what the log keeps of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct IncidentLine {
    /// The incident that a person marked; the event where the panel found one itself.
    id: String,
    /// `mark` or `refute`.
    action: String,
    cause: String,
    session: String,
    at_unix_ms: i64,
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
        let noted = self.noted().await?;
        let entries: Vec<&Entry> = noted.entries.values().collect();
        Ok(StatusPage {
            sessions: self.store.states().await?.into_iter().collect(),
            open_escalations: self.store.escalations(false).await?.len(),
            rules_in_force: self.rules.all().iter().filter(|rule| rule.in_force(now)).count(),
            identities,
            alerts: alerts(&entries, now),
            incidents: incidents(&entries),
            versions: self.versions.clone(),
        })
    }

    /// Every entry that alerts, sightings and dispositions are made of: what was read before, and what came since.
    async fn noted(&self) -> Result<tokio::sync::MutexGuard<'_, Noted>, Error> {
        let mut noted = self.noted.lock().await;
        // Whatever comes during the readings is read again the next time.
        let (checkpoint, _) = self.audit.checkpoint(0).await?;
        let mut next = checkpoint.size.max(noted.next);
        for kind in [Kind::Escalation, Kind::Opened, Kind::Decision, Kind::Incident, Kind::Refusal] {
            let query = Query { kind: kind.as_str().to_owned(), from: noted.next, ..Query::default() };
            let read = self.audit.read(query).await?.all(MOST_ENTRIES).await?;
            if let Some((last, _)) = read.last().filter(|_| read.len() == MOST_ENTRIES) {
                next = next.min(last + 1);
            }
            noted.entries.extend(read.into_iter().map(|(index, entry)| (index, light(entry))));
        }
        noted.next = next;
        while noted.entries.len() > MOST_ENTRIES {
            noted.entries.pop_first();
        }
        Ok(noted)
    }
}

/// The entries of these kinds that were read so far, by their place in the log.
#[derive(Default)]
pub(crate) struct Noted {
    entries: BTreeMap<u64, Entry>,
    /// Everything before was read.
    next: u64,
}

/// What the figures are made of, and nothing else.
fn light(entry: Entry) -> Entry {
    let Draft { kind, action, session, resource, cause, count, .. } = entry.draft;
    let draft = Draft { session, resource, cause, count, ..Draft::new(kind, action, "") };
    Entry { time: entry.time, reporter: String::new(), draft }
}

/// Pure: the newest incidents of these entries.
fn incidents(entries: &[&Entry]) -> Vec<IncidentLine> {
    let of = entries.iter().filter(|entry| entry.draft.kind == Kind::Incident);
    let mut all: Vec<_> = of
        .map(|entry| IncidentLine {
            id: entry.draft.resource.clone(),
            action: entry.draft.action.clone(),
            cause: entry.draft.cause.clone(),
            session: entry.draft.session.clone(),
            at_unix_ms: entry.time.unix_ns() / 1_000_000,
        })
        .collect();
    all.sort_by_key(|line| std::cmp::Reverse(line.at_unix_ms));
    all.truncate(MOST_INCIDENTS);
    all
}
