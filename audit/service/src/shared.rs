//! What the tasks and the callers tell each other: how far the log is, what is wanted, and when it ends.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, watch};

use crate::Error;
use crate::publish::Published;

/// The state that all clones and tasks of one log share.
pub(crate) struct Shared {
    /// How many entries are durable.
    pub(crate) committed: watch::Sender<u64>,
    /// The newest published checkpoint.
    pub(crate) published: watch::Sender<Published>,
    trouble: watch::Sender<Option<String>>,
    wanted: AtomicU64,
    ask: Notify,
    stage: watch::Sender<Stage>,
}

/// How far the log is from its end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It takes entries.
    Open,
    /// It writes what is queued and takes nothing more.
    Closing,
    /// The sequencer has ended; what it committed is still published.
    Finished,
}

impl Shared {
    pub(crate) fn new(committed: u64, published: Published) -> Self {
        Self {
            committed: watch::Sender::new(committed),
            published: watch::Sender::new(published),
            trouble: watch::Sender::new(None),
            wanted: AtomicU64::new(0),
            ask: Notify::new(),
            stage: watch::Sender::new(Stage::Open),
        }
    }

    /// Why the log stopped, once it has.
    pub(crate) fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }

    /// A write failed: from now on nothing is acknowledged. The first cause is kept.
    pub(crate) fn halt(&self, cause: &Error) {
        tracing::error!(%cause, "the record stops taking entries; start it again once the cause is gone");
        self.trouble.send_if_modified(|trouble| {
            let first = trouble.is_none();
            if first {
                *trouble = Some(cause.to_string());
            }
            first
        });
    }

    pub(crate) fn is_well(&self) -> Result<(), Error> {
        if self.trouble.borrow().is_some() || !self.is_open() { Err(Error::Unavailable) } else { Ok(()) }
    }

    pub(crate) fn want(&self, size: u64) {
        self.wanted.fetch_max(size, Ordering::AcqRel);
        self.ask.notify_one();
    }

    pub(crate) fn is_wanted(&self, published: u64) -> bool {
        self.wanted.load(Ordering::Acquire) > published
    }

    pub(crate) async fn wanted(&self) {
        self.ask.notified().await;
    }

    fn is_open(&self) -> bool {
        *self.stage.borrow() == Stage::Open
    }

    /// Takes no more entries.
    pub(crate) fn close(&self) {
        self.reach(Stage::Closing);
    }

    /// The sequencer has ended.
    pub(crate) fn finish(&self) {
        self.reach(Stage::Finished);
    }

    pub(crate) fn is_finished(&self) -> bool {
        *self.stage.borrow() == Stage::Finished
    }

    pub(crate) async fn closing(&self) {
        self.reached(Stage::Closing).await;
    }

    pub(crate) async fn finished(&self) {
        self.reached(Stage::Finished).await;
    }

    fn reach(&self, stage: Stage) {
        self.stage.send_if_modified(|now| {
            let later = *now < stage;
            *now = stage.max(*now);
            later
        });
    }

    async fn reached(&self, stage: Stage) {
        // The sender is in `self`, so waiting ends only with the stage.
        let _ = self.stage.subscribe().wait_for(|now| *now >= stage).await;
    }
}
