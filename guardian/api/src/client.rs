//! The `Guardian` service's client, for the orchestrator, the service hosts and the command line.

use std::{fmt, time::Duration};

use tonic::{Request, Status, Streaming, body::Body};
use tower::{BoxError, Service, ServiceExt, util::BoxCloneSyncService};

use crate::{Error, SignedChange, pb, pb::guardian_client::GuardianClient};

/// Whatever carries calls: our mutually authenticated channel, or another in a test. Its error is a named type,
/// because the compiler cannot see that a future over a boxed error can move between threads.
type Carrier = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Status>;

/// No answer within this time counts as unavailable. Longer than the guardian's own wait for the record (5 s).
const DEADLINE: Duration = Duration::from_secs(8);
/// The largest answer accepted: a policy bundle of at most 1 MiB, and the people.
const MAX_ANSWER: usize = 8 << 20;

/// A trace id, 32 lower-case hex digits, carried to the record.
pub type Trace<'a> = &'a str;

/// What opening a session needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// 32 lower-case hex digits, chosen by the caller.
    pub session: String,
    /// The session's Ed25519 public key.
    pub session_key: [u8; 32],
    /// SPIFFE id of the person on whose behalf the session runs.
    pub human: String,
    /// A word that policies know.
    pub purpose: String,
    /// What the session may spend, in whole cents.
    pub budget_cents: u64,
    /// The trace id.
    pub trace: String,
    /// Holds the caller's own records: opened again without a person, as policy allows.
    pub standing: bool,
}

/// A token and the session's envelope key. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// The encoded root token, valid for at most five minutes.
    pub token: String,
    /// The session's age identity (`AGE-SECRET-KEY-…`).
    pub envelope_secret: String,
    /// The matching age recipient (`age1…`).
    pub envelope_recipient: String,
    /// What is left to spend, in cents.
    pub remaining_cents: u64,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("remaining_cents", &self.remaining_cents).finish_non_exhaustive()
    }
}

impl From<pb::SessionGrant> for Grant {
    fn from(grant: pb::SessionGrant) -> Self {
        Self {
            token: grant.token,
            envelope_secret: grant.envelope_secret,
            envelope_recipient: grant.envelope_recipient,
            remaining_cents: grant.remaining_cents,
        }
    }
}

/// The guardian's answer to a request to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Whether the amount was taken from the budget.
    pub granted: bool,
    /// What is left, in cents.
    pub remaining_cents: u64,
}

/// What was signed for spending beyond a budget: nothing, one person's approval, or two people's.
pub type Approvals = [Option<pb::Statement>; 2];

/// The `Guardian` service over a mutually authenticated channel. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    inner: GuardianClient<Carrier>,
}

impl Client {
    /// A client on `channel`, which must check that the other side is the guardian.
    pub fn new<C>(channel: C) -> Self
    where
        C: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + Sync + 'static,
        C::Error: Into<BoxError>,
        C::Future: Send,
    {
        let carrier = Carrier::new(channel.map_err(|error| Status::from_error(error.into())));
        Self { inner: GuardianClient::new(carrier).max_decoding_message_size(MAX_ANSWER) }
    }

    /// Opens a session; fails while the guardian has no working record, and for a session id that was used before.
    pub async fn open_session(&self, open: OpenSession) -> Result<Grant, Error> {
        let OpenSession { session, session_key, human, purpose, budget_cents, trace, standing } = open;
        let session_key = session_key.to_vec();
        let request = pb::OpenSessionRequest { session, session_key, human, purpose, budget_cents, trace, standing };
        Ok(self.inner.clone().open_session(timed(request)).await?.into_inner().into())
    }

    /// A fresh token with the remaining budget; `session_key` may be a new one. A session at rest needs the signed
    /// request of a person (see [`crate::Access`]).
    pub async fn renew_session(
        &self,
        session: &str,
        session_key: [u8; 32],
        trace: Trace<'_>,
        access: Option<pb::Statement>,
    ) -> Result<Grant, Error> {
        let (session_key, trace) = (session_key.to_vec(), trace.to_owned());
        let request = pb::RenewSessionRequest { session: session.to_owned(), session_key, trace, access };
        Ok(self.inner.clone().renew_session(timed(request)).await?.into_inner().into())
    }

