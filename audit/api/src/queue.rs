//! Callers at the same time share one `Append`: one call in flight, what arrives meanwhile goes with the next. An idle
//! queue sends at once.

use std::time::Duration;

use prost::Message;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tonic::metadata::MetadataMap;
use tonic::{Code, Extensions, Request, Status};

use crate::client::Carrier;
use crate::pb::audit_client::AuditClient;
use crate::trace::name_traces;
use crate::{Error, MAX_DRAFTS, pb};

/// Drafts that may wait; a caller beyond them waits for a place until its deadline.
const WAITING: usize = 8 * MAX_DRAFTS;
/// A batch is not filled beyond this many bytes, so that a large draft does not make all others slow.
const BATCH_BYTES: usize = 1 << 20;
/// The pause before the one repetition of a call that found no service.
const PAUSE: Duration = Duration::from_millis(20);

struct Waiting {
    draft: pb::Draft,
    deadline: Instant,
    answer: oneshot::Sender<Result<u64, Error>>,
}

/// The sending half. The task that sends ends when the last one is dropped.
#[derive(Clone)]
pub(crate) struct Queue {
    waiting: mpsc::Sender<Waiting>,
}

impl Queue {
    /// Starts the task that sends.
    pub(crate) fn start(client: AuditClient<Carrier>) -> Self {
        let (waiting, arrivals) = mpsc::channel(WAITING);
        tokio::spawn(send_all(client, arrivals));
        Self { waiting }
    }

    /// Queues a draft and waits for its index until `deadline`.
    pub(crate) async fn append(&self, draft: pb::Draft, deadline: Instant) -> Result<u64, Error> {
        let (answer, index) = oneshot::channel();
        let waited = timeout_at(deadline, async {
            let gone = |()| Error::Unavailable("the client's queue ended".to_owned());
            self.waiting.send(Waiting { draft, deadline, answer }).await.map_err(|_| gone(()))?;
            index.await.map_err(|_| gone(()))?
        });
        waited.await.unwrap_or_else(|_| Err(Error::Unavailable("deadline".to_owned())))
    }
}

async fn send_all(mut client: AuditClient<Carrier>, mut arrivals: mpsc::Receiver<Waiting>) {
    let mut carried = None;
    loop {
        let first = match carried.take() {
            Some(first) => first,
            None => match arrivals.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        // Who hands over two drafts at once gets them into one call: this task must not be faster than the second.
        tokio::task::yield_now().await;
        let mut bytes = first.draft.encoded_len();
        let mut batch = vec![first];
        while batch.len() < MAX_DRAFTS {
            let Ok(next) = arrivals.try_recv() else { break };
            bytes += next.draft.encoded_len();
            if bytes > BATCH_BYTES {
                carried = Some(next);
                break;
            }
            batch.push(next);
        }
        // Who has given up is no longer waiting, and an act that was given up needs no entry.
        batch.retain(|waiting| !waiting.answer.is_closed());
        if !batch.is_empty() {
            send(&mut client, batch).await;
        }
    }
}

/// One call for the batch. A refusal counts for the draft that caused it alone: then each goes by itself.
async fn send(client: &mut AuditClient<Carrier>, batch: Vec<Waiting>) {
    match call(client, &batch).await {
        Ok(indexes) => {
            for (waiting, index) in batch.into_iter().zip(indexes) {
                let _ = waiting.answer.send(Ok(index));
            }
        }
        Err(Error::Refused(_)) if batch.len() > 1 => {
            for waiting in batch {
                let alone = [waiting];
                let result = call(client, &alone)
                    .await
                    .and_then(|indexes| indexes.first().copied().ok_or(Error::Answer("no index for a draft")));
                let [waiting] = alone;
                let _ = waiting.answer.send(result);
            }
        }
        Err(error) => {
            tracing::warn!(%error, drafts = batch.len(), "entries were not acknowledged");
            for waiting in batch {
                let _ = waiting.answer.send(Err(error.clone()));
            }
        }
    }
}

async fn call(client: &mut AuditClient<Carrier>, batch: &[Waiting]) -> Result<Vec<u64>, Error> {
    let deadline = batch.iter().map(|waiting| waiting.deadline).max().unwrap_or_else(Instant::now);
    let once = |drafts: Vec<pb::Draft>, mut client: AuditClient<Carrier>| async move {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut metadata = MetadataMap::new();
        name_traces(&drafts, &mut metadata);
        let mut request = Request::from_parts(metadata, Extensions::default(), pb::AppendRequest { drafts });
        request.set_timeout(left);
        match timeout_at(deadline, client.append(request)).await {
            Ok(reply) => reply.map(tonic::Response::into_inner),
            Err(_) => Err(Status::deadline_exceeded("deadline")),
        }
    };
    let drafts: Vec<_> = batch.iter().map(|waiting| waiting.draft.clone()).collect();
    let reply = match once(drafts.clone(), client.clone()).await {
        // The connection may have ended with the service's last start. Drafts carry their keys, so again is harmless.
        Err(status) if status.code() == Code::Unavailable => {
            tokio::time::sleep(PAUSE).await;
            once(drafts, client.clone()).await?
        }
        other => other?,
    };
    if reply.index.len() == batch.len() { Ok(reply.index) } else { Err(Error::Answer("not one index per draft")) }
}
