//! Operations: what runs, who may do what, how long things wait.

use crate::{
    app::{App, Signed, page as show},
    assets::Asset,
    fault::Fault,
    fill::operations,
};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use bodh_gate::Entity;
use bodh_identity::SpiffeId;
use bodh_panel_api::pb;
use serde::Deserialize;
use std::sync::Arc;

pub(crate) async fn page(State(app): State<Arc<App>>, signed: Signed) -> Result<Response, Fault> {
    let who = &signed.0;
    let status = who.panel.clone().status(pb::StatusRequest {}).await?.into_inner();
    let rules = who.panel.clone().rules(pb::RulesRequest {}).await?.into_inner();
    let view = app.joined.gate.trust().current().map_err(|_| Fault::of(&tonic::Status::unavailable("")))?;
    let known = |(id, person): (&SpiffeId, &bodh_gate::Person)| operations::Known {
        id: id.to_string(),
        roles: person.roles.clone(),
        assurance: person.assurance.clone(),
        since: person.keys.iter().map(|(_, since)| since.clone()).collect(),
    };
    let mut people: Vec<_> = view.people.iter().map(known).collect();
    people.sort_by(|a, b| a.id.cmp(&b.id));
    let mut revoked: Vec<_> = view.revoked.iter().map(ToString::to_string).collect();
    revoked.sort();
    let roles = app.roles(who);
    let has = |role: &str| roles.iter().any(|known| known == role);
    let seen = operations::Seen {
        status: serde_json::from_slice(&status.status_json).map_err(|_| Fault::internal("a status"))?,
        rules: rules.rule_json.iter().filter_map(|json| serde_json::from_slice(json).ok()).collect(),
        people,
        revoked,
        me: who.id.as_str(),
        is_operator: has("operator"),
        may_trace: has("compliance") || has("operator"),
        may_reverse: app.may(who, "reverse_rule", Entity::new("Rule", "any")),
        csrf: &who.csrf,
        now_ms: App::now_ms(),
    };
    let frame = app.frame(Some(who), "Operations", "/operations", &[Asset::Pictures, Asset::Record, Asset::Passkey]);
    Ok(show(&operations::page(&seen, frame)))
}

/// Whom an operator revokes, and why.
#[derive(Debug, Deserialize)]
pub(crate) struct Revoked {
    #[serde(default)]
    csrf: String,
    id: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn revoke(signed: Signed, Form(form): Form<Revoked>) -> Result<Response, Fault> {
    signed.check(&form.csrf)?;
    let id = SpiffeId::parse(&form.id).map_err(|_| Fault::bad("That is not an identity."))?;
    let trace = crate::session::nonce().unwrap_or_default();
    let revoked = signed.0.guardian.revoke(id.as_str(), form.reason.trim(), &trace).await;
    revoked.map_err(|error| Fault::of_guardian(&error))?;
    Ok(Redirect::to("/operations").into_response())
}
