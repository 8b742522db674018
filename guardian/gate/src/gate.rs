//! Admission and settlement.

use crate::{
    Action, Caller, Facts, Outcome, Permit, Person, Record, Refusal, Trust, View,
    permit::{Attempt, Lingering, Ticket},
};
use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_identity::{Kind as IdKind, SpiffeId};
use bodh_policy::{Entity, Request, Ruling};
use bodh_token::{Chain, Expect, Spent, VerifiedRoot};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;
use std::{
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

/// Roots whose signature was checked are kept, so that a session pays for it once. Bounded; cleared when full.
const ROOTS: usize = 4_096;

/// Call tokens that are remembered until they expire (60 s): at 1,000 calls a second, all of them. When it is full,
/// calls are refused rather than forgotten.
const USED: usize = 65_536;

/// One service's gate. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    me: SpiffeId,
    trust: Trust,
    record: Arc<dyn Record>,
    started_ms: u64,
    spent: Mutex<Spent>,
    roots: Mutex<HashMap<[u8; 32], Arc<VerifiedRoot>>>,
}

/// What policy said of something that this service itself wants to do.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The ruling.
    pub ruling: Ruling,
    /// The bundle that it rests on.
    pub policy_hash: [u8; 32],
}

impl Gate {
    /// The gate of the service `me`. Tokens issued before now are refused.
    #[must_use]
    pub fn new(me: SpiffeId, trust: Trust, record: Arc<dyn Record>) -> Self {
        let started_ms = unsigned(trust.now_ms());
        let spent = Mutex::new(Spent::new(USED));
        Self { inner: Arc::new(Inner { me, trust, record, started_ms, spent, roots: Mutex::default() }) }
    }

    /// Who this gate belongs to.
    #[must_use]
    pub fn me(&self) -> &SpiffeId {
        &self.inner.me
    }

