//! What is shown of a session at work: its report after each round, to as many as watch. Nobody waits for a watcher, and a
//! slow one misses rounds, never the last.

use crate::runner::{Live, Runner};
use bodh_panel::{Report, State};
use std::sync::{Arc, OnceLock, PoisonError};
use tokio::sync::watch;

/// A session's report as it was at one moment, without the log's receipt.
#[derive(Debug)]
pub(crate) struct Frame {
    report: Report,
    /// Written once, however many watch.
    json: OnceLock<Vec<u8>>,
    pub(crate) at_rest: bool,
}

impl Frame {
    /// A state that is worth showing: a round's end, or the session's.
    pub(crate) fn is_due(state: &State) -> bool {
        matches!(state, State::Ruling { .. } | State::AwaitingResults { .. }) || state.is_at_rest()
    }

    pub(crate) fn of(live: &Live) -> Self {
        let mut report = Report::of(&live.panel);
        report.warnings.clone_from(&live.warnings);
        Self { report, json: OnceLock::new(), at_rest: live.panel.state.is_at_rest() }
    }

    /// The report as JSON; empty when it cannot be written.
    pub(crate) fn json(&self) -> &[u8] {
        self.json.get_or_init(|| serde_json::to_vec(&self.report).unwrap_or_default())
    }
}

impl Runner {
    /// From now on the session can be watched.
    pub(crate) fn show(&self, live: &mut Live) {
        let (sender, receiver) = watch::channel(Arc::new(Frame::of(live)));
        live.shown = Some(sender);
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.insert(live.row.id.clone(), receiver);
    }

    /// It is at rest: whoever still watches has the last frame.
    pub(crate) fn show_no_more(&self, live: &mut Live) {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(&live.row.id);
        self.stopping.lock().unwrap_or_else(PoisonError::into_inner).remove(&live.row.id);
        live.shown = None;
    }

    /// The session as it goes on, if it is at work.
    pub(crate) fn watch(&self, session: &str) -> Option<watch::Receiver<Arc<Frame>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).get(session).cloned()
    }

    /// Ends the session at its next step, if it is at work.
    pub(crate) fn stop_at_work(&self, session: &str) -> bool {
        let at_work = self.watch(session).is_some();
        if at_work {
            self.stopping.lock().unwrap_or_else(PoisonError::into_inner).insert(session.to_owned());
        }
        at_work
    }

    pub(crate) fn is_stopping(&self, session: &str) -> bool {
        self.stopping.lock().unwrap_or_else(PoisonError::into_inner).contains(session)
    }
}
