//! The list of sessions in the record, and who saw one of them.

use super::{
    trace::{requester, state, unix_ms},
    words,
};
use crate::{
    pages::record::Wanted,
    view::{
        Chip, Tone,
        frame::Frame,
        parts::Link,
        record_access::{Access, Reader, RecordAccessPage},
        record_sessions::{Pages, Query, RecordSessionsPage, SessionRow},
    },
};
use bodh_audit_log::{Entry, Kind, Verdict};
use chrono::NaiveDateTime;
use std::collections::BTreeMap;

/// Accesses that a report lists.
const MOST_LISTED: usize = 100;
/// Sessions on one page.
const PAGE: usize = 50;
/// The kinds that one looks for.
const KINDS: [Kind; 13] = [
    Kind::Attempt,
    Kind::Outcome,
    Kind::Refusal,
    Kind::Decision,
    Kind::State,
    Kind::Escalation,
    Kind::Opened,
    Kind::Incident,
    Kind::Rule,
    Kind::Issue,
    Kind::Read,
    Kind::Alert,
    Kind::Note,
];
const AGENTS: [&str; 6] =
    ["intake", "diagnostician", "reasoning_verifier", "test_planner", "cost_guardian", "supervisor"];
const DECISIONS: [&str; 4] = ["approve", "deny", "amend", "ask"];

pub(crate) fn sessions(entries: &[(u64, Entry)], wanted: &Wanted, frame: Frame) -> RecordSessionsPage {
    let (from, to, mut wrong) = (time(&wanted.from), time(&wanted.to), Vec::new());
    for (field, text, read) in [("from", &wanted.from, from), ("to", &wanted.to, to)] {
        if !text.is_empty() && read.is_none() {
            wrong.push((field.to_owned(), "Give a date and a time, such as 2026-11-30T14:32.".to_owned()));
        }
    }
    let mut all: BTreeMap<&str, Vec<&(u64, Entry)>> = BTreeMap::new();
    for entry in entries.iter().filter(|(_, entry)| !entry.draft.session.is_empty()) {
        all.entry(entry.1.draft.session.as_str()).or_default().push(entry);
    }
    let any = |list: &[&(u64, Entry)], holds: &dyn Fn(&Entry) -> bool| list.iter().any(|(_, entry)| holds(entry));
    let matches = |id: &str, list: &[&(u64, Entry)]| {
        let person = wanted.person.to_lowercase();
        let started = list.first().map_or(0, |(_, entry)| unix_ms(entry));
        id.starts_with(&wanted.session)
            && (person.is_empty()
                || any(list, &|e| {
                    e.draft.actors.iter().any(|a| a.contains("/human/") && words::person(a).contains(&person))
                }))
            && (wanted.agent.is_empty() || any(list, &|e| e.draft.resource.starts_with(&format!("{}/", wanted.agent))))
            && (wanted.kind.is_empty() || any(list, &|e| e.draft.kind.as_str() == wanted.kind))
            && (wanted.decision.is_empty()
                || any(list, &|e| e.draft.kind == Kind::Decision && e.draft.cause == wanted.decision))
            && from.is_none_or(|from| started >= from)
            && to.is_none_or(|to| started <= to)
    };
    // A session's first entry has the actor who asked for it; the orchestrator's own records have none of its kind.
    let convened = |list: &[&(u64, Entry)]| any(list, &|e| e.draft.action == "convene");
    let mut found: Vec<_> = all.into_iter().filter(|(id, list)| convened(list) && matches(id, list)).collect();
    found.sort_by_key(|(_, list)| std::cmp::Reverse(list.first().map_or(0, |(index, _)| *index)));
    let last = found.len().div_ceil(PAGE).max(1);
    let here = wanted.page.parse::<usize>().unwrap_or(1).clamp(1, last);
    let rows = found.iter().skip((here - 1) * PAGE).take(PAGE).map(|(id, list)| row(id, list)).collect();
    let at = |page: usize| format!("/record?page={page}");
    let words = |list: &[&str]| list.iter().map(|w| ((*w).to_owned(), w.replace('_', " "))).collect::<Vec<_>>();
    RecordSessionsPage {
        frame,
        action: "/record".to_owned(),
        query: Query {
            pseudonym: None,
            session: wanted.session.clone(),
            person: wanted.person.clone(),
            agent: wanted.agent.clone(),
            kind: wanted.kind.clone(),
            decision: wanted.decision.clone(),
            from: wanted.from.clone(),
            to: wanted.to.clone(),
        },
        agents: words(&AGENTS),
        kinds: words(&KINDS.map(Kind::as_str)),
        decisions: words(&DECISIONS),
        wrong,
        found: if found.len() == 1 { "1 session".to_owned() } else { format!("{} sessions", found.len()) },
        rows,
        pages: Pages {
            newer: (here > 1).then(|| at(here - 1)),
            older: (here < last).then(|| at(here + 1)),
            which: format!("page {here} of {last}"),
        },
        recorded: Link::default(),
    }
}

