//! The list of sessions in the record, read in pieces: what a view costs does not grow with the log.

use super::record::{Wanted, read};
use crate::{
    app::{App, Signed, page as show},
    assets::Asset,
    fault::{Fault, render},
    fill::{
        record::{self, Sought},
        trace::unix_ms,
    },
    view::record_sessions::PatientSearch,
};
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use bodh_audit_api::Query as Asked;
use bodh_audit_log::Entry;
use bodh_gate::Entity;
use std::{collections::HashMap, sync::Arc};

/// Sessions on one page.
pub(crate) const PAGE: usize = 50;
/// Sessions whose beginnings are looked at for one page: a few more than it has where nothing is looked for, for the
/// orchestrator's own records are among them; and many where only some fit.
const BEGINS: [usize; 2] = [PAGE + 10, 1_000];
/// Sessions of these that are read to the end, where something is looked for.
const MOST_READ: usize = 500;
/// Sessions that are read at once.
const AT_ONCE: usize = 100;
/// More entries than so many sessions have.
const MOST_ENTRIES: usize = 100_000;

/// Entries by session.
pub(crate) type Entries = HashMap<String, Vec<(u64, Entry)>>;

/// What was found, and how far it was looked.
#[derive(Default)]
pub(crate) struct Looked {
    /// Sessions with all their entries, the newest first.
    pub(crate) found: Vec<(String, Vec<(u64, Entry)>)>,
    /// How many sessions were looked at.
    pub(crate) seen: usize,
    /// Older ones, which were not looked at, begin below this index.
    pub(crate) older: Option<u64>,
    /// When the oldest that was looked at began; none when all were.
    pub(crate) since_ms: Option<i64>,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Query(wanted): Query<Wanted>,
    signed: Signed,
) -> Result<Response, Fault> {
    let looked = look(&signed, &wanted).await?;
    let frame = app.frame(Some(&signed.0), "The record", "/record", &[Asset::Record]);
    let mut page = record::sessions(&looked, &wanted, frame);
    page.patient = search(&app, &signed, "", None);
    Ok(show(&page))
}

/// The same page, with what is wrong with a pseudonym that was typed.
pub(crate) async fn again(app: &App, signed: &Signed, typed: &str, error: &str) -> Result<Response, Fault> {
    let wanted = Wanted::default();
    let looked = look(signed, &wanted).await.map_err(|fault| fault.keeping(typed))?;
    let frame = app.frame(Some(&signed.0), "The record", "/record", &[Asset::Record]);
    let mut page = record::sessions(&looked, &wanted, frame);
    page.patient = search(app, signed, typed, Some(error.to_owned()));
    Ok(render(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

/// The form for a pseudonym, for whom policy lets search by it.
fn search(app: &App, signed: &Signed, typed: &str, error: Option<String>) -> Option<PatientSearch> {
    app.may(&signed.0, "find_patient", Entity::new("Panel", "panel")).then(|| PatientSearch {
        action: "/record/patient".to_owned(),
        csrf: signed.0.csrf.clone(),
        pseudonym: typed.to_owned(),
        error,
    })
}

async fn look(signed: &Signed, wanted: &Wanted) -> Result<Looked, Fault> {
    let sought = Sought::of(wanted);
    let most = BEGINS[usize::from(sought.is_narrow())];
    let before = wanted.before.parse().unwrap_or(0);
    let asked = Asked { begins: true, before, limit: most as u64, ..Asked::default() };
    let begins = read(signed, asked, most).await?;
    let mut looked = Looked::default();
    // The last one that was looked at; and whether no older one can be looked for.
    let (mut last, mut past, mut to_the_end) = (None, false, 0);
    'pieces: for piece in begins.chunks(AT_ONCE) {
        if to_the_end >= MOST_READ {
            break;
        }
        let fits = piece.iter().filter(|(_, first)| sought.may_be(first) && !sought.is_past(first));
        let ids: Vec<String> = fits.map(|(_, first)| first.draft.session.clone()).collect();
        to_the_end += ids.len();
        let (mut entries, _) = several(signed, &ids).await?;
        for (index, first) in piece {
            past = sought.is_past(first);
            if past || looked.found.len() >= PAGE {
                break 'pieces;
            }
            last = Some((*index, unix_ms(first)));
            looked.seen += 1;
            let id = &first.draft.session;
            if let Some(list) = entries.remove(id).filter(|list| sought.is(list)) {
                looked.found.push((id.clone(), list));
            }
        }
    }
    let all = begins.len() < most && last.map(|(index, _)| index) == begins.last().map(|(index, _)| *index);
    if !past && !all {
        looked.older = last.map(|(index, _)| index);
        looked.since_ms = last.map(|(_, ms)| ms);
    }
    Ok(looked)
}

/// All entries of several sessions, by session; and whether these were all.
pub(crate) async fn several(signed: &Signed, sessions: &[String]) -> Result<(Entries, bool), Fault> {
    let (mut of, mut whole) = (Entries::new(), true);
    for piece in sessions.chunks(AT_ONCE) {
        let asked = Asked { sessions: piece.to_vec(), ..Asked::default() };
        let entries = read(signed, asked, MOST_ENTRIES).await?;
        whole &= entries.len() < MOST_ENTRIES;
        for (index, entry) in entries {
            of.entry(entry.draft.session.clone()).or_default().push((index, entry));
        }
    }
    Ok((of, whole))
}
