//! The record: which sessions there were, what happened in each, who saw it. Each reading is itself an entry.

use crate::{
    app::{App, Signed, page as show},
    assets::Asset,
    fault::Fault,
    fill::{record, replay, trace},
    view::record_trace::View,
};
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use bodh_audit_api::{Error, Query as Asked};
use bodh_audit_log::Entry;
use serde::Deserialize;
use std::sync::Arc;

/// Entries read for a list of sessions: the newest; and of one session, more than any has.
const MOST: usize = 200_000;

/// What is looked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    pub(crate) session: String,
    pub(crate) person: String,
    pub(crate) agent: String,
    pub(crate) kind: String,
    pub(crate) decision: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) page: String,
}

/// How a trace is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Look {
    view: String,
    q: String,
    page: String,
    from: String,
    to: String,
}

pub(crate) async fn sessions(
    State(app): State<Arc<App>>,
    Query(wanted): Query<Wanted>,
    signed: Signed,
) -> Result<Response, Fault> {
    let entries = read(&signed, Asked::default()).await?;
    let frame = app.frame(Some(&signed.0), "The record", "/record", &[Asset::Record]);
    Ok(show(&record::sessions(&entries, &wanted, frame)))
}

pub(crate) async fn trace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(look): Query<Look>,
    signed: Signed,
) -> Result<Response, Fault> {
    let entries = session(&signed, &id).await?;
    let view = app.joined.gate.trust().current().map_err(|_| Fault::of(&tonic::Status::unavailable("")))?;
    let policy = |id: &str| view.policies.text(id);
    let search: String = look.q.chars().filter(|c| !c.is_control()).take(200).collect();
    let seen = trace::Seen {
        session: &id,
        entries: &entries,
        view: View::parse(&look.view),
        search: search.trim(),
        page: look.page.parse().unwrap_or(1),
        policy: &policy,
    };
    let files = [Asset::Pictures, Asset::Record, Asset::Passkey];
    let mut page = trace::page(&seen);
    // Policy decides when it is signed; a form that it would refuse is not shown.
    let may = app.roles(&signed.0).iter().any(|role| role == "compliance");
    let convened = entries.iter().find(|(_, entry)| entry.draft.action == "convene");
    let own = convened.and_then(|(_, entry)| entry.draft.actors.first()).is_some_and(|by| by == signed.0.id.as_str());
    page.review = replay::form(&id, &entries, may && !own);
    page.frame = app.frame(Some(&signed.0), "Trace", "/record", &files);
    page.csrf.clone_from(&signed.0.csrf);
    Ok(show(&page))
}

pub(crate) async fn access(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(look): Query<Look>,
    signed: Signed,
) -> Result<Response, Fault> {
    let entries = session(&signed, &id).await?;
    let frame = app.frame(Some(&signed.0), "Access report", "/record", &[Asset::Record]);
    Ok(show(&record::access(&entries, &id, (&look.from, &look.to), frame)))
}

/// All entries of a session.
async fn session(signed: &Signed, id: &str) -> Result<Vec<(u64, Entry)>, Fault> {
    let sound = id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let none = || Fault::new(StatusCode::NOT_FOUND, "There is no such session", "The record has no entry of it.");
    if !sound {
        return Err(none());
    }
    let entries = read(signed, Asked { session: id.to_owned(), ..Asked::default() }).await?;
    if entries.is_empty() { Err(none()) } else { Ok(entries) }
}

async fn read(signed: &Signed, asked: Asked) -> Result<Vec<(u64, Entry)>, Fault> {
    let failed = |error: Error| match error {
        Error::Refused(_) => {
            Fault::of(&tonic::Status::permission_denied("the record is for compliance officers and operators"))
        }
        other => {
            tracing::warn!(%other, "the record could not be read");
            Fault::of(&tonic::Status::unavailable(""))
        }
    };
    signed.0.audit.read(asked).await.map_err(failed)?.all(MOST).await.map_err(failed)
}
