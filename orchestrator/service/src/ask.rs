//! Putting a question to an agent: a token narrowed to exactly this call, over mutual TLS to exactly this agent.

use crate::{error::Error, grant::SessionGrant};
use bodh_agent_api::pb::{self, agent_client::AgentClient};
use bodh_clinical::{Member, Opinion, Question};
use bodh_host::{Carrying, Joined};
use bodh_identity::{SpiffeId, client::Channel};
use bodh_panel::FailureCause;
use bodh_token::{CALL_METADATA, CallGrant, ROOT_METADATA};
use prost::Message;
use std::{collections::HashMap, net::SocketAddr, time::Duration};
use tonic::{Code, Request, metadata::MetadataValue};

/// A call that takes longer is given up: a cell's own deadline is shorter.
const PATIENCE: Duration = Duration::from_secs(15);
/// The largest opinion.
const MAX_MESSAGE: usize = 8 << 20;

/// How the steps of a replay begin, in the record.
pub(crate) const REPLAY: &str = "replay-";

/// The six agents.
pub(crate) struct Agents {
    clients: HashMap<Member, (SpiffeId, AgentClient<Carrying<Channel>>)>,
}

/// One call: which question of which session.
pub(crate) struct CallLabel<'a> {
    pub(crate) trace: &'a str,
    pub(crate) call: u32,
    pub(crate) attempt: u32,
    /// Put again to compare, long after: nothing in the session rests on the answer.
    pub(crate) replay: bool,
}

impl Agents {
    pub(crate) fn connect(
        joined: &Joined,
        trust_domain: &str,
        at: &std::collections::BTreeMap<String, SocketAddr>,
    ) -> Result<Self, Error> {
        let mut clients = HashMap::new();
        for member in Member::ALL {
            let addr = *at.get(member.name()).ok_or_else(|| Error::Invalid(format!("no address for {member}")))?;
            let id = SpiffeId::agent(trust_domain, member.name()).map_err(|e| Error::Invalid(e.to_string()))?;
            let channel = joined.channel(addr, id.clone());
            let client =
                AgentClient::new(channel).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
            clients.insert(member, (id, client));
        }
        Ok(Self { clients })
    }

    /// Puts the question, once.
    pub(crate) async fn ask(
        &self,
        grant: &SessionGrant,
        label: &CallLabel<'_>,
        question: &Question,
        now_ms: u64,
    ) -> Result<Opinion, FailureCause> {
        let request = self.request(grant, label, question, now_ms).ok_or(FailureCause::Refused)?;
        let (_, client) = self.clients.get(&question.member()).ok_or(FailureCause::Unavailable)?;
        match tokio::time::timeout(PATIENCE, client.clone().ask(request)).await {
            Ok(Ok(answer)) => Opinion::try_from(answer.into_inner()).map_err(|_| FailureCause::Malformed),
            Ok(Err(status)) => {
                let agent = question.member();
                tracing::warn!(%agent, code = ?status.code(), cause = status.message(), "no opinion");
                Err(cause(&status))
            }
            Err(_) => Err(FailureCause::Unavailable),
        }
    }

    fn request(
        &self,
        grant: &SessionGrant,
        label: &CallLabel<'_>,
        question: &Question,
        now_ms: u64,
    ) -> Option<Request<pb::Question>> {
        let wire = pb::Question::from(question);
        let (id, _) = self.clients.get(&question.member())?;
        let argument_hash = bodh_token::sha256(&wire.encode_to_vec());
        let narrowed = grant.narrow(
            CallGrant {
                audience: id.to_string(),
                tool: question.tool().to_owned(),
                argument_hash,
                budget_cents: 0,
                lifetime_ms: bodh_token::CALL_LIFETIME_MS,
            },
            now_ms,
        )?;
        let mut request = Request::new(wire);
        let text = |value: &str| MetadataValue::try_from(value).ok();
        let metadata = request.metadata_mut();
        metadata.insert(ROOT_METADATA, text(grant.root())?);
        metadata.insert(CALL_METADATA, text(&narrowed)?);
        let step = if label.replay { REPLAY } else { "" };
        metadata.insert("bodh-step", text(&format!("{step}{}/{}", label.call, label.attempt))?);
        metadata.insert(bodh_host::TRACE_METADATA, text(&bodh_host::trace_metadata(label.trace))?);
        Some(request)
    }

    /// The session is suspended or over: its cells end. Best effort; idle cells end by themselves.
    pub(crate) async fn dismiss(&self, session: &str) {
        let ends = self.clients.values().map(|(_, client)| {
            let mut client = client.clone();
            async move {
                let mut request = Request::new(pb::Dismissal { session: session.to_owned() });
                request.set_timeout(Duration::from_secs(5));
                if let Err(status) = client.dismiss(request).await {
                    tracing::debug!(code = ?status.code(), "a cell was not dismissed");
                }
            }
        });
        futures_util::future::join_all(ends).await;
    }
}

fn cause(status: &tonic::Status) -> FailureCause {
    match (status.code(), status.message()) {
        (Code::Internal, cause) if cause.starts_with("cell_") => FailureCause::Cell,
        (Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown | Code::Unauthenticated, _) => {
            FailureCause::Unavailable
        }
        _ => FailureCause::Refused,
    }
}
