//! A patient's sessions, as the orchestrator found them and the record tells of them.

use super::{record::row, words};
use crate::pages::listed::Entries;
use crate::view::{
    frame::Frame,
    record_patient::RecordPatientPage,
    record_sessions::{Pages, SessionRow},
};
use bodh_panel_api::pb;
use std::collections::BTreeMap;

pub(crate) fn sessions(
    (pseudonym, path): (&str, &str),
    found: &pb::FindPatientReply,
    (shown, entries): (&[String], &Entries),
    (here, last): (usize, usize),
    frame: Frame,
) -> RecordPatientPage {
    // The store's word where the log has no entry of it yet: the queue is short.
    let known = |id: &String| found.items.iter().find(|item| item.session == *id);
    let of = |id: &String| match entries.get(id) {
        Some(list) => row(id, list),
        None => known(id).map(fresh).unwrap_or_default(),
    };
    let at = |page: usize| format!("{path}?page={page}");
    RecordPatientPage {
        frame,
        pseudonym: pseudonym.to_owned(),
        report: format!("{path}/access"),
        found: count(found),
        rows: shown.iter().map(of).collect(),
        pages: Pages {
            newest: None,
            newer: (here > 1).then(|| at(here - 1)),
            older: (here < last).then(|| at(here + 1)),
            which: format!("page {here} of {last}"),
        },
    }
}

fn fresh(item: &pb::SessionItem) -> SessionRow {
    SessionRow {
        short: item.session.get(..12).unwrap_or(&item.session).to_owned(),
        href: format!("/record/{}", item.session),
        requester: words::person(&item.requester),
        started: words::when(item.opened_unix_ms),
        entries: "0".to_owned(),
        state: words::state(&item.state),
        ..SessionRow::default()
    }
}

fn count(found: &pb::FindPatientReply) -> String {
    match (found.items.len(), found.more) {
        (many, true) => format!("The newest {many} sessions; there are more"),
        (1, false) => "1 session".to_owned(),
        (some, false) => format!("{some} sessions"),
    }
}

/// What a report of all these sessions rests on.
pub(crate) fn rests_on(found: &pb::FindPatientReply, entries: usize, whole: bool) -> String {
    let of = match (found.items.len(), found.more) {
        (many, true) => format!("the newest {many} sessions of this patient; older ones are left out"),
        (1, false) => "this patient's one session".to_owned(),
        (some, false) => format!("this patient's {some} sessions"),
    };
    let short = if whole { "" } else { " Not every entry could be read at once: choose it session by session." };
    format!("It rests on {entries} entries of {of}.{short}")
}

/// The roles of everybody who is enrolled, in words.
pub(crate) fn roles(found: &pb::FindPatientReply) -> BTreeMap<String, String> {
    found.people.iter().map(|person| (person.id.clone(), person.roles.join(", "))).collect()
}
