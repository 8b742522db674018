//! The `Guardian` service: each method reads its request, has it admitted, acts, and settles.

use std::{future::Future, pin::Pin, sync::Arc};

use bodh_audit_log::Draft;
use bodh_gate::{Action, Caller, Entity, Facts, Gate, Outcome, Record, RecordError};
use bodh_guardian_api::{Enrolment, KeyChange, pb, pb::guardian_server::Guardian};
use bodh_identity::SpiffeId;
use bodh_token::{SessionId, TraceId, sha256};
use serde_json::json;
use tonic::{Request, Response, Status};

use super::actions::{
    self, ChangeKeys, CloseSession, Enroll, EraseSession, List, OpenSession, ReadTrust, RenewSession, Revoke, Spend,
    Watch,
};
use crate::{
    error::{Cause, Error},
    ledger::Ledger,
    passkeys, people, sessions,
    state::State,
    statement::{self, Signed},
    watch::Feed,
};

/// The service over the state.
pub(super) struct Service {
    state: Arc<State>,
    /// For acts: what is recorded is durable.
    gate: Gate,
    /// For what the audit service itself needs before it can keep a record: what is recorded has a place in the queue.
    early: Gate,
}

/// A record that acknowledges what it has queued. Only reading trust and following changes may rest on it.
struct Queued(Ledger);

impl Record for Queued {
    fn append(&self, draft: Draft) -> Pin<Box<dyn Future<Output = Result<u64, RecordError>> + Send + '_>> {
        let queued = self.0.queue(draft);
        Box::pin(async move { queued.map(|()| 0).map_err(|_| RecordError::Unavailable) })
    }
}

impl Service {
    pub(super) fn new(state: Arc<State>, gate: Gate) -> Self {
        let queued = Arc::new(Queued(state.ledger().clone()));
        let early = Gate::new(state.guardian().clone(), state.trust().clone(), queued);
        Self { state, gate, early }
    }

    /// Admits, acts, settles: the answer leaves only when the outcome is on record.
    async fn act<A: Action, T>(
        &self,
        gate: &Gate,
        caller: &Caller,
        facts: Facts,
        work: impl Future<Output = Result<(T, Outcome), Error>>,
    ) -> Result<Response<T>, Status> {
        let permit = gate.admit::<A>(caller, facts).await?;
        let done = work.await;
        let outcome = match &done {
            Ok((_, outcome)) => outcome.clone(),
            Err(error) => Outcome::failed(error.code()),
        };
        gate.settle(permit, outcome).await?;
        done.map(|(answer, _)| Response::new(answer)).map_err(|error| error.status())
    }

    /// Facts about a session that the store knows; about one without an owner otherwise, which the policy judges like
    /// any.
    async fn about(&self, session: &str, trace: &str) -> Result<Facts, Status> {
        self.check(session, trace)?;
        let owner = sessions::owner(&self.state, session).await.map_err(|error| error.status())?;
        Ok(actions::session(session, owner.as_deref().unwrap_or("nobody"), trace))
    }

    /// Ids that cannot be recorded are refused before anything else, and counted.
    fn check(&self, session: &str, trace: &str) -> Result<(), Status> {
        let trace_ok = trace.is_empty() || trace.parse::<TraceId>().is_ok();
        if trace_ok && session.parse::<SessionId>().is_ok() {
            return Ok(());
        }
        Err(self.malformed(if trace_ok { "session id" } else { "trace" }))
    }

    /// The statement, if policy lets its signer do what it is for.
    fn allowed(
        &self,
        signed: Option<Signed>,
        action: &str,
        resource: Entity,
        context: serde_json::Value,
        otherwise: Cause,
    ) -> Result<Option<Signed>, Error> {
        let Some(signed) = signed else { return Ok(None) };
        let ruling = self.gate.rule_for(&signed.signer, action, resource, context);
        if ruling.is_ok_and(|judgement| judgement.ruling.is_allowed()) {
            Ok(Some(signed))
        } else {
            Err(otherwise.into())
        }
    }

