//! A session's trace as pictures: who did what when, and who called whom.

use super::trace::{Seen, actor, asked, quiet, refused, unix_ms};
use super::words;
use crate::view::{Picture, parts::Figure, record_trace::View};
use bodh_audit_log::{Entry, Kind};
use bodh_pictures::{self as picture, graph::Call, lanes};
use std::collections::BTreeMap;

/// The picture of a view, with its table; the table of entries has none.
pub(super) fn figure(seen: &Seen<'_>) -> Option<Figure> {
    let made = |caption: &str, svg: String, table: picture::Table| {
        let (columns, rows) = (table.headers, table.rows);
        Some(Figure { id: "trace".to_owned(), picture: Picture(svg), caption: caption.to_owned(), columns, rows })
    };
    match seen.view {
        View::Table => None,
        View::Timeline => {
            let events = events(seen.entries);
            made("One lane per actor; refusals are crossed", lanes::draw("lanes", &events), lanes::table(&events))
        }
        View::Graph => {
            let calls = calls(seen.entries);
            made("Who called whom, and how often", picture::graph::draw("graph", &calls), picture::graph::table(&calls))
        }
    }
}

/// A question with its answer is one event, on the lane of whoever was asked.
fn events(entries: &[(u64, Entry)]) -> Vec<lanes::Event> {
    let step = |entry: &Entry| format!("{} {} {}", entry.draft.step, entry.draft.try_number, entry.draft.resource);
    let ended: BTreeMap<String, i64> = entries
        .iter()
        .filter(|(_, entry)| {
            entry.draft.kind == Kind::Outcome && entry.draft.action == "ask" && !entry.reporter.contains("/agent/")
        })
        .map(|(_, entry)| (step(entry), unix_ms(entry)))
        .collect();
    let one = |(index, entry): &(u64, Entry)| {
        let draft = &entry.draft;
        let is_ask = draft.action == "ask" && !entry.reporter.contains("/agent/");
        // The outcome is the end of its attempt's bar; an agent's own word on it is in the table.
        if (is_ask && draft.kind == Kind::Outcome) || (draft.action == "ask" && !is_ask) || draft.kind == Kind::State {
            return None;
        }
        let kind = match draft.kind {
            Kind::Decision => lanes::Kind::Decision,
            Kind::Escalation => lanes::Kind::Escalation,
            Kind::Opened => lanes::Kind::Opened,
            Kind::Incident | Kind::Alert | Kind::Refusal => lanes::Kind::Alert,
            Kind::Attempt | Kind::Outcome => lanes::Kind::Work,
            _ => lanes::Kind::Note,
        };
        Some(lanes::Event {
            index: *index,
            actor: if is_ask { asked(entry).unwrap_or_else(|| actor(entry)) } else { actor(entry) },
            label: format!("{} {}", draft.action.replace('_', " "), draft.resource).trim().to_owned(),
            kind,
            at_unix_ms: unix_ms(entry),
            until_unix_ms: if is_ask { ended.get(&step(entry)).copied() } else { None },
            refused: refused(entry),
            quiet: quiet(entry) && !is_ask,
        })
    };
    entries.iter().filter_map(one).collect()
}

fn calls(entries: &[(u64, Entry)]) -> Vec<Call> {
    let mut calls: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for (_, entry) in entries {
        let draft = &entry.draft;
        let to = match asked(entry) {
            Some(agent) if draft.kind == Kind::Attempt && !entry.reporter.contains("/agent/") => agent,
            Some(_) => continue,
            None if draft.kind == Kind::Attempt || draft.kind == Kind::Refusal => {
                words::person(&entry.reporter).replace('_', " ")
            }
            None => continue,
        };
        let from = if asked(entry).is_some() { words::person(&entry.reporter) } else { actor(entry) };
        if from != to {
            let count = calls.entry((from, to)).or_default();
            count.0 += 1;
            count.1 += u64::from(refused(entry));
        }
    }
    calls.into_iter().map(|((from, to), (calls, refused))| Call { from, to, calls, refused }).collect()
}
