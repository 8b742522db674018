//! The agent's two methods. Each goes through the gate; the host passes bytes on and reads nothing of them but the tool.

use crate::cells::Cells;
use crate::error::{BABBLED, NoOpinion};
use bodh_agent_api::pb::{
    self,
    agent_server::{Agent, AgentServer},
};
use bodh_clinical::{Member, Opinion, Question};
use bodh_gate::{Action, Allowed, Caller, Entity, Facts, Gate, Outcome, Permit};
use prost::Message;
use ring::digest::{SHA256, digest};
use tonic::{Request, Response, Status, service::Routes};
use tracing::Instrument;

/// A question to an agent: pure reasoning, under a token.
pub(crate) struct Ask;

impl Action for Ask {
    const NAME: &'static str = "ask";
    const EFFECT: bool = false;
    const TOKEN: bool = true;
    const CALLERS: &'static [Allowed] = &[Allowed::Service("orchestrator")];
}

/// The end of a session's cell.
pub(crate) struct Dismiss;

impl Action for Dismiss {
    const NAME: &'static str = "dismiss";
    const EFFECT: bool = false;
    const TOKEN: bool = false;
    const CALLERS: &'static [Allowed] = &[Allowed::Service("orchestrator")];
}

/// The largest question or opinion on the wire: fifty hypotheses with two thousand claims each are refused long before.
const MAX_MESSAGE: usize = 8 << 20;

/// The agent `member` behind `gate`: the one service that every agent is.
pub fn routes(member: Member, gate: Gate, cells: Cells, versions: Versions) -> Routes {
    let service = Service { member, gate, cells, versions };
    let server =
        AgentServer::new(service).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
    Routes::new(server)
}

struct Service {
    member: Member,
    gate: Gate,
    cells: Cells,
    versions: Versions,
}

/// What answers: hashes, in lower-case hex.
#[derive(Debug, Clone)]
pub struct Versions {
    /// Of the knowledge pack.
    pub pack: String,
    /// Of this agent's executable.
    pub program: String,
}

#[tonic::async_trait]
impl Agent for Service {
    async fn ask(&self, request: Request<pb::Question>) -> Result<Response<pb::Opinion>, Status> {
        let caller = Caller::of(&request)?;
        let trace = request.metadata().get(bodh_host::TRACE_METADATA).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let bytes = request.get_ref().encode_to_vec();
        let question = match Question::try_from(request.into_inner()) {
            Ok(question) if question.member() == self.member => question,
            // Not a question, or another agent's: refused like any other call, with an entry.
            _ => return Err(self.gate.turn_away::<Ask>(&caller, tool(self.member, "unknown")).await.into()),
        };
        let span = tracing::info_span!(
            target: "gen_ai",
            "invoke_agent",
            otel.name = format!("invoke_agent {}", self.member),
            gen_ai.operation.name = "invoke_agent",
            gen_ai.provider.name = "bodh",
            gen_ai.conversation.id = tracing::field::Empty,
            gen_ai.agent.id = self.gate.me().as_str(),
            gen_ai.agent.name = self.member.name(),
            gen_ai.agent.version = env!("CARGO_PKG_VERSION"),
            gen_ai.tool.name = question.tool(),
            error.type = tracing::field::Empty,
        );
        Ok(self.guarded(caller, question, bytes, trace).instrument(span).await?)
    }

    async fn dismiss(&self, request: Request<pb::Dismissal>) -> Result<Response<pb::Dismissed>, Status> {
        let caller = Caller::of(&request)?;
        let session = request.into_inner().session;
        let facts = Facts::about(tool(self.member, "dismiss")).within(&session, "");
        let permit: Permit<Dismiss> = self.gate.admit(&caller, facts).await?;
        self.cells.end(&session);
        self.gate.settle(permit, Outcome::ok()).await?;
        Ok(Response::new(pb::Dismissed {}))
    }
}

impl Service {
    async fn guarded(
        &self,
        caller: Caller,
        question: Question,
        bytes: Vec<u8>,
        trace: Option<String>,
    ) -> Result<Response<pb::Opinion>, NoOpinion> {
        let mut facts = Facts::about(tool(self.member, question.tool()));
        facts.tool = Some((question.tool(), sha256(&bytes)));
        facts.trace = trace.as_deref().and_then(|t| t.split('-').nth(1)).unwrap_or_default().to_owned();
        let permit: Permit<Ask> = self.gate.admit(&caller, facts).await?;
        let session = permit.chain().map(|chain| chain.session().to_string()).unwrap_or_default();
        tracing::Span::current().record("gen_ai.conversation.id", session.as_str());
        match self.work(&session, &question, &bytes).await {
            Ok(opinion) => {
                let outcome =
                    Outcome::ok().version("pack", &self.versions.pack).version("program", &self.versions.program);
                // The response leaves only when both entries are durable.
                self.gate.settle(permit, outcome).await?;
                Ok(Response::new(opinion))
            }
            Err(error) => {
                tracing::warn!(cause = error.code(), "no opinion");
                tracing::Span::current().record("error.type", error.code());
                self.gate.settle(permit, Outcome::failed(error.code())).await?;
                Err(error)
            }
        }
    }

    /// The cell's answer, checked: it must be well formed and an answer to this very question.
    async fn work(&self, session: &str, question: &Question, bytes: &[u8]) -> Result<pb::Opinion, NoOpinion> {
        let answer = self.cells.ask(session, bytes).await?;
        let opinion = pb::Opinion::decode(answer.as_slice()).map_err(|_| BABBLED)?;
        let typed = Opinion::try_from(opinion.clone()).map_err(|_| BABBLED)?;
        if answers(question, &typed) { Ok(opinion) } else { Err(BABBLED) }
    }
}

fn tool(member: Member, name: &str) -> Entity {
    Entity::new("Tool", format!("{member}/{name}")).with("agent", member.name()).with("name", name)
}

fn answers(question: &Question, opinion: &Opinion) -> bool {
    matches!(
        (question, opinion),
        (Question::Extract { .. }, Opinion::Extract(_))
            | (Question::Differential { .. }, Opinion::Differential(_))
            | (Question::SecondOpinion { .. }, Opinion::SecondOpinion(_))
            | (Question::Verify { .. }, Opinion::Verify(_))
            | (Question::Plan { .. }, Opinion::Plan(_))
            | (Question::Price { .. }, Opinion::Price(_))
            | (Question::Next { .. }, Opinion::Next(_))
    )
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
