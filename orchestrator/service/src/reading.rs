//! What people read of sessions, beside their reports; and ending one. Each is called once the gate has admitted it.

use crate::{
    drive::With,
    error::Error,
    patients::PSEUDONYM,
    runner::{Runner, live},
    service::{Events, access, json},
    store::SessionRow,
    watching::Frame,
};
use bodh_clinical::Identifiers;
use bodh_gate::Caller;
use bodh_panel::Event;
use bodh_panel_api::pb;
use bodh_vault::View;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

/// Frames that wait for a slow watcher: it then takes the newest.
const WAITING: usize = 1;

/// A session in a list, with how many of its escalations wait.
pub(crate) fn item((row, waiting): (SessionRow, i64)) -> pb::SessionItem {
    pb::SessionItem {
        session: row.id,
        requester: row.requester,
        opened_unix_ms: row.opened_ms,
        state: row.state,
        budget_cents: row.budget_cents,
        sequential: row.sequential,
        trace: row.trace,
        open_escalations: u32::try_from(waiting).unwrap_or(0),
    }
}

/// A session as somebody begins to watch it.
pub(crate) enum Look {
    /// At work: its frames from now on.
    AtWork(watch::Receiver<Arc<Frame>>),
    /// At rest: its report and version.
    AtRest(Vec<u8>, u64),
}

impl Look {
    /// The reports from now on; the last one when the session comes to rest.
    pub(crate) fn follow(self) -> Events {
        let (events, stream) = mpsc::channel(WAITING);
        let told = |json: Vec<u8>, version: u64| pb::SessionEvent {
            event: Some(pb::session_event::Event::ReportJson(json)),
            version,
        };
        tokio::spawn(async move {
            let mut frames = match self {
                Look::AtWork(frames) => frames,
                Look::AtRest(report, version) => {
                    let _ = events.send(Ok(told(report, version))).await;
                    return;
                }
            };
            loop {
                let frame = Arc::clone(&frames.borrow_and_update());
                if events.send(Ok(told(frame.json().to_vec(), frame.version))).await.is_err() || frame.at_rest {
                    return;
                }
                let gone = tokio::select! {
                    changed = frames.changed() => changed.is_err(),
                    () = events.closed() => true,
                };
                if gone {
                    return;
                }
            }
        });
        ReceiverStream::new(stream)
    }
}

impl Runner {
    /// The caller's sessions, or everybody's.
    pub(crate) async fn list(&self, caller: &Caller, all: bool) -> Result<pb::SessionsReply, Error> {
        let own = (!all).then(|| caller.id.to_string());
        let items = self.store.sessions(own.as_deref()).await?;
        Ok(pb::SessionsReply { items: items.into_iter().map(item).collect() })
    }

    /// Whoever convened the session has now seen what was decided of it.
    pub(crate) async fn saw(&self, caller: &Caller, session: &str) -> Result<(), Error> {
        Ok(self.store.saw(session, caller.id.as_str(), self.now_ms()).await?)
    }

    /// What there is to see of a session now.
    pub(crate) async fn look(&self, caller: &Caller, asked: pb::WatchRequest) -> Result<Look, Error> {
        if let Some(frames) = self.watch(&asked.session) {
            self.saw(caller, &asked.session).await?;
            return Ok(Look::AtWork(frames));
        }
        let mut held = self.enter(&asked.session, access(caller, asked.access)?).await?;
        let report = match live(&mut held) {
            Ok(live) => self.report(live).await.map(|report| (report, u64::try_from(live.seq).unwrap_or(0))),
            Err(error) => Err(error),
        };
        self.leave(held).await;
        let (report, version) = report?;
        self.saw(caller, &asked.session).await?;
        Ok(Look::AtRest(json(&report)?, version))
    }

    /// The note that was read, and the patient's pseudonym.
    pub(crate) async fn note(&self, caller: &Caller, asked: pb::NoteRequest) -> Result<pb::NoteReply, Error> {
        let mut held = self.enter(&asked.session, access(caller, asked.access)?).await?;
        let opened = live(&mut held).and_then(|live| {
            let note: String = live.keys.open(View::FreeText, "note", 0, &live.row.note)?;
            let who: Identifiers = live.keys.open(View::Identifiers, "identifiers", 0, &live.row.identifiers)?;
            let pseudonym = who.entries.into_iter().find(|(name, _)| name == PSEUDONYM);
            let pseudonym = pseudonym.map(|(_, value)| value).unwrap_or_default();
            let added = live.panel.session.amendments.iter().map(|amendment| amendment.text.clone()).collect();
            Ok(pb::NoteReply { note, pseudonym, added })
        });
        self.leave(held).await;
        opened
    }

    /// Ends a session: at its next step where it is at work, at once where it rests.
    pub(crate) async fn end(&self, caller: &Caller, asked: pb::StopRequest) -> Result<pb::StopReply, Error> {
        if self.stop_at_work(&asked.session) {
            return Ok(pb::StopReply {});
        }
        let mut held = self.enter(&asked.session, access(caller, asked.access)?).await?;
        let stopped = match live(&mut held) {
            Ok(live) => self.apply(live, Event::Stopped, With::default()).await,
            Err(error) => Err(error),
        };
        self.leave(held).await;
        stopped.map(|()| pb::StopReply {})
    }
}
