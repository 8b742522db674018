//! The client that every service holds.

use std::time::Duration;

use bodh_audit_log::note::Note;
use bodh_audit_log::{Checkpoint, Draft, Entry, SignedCheckpoint, VerifierKey};
use prost::Message;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Request, Status};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceExt};

use crate::pb::audit_client::AuditClient;
use crate::queue::Queue;
use crate::{Error, MAX_DRAFT_BYTES, MAX_MESSAGE, pb};

/// How long an append or a checkpoint may take, unless told otherwise.
const DEADLINE: Duration = Duration::from_secs(5);

/// Whatever carries the calls: the services' own mutually authenticated channel, or a test's.
pub(crate) type Carrier = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Status>;

/// A client of the record. Cheap to clone; clones share one queue.
#[derive(Clone)]
pub struct Client {
    client: AuditClient<Carrier>,
    queue: Queue,
    deadline: Duration,
}

/// What to read. Empty fields do not restrict.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    /// Only entries of this session.
    pub session: String,
    /// Only entries of this trace.
    pub trace: String,
    /// Only entries of this kind.
    pub kind: String,
    /// From this index on.
    pub from: u64,
    /// At most so many; 0 for as many as the service gives at once.
    pub limit: u64,
    /// Only entries of these sessions, one session after the other; at most [`MAX_SESSIONS`](crate::MAX_SESSIONS).
    pub sessions: Vec<String>,
    /// Only the first entry of each session, the newest first.
    pub begins: bool,
    /// Below this index; 0 for the end.
    pub before: u64,
}

/// Entries as they arrive.
pub struct Reading(tonic::Streaming<pb::ReadReply>);

impl Client {
    /// A client over a channel. Call it inside a tokio runtime: appends are sent by a task of their own.
    #[must_use]
    pub fn new<C>(channel: C) -> Self
    where
        C: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + Sync + 'static,
        C::Error: Into<BoxError>,
        C::Future: Send,
    {
        let carrier = Carrier::new(channel.map_err(|error| Status::from_error(error.into())));
        let client =
            AuditClient::new(carrier).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
        Self { queue: Queue::start(client.clone()), client, deadline: DEADLINE }
    }

    /// With another deadline for each append and checkpoint.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Appends a draft; the entry's index, once it is durable. A draft with the same key and content answers with the
    /// first index.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it was not acknowledged in time, [`Error::Refused`] with the record's code,
    /// [`Error::Invalid`] when the draft is out of bounds.
    pub async fn append(&self, draft: Draft) -> Result<u64, Error> {
        draft.validate()?;
        let message = pb::Draft::from(draft);
        if message.encoded_len() > MAX_DRAFT_BYTES {
            return Err(Error::Invalid(bodh_audit_log::Invalid { field: "draft", why: "is longer than 60 KiB" }));
        }
        self.queue.append(message, Instant::now() + self.deadline).await
    }

    /// A published checkpoint over at least `min_size` entries, not yet verified against a key: use
    /// [`checkpoint_by`](Self::checkpoint_by) where the log's key is known.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Refused`], or [`Error::Answer`] when note and fields differ.
    pub async fn checkpoint(&self, min_size: u64) -> Result<(Checkpoint, String), Error> {
        let mut request = Request::new(pb::CheckpointRequest { min_size });
        request.set_timeout(self.deadline);
        let reply = tokio::time::timeout(self.deadline, self.client.clone().checkpoint(request)).await;
        let reply = reply.unwrap_or_else(|_| Err(Status::deadline_exceeded("deadline")))?.into_inner();
        let note = Note::parse(&reply.note).map_err(|_| Error::Answer("the checkpoint is not a signed note"))?;
        let checkpoint = Checkpoint::parse(&note.text).map_err(|_| Error::Answer("the note is not a checkpoint"))?;
        let same = checkpoint.size == reply.size && checkpoint.root.as_bytes().as_slice() == reply.root;
        match (same, checkpoint.size >= min_size) {
            (true, true) => Ok((checkpoint, reply.note)),
            (false, _) => Err(Error::Answer("the checkpoint's note and its fields differ")),
            (true, false) => Err(Error::Answer("the checkpoint is smaller than asked for")),
        }
    }

    /// The same, verified with the log's key.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint), and [`Error::Answer`] when the signature is not by that key.
    pub async fn checkpoint_by(&self, key: &VerifierKey, min_size: u64) -> Result<SignedCheckpoint, Error> {
        let (_, note) = self.checkpoint(min_size).await?;
        SignedCheckpoint::open(&note, key).map_err(|_| Error::Answer("the checkpoint is not signed by the log's key"))
    }

    /// Reads entries in order. The reading is itself an entry, written before the first answer.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Refused`].
    pub async fn read(&self, query: Query) -> Result<Reading, Error> {
        let Query { session, trace, kind, from, limit, sessions, begins, before } = query;
        let request = pb::ReadRequest { session, from, limit, trace, kind, sessions, begins, before };
        Ok(Reading(self.client.clone().read(request).await?.into_inner()))
    }
}

impl Reading {
    /// The next entry and its index; nothing at the end.
    ///
    /// # Errors
    /// When the stream breaks, or what arrives is not an entry.
    pub async fn next(&mut self) -> Result<Option<(u64, Entry)>, Error> {
        let Some(reply) = self.0.message().await? else { return Ok(None) };
        let entry = Entry::parse(&reply.leaf).map_err(|_| Error::Answer("a leaf is not a canonical entry"))?;
        Ok(Some((reply.index, entry)))
    }

    /// Everything that is left, at most `most` entries.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn all(&mut self, most: usize) -> Result<Vec<(u64, Entry)>, Error> {
        let mut entries = Vec::new();
        while entries.len() < most {
            match self.next().await? {
                Some(entry) => entries.push(entry),
                None => break,
            }
        }
        Ok(entries)
    }
}
