//! What went wrong, as a page or as JSON: what happened, what to do next, and nothing of anybody's case.

use crate::view::{Tone, frame::Frame, message::MessagePage, parts::Link};
use askama::Template;
use axum::{
    Json,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde_json::json;

/// A failure as a person is told.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) heading: String,
    pub(crate) happened: String,
    pub(crate) next: Vec<(String, String)>,
    /// What was typed and would otherwise be lost.
    pub(crate) kept: Option<String>,
    /// Answered as JSON: to a script.
    pub(crate) json: bool,
}

impl Fault {
    pub(crate) fn new(status: StatusCode, heading: &str, happened: impl Into<String>) -> Self {
        Self {
            status,
            heading: heading.to_owned(),
            happened: happened.into(),
            next: vec![("To the start".to_owned(), "/".to_owned())],
            kept: None,
            json: false,
        }
    }

    /// There is no such page, or not for this person.
    pub(crate) fn none() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such page", "The address leads nowhere.")
    }

    /// A form that was not filled in as it must be.
    pub(crate) fn bad(happened: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "That could not be read", happened)
    }

    /// The sign-in has ended, or there is none.
    pub(crate) fn signed_out() -> Self {
        let mut fault = Self::new(
            StatusCode::UNAUTHORIZED,
            "You are signed out",
            "A sign-in lasts a quarter of an hour. Nothing was sent and nothing was decided.",
        );
        fault.next = vec![("Sign in".to_owned(), "/sign-in".to_owned())];
        fault
    }

    /// A request that this site's own pages did not make.
    pub(crate) fn forged() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Refused",
            "The request did not come from a page of this console. Nothing was done.",
        )
    }

    /// The system gave no randomness, or an answer that is not one.
    pub(crate) fn internal(what: &str) -> Self {
        tracing::error!(what, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "That did not work",
            "The fault is the console's. Try again in a moment.",
        )
    }

    /// Answered to a script.
    pub(crate) fn in_json(mut self) -> Self {
        self.json = true;
        self
    }

    pub(crate) fn keeping(mut self, typed: &str) -> Self {
        self.kept = Some(typed.to_owned()).filter(|typed| !typed.is_empty());
        self
    }

    /// What a service answered. Its words are ours: they never repeat a case.
    pub(crate) fn of(status: &tonic::Status) -> Self {
        use tonic::Code;
        let said = status.message();
        match status.code() {
            Code::PermissionDenied | Code::Unauthenticated => Self::new(
                StatusCode::FORBIDDEN,
                "Refused",
                format!("This is not for you, and the refusal is in the log.{}", words(said)),
            ),
            Code::NotFound => Self::new(StatusCode::NOT_FOUND, "Not found", sentence(said)),
            Code::InvalidArgument | Code::OutOfRange => Self::bad(sentence(said)),
            Code::FailedPrecondition | Code::Aborted | Code::AlreadyExists => {
                Self::new(StatusCode::CONFLICT, "Things have moved on", format!("{} Nothing was done.", sentence(said)))
            }
            Code::ResourceExhausted => Self::new(StatusCode::TOO_MANY_REQUESTS, "Too much at once", sentence(said)),
            Code::Unavailable | Code::DeadlineExceeded => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available now",
                "A service of the panel does not answer. Nothing was done; try again in a moment.",
            ),
            _ => Self::internal(said),
        }
    }

    /// What the guardian answered.
    pub(crate) fn of_guardian(error: &bodh_guardian_api::Error) -> Self {
        match error {
            bodh_guardian_api::Error::Unavailable(_) => Self::of(&tonic::Status::unavailable("")),
            other => Self::new(StatusCode::FORBIDDEN, "Refused", sentence(&other.to_string())),
        }
    }

    /// As the answer, in the frame of whoever is signed in.
    pub(crate) fn answer(&self, mut frame: Frame) -> Response {
        if self.json {
            let next = self.next.first().filter(|_| self.status == StatusCode::UNAUTHORIZED);
            let next = next.map(|(label, _)| format!(" {label} again in another tab; what you typed is still here."));
            let error = format!("{}. {}{}", self.heading, self.happened, next.unwrap_or_default());
            return (self.status, Json(json!({ "error": error }))).into_response();
        }
        frame.title.clone_from(&self.heading);
        let tone = if self.status.is_server_error() { Tone::Bad } else { Tone::Warning };
        let next = self.next.iter().map(|(label, href)| Link { label: label.clone(), href: Some(href.clone()) });
        let page = MessagePage {
            frame,
            tone,
            heading: self.heading.clone(),
            happened: vec![self.happened.clone()],
            kept: self.kept.clone(),
            next: next.collect(),
            reference: None,
        };
        render(self.status, &page)
    }
}

/// Only carried: the guard around every page draws it, in the frame of whoever is signed in.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// What the framework refused before any page of ours saw it: an address or a form that cannot be read.
pub(crate) fn unread(status: StatusCode) -> Fault {
    let (heading, happened) = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            ("That is not how this address is used", "Nothing was done. Go back, or begin at the start.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => (
            "That is too large",
            "A case has at most 1 MiB, anything else much less. Nothing was kept; go back for what you typed.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "That took too long",
            "No answer came in time; whether anything was done is not known. Load the page again to see.",
        ),
        StatusCode::NOT_FOUND => ("There is no such page", "The address leads nowhere."),
        _ => (
            "That could not be read",
            "The address or the form is damaged. Nothing was done; go back, load the page again and try once more.",
        ),
    };
    Fault::new(status, heading, happened)
}

impl From<tonic::Status> for Fault {
    fn from(status: tonic::Status) -> Self {
        Self::of(&status)
    }
}

/// A page with its status.
pub(crate) fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(cause) => {
            tracing::error!(%cause, "a page could not be drawn");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What a service said, where it is words and not a code.
fn words(said: &str) -> String {
    if said.contains(' ') { format!(" {}", sentence(said)) } else { String::new() }
}

/// With a capital letter and a full stop.
pub(crate) fn sentence(said: &str) -> String {
    let mut letters = said.trim().chars();
    let Some(first) = letters.next() else { return String::new() };
    let text: String = first.to_uppercase().chain(letters).collect();
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_gets_json_and_a_person_a_page() {
        let kind = |response: &Response| response.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
        let fault = Fault::bad("<b>no</b>");
        assert_eq!(kind(&fault.clone().in_json().answer(Frame::default())), "application/json");
        let page = fault.answer(Frame::default());
        assert_eq!((page.status(), kind(&page)), (StatusCode::BAD_REQUEST, "text/html; charset=utf-8".to_owned()));
        assert!(unread(StatusCode::PAYLOAD_TOO_LARGE).happened.contains("1 MiB"));
    }

    #[test]
    fn a_code_is_not_shown_as_a_sentence() {
        assert!(!Fault::of(&tonic::Status::permission_denied("policy_denied")).happened.contains("olicy"));
        assert!(
            Fault::of(&tonic::Status::permission_denied("the record is closed"))
                .happened
                .contains("The record is closed.")
        );
    }

    #[test]
    fn what_a_service_says_becomes_a_sentence() {
        assert_eq!(sentence("no such session"), "No such session.");
        assert_eq!(sentence("Why?"), "Why?");
        assert_eq!(Fault::of(&tonic::Status::permission_denied("x")).status, StatusCode::FORBIDDEN);
        assert_eq!(Fault::of(&tonic::Status::failed_precondition("x")).status, StatusCode::CONFLICT);
        assert_eq!(Fault::of(&tonic::Status::unavailable("x")).status, StatusCode::SERVICE_UNAVAILABLE);
    }
}