    /// Takes `cents` from the session's budget for the act `key`, once however often it is asked; beyond the budget only
    /// with a person's signed approval of exactly that, or two different people's where policy wants two (see [`crate::Approval`]).
    pub async fn spend(
        &self,
        session: &str,
        token: &str,
        (key, cents): (&str, u64),
        approvals: Approvals,
        trace: Trace<'_>,
    ) -> Result<Spent, Error> {
        let [approval, second] = approvals;
        let (session, token, key) = (session.to_owned(), token.to_owned(), key.to_owned());
        let request = pb::SpendRequest { session, token, key, cents, trace: trace.to_owned(), approval, second };
        let reply = self.inner.clone().spend(timed(request)).await?.into_inner();
        Ok(Spent { granted: reply.granted, remaining_cents: reply.remaining_cents })
    }

    /// The session is at rest: no token, spending or key before a person asks.
    pub async fn close_session(&self, session: &str, trace: Trace<'_>) -> Result<(), Error> {
        let request = pb::CloseSessionRequest { session: session.to_owned(), trace: trace.to_owned() };
        self.inner.clone().close_session(timed(request)).await?;
        Ok(())
    }

    /// Destroys the session's key for ever. Repeating it is harmless.
    pub async fn erase_session(&self, session: &str, trace: Trace<'_>) -> Result<(), Error> {
        let request = pb::EraseSessionRequest { session: session.to_owned(), trace: trace.to_owned() };
        self.inner.clone().erase_session(timed(request)).await?;
        Ok(())
    }

    /// Everything a gate needs to judge calls, as of `epoch`.
    pub async fn trust(&self) -> Result<pb::TrustReply, Error> {
        Ok(self.inner.clone().trust(timed(pb::TrustRequest {})).await?.into_inner())
    }

    /// Heartbeats and changes until the connection ends. Call [`Client::trust`] after it, and again at every gap in
    /// the epoch.
    pub async fn watch(&self) -> Result<Streaming<pb::Notice>, Error> {
        Ok(self.inner.clone().watch(pb::WatchRequest {}).await?.into_inner())
    }

    /// Enrols the person in `record` (see [`crate::Enrolment`]), signed by the operator it names.
    pub async fn enroll(&self, record: Vec<u8>, signature: Vec<u8>, trace: Trace<'_>) -> Result<pb::Person, Error> {
        let request = pb::EnrollRequest { record, signature, trace: trace.to_owned() };
        let reply = self.inner.clone().enroll(timed(request)).await?.into_inner();
        reply.person.ok_or(Error::Incomplete("the person"))
    }

    /// Changes the caller's own keys (see [`crate::KeyChange`]).
    pub async fn change_keys(&self, change: SignedChange, trace: Trace<'_>) -> Result<pb::Person, Error> {
        let request = pb::ChangeKeysRequest { change: Some(change.into()), trace: trace.to_owned() };
        let reply = self.inner.clone().change_keys(timed(request)).await?.into_inner();
        reply.person.ok_or(Error::Incomplete("the person"))
    }

    /// Everybody who was ever enrolled, in order of enrolment.
    pub async fn people(&self) -> Result<Vec<pb::Person>, Error> {
        Ok(self.inner.clone().people(timed(pb::PeopleRequest {})).await?.into_inner().people)
    }

    /// Revokes an identity for good; answers the epoch at which it is revoked.
    pub async fn revoke(&self, id: &str, reason: &str, trace: Trace<'_>) -> Result<u64, Error> {
        let request = pb::RevokeRequest { id: id.to_owned(), reason: reason.to_owned(), trace: trace.to_owned() };
        Ok(self.inner.clone().revoke(timed(request)).await?.into_inner().epoch)
    }

    /// The identities issued since the guardian started.
    pub async fn identities(&self) -> Result<Vec<pb::Identity>, Error> {
        Ok(self.inner.clone().identities(timed(pb::IdentitiesRequest {})).await?.into_inner().identities)
    }
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}
