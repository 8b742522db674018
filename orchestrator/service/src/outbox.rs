//! The outbox's courier: sends queued entries in order and says how far the log has acknowledged.

use crate::{error::Error, store::Store};
use bodh_audit_log::Draft;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// How long a step waits for the log before its session is left for later.
const PATIENCE: Duration = Duration::from_secs(30);
/// Entries per round.
const BATCH: u32 = 256;
/// Sent entries stay in the store for so long before they are removed: one removal for many rounds.
const SWEEP: Duration = Duration::from_millis(200);

/// How far the log has acknowledged, and a way to say that there is more. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outbox {
    more: mpsc::Sender<()>,
    through: watch::Receiver<(i64, u64)>,
}

impl Outbox {
    pub(crate) fn start(store: Store, audit: bodh_audit_api::Client) -> Self {
        let (more, wake) = mpsc::channel(1);
        let (told, through) = watch::channel((0, 0));
        tokio::spawn(courier(store, audit, wake, told));
        Self { more, through }
    }

    /// There is something to send.
    pub(crate) fn wake(&self) {
        // A full channel means that the courier is about to look anyway.
        let _ = self.more.try_send(());
    }

    /// Waits until the log has acknowledged everything up to the entry `last`; answers the highest index known.
    pub(crate) async fn acknowledged(&self, last: i64) -> Result<u64, Error> {
        self.wake();
        let mut through = self.through.clone();
        let waited = tokio::time::timeout(PATIENCE, through.wait_for(|(sent, _)| *sent >= last)).await;
        match waited {
            Ok(Ok(seen)) => Ok(seen.1),
            _ => Err(Error::Waiting),
        }
    }
}

async fn courier(
    store: Store,
    audit: bodh_audit_api::Client,
    mut wake: mpsc::Receiver<()>,
    told: watch::Sender<(i64, u64)>,
) {
    let mut pause = Duration::from_millis(10);
    let (mut removed, mut tidied) = (0, Instant::now());
    loop {
        let sent = told.borrow().0;
        match deliver(&store, &audit, &told).await {
            Ok(true) => pause = Duration::from_millis(10),
            Ok(false) => {
                tokio::select! {
                    biased;
                    // A crash before this sends entries again, which their keys make harmless.
                    () = sleep_until(tidied + SWEEP), if removed < sent => {
                        match store.sent(sent).await {
                            Ok(()) => removed = sent,
                            Err(error) => tracing::warn!(%error, "sent entries are not removed yet"),
                        }
                        tidied = Instant::now();
                    }
                    more = wake.recv() => if more.is_none() { return },
                }
            }
            Err(error) => {
                tracing::warn!(%error, "entries wait for the record");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// Sends one batch; false when there is nothing to send.
async fn deliver(
    store: &Store,
    audit: &bodh_audit_api::Client,
    told: &watch::Sender<(i64, u64)>,
) -> Result<bool, Error> {
    let sent = told.borrow().0;
    let queued = store.queued(sent, BATCH).await?;
    let Some(last) = queued.last().map(|(id, _)| *id) else { return Ok(false) };
    let drafts: Vec<Draft> = queued
        .into_iter()
        .map(|(_, draft)| Draft::try_from(draft).map_err(|_| Error::Corrupt("a queued entry")))
        .collect::<Result<_, _>>()?;
    // Handed over together, they share a call and keep their order.
    let appended = futures_util::future::join_all(drafts.into_iter().map(|draft| audit.append(draft))).await;
    let mut highest = 0;
    for index in appended {
        highest = highest.max(index?);
    }
    told.send_modify(|(sent, index)| {
        *sent = last.max(*sent);
        *index = highest.max(*index);
    });
    Ok(true)
}
