//! A clinician's sessions, and the form for a new one.

use crate::{
    app::{App, MOST_CASE, Signed, page as show},
    assets::Asset,
    fault::{Fault, render, sentence},
    fill::words,
    view::sessions::{NewSession, SessionRow, SessionsPage},
};
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use bodh_panel_api::pb;
use serde::Deserialize;
use std::sync::Arc;

/// What a session may spend unless told otherwise, and at most: the guardian's limit is higher, a form's need not be.
const BUDGET: &str = "2500.00";
const MOST_BUDGET_CENTS: u64 = 10_000_000;

/// A new session as entered.
#[derive(Debug, Deserialize)]
pub(crate) struct Entered {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    pseudonym: String,
    #[serde(default)]
    budget: String,
    #[serde(default)]
    case: String,
    sequential: Option<String>,
}

pub(crate) async fn page(State(app): State<Arc<App>>, signed: Signed) -> Result<Response, Fault> {
    let form = NewSession { budget: BUDGET.to_owned(), ..blank(&signed) };
    Ok(show(&filled(&app, &signed, form).await?))
}

pub(crate) async fn new(
    State(app): State<Arc<App>>,
    signed: Signed,
    Form(entered): Form<Entered>,
) -> Result<Response, Fault> {
    signed.check(&entered.csrf)?;
    let mut form = NewSession {
        pseudonym: entered.pseudonym.clone(),
        budget: entered.budget.clone(),
        case: entered.case.clone(),
        sequential: entered.sequential.is_some(),
        ..blank(&signed)
    };
    let cents = cents(&entered.budget);
    if cents.is_none() {
        form.budget_error =
            Some("Give dollars, such as 2500 or 2500.50: at least one cent, at most $100,000.".to_owned());
    }
    if entered.pseudonym.trim().is_empty() || entered.pseudonym.chars().count() > 64 {
        form.pseudonym_error =
            Some("Give a word or number that is not the patient's name: at most 64 characters.".to_owned());
    }
    if entered.case.trim().is_empty() {
        form.case_error = Some("Paste a note, a phenopacket or an OSCE case.".to_owned());
    } else if entered.case.len() > MOST_CASE {
        form.case_error = Some("The case is longer than 1 MiB.".to_owned());
    }
    let Some(cents) = cents.filter(|_| form.errors().is_empty()) else { return again(&app, &signed, form).await };
    let request = pb::ConveneRequest {
        case: entered.case.into_bytes(),
        pseudonym: entered.pseudonym,
        budget_cents: cents,
        sequential: form.sequential,
    };
    let events = match signed.0.panel.clone().convene(request).await {
        Ok(events) => events,
        Err(status) if status.code() == tonic::Code::InvalidArgument => {
            form.case_error = Some(sentence(status.message()));
            return again(&app, &signed, form).await;
        }
        Err(status) => return Err(Fault::of(&status).keeping(&form.case)),
    };
    let mut events = events.into_inner();
    let begun = match events.message().await {
        Ok(Some(pb::SessionEvent { event: Some(pb::session_event::Event::Progress(progress)), .. })) => {
            Ok(progress.session)
        }
        Ok(Some(pb::SessionEvent { event: Some(pb::session_event::Event::ReportJson(json)), .. })) => {
            let report: Result<bodh_panel::Report, _> = serde_json::from_slice(&json);
            report.map(|report| report.session).map_err(|_| None)
        }
        Ok(_) => Err(None),
        Err(status) => Err(Some(status)),
    };
    match begun {
        Ok(session) => {
            // It goes on by itself, watched or not.
            tokio::spawn(async move { while let Ok(Some(_)) = events.message().await {} });
            Ok(Redirect::to(&format!("/sessions/{session}")).into_response())
        }
        Err(Some(status)) => {
            form.case_error = Some(sentence(status.message()));
            again(&app, &signed, form).await
        }
        Err(None) => Err(Fault::internal("a session did not begin").keeping(&form.case)),
    }
}

fn blank(signed: &Signed) -> NewSession {
    NewSession {
        action: "/sessions".to_owned(),
        csrf: signed.0.csrf.clone(),
        budget_most: "$100,000.00".to_owned(),
        case_most: "1 MiB".to_owned(),
        case_bytes: u32::try_from(MOST_CASE).unwrap_or(u32::MAX),
        ..NewSession::default()
    }
}

/// The form with what is wrong, and everything that was typed.
async fn again(app: &App, signed: &Signed, form: NewSession) -> Result<Response, Fault> {
    let kept = form.case.clone();
    let page = filled(app, signed, form).await.map_err(|fault| fault.keeping(&kept))?;
    Ok(render(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

async fn filled(app: &App, signed: &Signed, form: NewSession) -> Result<SessionsPage, Fault> {
    let all = signed.0.panel.clone().sessions(pb::SessionsRequest { all: false }).await?.into_inner().items;
    // Kept sealed with the session: known here for those that were looked at since the sign-in.
    let pseudonym = |id: &str| {
        let known = signed.0.notes.get(id).map(|note| note.pseudonym.clone()).filter(|known| !known.is_empty());
        known.unwrap_or_else(|| words::short(id))
    };
    let row = |item: pb::SessionItem| SessionRow {
        href: format!("/sessions/{}", item.session),
        pseudonym: pseudonym(&item.session),
        started: words::when(item.opened_unix_ms),
        state: words::state(&item.state),
        budget: crate::view::format::dollars(item.budget_cents),
    };
    let inbox = signed.0.panel.clone().inbox(pb::InboxRequest { all: false }).await?.into_inner();
    Ok(SessionsPage {
        news: crate::fill::ask::news(&inbox.decided),
        frame: app.frame(Some(&signed.0), "Sessions", "/sessions", &[Asset::Live]),
        sessions: all.into_iter().take(200).map(row).collect(),
        older: None,
        form,
    })
}

/// Dollars as typed, in cents.
fn cents(text: &str) -> Option<u64> {
    let text = text.trim().trim_start_matches('$').replace(',', "");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let cents = whole.parse::<u64>().ok()? * 100 + format!("{part:0<2}").parse::<u64>().ok()?;
    (1..=MOST_BUDGET_CENTS).contains(&cents).then_some(cents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_exactly_or_not_at_all() {
        for (text, read) in [("2500", 250_000), ("2,500.5", 250_050), ("$0.01", 1), (" 100000.00 ", 10_000_000)] {
            assert_eq!(cents(text), Some(read), "{text}");
        }
        for wrong in ["", "0", "-1", "1e3", "1.005", "100000.01", ".5", "NaN", "9999999999", "１"] {
            assert_eq!(cents(wrong), None, "{wrong}");
        }
    }
}
