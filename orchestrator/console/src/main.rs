//! `bodh-console`: the pages for clinicians, physicians, compliance officers and operators.
//!
//! It has no database and decides nothing: it acts with the certificate that a person's passkey proved at the guardian's door,
//! and the gates of the other services judge every call. A decision is signed by the passkey itself.

mod app;
mod assets;
mod ceremony;
mod fault;
mod fill;
mod live;
mod pages;
mod routes;
mod serve;
mod session;
mod signed_in;
mod start;
mod view;
mod web;

use std::process::ExitCode;

fn main() -> ExitCode {
    bodh_host::run("console", start::keep, start::serve)
}
