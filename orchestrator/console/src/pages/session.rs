//! One session: its page, its events, its end.

use crate::{
    app::{App, Signed, page as show},
    assets::Asset,
    fault::Fault,
    fill::live::{Around, live},
    live::events as stream,
    signed_in::Words,
    view::session::{LivePart, SessionPage},
};
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use bodh_panel::{Report, Status};
use bodh_panel_api::pb::{self, session_event::Event};
use serde::Deserialize;
use std::sync::Arc;

/// Which part of the page.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Part {
    #[serde(default)]
    part: String,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(part): Query<Part>,
    signed: Signed,
) -> Result<Response, Fault> {
    let who = &signed.0;
    // A live page has the report that its event told of: reading it again would be another entry in the log each time.
    let kept = if part.part == "live" { who.reports.get(&id).map(|(_, report)| report) } else { None };
    let report = match kept {
        Some(report) => report,
        None => latest(&signed, &id).await?,
    };
    let roles = app.roles(who);
    let has = |role: &str| roles.iter().any(|known| known == role);
    let own = report.requester == who.id.as_str();
    let for_care = has("physician") || (own && has("clinician"));
    // The note opens when the session rests; the page of one at work does not wait for that.
    let at_work = matches!(report.status, Status::Deliberating | Status::AwaitingResults);
    let note = if for_care && !at_work { note(&signed, &report).await } else { None };
    let around = Around {
        note: note.as_deref(),
        csrf: &who.csrf,
        for_care,
        may_decide: has("physician") && !own,
        may_trace: has("compliance"),
    };
    let live = live(&report, &around);
    if part.part == "live" {
        return Ok(show(&LivePart { live }));
    }
    let title = live.pseudonym.clone();
    Ok(show(&SessionPage { frame: app.frame(Some(who), &title, "/sessions", &[Asset::Pictures, Asset::Live]), live }))
}

/// The report as it is now. Kept for the live page.
pub(crate) async fn latest(signed: &Signed, id: &str) -> Result<Arc<Report>, Fault> {
    let mut events = watch(signed, id).await?;
    match events.message().await? {
        Some(pb::SessionEvent { event: Some(Event::ReportJson(json)), version }) => {
            let report = read(&json)?;
            signed.0.reports.put_newer(id, version, Arc::clone(&report));
            Ok(report)
        }
        _ => Err(Fault::internal("a session was not shown")),
    }
}

/// The session's reports from now on.
pub(crate) async fn watch(signed: &Signed, id: &str) -> Result<tonic::Streaming<pb::SessionEvent>, Fault> {
    let request = pb::WatchRequest { session: id.to_owned(), access: signed.0.access(id) };
    Ok(signed.0.panel.clone().watch(request).await?.into_inner())
}

pub(crate) fn read(json: &[u8]) -> Result<Arc<Report>, Fault> {
    serde_json::from_slice(json).map(Arc::new).map_err(|_| Fault::internal("a report could not be read"))
}

/// The note with what was added, and the pseudonym; read once while somebody has the session open.
pub(crate) async fn note(signed: &Signed, report: &Report) -> Option<Arc<Words>> {
    let (who, id) = (&signed.0, report.session.as_str());
    // Read again when something was added since.
    if let Some(kept) = who.notes.get(id).filter(|kept| kept.added.len() == report.amendments.len()) {
        return Some(kept);
    }
    let asked = pb::NoteRequest { session: id.to_owned(), access: who.access(id) };
    let reply = who.panel.clone().note(asked).await.ok()?.into_inner();
    let note = Arc::new(Words { note: reply.note, pseudonym: reply.pseudonym, added: reply.added });
    who.notes.put(id, Arc::clone(&note));
    Some(note)
}

pub(crate) async fn events(Path(id): Path<String>, signed: Signed) -> Result<Response, Fault> {
    let reports = watch(&signed, &id).await?;
    Ok(stream(Arc::clone(&signed.0), id, reports))
}

/// The token that the form carries.
#[derive(Debug, Deserialize)]
pub(crate) struct Token {
    #[serde(default)]
    csrf: String,
}

pub(crate) async fn stop(Path(id): Path<String>, signed: Signed, Form(token): Form<Token>) -> Result<Response, Fault> {
    signed.check(&token.csrf)?;
    let request = pb::StopRequest { session: id.clone(), access: signed.0.access(&id) };
    signed.0.panel.clone().stop(request).await?;
    Ok(Redirect::to(&format!("/sessions/{id}")).into_response())
}
