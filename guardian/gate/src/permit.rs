//! Permits and outcomes.

use crate::{Action, RecordError};
use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_identity::SpiffeId;
use bodh_token::Chain;
use std::{collections::BTreeMap, marker::PhantomData, sync::Arc};
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
    pub(crate) record: Arc<dyn crate::Record>,
}

/// The attempt's entry: durable, or being written.
pub(crate) enum Attempt {
    Durable,
    Writing(JoinHandle<Result<u64, RecordError>>),
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
                if let Attempt::Writing(writing) = ticket.attempt {
                    let _ = writing.await;
                }
                if ticket.record.append(draft).await.is_err() {
                    tracing::warn!("an interrupted action could not be recorded");
                }
            });
        }
    }
}
