//! The runner: everything that a session needs to be carried on, and the sessions that are open in memory.

use crate::{
    ask::Agents,
    error::Error,
    expiry::Lives,
    grant::SessionGrant,
    keys::Keys,
    outbox::Outbox,
    patients::Patients,
    rules::Rules,
    status::Noted,
    store::{SessionRow, Store},
    watching::{AtWork, Frame},
};
use bodh_clinical::Finding;
use bodh_gate::Gate;
use bodh_guardian_api::pb::Statement;
use bodh_knowledge::Pack;
use bodh_panel::Panel;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::sync::{mpsc, watch};

/// Sessions that may be open in memory at once; more are refused.
const MOST_LIVE: usize = 512;

/// Everything that a session needs to be carried on. Shared.
pub(crate) struct Runner {
    pub(crate) store: Store,
    pub(crate) gate: Gate,
    pub(crate) guardian: bodh_guardian_api::Client,
    pub(crate) audit: bodh_audit_api::Client,
    pub(crate) agents: Arc<Agents>,
    pub(crate) outbox: Outbox,
    pub(crate) pack: Pack,
    pub(crate) rules: Rules,
    /// By which a patient's sessions are found.
    pub(crate) patients: Patients,
    /// What the status is made of.
    pub(crate) noted: tokio::sync::Mutex<Noted>,
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) lives: Lives,
    pub(crate) live: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Option<Live>>>>>,
    /// Sessions at work, for whoever watches.
    pub(crate) at_work: Mutex<HashMap<String, AtWork>>,
}

/// One session, open.
pub(crate) struct Live {
    pub(crate) row: SessionRow,
    pub(crate) panel: Panel,
    pub(crate) seq: i64,
    pub(crate) keys: Keys,
    pub(crate) grant: SessionGrant,
    /// What the gatekeeper holds back.
    pub(crate) hidden: Vec<Finding>,
    pub(crate) warnings: Vec<String>,
    pub(crate) timings: BTreeMap<String, f64>,
    pub(crate) began: Instant,
    /// The last queued entry of this session.
    pub(crate) queued: i64,
    /// Who convened it, or decided, and waits.
    pub(crate) watcher: Option<mpsc::Sender<Step>>,
    /// Everybody else who watches.
    pub(crate) shown: Option<watch::Sender<Arc<Frame>>>,
}

/// A step, for whoever watches.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) session: String,
    pub(crate) round: u32,
    pub(crate) state: &'static str,
    pub(crate) elapsed_us: u64,
}

/// One session's place in memory: whoever holds the lock carries it on, alone.
type Slot = Arc<tokio::sync::Mutex<Option<Live>>>;

/// A session that is this holder's alone until it leaves.
pub(crate) type Held = tokio::sync::OwnedMutexGuard<Option<Live>>;

impl Runner {
    /// The session's slot, empty until somebody loads it.
    fn slot(&self, session: &str) -> Result<Slot, Error> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = live.get(session) {
            return Ok(Arc::clone(slot));
        }
        if live.len() >= MOST_LIVE {
            // Whatever nobody holds can be loaded again from the store.
            live.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        if live.len() >= MOST_LIVE {
            return Err(Error::Stale("too many sessions are open at once; try again shortly"));
        }
        let slot = Slot::default();
        live.insert(session.to_owned(), Arc::clone(&slot));
        Ok(slot)
    }

    /// The place of a session that was just opened.
    pub(crate) async fn keep(&self, live: Live) -> Result<Held, Error> {
        let mut held = self.hold(&live.row.id).await?;
        *held = Some(live);
        Ok(held)
    }

    /// The session's place, empty: nobody carries it on while it is held.
    pub(crate) async fn hold(&self, session: &str) -> Result<Held, Error> {
        Ok(self.slot(session)?.lock_owned().await)
    }

    /// The session, opened again; at rest it opens only on a person's signed request.
    pub(crate) async fn enter(&self, session: &str, access: Option<Statement>) -> Result<Held, Error> {
        let mut held = self.hold(session).await?;
        match self.load(session, access).await {
            Ok(live) => {
                *held = Some(live);
                Ok(held)
            }
            Err(error) => {
                self.forget(session, held);
                Err(error)
            }
        }
    }

    /// Ends the holder's work: the keys leave this process's memory, and the guardian gives those of a session at rest out
    /// again only on a person's signed request.
    pub(crate) async fn leave(&self, mut held: Held) {
        let Some(live) = held.take() else { return };
        let (session, trace, at_rest) = (live.row.id.clone(), live.row.trace.clone(), live.panel.state.is_at_rest());
        drop(live);
        if at_rest {
            self.close(&session, &trace).await;
        }
        self.forget(&session, held);
    }

    /// Has the guardian close a session at rest.
    pub(crate) async fn close(&self, session: &str, trace: &str) {
        let closed = async {
            self.guardian.close_session(session, trace).await?;
            self.store.set_closed(session, true).await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = closed.await {
            tracing::warn!(%error, session, "a session at rest is not closed yet; the next start closes it");
        }
    }

    /// Gives the place up, unless somebody waits for it.
    pub(crate) fn forget(&self, session: &str, held: Held) {
        let slot = Arc::clone(tokio::sync::OwnedMutexGuard::mutex(&held));
        drop(held);
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        // The table's and ours: under the table's lock nobody can come to wait.
        if Arc::strong_count(&slot) == 2 {
            live.remove(session);
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.gate.trust().now_ms()
    }
}

/// What is held; a place is never held empty while there is work on it.
pub(crate) fn live(held: &mut Held) -> Result<&mut Live, Error> {
    held.as_mut().ok_or(Error::Corrupt("an open session"))
}

impl Live {
    pub(crate) fn tell(&self) {
        if let Some(shown) = self.shown.as_ref().filter(|_| Frame::is_due(&self.panel.state)) {
            shown.send_replace(Arc::new(Frame::of(self)));
        }
        let Some(watcher) = &self.watcher else { return };
        let step = Step {
            session: self.panel.session.id.clone(),
            round: self.panel.session.round,
            state: self.panel.state.name(),
            elapsed_us: u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        // A watcher that does not keep up misses steps, never the report.
        let _ = watcher.try_send(step);
    }

    /// Adds to the time of a step.
    pub(crate) fn took(&mut self, what: &str, since: Instant) {
        *self.timings.entry(what.to_owned()).or_default() += since.elapsed().as_secs_f64() * 1000.0;
    }
}
