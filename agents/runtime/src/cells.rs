//! The cells of an agent: one per session, ended when the session is, or when it is idle too long.

use bodh_cell::{Cell, CellError, Launcher};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A cell that nobody asked for this long ends, whatever the orchestrator says.
const IDLE: Duration = Duration::from_secs(20);
/// At most this many sessions at once; more are refused, not queued.
const MOST: usize = 256;

type Slot = Arc<tokio::sync::Mutex<Held>>;

#[derive(Default)]
struct Held {
    cell: Option<Cell>,
}

/// All cells of this agent. Cheap to clone.
#[derive(Clone)]
pub struct Cells {
    launcher: Arc<Launcher>,
    slots: Arc<Mutex<HashMap<String, (Slot, Instant)>>>,
}

/// Why there was no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// Too many sessions at once.
    Full,
    /// The cell failed; it is gone.
    Cell(CellError),
}

impl Cells {
    /// Cells that `launcher` starts; one is kept ready from now on.
    #[must_use]
    pub fn new(launcher: Launcher) -> Self {
        launcher.warm();
        Self { launcher: Arc::new(launcher), slots: Arc::default() }
    }

    /// Asks the session's cell, starting it if need be. A cell that fails is not asked again.
    pub(crate) async fn ask(&self, session: &str, question: &[u8]) -> Result<Vec<u8>, NoAnswer> {
        let slot = self.slot(session)?;
        let mut held = slot.lock().await;
        let mut cell = match held.cell.take() {
            Some(cell) => cell,
            None => self.start().await?,
        };
        let answer = cell.ask(question).await.map_err(NoAnswer::Cell)?;
        held.cell = Some(cell);
        Ok(answer)
    }

    async fn start(&self) -> Result<Cell, NoAnswer> {
        let cell = Cell::start(&self.launcher).await.map_err(NoAnswer::Cell)?;
        self.launcher.warm();
        Ok(cell)
    }

    fn slot(&self, session: &str) -> Result<Slot, NoAnswer> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        slots.retain(|_, (slot, used)| Arc::strong_count(slot) > 1 || now.duration_since(*used) < IDLE);
        if let Some((slot, used)) = slots.get_mut(session) {
            *used = now;
            return Ok(Arc::clone(slot));
        }
        if slots.len() >= MOST {
            return Err(NoAnswer::Full);
        }
        let slot = Slot::default();
        slots.insert(session.to_owned(), (Arc::clone(&slot), now));
        Ok(slot)
    }

    /// Ends the session's cell.
    pub(crate) fn end(&self, session: &str) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(session);
    }

    /// Ends idle cells, for ever: dropping a cell kills it.
    pub(crate) async fn sweep(self) {
        let mut every = tokio::time::interval(IDLE / 4);
        loop {
            every.tick().await;
            let now = Instant::now();
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.retain(|_, (slot, used)| Arc::strong_count(slot) > 1 || now.duration_since(*used) < IDLE);
        }
    }
}
