//! gRPC around the log: who is calling, one call, encode.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bodh_audit_api::pb::audit_server::{Audit, AuditServer};
use bodh_audit_api::{MAX_DRAFT_BYTES, MAX_DRAFTS, MAX_MESSAGE, pb};
use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_gate::{Record, RecordError, Refusal};
use data_encoding::HEXLOWER;
use prost::Message;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::admission::{Act, Admission, Admitted, Refused};
use crate::reading::Asked;
use crate::{Error, Log};

/// What the log writes about itself: readings, refusals, and whatever its host records.
#[derive(Clone)]
pub struct OwnEntries {
    log: Log,
    me: String,
    /// Unlike that of any other start, so that keys are.
    start: Arc<str>,
    count: Arc<AtomicU64>,
}

impl OwnEntries {
    /// For the service with this SPIFFE id.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(log: Log, me: impl Into<String>) -> Result<Self, Error> {
        let mut start = [0; 16];
        SystemRandom::new().fill(&mut start).map_err(|_| Error::Key("the system gives no randomness".to_owned()))?;
        Ok(Self { log, me: me.into(), start: HEXLOWER.encode(&start).into(), count: Arc::default() })
    }

    async fn write(&self, mut draft: Draft) -> Result<u64, Error> {
        if draft.key.is_empty() {
            draft.key = format!("audit/{}/{}", self.start, self.count.fetch_add(1, Ordering::Relaxed));
        }
        let indexes = self.log.append(vec![draft], self.me.clone()).await?;
        indexes.first().copied().ok_or(Error::Unavailable)
    }

    /// An authenticated refusal is one entry. If it cannot be written the caller learns that nothing works.
    async fn refuse(&self, act: Act, refused: Refused) -> Status {
        let Refused { peer, refusal } = refused;
        tracing::warn!(peer = peer.as_deref().unwrap_or("-"), action = act.name(), cause = %refusal.code(), "refused");
        let Some(peer) = peer else { return refusal.into() };
        let mut draft = Draft::new(Kind::Refusal, act.name(), "");
        draft.actors = vec![peer];
        draft.verdict = Some(Verdict::Deny);
        draft.cause = refusal.code();
        draft.resource = "log".to_owned();
        if let Refusal::Denied { policies } = &refusal {
            draft.policies.clone_from(policies);
        }
        match self.write(draft).await {
            Ok(_) => refusal.into(),
            Err(error) => error.into(),
        }
    }
}

/// What the gate of this very service writes to.
impl Record for OwnEntries {
    fn append(&self, draft: Draft) -> Pin<Box<dyn Future<Output = Result<u64, RecordError>> + Send + '_>> {
        Box::pin(async move {
            self.write(draft).await.map_err(|error| match error {
                Error::Draft { .. } | Error::KeyReused { .. } | Error::TooMuch(_) => {
                    RecordError::Refused(error.to_string())
                }
                _ => RecordError::Unavailable,
            })
        })
    }
}

/// The service as tonic calls it.
pub struct Handlers<A> {
    log: Log,
    own: OwnEntries,
    admission: A,
}

impl<A: Admission> Handlers<A> {
    /// Handlers around a log.
    pub fn new(log: Log, own: OwnEntries, admission: A) -> Self {
        Self { log, own, admission }
    }

    /// As a tonic service, with the contract's bounds.
    pub fn into_server(self) -> AuditServer<Self> {
        AuditServer::new(self).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE)
    }

    async fn admit<T>(&self, request: &Request<T>, act: Act) -> Result<Admitted, Status> {
        match self.admission.admit(request.extensions(), act).await {
            Ok(admitted) => Ok(admitted),
            Err(refused) => Err(self.own.refuse(act, refused).await),
        }
    }

    /// The entry about a reading: written before the first answer leaves.
    async fn note_reading(&self, by: Admitted, request: &pb::ReadRequest, asked: &Asked) -> Result<u64, Error> {
        let mut draft = Draft::new(Kind::Read, Act::Read.name(), "");
        draft.actors = vec![by.peer];
        draft.verdict = Some(Verdict::Allow);
        draft.policy = by.policy;
        draft.policies = by.policies;
        draft.session.clone_from(&request.session);
        draft.trace.clone_from(&request.trace);
        draft.resource = format!("log:{}", request.from);
        // Counted and not named: named together in one entry, or one after the other in several, they would tell every
        // reader of the log that they belong together.
        draft.count = asked.several();
        self.own.write(draft).await
    }
}

#[tonic::async_trait]
impl<A: Admission> Audit for Handlers<A> {
    async fn append(&self, request: Request<pb::AppendRequest>) -> Result<Response<pb::AppendReply>, Status> {
        let admitted = self.admit(&request, Act::Append).await?;
        let drafts = typed(request.into_inner().drafts)?;
        // The reporter is who is connected, whatever the drafts say.
        let index = self.log.append(drafts, admitted.peer).await?;
        Ok(Response::new(pb::AppendReply { index }))
    }

    async fn checkpoint(
        &self,
        request: Request<pb::CheckpointRequest>,
    ) -> Result<Response<pb::CheckpointReply>, Status> {
        self.admit(&request, Act::Checkpoint).await?;
        let signed = self.log.checkpoint(request.into_inner().min_size).await?;
        let checkpoint = signed.checkpoint();
        Ok(Response::new(pb::CheckpointReply {
            size: checkpoint.size,
            root: checkpoint.root.as_bytes().to_vec(),
            note: signed.note().to_owned(),
        }))
    }

    type ReadStream = Pin<Box<dyn Stream<Item = Result<pb::ReadReply, Status>> + Send>>;

    async fn read(&self, request: Request<pb::ReadRequest>) -> Result<Response<Self::ReadStream>, Status> {
        let admitted = self.admit(&request, Act::Read).await?;
        let request = request.into_inner();
        let asked = Asked::read(&request)?;
        let end = self.note_reading(admitted, &request, &asked).await?;
        let (entries, stream) = mpsc::channel(64);
        tokio::spawn(asked.answer(self.log.clone(), end, entries));
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

fn typed(drafts: Vec<pb::Draft>) -> Result<Vec<Draft>, Error> {
    if drafts.len() > MAX_DRAFTS {
        return Err(Error::TooMuch("more than 512 drafts at once"));
    }
    let typed = |(place, draft): (usize, pb::Draft)| {
        if draft.encoded_len() > MAX_DRAFT_BYTES {
            return Err(Error::TooMuch("a draft longer than 60 KiB"));
        }
        Draft::try_from(draft).map_err(|invalid| Error::Draft { place, invalid })
    };
    drafts.into_iter().enumerate().map(typed).collect()
}
