//! The call that `bodh bench tax` holds a gated one against: the same question to the same code over plain gRPC on loopback, in
//! a process of its own. No identity, token, policy, cell or record: a measurement's other side, and never a service.

use crate::failure::{Failure, Outcome};
use bodh_agent_api::pb::{
    self,
    agent_client::AgentClient,
    agent_server::{Agent, AgentServer},
};
use bodh_clinical::Question;
use bodh_knowledge::{COMMITTED, Pack, inflate};
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint, Server, server::TcpIncoming};
use tonic::{Request, Response, Status};

/// The hidden word of the command line that makes this program the plain agent.
pub(crate) const WORD: &str = "plain-agent";

/// This program once more, as a measurement's other side. It ends with this value, or with this process.
pub(crate) struct Beside(Child);

impl Beside {
    /// Starts it as `word` says; gives the first line that it printed.
    pub(crate) fn start(word: &str) -> Outcome<(Self, String)> {
        let lost = |cause: std::io::Error| Failure::failed(format!("{word}: {cause}"));
        let program = std::env::current_exe().map_err(lost)?;
        let mut command = Command::new(program);
        command.args(["bench", word]).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = Self(command.spawn().map_err(lost)?);
        let mut line = String::new();
        let said = child.0.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        said.transpose().map_err(lost)?;
        Ok((child, line.trim().to_owned()))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is reaped here.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Ends this process when whoever started it is gone.
pub(crate) fn until_left() {
    std::thread::spawn(|| {
        // Nobody writes: the end means that the one who measures is gone.
        let _end = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}

/// A running plain agent, and a connection to it.
pub(crate) struct Plain {
    _child: Beside,
    client: AgentClient<Channel>,
}

impl Plain {
    /// Starts one.
    pub(crate) async fn start() -> Outcome<Self> {
        let (child, line) = Beside::start(WORD)?;
        let port: u16 = line.parse().map_err(|_| Failure::failed("the plain agent did not start"))?;
        let endpoint = Endpoint::from_shared(format!("http://{}:{port}", Ipv4Addr::LOCALHOST));
        let endpoint = endpoint.map_err(|e| Failure::failed(e.to_string()))?.tcp_nodelay(true);
        let channel = endpoint.connect().await.map_err(|e| Failure::failed(format!("the plain agent: {e}")))?;
        Ok(Self { _child: child, client: AgentClient::new(channel) })
    }

    /// One call, timed.
    pub(crate) async fn ask(&mut self, question: &pb::Question) -> Outcome<Duration> {
        let request = question.clone();
        let begun = Instant::now();
        let answered = self.client.ask(request).await;
        let took = begun.elapsed();
        answered.map_err(|status| Failure::failed(format!("the plain agent: {}", status.message())))?;
        Ok(took)
    }
}

/// Is the plain agent: says its port, answers until its standard input ends.
pub(crate) fn serve() -> Outcome {
    let failed = |cause: String| Failure::failed(format!("the plain agent: {cause}"));
    let pack = inflate(COMMITTED).and_then(Pack::open).map_err(|e| failed(e.to_string()))?;
    until_left();
    let runtime = tokio::runtime::Runtime::new().map_err(|e| failed(e.to_string()))?;
    runtime.block_on(async {
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let incoming = TcpIncoming::bind(at).map_err(|e| failed(e.to_string()))?.with_nodelay(Some(true));
        let port = incoming.local_addr().map_err(|e| failed(e.to_string()))?.port();
        crate::terminal::print(&format!("{port}\n")).map_err(|e| failed(e.to_string()))?;
        let server = Server::builder().add_service(AgentServer::new(Answers { pack }));
        server.serve_with_incoming(incoming).await.map_err(|e| failed(e.to_string()))
    })
}

struct Answers {
    pack: Pack,
}

/// Only the one who measures asks, and only what a session has asked before.
struct Unanswered;

impl From<Unanswered> for Status {
    fn from(_: Unanswered) -> Self {
        Self::failed_precondition("not a question that intake answers")
    }
}

#[tonic::async_trait]
impl Agent for Answers {
    async fn ask(&self, request: Request<pb::Question>) -> Result<Response<pb::Opinion>, Status> {
        let question = Question::try_from(request.into_inner()).map_err(|_| Unanswered)?;
        let opinion = bodh_intake::answer(&question, &self.pack).map_err(|_| Unanswered)?;
        Ok(Response::new(pb::Opinion::from(&opinion)))
    }

    async fn dismiss(&self, _: Request<pb::Dismissal>) -> Result<Response<pb::Dismissed>, Status> {
        Ok(Response::new(pb::Dismissed {}))
    }
}
