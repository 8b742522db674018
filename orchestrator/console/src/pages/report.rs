//! The report as it was released.

use super::session::note;
use crate::{
    app::{App, Signed, page as show},
    fault::Fault,
    fill,
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use bodh_panel_api::pb;
use std::sync::Arc;

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    signed: Signed,
) -> Result<Response, Fault> {
    let who = &signed.0;
    // With the log's receipt, which a live view does not carry.
    let request = pb::ReportRequest { session: id.clone(), access: who.access(&id) };
    let reply = who.panel.clone().report(request).await?.into_inner();
    let report = super::session::read(&reply.report_json)?;
    let roles = app.roles(who);
    let has = |role: &str| roles.iter().any(|known| known == role);
    let for_care = has("physician") || (report.requester == who.id.as_str() && has("clinician"));
    let note = if for_care { note(&signed, &report).await } else { None };
    let around = fill::live::Around {
        note: note.as_deref(),
        csrf: &who.csrf,
        for_care,
        may_decide: false,
        may_trace: has("compliance"),
    };
    let frame = app.frame(Some(who), "Report", "/sessions", &[]);
    Ok(show(&fill::report::page(&report, frame, &around)))
}
