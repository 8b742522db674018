//! One question to a physician.

use crate::{
    app::{App, Signed, page as show},
    assets::Asset,
    fault::Fault,
    fill,
};
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use bodh_panel::Escalation;
use bodh_panel_api::pb;
use serde::Deserialize;
use std::sync::Arc;

/// Whether the panel's differential is to be shown.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    show: Option<String>,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    signed: Signed,
) -> Result<Response, Fault> {
    let who = &signed.0;
    let (bytes, opened, items) = open(&signed, &id).await?;
    let record: Escalation = serde_json::from_slice(&bytes).map_err(|_| Fault::internal("a record"))?;
    let none = || Fault::new(StatusCode::NOT_FOUND, "There is no such question", "It may belong to another panel.");
    let mut item = items.iter().find(|item| item.escalation == id).cloned().ok_or_else(none)?;
    // Opening it may have voided a first approval whose signer has left.
    if opened.first.is_none() {
        item.first_by.clear();
    }
    let own = who.own.get(&id);
    let seen = fill::escalation::Seen {
        record: &record,
        sha256: super::decide::sha256(&bytes),
        item: &item,
        siblings: items.iter().filter(|other| other.session == item.session).collect(),
        revealed: asked.show.is_some() || own.is_some() || opened.status != "open",
        own,
        decision: opened.decision.map(|signed| signed.json),
        askable: &opened.askable,
        csrf: &who.csrf,
        me: who.id.as_str(),
        now_ms: App::now_ms(),
    };
    Ok(show(&fill::escalation::page(&seen, app.frame(Some(who), "Question", "/inbox", &[Asset::Passkey]))))
}

/// Opens a record, which is an entry in the log; with everything that waits beside it.
pub(crate) async fn open(
    signed: &Signed,
    id: &str,
) -> Result<(Arc<Vec<u8>>, pb::OpenReply, Vec<pb::InboxItem>), Fault> {
    let who = &signed.0;
    let items = who.panel.clone().inbox(pb::InboxRequest { all: true }).await?.into_inner().items;
    let Some(item) = items.iter().find(|item| item.escalation == id) else {
        return Err(Fault::new(StatusCode::NOT_FOUND, "There is no such question", "It may belong to another panel."));
    };
    let request = pb::OpenRequest { escalation: id.to_owned(), access: who.access(&item.session) };
    let mut opened = who.panel.clone().open(request).await?.into_inner();
    let bytes = Arc::new(std::mem::take(&mut opened.record_json));
    who.records.put(id, Arc::clone(&bytes));
    Ok((bytes, opened, items))
}

/// What a physician thinks before she sees what the panel does.
#[derive(Debug, Deserialize)]
pub(crate) struct Own {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    own: String,
}

pub(crate) async fn own(Path(id): Path<String>, signed: Signed, Form(form): Form<Own>) -> Result<Response, Fault> {
    signed.check(&form.csrf)?;
    let own = form.own.trim();
    if own.chars().count() > 200 || own.chars().any(char::is_control) {
        return Err(Fault::bad("A diagnosis has at most 200 characters, all on one line.").keeping(own));
    }
    if !own.is_empty() {
        signed.0.own.put(&id, own.to_owned());
    }
    // The id goes back into an address: only as one of ours looks.
    let plain = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !plain {
        return Err(Fault::none());
    }
    Ok(Redirect::to(&format!("/escalations/{id}?show=1")).into_response())
}
