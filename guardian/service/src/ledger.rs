//! The guardian's entries on their way to the audit service: ordered, bounded, repeated until acknowledged.
//!
//! Two ways in. [`Ledger::record`] returns once the entry is durable: for acts with an effect, before the effect.
//! [`Ledger::queue`] returns once the entry has a place in the queue: for what must work while the audit service starts
//! (the issue of its own certificate among others). A full queue refuses both.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bodh_audit_log::Draft;
use bodh_gate::{Record, RecordError};
use data_encoding::HEXLOWER;
use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};

use crate::{error::Error, random};

/// How many entries wait at most. At nine services that renew every 150 s, hours of an absent audit service.
pub const CAPACITY: usize = 4096;
/// How long a request waits for its entry before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);
/// Entries sent together at most; the audit service commits them at once.
const BATCH: usize = 64;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The queue's entrance. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    queue: mpsc::Sender<Item>,
    acknowledged: Arc<AtomicU64>,
    count: Arc<AtomicU64>,
    start: Arc<str>,
}

struct Item {
    draft: Draft,
    done: Option<oneshot::Sender<Result<u64, RecordError>>>,
}

impl Ledger {
    /// Starts the queue in front of `record`. It ends when the last clone is dropped.
    pub fn start(record: Arc<dyn Record>, capacity: usize) -> Result<Self, Error> {
        let start = HEXLOWER.encode(&random::bytes::<8>()?).into();
        let (queue, items) = mpsc::channel(capacity);
        let acknowledged = Arc::new(AtomicU64::new(0));
        tokio::spawn(deliver(record, items, acknowledged.clone()));
        Ok(Self { queue, acknowledged, count: Arc::default(), start })
    }

    /// A key for one more entry: this start of the guardian, and a number.
    pub fn next_key(&self) -> String {
        format!("guardian/{}/{}", self.start, self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// How many entries the audit service has acknowledged since the start.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Acquire)
    }

    /// Places an entry; it is delivered in order, later.
    pub fn queue(&self, draft: Draft) -> Result<(), Error> {
        self.place(draft, None).map_err(|_| Error::Unrecorded)
    }

    /// Places an entry and waits until it is durable; answers its index.
    pub async fn record(&self, draft: Draft) -> Result<u64, Error> {
        self.durable(draft).await.map_err(|_| Error::Unrecorded)
    }

    async fn durable(&self, draft: Draft) -> Result<u64, RecordError> {
        let (done, durable) = oneshot::channel();
        self.place(draft, Some(done))?;
        match tokio::time::timeout(PATIENCE, durable).await {
            Ok(Ok(answer)) => answer,
            _ => Err(RecordError::Unavailable),
        }
    }

    fn place(&self, draft: Draft, done: Option<oneshot::Sender<Result<u64, RecordError>>>) -> Result<(), RecordError> {
        draft.validate().map_err(|invalid| RecordError::Refused(invalid.to_string()))?;
        self.queue.try_send(Item { draft, done }).map_err(|_| RecordError::Unavailable)
    }
}

impl Record for Ledger {
    fn append(&self, draft: Draft) -> Pin<Box<dyn Future<Output = Result<u64, RecordError>> + Send + '_>> {
        Box::pin(self.durable(draft))
    }
}

async fn deliver(record: Arc<dyn Record>, mut items: mpsc::Receiver<Item>, acknowledged: Arc<AtomicU64>) {
    let mut batch = Vec::with_capacity(BATCH);
    while items.recv_many(&mut batch, BATCH).await > 0 {
        let mut pause = FIRST_PAUSE;
        loop {
            batch = attempt(&*record, batch, &acknowledged).await;
            if batch.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Offers a batch in order; answers what has to be offered again, in order. A repeated key adds nothing.
async fn attempt(record: &dyn Record, batch: Vec<Item>, acknowledged: &AtomicU64) -> Vec<Item> {
    let answers = join_all(batch.iter().map(|item| record.append(item.draft.clone()))).await;
    let mut again = Vec::new();
    for (item, answer) in batch.into_iter().zip(answers) {
        match &answer {
            Ok(_) => {
                acknowledged.fetch_add(1, Ordering::AcqRel);
            }
            Err(RecordError::Unavailable) => {
                again.push(item);
                continue;
            }
            Err(refused @ RecordError::Refused(_)) => {
                tracing::error!(%refused, key = item.draft.key, "the record refuses an entry; its act is refused");
            }
        }
        if let Some(done) = item.done {
            // Whoever waited may have given up; the entry stands all the same.
            let _ = done.send(answer);
        }
    }
    again
}