    /// What it knows of the world.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.inner.trust
    }

    /// Where it writes.
    #[must_use]
    pub fn record(&self) -> &Arc<dyn Record> {
        &self.inner.record
    }

    /// Admits a call or refuses it; either way there is an entry.
    ///
    /// # Errors
    /// The first check that fails, in the order given at the top of the crate. The refusal is in the record, or the
    /// record is not available, which is a refusal too.
    pub async fn admit<A: Action>(&self, caller: &Caller, facts: Facts) -> Result<Permit<A>, Refusal> {
        self.inner.trust.acquaint(&caller.id).await;
        match self.judge::<A>(caller, &facts) {
            Ok((chain, ruling, policy_hash)) => self.attempt(caller, facts, chain, &ruling, policy_hash).await,
            Err(refusal) => {
                self.refuse(A::NAME, caller, &facts, &refusal).await?;
                Err(refusal)
            }
        }
    }

    /// Makes the outcome durable. The response may leave only when this is Ok.
    ///
    /// # Errors
    /// [`Refusal::NoRecord`] when an entry could not be made durable: the response is then withheld.
    pub async fn settle<A: Action>(&self, mut permit: Permit<A>, outcome: Outcome) -> Result<(), Refusal> {
        let Some(ticket) = permit.ticket.take() else { return Ok(()) };
        let verdict = if outcome.cause.is_empty() { Verdict::Ok } else { Verdict::Failed };
        let draft = ticket.outcome(outcome, verdict);
        // In a task of its own: what was done is told even when nobody waits for the answer any more.
        let writing = tokio::spawn(async move { ticket.attempt.end(draft, ticket.record.as_ref()).await });
        // Commit point: both entries are durable after this.
        if matches!(writing.await, Ok(Ok(()))) { Ok(()) } else { Err(Refusal::NoRecord) }
    }

    /// What policy says of an act of this service's own, as principal. Recorded by the service with the act.
    ///
    /// # Errors
    /// [`Refusal::Stale`].
    pub fn rule(&self, action: &str, resource: Entity, context: serde_json::Value) -> Result<Judgement, Refusal> {
        self.rule_for(&self.inner.me, action, resource, context)
    }

    /// What policy says of an act of somebody who is not at the other end of a call: the signer of a statement. Their
    /// signature is the caller's to check.
    ///
    /// # Errors
    /// [`Refusal::Stale`], [`Refusal::Revoked`], [`Refusal::UnknownPerson`].
    pub fn rule_for(
        &self,
        who: &SpiffeId,
        action: &str,
        resource: Entity,
        context: serde_json::Value,
    ) -> Result<Judgement, Refusal> {
        let view = self.inner.trust.current()?;
        if view.revoked.contains(who) {
            return Err(Refusal::Revoked);
        }
        let principal = principal(who, &view)?;
        let ruling = view.policies.decide(&Request { principal, action, resource, context });
        Ok(Judgement { ruling, policy_hash: view.policy_hash })
    }

    /// Turns away a call that cannot even be judged, because its message is not one: like any refusal it is an entry, and
    /// whoever may not call at all learns only that. Answers what to refuse with.
    pub async fn turn_away<A: Action>(&self, caller: &Caller, resource: Entity) -> Refusal {
        let known = |view: Arc<View>| {
            if let Err(refusal) = view.check_peer(&caller.id, caller.certified_ms) {
                return refusal;
            }
            let named = A::CALLERS.iter().any(|allowed| allowed.names(&caller.id));
            if named { Refusal::Malformed } else { Refusal::NotACaller }
        };
        let refusal = self.inner.trust.current().map_or_else(|stale| stale, known);
        match self.refuse(A::NAME, caller, &Facts::about(resource), &refusal).await {
            Ok(()) => refusal,
            Err(no_record) => no_record,
        }
    }

    fn judge<A: Action>(&self, caller: &Caller, facts: &Facts) -> Result<(Option<Chain>, Ruling, [u8; 32]), Refusal> {
        let view = self.inner.trust.current()?;
        view.check_peer(&caller.id, caller.certified_ms)?;
        if !A::CALLERS.iter().any(|allowed| allowed.names(&caller.id)) {
            return Err(Refusal::NotACaller);
        }
        let principal = principal(&caller.id, &view)?;
        let chain = if A::TOKEN { Some(self.chain(caller, facts, &view)?) } else { None };
        let context = told(facts, chain.as_ref());
        let request = Request { principal, action: A::NAME, resource: facts.resource.clone(), context };
        let ruling = view.policies.decide(&request);
        match ruling.verdict {
            bodh_policy::Verdict::Allow => Ok((chain, ruling, view.policy_hash)),
            bodh_policy::Verdict::Ask(ref reasons) => {
                Err(Refusal::Asked { kinds: reasons.iter().map(|r| r.kind.clone()).collect() })
            }
            bodh_policy::Verdict::Deny => Err(Refusal::Denied { policies: ruling.policies }),
        }
    }

    fn chain(&self, caller: &Caller, facts: &Facts, view: &View) -> Result<Chain, Refusal> {
        let (Some(root), Some(call)) = (&caller.root, &caller.call) else { return Err(Refusal::NoToken) };
        let Some((tool, argument_hash)) = &facts.tool else { return Err(Refusal::NoToken) };
        let now = unsigned(self.inner.trust.now_ms());
        let root = self.root(root, &view.token_key)?;
        let chain = root
            .check(
                call,
                &Expect {
                    token_key: &view.token_key,
                    issuer: view.issuer.as_str(),
                    now,
                    started: self.inner.started_ms,
                    me: self.inner.me.as_str(),
                    tool,
                    argument_hash,
                    peer: caller.id.as_str(),
                    policy_hash: &view.policy_hash,
                },
            )
            .map_err(Refusal::Token)?;
        let mut spent = self.inner.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.admit(&chain, now).map_err(Refusal::Token)?;
        Ok(chain)
    }

    fn root(&self, encoded: &str, token_key: &[u8; 32]) -> Result<Arc<VerifiedRoot>, Refusal> {
        let hash = bodh_token::sha256(encoded.as_bytes());
        let mut roots = self.inner.roots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(root) = roots.get(&hash) {
            return Ok(Arc::clone(root));
        }
        let root = Arc::new(VerifiedRoot::verify(encoded, token_key).map_err(Refusal::Token)?);
        if roots.len() >= ROOTS {
            roots.clear();
        }
        roots.insert(hash, Arc::clone(&root));
        Ok(root)
    }

    async fn attempt<A: Action>(
        &self,
        caller: &Caller,
        facts: Facts,
        chain: Option<Chain>,
        ruling: &Ruling,
        policy_hash: [u8; 32],
    ) -> Result<Permit<A>, Refusal> {
        let mut draft = draft(Kind::Attempt, A::NAME, caller, &facts, chain.as_ref());
        draft.verdict = Some(Verdict::Allow);
        draft.policy = Some(policy_hash);
        draft.policies.clone_from(&ruling.policies);
        draft.commitments = facts.commitments;
        let base = draft.clone();
        let record = Arc::clone(&self.inner.record);
        let attempt = if A::EFFECT {
            // Commit point: the attempt is durable before anything is done.
            record.append(draft).await.map_err(|_| Refusal::NoRecord)?;
            Attempt::Durable
        } else {
            Attempt::Lingering(Lingering::begin(draft, Arc::clone(&record)))
        };
        let ticket = Ticket { caller: caller.id.clone(), chain, base, attempt, record };
        Ok(Permit { ticket: Some(ticket), action: PhantomData })
    }

    /// An authenticated refusal is one entry, and an alert to whoever reads the log.
    async fn refuse(&self, action: &str, caller: &Caller, facts: &Facts, refusal: &Refusal) -> Result<(), Refusal> {
        let mut draft = draft(Kind::Refusal, action, caller, facts, None);
        draft.verdict = Some(Verdict::Deny);
        draft.cause = refusal.code();
        if let Refusal::Denied { policies } = refusal {
            draft.policies.clone_from(policies);
        }
        if let Some(call) = &caller.call {
            draft.token = Some(bodh_token::sha256(call.as_bytes()));
        }
        tracing::warn!(caller = %caller.id, action, cause = %draft.cause, "refused");
        self.inner.record.append(draft).await.map(|_| ()).map_err(|_| Refusal::NoRecord)
    }
}

