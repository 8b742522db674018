//! Every page there is.

use crate::{
    app::{App, MOST_CASE, MOST_FORM, guard},
    assets,
    fault::Fault,
    pages,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::from_fn_with_state,
    routing::{get, post},
};
use std::sync::Arc;

/// The site.
pub(crate) fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(pages::home))
        .route("/sign-in", get(pages::sign_in::page).post(pages::sign_in::answer))
        .route("/sign-in/options", post(pages::sign_in::options))
        .route("/sign-out", post(pages::sign_in::out))
        .route("/enrol", post(pages::enrol::answer))
        .route("/enrol/{invitation}", get(pages::enrol::page))
        .route("/enrol/options", post(pages::enrol::options))
        .route("/enrol/made", post(pages::enrol::made))
        .route(
            "/sessions",
            get(pages::sessions::page).post(pages::sessions::new).layer(DefaultBodyLimit::max(4 * MOST_CASE)),
        )
        .route("/sessions/{id}", get(pages::session::page))
        .route("/sessions/{id}/events", get(pages::session::events))
        .route("/sessions/{id}/stop", post(pages::session::stop))
        .route("/sessions/{id}/amend", post(pages::amend::answer))
        .route("/sessions/{id}/report", get(pages::report::page))
        .route("/inbox", get(pages::inbox::page))
        .route("/escalations/{id}", get(pages::escalation::page))
        .route("/escalations/{id}/own", post(pages::escalation::own))
        .route("/escalations/{id}/options", post(pages::decide::options))
        .route("/escalations/{id}/decide", post(pages::decide::answer))
        .route("/keys", get(pages::keys::page))
        .route("/keys/add", post(pages::keys::add))
        .route("/keys/add/options", post(pages::keys::options))
        .route("/keys/add/made", post(pages::keys::made))
        .route("/keys/add/own", post(pages::keys::own))
        .route("/keys/{key}/remove/options", post(pages::remove_key::options))
        .route("/keys/{key}/remove", post(pages::remove_key::answer))
        .route("/record", get(pages::listed::page))
        .route("/record/patient", get(pages::patient::form).post(pages::patient::find))
        .route("/record/patient/{name}", get(pages::patient::sessions))
        .route("/record/patient/{name}/access", get(pages::patient::report))
        .route("/record/{id}", get(pages::record::trace))
        .route("/record/{id}/access", get(pages::record::access))
        .route("/record/{id}/evidence", get(pages::review::evidence))
        .route("/record/{id}/replay", post(pages::review::replay))
        .route("/record/{id}/review/options", post(pages::review::options))
        .route("/record/{id}/review", post(pages::review::answer))
        .route("/verify", get(pages::verify::page))
        .route("/log/{*path}", get(pages::verify::file))
        .route("/operations", get(pages::operations::page))
        .route("/operations/revoke", post(pages::operations::revoke))
        .route("/operations/invite/options", post(pages::invite::options))
        .route("/operations/invite", post(pages::invite::answer))
        .route("/operations/recover/options", post(pages::invite::recover))
        .route("/operations/rules/{id}/options", post(pages::reverse::options))
        .route("/operations/rules/{id}/reverse", post(pages::reverse::answer))
        .route("/assets/{hash}/{name}", get(|request: Request| async move { assets::serve(request.uri().path()) }))
        .fallback(|| async { Fault::none() })
        .layer(DefaultBodyLimit::max(MOST_FORM))
        .layer(from_fn_with_state(Arc::clone(&app), guard))
        .with_state(app)
}
