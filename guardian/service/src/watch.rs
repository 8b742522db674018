//! The revocation feed: a heartbeat every 500 ms, changes at once.

use std::{pin::Pin, sync::Arc, time::Duration};

use bodh_guardian_api::pb::Notice;
use futures_util::Stream;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, broadcast},
    time::{Interval, MissedTickBehavior},
};
use tonic::Status;

use crate::{error::Error, registry::Registry};

/// A gate refuses everything once its feed is 2 s old: three heartbeats may be lost.
pub const HEARTBEAT: Duration = Duration::from_millis(500);
/// The most watchers at once.
pub const MAX_WATCHERS: usize = 64;

/// One watcher's feed.
pub type Feed = Pin<Box<dyn Stream<Item = Result<Notice, Status>> + Send>>;

/// The places for watchers.
pub struct Watchers {
    places: Arc<Semaphore>,
}

struct Watching {
    epoch: u64,
    changes: broadcast::Receiver<Notice>,
    beat: Interval,
    _place: OwnedSemaphorePermit,
}

impl Default for Watchers {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MAX_WATCHERS)) }
    }
}

impl Watchers {
    /// A feed from now on; its first notice, at once, is a heartbeat with the current epoch.
    pub fn watch(&self, registry: &Registry) -> Result<Feed, Error> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Error::TooMany("watchers"))?;
        let (epoch, changes) = registry.subscribe();
        let mut beat = tokio::time::interval(HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watching = Watching { epoch, changes, beat, _place: place };
        Ok(Box::pin(futures_util::stream::unfold(Some(watching), |watching| async {
            let mut watching = watching?;
            match watching.next().await {
                Some(notice) => Some((Ok(notice), Some(watching))),
                // The feed ends, so the gate fails closed until it has begun again with the whole truth.
                None => Some((Err(Status::data_loss("the watcher fell behind; begin again")), None)),
            }
        })))
    }
}

impl Watching {
    async fn next(&mut self) -> Option<Notice> {
        tokio::select! {
            biased;
            change = self.changes.recv() => {
                let notice = change.ok()?;
                self.epoch = notice.epoch;
                Some(notice)
            }
            // The epoch of the last change that this feed has told, not of one that it is about to tell.
            _ = self.beat.tick() => Some(Notice { epoch: self.epoch, ..Notice::default() }),
        }
    }
}
