//! Who saw what of sessions, as their entries tell it.

use bodh_audit_log::{Entry, Kind, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// How an access ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Policy let it.
    Allowed,
    /// Policy let it, and it was not done: a signature did not hold, a service was away.
    Failed,
    /// It was refused.
    Refused,
}

impl Ending {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Ending::Allowed => "allowed",
            Ending::Failed => "failed",
            Ending::Refused => "refused",
        }
    }
}

/// One access of a person to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The entry's place in the log.
    pub entry: u64,
    /// Milliseconds since 1970 UTC, by the log's clock.
    pub unix_ms: i64,
    /// The person's SPIFFE id.
    pub person: String,
    /// The session.
    pub session: String,
    /// What was done, or tried, in words.
    pub what: &'static str,
    /// How it ended.
    pub ending: Ending,
    /// Ids of the policies that determined it.
    pub policies: Vec<String>,
}

/// One person's accesses together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The person's SPIFFE id.
    pub person: String,
    /// How often they saw something.
    pub times: u32,
    /// How often they tried and did not.
    pub in_vain: u32,
    /// The first time, in milliseconds since 1970 UTC.
    pub first_ms: i64,
    /// The last time.
    pub last_ms: i64,
}

/// What counts as having seen something of a session, or tried.
fn seen(entry: &Entry) -> Option<&'static str> {
    let (draft, refused) = (&entry.draft, entry.draft.kind == Kind::Refusal);
    let by_person = draft.actors.first().is_some_and(|actor| actor.contains("/human/"));
    match draft.action.as_str() {
        _ if !by_person || draft.session.is_empty() || draft.kind == Kind::Outcome => None,
        "report" => Some("report read"),
        "note" => Some("note read"),
        "open" if refused || draft.kind == Kind::Opened => Some("question opened"),
        "decide" if refused || draft.kind == Kind::Decision => Some("question decided"),
        "approve_first" if draft.kind == Kind::Decision => Some("question approved, one of two"),
        "mark_incident" => Some("claim marked"),
        "reopen_session" => Some("session opened"),
        "convene" => Some("session begun"),
        "stop" => Some("session ended"),
        "amend" => Some("case amended"),
        "export" if draft.kind != Kind::Read => Some("evidence taken"),
        "replay" => Some("session replayed"),
        "review" if draft.kind != Kind::Decision => Some("record reviewed"),
        "read" => Some("trace read"),
        _ => None,
    }
}

/// An attempt's key without its end: its outcome has the same.
fn act(entry: &Entry) -> Option<(&str, &str)> {
    let base = entry.draft.key.strip_suffix(entry.draft.kind.as_str())?;
    Some((entry.reporter.as_str(), base))
}

/// Every access that these entries tell of, in the order of the log.
#[must_use]
pub fn accesses(entries: &[(u64, Entry)]) -> Vec<Access> {
    let ended = entries.iter().map(|(_, entry)| entry).filter(|entry| entry.draft.kind == Kind::Outcome);
    let failed: BTreeSet<_> =
        ended.filter(|entry| entry.draft.verdict == Some(Verdict::Failed)).filter_map(act).collect();
    let access = |(index, entry): &(u64, Entry)| {
        let what = seen(entry)?;
        let ending = match entry.draft.kind {
            Kind::Refusal => Ending::Refused,
            _ if entry.draft.verdict == Some(Verdict::Deny) => Ending::Refused,
            Kind::Attempt if act(entry).is_some_and(|act| failed.contains(&act)) => Ending::Failed,
            _ => Ending::Allowed,
        };
        Some(Access {
            entry: *index,
            unix_ms: entry.time.unix_ns() / 1_000_000,
            person: entry.draft.actors.first()?.clone(),
            session: entry.draft.session.clone(),
            what,
            ending,
            policies: entry.draft.policies.clone(),
        })
    };
    let mut found: Vec<Access> = entries.iter().filter_map(access).collect();
    found.sort_by_key(|access| access.entry);
    found
}

