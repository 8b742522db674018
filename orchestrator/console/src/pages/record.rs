//! The record: what happened in a session, and who saw it. Each reading is itself an entry.

use crate::{
    app::{App, Signed, page as show},
    assets::Asset,
    fault::Fault,
    fill::{access, replay, trace, words},
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

/// More entries than a session has.
const MOST: usize = 100_000;

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
    /// Sessions that begin below this index.
    pub(crate) before: String,
}

/// How a trace is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Look {
    view: String,
    q: String,
    pub(crate) page: String,
    pub(crate) from: String,
    pub(crate) to: String,
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
    let roles = app.known_roles();
    let asked = access::Asked {
        entries: &entries,
        subject: format!("Session {}", words::short(&id)),
        rests_on: format!("It rests on the {} entries of this session.", entries.len()),
        path: format!("/record/{id}/access"),
        from: &look.from,
        to: &look.to,
        page: look.page.parse().unwrap_or(1),
        roles: &|who| roles.get(who).cloned().unwrap_or_default(),
    };
    let frame = app.frame(Some(&signed.0), "Access report", "/record", &[Asset::Record]);
    Ok(show(&access::page(&asked, frame)))
}

/// All entries of a session.
async fn session(signed: &Signed, id: &str) -> Result<Vec<(u64, Entry)>, Fault> {
    let sound = id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let none = || Fault::new(StatusCode::NOT_FOUND, "There is no such session", "The record has no entry of it.");
    if !sound {
        return Err(none());
    }
    let entries = read(signed, Asked { session: id.to_owned(), ..Asked::default() }, MOST).await?;
    if entries.is_empty() { Err(none()) } else { Ok(entries) }
}

/// Entries of the record, as many as asked for; an entry says that they were read.
pub(crate) async fn read(signed: &Signed, asked: Asked, most: usize) -> Result<Vec<(u64, Entry)>, Fault> {
    let failed = |error: Error| match error {
        Error::Refused(_) => {
            Fault::of(&tonic::Status::permission_denied("the record is for compliance officers and operators"))
        }
        other => {
            tracing::warn!(%other, "the record could not be read");
            Fault::of(&tonic::Status::unavailable(""))
        }
    };
    signed.0.audit.read(asked).await.map_err(failed)?.all(most).await.map_err(failed)
}