    /// The approvals of this spending, if policy lets each of their signers give one: it is told how many signed, and how
    /// far the budget is exceeded by this guardian's own account.
    /// Also tells that distance: no approval pays for more, whatever else is spent meanwhile.
    async fn approved(&self, request: &pb::SpendRequest, resource: Entity) -> Result<(Vec<Signed>, u64), Error> {
        let approvals = statement::approvals(&self.state, request)?;
        let missing = sessions::missing(&self.state, request).await?;
        let over = i64::try_from(missing).unwrap_or(i64::MAX);
        let signers = approvals.len();
        let mut allowed = Vec::with_capacity(signers);
        for signed in approvals {
            let context = json!({ "kind": signed.kind, "signers": signers, "over_cents": over });
            allowed.extend(self.allowed(
                Some(signed),
                "approve_spend",
                resource.clone(),
                context,
                Cause::NotApproved,
            )?);
        }
        Ok((allowed, missing))
    }

    fn malformed(&self, what: &'static str) -> Status {
        let error = Error::Malformed(what);
        self.state.refusals().count("request", error.code());
        error.status()
    }
}

fn granted(grant: pb::SessionGrant) -> (pb::SessionGrant, Outcome) {
    let outcome = Outcome::ok().commit("root_token", sha256(grant.token.as_bytes()));
    (grant, outcome)
}

fn spent(reply: pb::SpendReply) -> (pb::SpendReply, Outcome) {
    let outcome = if reply.granted { Outcome::ok() } else { Outcome::failed("over_budget") };
    (reply, outcome)
}

/// The record names who signed, and commits to the signature.
fn resting_on(outcome: Outcome, signed: Option<Signed>) -> Outcome {
    match signed {
        Some(signed) => outcome.signed_by(&signed.signer).commit("statement_signature", signed.signature_sha256),
        None => outcome,
    }
}

fn ok<T>(answer: T) -> (T, Outcome) {
    (answer, Outcome::ok())
}

#[tonic::async_trait]
impl Guardian for Service {
    type WatchStream = Feed;