/// The same, a line for each person, the most often first.
#[must_use]
pub fn readers(accesses: &[Access]) -> Vec<Reader> {
    let mut people: BTreeMap<&str, Reader> = BTreeMap::new();
    for access in accesses {
        let reader = people.entry(&access.person).or_insert_with(|| Reader {
            person: access.person.clone(),
            times: 0,
            in_vain: 0,
            first_ms: access.unix_ms,
            last_ms: access.unix_ms,
        });
        match access.ending {
            Ending::Allowed => reader.times += 1,
            Ending::Failed | Ending::Refused => reader.in_vain += 1,
        }
        reader.first_ms = reader.first_ms.min(access.unix_ms);
        reader.last_ms = reader.last_ms.max(access.unix_ms);
    }
    let mut readers: Vec<Reader> = people.into_values().collect();
    readers.sort_by(|a, b| b.times.cmp(&a.times).then(b.in_vain.cmp(&a.in_vain)));
    readers
}

#[cfg(test)]
mod tests {
    use super::*;
    use bodh_audit_log::{Draft, Time};

    const SESSION: &str = "0123456789abcdef0123456789abcdef";

    fn entry(index: u64, kind: Kind, action: &str, who: &str, key: &str) -> (u64, Entry) {
        let mut draft = Draft::new(kind, action, format!("{key}/{}", kind.as_str()));
        draft.actors = vec![format!("spiffe://bodh.internal/{who}")];
        draft.session = SESSION.to_owned();
        let time = Time::from_unix_ns(1_800_000_000_000_000_000 + i64::try_from(index).unwrap() * 1_000_000).unwrap();
        (index, Entry { time, reporter: "spiffe://bodh.internal/service/orchestrator".to_owned(), draft })
    }

    #[test]
    fn who_saw_what_is_told_with_how_it_ended() {
        let mut entries = vec![
            entry(7, Kind::Attempt, "report", "human/ann", "a"),
            entry(8, Kind::Outcome, "report", "human/ann", "a"),
            entry(9, Kind::Attempt, "report", "human/ben", "b"),
            entry(10, Kind::Outcome, "report", "human/ben", "b"),
            entry(11, Kind::Refusal, "open", "human/ben", "c"),
            entry(12, Kind::Attempt, "open", "human/ann", "d"),
            entry(13, Kind::Opened, "open", "human/ann", "e"),
            entry(14, Kind::Attempt, "ask", "human/ann", "f"),
            entry(15, Kind::Read, "read", "service/orchestrator", "g"),
            entry(16, Kind::Read, "read", "human/cleo", "h"),
        ];
        entries[1].1.draft.verdict = Some(Verdict::Ok);
        entries[3].1.draft.verdict = Some(Verdict::Failed);
        let found = accesses(&entries);
        let said: Vec<_> = found.iter().map(|a| (a.entry, a.what, a.ending)).collect();
        assert_eq!(
            said,
            [
                (7, "report read", Ending::Allowed),
                (9, "report read", Ending::Failed),
                (11, "question opened", Ending::Refused),
                (13, "question opened", Ending::Allowed),
                (16, "trace read", Ending::Allowed),
            ]
        );
        let people = readers(&found);
        let said: Vec<_> = people
            .iter()
            .map(|r| (r.person.rsplit('/').next().unwrap(), r.times, r.in_vain, r.last_ms - r.first_ms))
            .collect();
        assert_eq!(said, [("ann", 2, 0, 6), ("cleo", 1, 0, 0), ("ben", 0, 2, 2)]);
    }

    #[test]
    fn several_sessions_one_after_the_other_are_told_in_the_order_of_the_log() {
        let entries =
            [entry(9, Kind::Attempt, "note", "human/ann", "a"), entry(4, Kind::Attempt, "note", "human/ben", "b")];
        let order: Vec<_> = accesses(&entries).into_iter().map(|access| access.entry).collect();
        assert_eq!(order, [4, 9]);
        assert!(accesses(&[]).is_empty() && readers(&[]).is_empty());
    }
}