fn row(id: &str, list: &[&(u64, Entry)]) -> SessionRow {
    let count =
        |kind: Kind| u32::try_from(list.iter().filter(|(_, e)| e.draft.kind == kind).count()).unwrap_or(u32::MAX);
    let denied =
        list.iter().filter(|(_, e)| e.draft.kind == Kind::Refusal || e.draft.verdict == Some(Verdict::Deny)).count();
    let owned: Vec<(u64, Entry)> = list.iter().map(|&entry| entry.clone()).collect();
    SessionRow {
        short: id.get(..12).unwrap_or(id).to_owned(),
        href: format!("/record/{id}"),
        requester: requester(&owned),
        started: list.first().map(|(_, e)| words::when(unix_ms(e))).unwrap_or_default(),
        entries: list.len().to_string(),
        refusals: u32::try_from(denied).unwrap_or(u32::MAX),
        escalations: count(Kind::Escalation),
        decisions: count(Kind::Decision),
        state: state(&owned),
    }
}

/// As a browser's field for date and time writes it, UTC.
fn time(text: &str) -> Option<i64> {
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    formats.iter().find_map(|f| NaiveDateTime::parse_from_str(text, f).ok()).map(|t| t.and_utc().timestamp_millis())
}

/// What counts as having seen something of a session.
fn seen(entry: &Entry) -> Option<&'static str> {
    let by_person = entry.draft.actors.first().is_some_and(|a| a.contains("/human/"));
    let done = !matches!(entry.draft.kind, Kind::Outcome);
    match entry.draft.action.as_str() {
        _ if !by_person || !done => None,
        "report" => Some("report read"),
        "note" => Some("note read"),
        "open" if entry.draft.kind == Kind::Opened => Some("question opened"),
        "decide" if entry.draft.kind == Kind::Decision => Some("question decided"),
        "approve_first" if entry.draft.kind == Kind::Decision => Some("question approved, one of two"),
        "mark_incident" => Some("claim marked"),
        "reopen_session" => Some("session opened"),
        "convene" => Some("session begun"),
        "stop" => Some("session ended"),
        "amend" => Some("case amended"),
        "export" if entry.draft.kind != Kind::Read => Some("evidence taken"),
        "replay" => Some("session replayed"),
        "review" if entry.draft.kind != Kind::Decision => Some("record reviewed"),
        "read" => Some("trace read"),
        _ => None,
    }
}

pub(crate) fn access(
    entries: &[(u64, Entry)],
    session: &str,
    (from, to): (&str, &str),
    frame: Frame,
) -> RecordAccessPage {
    let (first, last) = (time(&format!("{from}T00:00")), time(&format!("{to}T23:59")));
    let within = |entry: &Entry| first.is_none_or(|f| unix_ms(entry) >= f) && last.is_none_or(|l| unix_ms(entry) <= l);
    let mut rows = Vec::new();
    let mut people: BTreeMap<String, (u32, i64, i64)> = BTreeMap::new();
    for (index, entry) in entries.iter().filter(|(_, entry)| within(entry)) {
        let Some(what) = seen(entry) else { continue };
        let name = entry.draft.actors.first().map(|a| words::person(a)).unwrap_or_default();
        let at = unix_ms(entry);
        let known = people.entry(name.clone()).or_insert((0, at, at));
        *known = (known.0 + 1, known.1.min(at), known.2.max(at));
        let refused = entry.draft.kind == Kind::Refusal || entry.draft.verdict == Some(Verdict::Deny);
        let (tone, word) = if refused { (Tone::Bad, "refused") } else { (Tone::Good, "allowed") };
        rows.push(Access {
            time: words::when(at),
            name,
            role: String::new(),
            what: what.to_owned(),
            allowed_by: entry.draft.policies.join(", "),
            verdict: Chip { tone, word: word.to_owned() },
            session: Link { label: words::short(session), href: Some(format!("/record/{session}")) },
            entry: Link { label: index.to_string(), href: Some(format!("/record/{session}?q={index}")) },
        });
    }
    rows.reverse();
    let all = rows.len();
    rows.truncate(MOST_LISTED);
    let left = match all - rows.len() {
        0 => String::new(),
        _ => format!(" Of {all} accesses the newest {MOST_LISTED} are listed; choose dates to see others."),
    };
    let reader = |(name, (times, first, last)): (String, (u32, i64, i64))| Reader {
        name,
        role: String::new(),
        times,
        first: words::when(first),
        last: words::when(last),
    };
    RecordAccessPage {
        frame,
        subject: format!("Session {}", words::short(session)),
        rests_on: format!("It rests on the {} entries of this session.{left}", entries.len()),
        action: format!("/record/{session}/access"),
        from: from.to_owned(),
        to: to.to_owned(),
        people: people.into_iter().map(reader).collect(),
        rows,
        recorded: Link::default(),
    }
}
