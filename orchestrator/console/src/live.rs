//! Server-sent events: a page is told that there is something new, and fetches it.

use crate::{pages::session::read, signed_in::SignedIn};
use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use bodh_panel_api::pb::{self, session_event};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio_stream::wrappers::ReceiverStream;

/// One event for every report, and one for the end. Nothing of the case is in an event.
pub(crate) fn events(who: Arc<SignedIn>, id: String, mut reports: tonic::Streaming<pb::SessionEvent>) -> Response {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Event, Infallible>>(4);
    tokio::spawn(async move {
        let mut number = 0_u64;
        loop {
            let next = tokio::select! {
                next = reports.message() => next,
                () = sender.closed() => return,
            };
            let Ok(Some(pb::SessionEvent { event: Some(session_event::Event::ReportJson(json)), version })) = next
            else {
                break;
            };
            let Ok(report) = read(&json) else { break };
            number += 1;
            who.reports.put_newer(&id, version, report);
            if sender.send(Ok(Event::default().event("changed").data(number.to_string()))).await.is_err() {
                return;
            }
        }
        let _ = sender.send(Ok(Event::default().event("ended").data("0"))).await;
    });
    Sse::new(ReceiverStream::new(receiver))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response()
}
