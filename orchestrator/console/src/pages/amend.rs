//! What a clinician or a physician adds to a session at rest: the answer is the session's page, where the panel reasons
//! again.

use crate::{app::Signed, fault::Fault};
use axum::{
    Form,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use bodh_panel_api::pb::{self, correction::Said};
use serde::Deserialize;
use std::collections::HashMap;

/// What the forms send: a finding with what is right, or words with what they are about.
#[derive(Debug, Deserialize)]
pub(crate) struct Entered {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    rounds: String,
    /// `TERM=present`, `TERM=excluded`, `TERM=not_said`.
    #[serde(default)]
    correct: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    text: String,
    /// One field per test, `result.TEST`: all are of one form, and the button says which is meant.
    #[serde(flatten)]
    results: HashMap<String, String>,
}

impl Entered {
    fn words(&mut self) -> String {
        let result = self.results.remove(&format!("result.{}", self.about));
        result.unwrap_or_else(|| std::mem::take(&mut self.text))
    }
}

pub(crate) async fn answer(
    Path(id): Path<String>,
    signed: Signed,
    Form(mut entered): Form<Entered>,
) -> Result<Response, Fault> {
    let typed = entered.words();
    signed.check(&entered.csrf).map_err(|fault| fault.keeping(&typed))?;
    let damaged = |_| Fault::bad("The form is damaged. Load the page again.").keeping(&typed);
    let rounds = entered.rounds.parse().map_err(damaged)?;
    let corrections = correction(&entered).map_err(|fault| fault.keeping(&typed))?;
    // Browsers end lines with two characters; the places of findings are counted in what is kept.
    let text = typed.replace("\r\n", "\n");
    let request = pb::AmendRequest {
        session: id.clone(),
        corrections: corrections.into_iter().collect(),
        text,
        about: entered.about.clone(),
        access: signed.0.access(&id),
        rounds,
    };
    let kept = |status: tonic::Status| back(Fault::of(&status), &id).keeping(&typed);
    let mut events = signed.0.panel.clone().amend(request).await.map_err(kept)?.into_inner();
    // At work from the first step on: the page that follows can watch it.
    events.message().await.map_err(kept)?;
    tokio::spawn(async move { while let Ok(Some(_)) = events.message().await {} });
    Ok(Redirect::to(&format!("/sessions/{id}")).into_response())
}

/// The finding that is corrected, if the form was about one.
fn correction(entered: &Entered) -> Result<Option<pb::Correction>, Fault> {
    if entered.correct.is_empty() {
        return Ok(None);
    }
    let (term, said) = match entered.correct.split_once('=') {
        Some((term, "present")) => (term, Said::Present),
        Some((term, "excluded")) => (term, Said::Excluded),
        Some((term, "not_said")) => (term, Said::NotSaid),
        _ => return Err(Fault::bad("A finding is present, absent, or was not said.")),
    };
    Ok(Some(pb::Correction { term: term.to_owned(), said: said.into() }))
}

fn back(mut fault: Fault, id: &str) -> Fault {
    fault.next.insert(0, ("Back to the session".to_owned(), format!("/sessions/{id}")));
    fault
}
