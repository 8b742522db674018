//! Permits and outcomes.

use crate::{Action, Record, RecordError};
use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_identity::SpiffeId;
use bodh_token::Chain;
use std::{
    collections::BTreeMap,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::task::JoinHandle;

/// Leave to do one action once. Only [`crate::Gate`] builds one. Dropped unsettled, it writes that the action was
/// interrupted.
#[must_use = "a permit is settled with its outcome"]
pub struct Permit<A: Action> {
    pub(crate) ticket: Option<Ticket>,
    pub(crate) action: PhantomData<A>,
}

/// What the permit remembers for the outcome's entry.
pub(crate) struct Ticket {
    pub(crate) caller: SpiffeId,
    pub(crate) chain: Option<Chain>,
    pub(crate) base: Draft,
    pub(crate) attempt: Attempt,
    pub(crate) record: Arc<dyn Record>,
}

/// How long the attempt of pure reasoning waits for its outcome, so that a short piece of work costs one append and not two.
/// A longer one is in the record before it ends.
const LINGER: Duration = Duration::from_millis(2);

/// The attempt's entry: durable, or on its way.
pub(crate) enum Attempt {
    /// The act has an effect: the record had the attempt before it.
    Durable,
    /// Pure reasoning.
    Lingering(Lingering),
}

/// An attempt that is written after [`LINGER`], or with the outcome if that comes first.
pub(crate) struct Lingering {
    draft: Arc<Mutex<Option<Draft>>>,
    writing: JoinHandle<Result<(), RecordError>>,
}

impl Lingering {
    pub(crate) fn begin(draft: Draft, record: Arc<dyn Record>) -> Self {
        let held = Arc::new(Mutex::new(Some(draft)));
        let later = Arc::clone(&held);
        let writing = tokio::spawn(async move {
            tokio::time::sleep(LINGER).await;
            match take(&later) {
                Some(draft) => record.append(draft).await.map(drop),
                // The outcome came first and took it along.
                None => Ok(()),
            }
        });
        Self { draft: held, writing }
    }

    /// Both entries are durable when this is Ok. Written together, the attempt stands first; an attempt that is on its way
    /// already may be overtaken.
    pub(crate) async fn end(self, outcome: Draft, record: &dyn Record) -> Result<(), RecordError> {
        let Some(attempt) = take(&self.draft) else {
            let written = async { self.writing.await.map_err(|_| RecordError::Unavailable)? };
            // Commit point: both entries are durable after this, whatever the order of their commits.
            let (written, outcome) = tokio::join!(written, record.append(outcome));
            return written.and(outcome.map(drop));
        };
        // Handed over together they share a commit, in this order.
        let (attempt, outcome) = tokio::join!(record.append(attempt), record.append(outcome));
        attempt.and(outcome).map(drop)
    }
}

fn take(held: &Mutex<Option<Draft>>) -> Option<Draft> {
    held.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Attempt {
    /// Writes the outcome; both entries are durable when this is Ok.
    pub(crate) async fn end(self, outcome: Draft, record: &dyn Record) -> Result<(), RecordError> {
        match self {
            Self::Durable => record.append(outcome).await.map(drop),
            Self::Lingering(attempt) => attempt.end(outcome, record).await,
        }
    }
}

/// How an action ended.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// A code when it failed; empty when it went well.
    pub cause: String,
    /// Commitments to what came out.
    pub commitments: BTreeMap<String, [u8; 32]>,
    /// What took part: packs, models.
    pub versions: BTreeMap<String, String>,
    /// Whose signed word it rests on, beside the caller's.
    pub signer: Option<SpiffeId>,
}

impl Outcome {
    /// It went well.
    #[must_use]
    pub fn ok() -> Self {
        Self::default()
    }

    /// It failed, for this reason (a code).
    #[must_use]
    pub fn failed(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), ..Self::default() }
    }

    /// With a commitment to what came out.
    #[must_use]
    pub fn commit(mut self, name: &str, hash: [u8; 32]) -> Self {
        self.commitments.insert(name.to_owned(), hash);
        self
    }

    /// Resting on a statement that this person signed.
    #[must_use]
    pub fn signed_by(mut self, signer: &SpiffeId) -> Self {
        self.signer = Some(signer.clone());
        self
    }

    /// With the version of something that took part.
    #[must_use]
    pub fn version(mut self, name: &str, version: &str) -> Self {
        self.versions.insert(name.to_owned(), version.to_owned());
        self
    }
}

impl<A: Action> Permit<A> {
    /// Who asked.
    #[must_use]
    pub fn caller(&self) -> Option<&SpiffeId> {
        self.ticket.as_ref().map(|t| &t.caller)
    }

    /// The verified token chain, for actions that need one.
    #[must_use]
    pub fn chain(&self) -> Option<&Chain> {
        self.ticket.as_ref().and_then(|t| t.chain.as_ref())
    }
}

impl Ticket {
    pub(crate) fn outcome(&self, outcome: Outcome, verdict: Verdict) -> Draft {
        let mut draft = self.base.clone();
        draft.kind = Kind::Outcome;
        draft.key = format!("{}/outcome", self.base.key.trim_end_matches("/attempt"));
        draft.verdict = Some(verdict);
        draft.cause = outcome.cause;
        draft.commitments.extend(outcome.commitments);
        draft.versions = outcome.versions;
        draft.actors.extend(outcome.signer.map(|signer| signer.to_string()));
        draft
    }
}

impl<A: Action> Drop for Permit<A> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        let draft = ticket.outcome(Outcome::failed("dropped"), Verdict::Interrupted);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if ticket.attempt.end(draft, ticket.record.as_ref()).await.is_err() {
                    tracing::warn!("an interrupted action could not be recorded");
                }
            });
        }
    }
}
