//! A patient's sessions, found by the pseudonym, and who saw what of them.
//!
//! The pseudonym comes as POST and is kept in memory with the person who asked, for as long as they are signed in; the
//! address of what was found has a random name in its place. So it is in no address, hence in no history and no log.

use super::{
    listed::{self, PAGE, several},
    record::Look,
};
use crate::{
    app::{App, Signed, page as show},
    assets::Asset,
    fault::Fault,
    fill::{access, patient},
    session::nonce,
};
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use bodh_gate::Entity;
use bodh_panel_api::pb;
use serde::Deserialize;
use std::sync::Arc;

/// Its most characters, as the orchestrator has it.
const MOST: usize = 64;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entered {
    csrf: String,
    pseudonym: String,
}

/// The form has no page of its own.
pub(crate) async fn form(_signed: Signed) -> Response {
    Redirect::to("/record").into_response()
}

pub(crate) async fn find(
    State(app): State<Arc<App>>,
    signed: Signed,
    Form(entered): Form<Entered>,
) -> Result<Response, Fault> {
    signed.check(&entered.csrf)?;
    let typed = entered.pseudonym.as_str();
    if !app.may(&signed.0, "find_patient", Entity::new("Panel", "panel")) {
        // Whoever policy does not let is refused where the refusal becomes an entry, and nothing is kept.
        ask(&signed, typed).await?;
    }
    if let Some(error) = wrong(typed) {
        return listed::again(&app, &signed, typed, error).await;
    }
    let name = nonce().ok_or_else(|| Fault::internal("no randomness"))?;
    signed.0.patients.put(&name, Arc::from(typed.trim()));
    Ok(Redirect::to(&format!("/record/patient/{name}")).into_response())
}

/// What is wrong with a pseudonym, if anything is.
fn wrong(typed: &str) -> Option<&'static str> {
    let typed = typed.trim();
    match () {
        () if typed.is_empty() => Some("Give the pseudonym that the sessions were begun with."),
        () if typed.chars().count() > MOST => Some("A pseudonym has at most 64 characters."),
        () if typed.chars().any(char::is_control) => {
            Some("There is a line break or another control character in it. Type it, or copy it without.")
        }
        () => None,
    }
}

async fn ask(signed: &Signed, pseudonym: &str) -> Result<pb::FindPatientReply, tonic::Status> {
    let request = pb::FindPatientRequest { pseudonym: pseudonym.to_owned() };
    Ok(signed.0.panel.clone().find_patient(request).await?.into_inner())
}

/// What was searched for under this name, and what is found now.
async fn again(signed: &Signed, name: &str) -> Result<(Arc<str>, pb::FindPatientReply), Fault> {
    let Some(pseudonym) = signed.0.patients.get(name) else {
        let mut gone = Fault::new(
            StatusCode::NOT_FOUND,
            "This search is not kept any more",
            "What was searched for is kept while one is signed in, the last few of each person. Search once more.",
        );
        gone.next = vec![("Search the record".to_owned(), "/record".to_owned())];
        return Err(gone);
    };
    let found = ask(signed, &pseudonym).await?;
    Ok((pseudonym, found))
}

pub(crate) async fn sessions(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(look): Query<Look>,
    signed: Signed,
) -> Result<Response, Fault> {
    let (pseudonym, found) = again(&signed, &name).await?;
    let last = found.items.len().div_ceil(PAGE).max(1);
    let here = look.page.parse::<usize>().unwrap_or(1).clamp(1, last);
    let shown: Vec<_> = found.items.iter().skip((here - 1) * PAGE).take(PAGE).map(|i| i.session.clone()).collect();
    let (entries, _) = several(&signed, &shown).await?;
    let frame = app.frame(Some(&signed.0), "Sessions of one patient", "/record", &[Asset::Record]);
    let path = format!("/record/patient/{name}");
    Ok(show(&patient::sessions((&pseudonym, &path), &found, (&shown, &entries), (here, last), frame)))
}

pub(crate) async fn report(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(look): Query<Look>,
    signed: Signed,
) -> Result<Response, Fault> {
    let (pseudonym, found) = again(&signed, &name).await?;
    let ids: Vec<String> = found.items.iter().map(|item| item.session.clone()).collect();
    let (entries, whole) = several(&signed, &ids).await?;
    let entries: Vec<_> = entries.into_values().flatten().collect();
    let roles = patient::roles(&found);
    let path = format!("/record/patient/{name}");
    let asked = access::Asked {
        entries: &entries,
        subject: format!("Patient pseudonym {pseudonym}"),
        rests_on: patient::rests_on(&found, entries.len(), whole),
        path: format!("{path}/access"),
        from: &look.from,
        to: &look.to,
        page: look.page.parse().unwrap_or(1),
        roles: &|who| roles.get(who).cloned().unwrap_or_default(),
    };
    let frame = app.frame(Some(&signed.0), "Access report", "/record", &[Asset::Record]);
    let mut page = access::page(&asked, frame);
    page.back = Some(path);
    Ok(show(&page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_pseudonym_is_said() {
        for good in ["K-2041", " K-2041 ", "Ökonom 7", &"ä".repeat(64)] {
            assert_eq!(wrong(good), None, "{good}");
        }
        for (bad, says) in
            [("", "Give"), ("  ", "Give"), ("a\u{7}b", "control"), ("a\nb", "line break"), (&"ä".repeat(65), "64")]
        {
            assert!(wrong(bad).is_some_and(|error| error.contains(says)), "{bad:?}");
        }
    }
}
