//! What is shown of a session at work: its report after each round, to as many as watch. Nobody waits for a watcher, and a
//! slow one misses rounds, never the last.

use crate::runner::{Live, Runner};
use bodh_panel::{Report, State};
use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, OnceLock, PoisonError};
use tokio::sync::watch;

/// A session's report as it was at one moment, without the log's receipt.
#[derive(Debug)]
pub(crate) struct Frame {
    report: Report,
    /// Written once, however many watch.
    json: OnceLock<Vec<u8>>,
    pub(crate) at_rest: bool,
    /// The last event in it: whoever hears of several over different ways knows the newest.
    pub(crate) version: u64,
}

impl Frame {
    /// A state that is worth showing: a round's end, or the session's.
    pub(crate) fn is_due(state: &State) -> bool {
        matches!(state, State::Ruling { .. } | State::AwaitingResults { .. }) || state.is_at_rest()
    }

    pub(crate) fn of(live: &Live) -> Self {
        let mut report = Report::of(&live.panel);
        report.warnings.clone_from(&live.warnings);
        let version = u64::try_from(live.seq).unwrap_or(0);
        Self { report, json: OnceLock::new(), at_rest: live.panel.state.is_at_rest(), version }
    }

    /// The report as JSON; empty when it cannot be written.
    pub(crate) fn json(&self) -> &[u8] {
        self.json.get_or_init(|| serde_json::to_vec(&self.report).unwrap_or_default())
    }
}

/// A session at work, as others reach it.
pub(crate) struct AtWork {
    frames: watch::Receiver<Arc<Frame>>,
    /// A person wants it ended.
    stopping: bool,
}

impl Runner {
    fn at_work(&self) -> MutexGuard<'_, HashMap<String, AtWork>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the session can be watched and stopped.
    pub(crate) fn show(&self, live: &mut Live) {
        let (sender, frames) = watch::channel(Arc::new(Frame::of(live)));
        live.shown = Some(sender);
        self.at_work().insert(live.row.id.clone(), AtWork { frames, stopping: false });
    }

    /// No more: whoever watches has the last frame to come. Whether a person wanted it ended and nobody has done so: asked in
    /// the same moment, so that no wish is lost between the two.
    pub(crate) fn show_no_more(&self, live: &Live) -> bool {
        self.at_work().remove(&live.row.id).is_some_and(|at_work| at_work.stopping)
    }

    /// The session as it goes on, if it is at work.
    pub(crate) fn watch(&self, session: &str) -> Option<watch::Receiver<Arc<Frame>>> {
        self.at_work().get(session).map(|at_work| at_work.frames.clone())
    }

    /// Ends the session at its next step, if it is at work.
    pub(crate) fn stop_at_work(&self, session: &str) -> bool {
        self.at_work().get_mut(session).map(|at_work| at_work.stopping = true).is_some()
    }

    pub(crate) fn is_stopping(&self, session: &str) -> bool {
        self.at_work().get(session).is_some_and(|at_work| at_work.stopping)
    }
}