    async fn open_session(
        &self,
        request: Request<pb::OpenSessionRequest>,
    ) -> Result<Response<pb::SessionGrant>, Status> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        self.check(&request.session, &request.trace)?;
        let owner = SpiffeId::parse(&request.human).map_err(|_| self.malformed("human"))?;
        let (purpose, standing) = (&request.purpose, request.standing);
        let facts = actions::opening(&request.session, owner.as_str(), &request.trace, purpose, standing);
        let facts = actions::amount(facts, request.budget_cents);
        let work = async { sessions::open(&self.state, &caller.id, &request).await.map(granted) };
        self.act::<OpenSession, _>(&self.gate, &caller, facts, work).await
    }

    async fn renew_session(
        &self,
        request: Request<pb::RenewSessionRequest>,
    ) -> Result<Response<pb::SessionGrant>, Status> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let facts = self.about(&request.session, &request.trace).await?;
        let resource = facts.resource.clone();
        let work = async {
            let access = statement::access(&self.state, &request)?;
            let access = self.allowed(access, "reopen_session", resource, json!({}), Cause::NotAsked)?;
            let grant = sessions::renew(&self.state, &caller.id, &request, access.as_ref()).await?;
            let (grant, outcome) = granted(grant);
            Ok((grant, resting_on(outcome, access)))
        };
        self.act::<RenewSession, _>(&self.gate, &caller, facts, work).await
    }

    async fn spend(&self, request: Request<pb::SpendRequest>) -> Result<Response<pb::SpendReply>, Status> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let facts = actions::amount(self.about(&request.session, &request.trace).await?, request.cents);
        let resource = facts.resource.clone();
        let work = async {
            let (approvals, missing) = self.approved(&request, resource).await?;
            let reply = sessions::spend(&self.state, &caller.id, &request, (&approvals, missing)).await?;
            let (reply, mut outcome) = spent(reply);
            let mut approvals = approvals.into_iter();
            outcome = resting_on(outcome, approvals.next());
            if let Some(second) = approvals.next() {
                outcome = outcome.commit("second_signature", second.signature_sha256);
            }
            Ok((reply, outcome))
        };
        self.act::<Spend, _>(&self.gate, &caller, facts, work).await
    }

    async fn close_session(
        &self,
        request: Request<pb::CloseSessionRequest>,
    ) -> Result<Response<pb::CloseSessionReply>, Status> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let facts = self.about(&request.session, &request.trace).await?;
        let work = async {
            sessions::close(&self.state, &caller.id, &request.session).await?;
            Ok(ok(pb::CloseSessionReply {}))
        };
        self.act::<CloseSession, _>(&self.gate, &caller, facts, work).await
    }

    async fn erase_session(
        &self,
        request: Request<pb::EraseSessionRequest>,
    ) -> Result<Response<pb::EraseSessionReply>, Status> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let facts = self.about(&request.session, &request.trace).await?;
        let work = async {
            sessions::erase(&self.state, &caller.id, &request.session).await?;
            Ok(ok(pb::EraseSessionReply {}))
        };
        self.act::<EraseSession, _>(&self.gate, &caller, facts, work).await
    }

    async fn trust(&self, request: Request<pb::TrustRequest>) -> Result<Response<pb::TrustReply>, Status> {
        let caller = Caller::of(&request)?;
        let work = async { Ok(ok(self.state.trust_reply())) };
        self.act::<ReadTrust, _>(&self.early, &caller, actions::registry(), work).await
    }

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Feed>, Status> {
        let caller = Caller::of(&request)?;
        let work = async { self.state.watchers().watch(self.state.registry()).map(ok) };
        self.act::<Watch, _>(&self.early, &caller, actions::registry(), work).await
    }

    async fn enroll(&self, request: Request<pb::EnrollRequest>) -> Result<Response<pb::EnrollReply>, Status> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let subject = Enrolment::parse(&request.record).ok().and_then(|record| SpiffeId::parse(&record.id).ok());
        let subject = subject.ok_or_else(|| self.malformed("record"))?;
        self.check(&"0".repeat(32), &request.trace)?;
        let facts = actions::enrolment(&subject, &request.trace);
        let work = async {
            let enrolled = people::enroll(&self.state, &caller.id, &request).await?;
            let person = Some(enrolled.to_message(false));
            Ok((pb::EnrollReply { person }, Outcome::ok().commit("record", sha256(&request.record))))
        };
        self.act::<Enroll, _>(&self.gate, &caller, facts, work).await
    }

    async fn change_keys(
        &self,
        request: Request<pb::ChangeKeysRequest>,
    ) -> Result<Response<pb::ChangeKeysReply>, Status> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let record = request.change.as_ref().map(|change| change.record.clone()).unwrap_or_default();
        let subject = KeyChange::parse(&record).ok().and_then(|change| SpiffeId::parse(&change.id).ok());
        let subject = subject.ok_or_else(|| self.malformed("record"))?;
        self.check(&"0".repeat(32), &request.trace)?;
        let facts = actions::enrolment(&subject, &request.trace);
        let work = async {
            let person = passkeys::change(&self.state, &caller.id, request).await?;
            let person = Some(person.to_message(false));
            Ok((pb::ChangeKeysReply { person }, Outcome::ok().commit("record", sha256(&record))))
        };
        self.act::<ChangeKeys, _>(&self.gate, &caller, facts, work).await
    }

    async fn people(&self, request: Request<pb::PeopleRequest>) -> Result<Response<pb::PeopleReply>, Status> {
        let caller = Caller::of(&request)?;
        let work = async { Ok(ok(pb::PeopleReply { people: self.state.registry().told().1 })) };
        self.act::<List, _>(&self.gate, &caller, actions::registry(), work).await
    }

    async fn revoke(&self, request: Request<pb::RevokeRequest>) -> Result<Response<pb::RevokeReply>, Status> {
        let (caller, request) = (Caller::of(&request)?, request.into_inner());
        let id = SpiffeId::parse(&request.id).map_err(|_| self.malformed("id"))?;
        self.check(&"0".repeat(32), &request.trace)?;
        let facts = actions::registry().within("", &request.trace);
        let work = async {
            let epoch = people::revoke(&self.state, &caller.id, &id, &request.reason, &request.trace).await?;
            Ok(ok(pb::RevokeReply { epoch }))
        };
        self.act::<Revoke, _>(&self.gate, &caller, facts, work).await
    }

    async fn identities(
        &self,
        request: Request<pb::IdentitiesRequest>,
    ) -> Result<Response<pb::IdentitiesReply>, Status> {
        let caller = Caller::of(&request)?;
        let work = async { Ok(ok(pb::IdentitiesReply { identities: self.state.identities() })) };
        self.act::<List, _>(&self.gate, &caller, actions::registry(), work).await
    }
}
