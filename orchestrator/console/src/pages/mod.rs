//! One file per page: what it asks of the services, and which form does what.

pub(crate) mod amend;
pub(crate) mod decide;
pub(crate) mod enrol;
pub(crate) mod escalation;
pub(crate) mod inbox;
pub(crate) mod invite;
pub(crate) mod keys;
pub(crate) mod listed;
pub(crate) mod operations;
pub(crate) mod patient;
pub(crate) mod record;
pub(crate) mod remove_key;
pub(crate) mod report;
pub(crate) mod reverse;
pub(crate) mod review;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod touch;
pub(crate) mod verify;

use crate::app::{App, Signed};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use std::sync::Arc;

/// Where a person begins: at what they are there for.
pub(crate) async fn home(State(app): State<Arc<App>>, signed: Signed) -> Response {
    let roles = app.roles(&signed.0);
    let has = |role: &str| roles.iter().any(|known| known == role);
    let start = match () {
        () if has("physician") => "/inbox",
        () if has("clinician") => "/sessions",
        () if has("compliance") => "/record",
        () => "/operations",
    };
    Redirect::to(start).into_response()
}