/// The principal as policies see it.
fn principal(id: &SpiffeId, view: &View) -> Result<Entity, Refusal> {
    match id.kind() {
        IdKind::Service(name) => Ok(Entity::service(name)),
        IdKind::Agent(name) => Ok(Entity::agent(name)),
        IdKind::Human(_) => {
            let Person { roles, assurance, .. } = view.people.get(id).ok_or(Refusal::UnknownPerson)?;
            Ok(Entity::human(id.as_str(), roles.iter().cloned(), assurance))
        }
        IdKind::Other => Err(Refusal::NotACaller),
    }
}

/// The context that the policy is told: the facts', and what the token chain says.
fn told(facts: &Facts, chain: Option<&Chain>) -> serde_json::Value {
    let mut context = facts.context.clone();
    if let (Some(chain), Some(fields)) = (chain, context.as_object_mut()) {
        fields.insert("token_present".into(), json!(true));
        fields.insert("token_tool".into(), json!(chain.call.tool));
        fields.insert("purpose".into(), json!(chain.root.purpose));
    }
    context
}

fn draft(kind: Kind, action: &str, caller: &Caller, facts: &Facts, chain: Option<&Chain>) -> Draft {
    let base = match (&facts.key, chain) {
        (Some(key), _) => key.clone(),
        (None, Some(chain)) => format!("{}/{}", chain.session(), chain.call_id()),
        (None, None) => random_hex(),
    };
    let (step, try_number) = match &caller.step {
        Some((step, n)) if facts.step.is_empty() => (step.clone(), *n),
        _ => (facts.step.clone(), facts.try_number),
    };
    let mut draft = Draft::new(kind, action, format!("{base}/{}", kind.as_str()));
    draft.actors = chain.map_or_else(|| vec![caller.id.to_string()], |c| c.root.actors.clone());
    draft.session = chain.map_or_else(|| facts.session.clone(), |c| c.session().to_string());
    draft.trace.clone_from(&facts.trace);
    draft.step = step;
    draft.try_number = try_number;
    draft.resource = facts.resource.id.clone();
    draft.token = chain.map(|c| c.call_hash);
    draft.amount_cents = facts.amount_cents;
    draft
}

/// 128 random bits, in hex; the empty text never comes from it.
pub(crate) fn random_hex() -> String {
    let mut bytes = [0u8; 16];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        // Without randomness nothing here is safe; a counter would be guessable. The system promises it after boot.
        tracing::error!("the system gave no randomness");
    }
    data_encoding::HEXLOWER.encode(&bytes)
}

fn unsigned(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}
