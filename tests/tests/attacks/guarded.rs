//! The agents' own service with a real cell, behind a real gate and real mutual TLS; its record is kept here and its clock
//! moved by hand.

use crate::harness::{processes, program, signal, until};
use bodh_agent_api::pb::{self, agent_client::AgentClient};
use bodh_agent_runtime::{Cells, Versions, routes};
use bodh_audit_log::{Draft, Kind};
use bodh_cell::{Launcher, Limits, SealedPack};
use bodh_clinical::Member;
use bodh_gate::{Action, Allowed, Clock, Gate, Person, Record, RecordError, Trust, View};
use bodh_identity::{
    Source, SpiffeId,
    ca::Ca,
    client::{self, Channel},
    server::{self, Connections},
};
use bodh_policy::{Bundle, Policies};
use bodh_token::SigningKey;
use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};
use tonic::{Request, transport::Server};

/// When the gate starts, by its own clock.
pub(super) const START: i64 = 1_800_000_000_000;
pub(super) const DOMAIN: &str = "bodh.internal";
/// The agent that is attacked.
pub(super) const ME: &str = "/agent/diagnostician";
pub(super) const HOLDER: &str = "/service/orchestrator";
pub(super) const TOOL: &str = "differential";

pub(super) fn id(path: &str) -> SpiffeId {
    SpiffeId::new(DOMAIN, path).unwrap()
}

/// 1 is the guardian's token key, 2 the session's, any other a stranger's.
pub(super) fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32]).unwrap()
}

/// The record of this agent. Broken, it takes nothing.
#[derive(Default)]
pub(super) struct Kept {
    drafts: Mutex<Vec<Draft>>,
    /// Attempts handed over, taken or not.
    attempts: AtomicUsize,
    pub(super) broken: AtomicBool,
}

impl Kept {
    pub(super) fn all(&self) -> Vec<Draft> {
        self.drafts.lock().unwrap().clone()
    }

    pub(super) fn of(&self, kind: Kind) -> Vec<Draft> {
        self.all().into_iter().filter(|draft| draft.kind == kind).collect()
    }
}

impl Record for Kept {
    fn append(&self, draft: Draft) -> Pin<Box<dyn Future<Output = Result<u64, RecordError>> + Send + '_>> {
        Box::pin(async move {
            draft.validate().map_err(|invalid| RecordError::Refused(invalid.to_string()))?;
            if draft.kind == Kind::Attempt && draft.action == "ask" {
                self.attempts.fetch_add(1, Ordering::SeqCst);
            }
            if self.broken.load(Ordering::SeqCst) {
                return Err(RecordError::Unavailable);
            }
            let mut drafts = self.drafts.lock().unwrap();
            drafts.push(draft);
            Ok(u64::try_from(drafts.len()).unwrap())
        })
    }
}

/// An act with an effect, by people.
pub(super) struct Convene;

impl Action for Convene {
    const NAME: &'static str = "convene";
    const EFFECT: bool = true;
    const TOKEN: bool = false;
    const CALLERS: &'static [Allowed] = &[Allowed::AnyHuman];
}

/// A search for a patient, by people.
pub(super) struct FindPatient;

impl Action for FindPatient {
    const NAME: &'static str = "find_patient";
    const EFFECT: bool = true;
    const TOKEN: bool = false;
    const CALLERS: &'static [Allowed] = &[Allowed::AnyHuman];
}

/// The view that the gates here judge by: the policies that are deployed.
pub(super) fn view() -> View {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/policies");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    });
    let bundle = bodh_policy::kernel().merge(Bundle::new(files).unwrap()).unwrap();
    let ada = Person { roles: vec!["clinician".to_owned()], assurance: "local_key".to_owned(), ..Person::default() };
    View {
        policies: Arc::new(Policies::load(&bundle).unwrap()),
        policy_hash: bundle.hash(),
        token_key: key(1).public(),
        issuer: id("/service/guardian"),
        people: HashMap::from([(id("/human/ada"), ada)]),
        revoked: HashSet::new(),
        epoch: 1,
    }
}

/// The agent and everything around it.
pub(super) struct World {
    ca: Ca,
    pub(super) clock: Arc<AtomicI64>,
    pub(super) kept: Arc<Kept>,
    pub(super) gate: Gate,
    pub(super) connections: Connections,
    /// Connections that were refused at the handshake: why.
    pub(super) turned_away: Arc<Mutex<Vec<&'static str>>>,
    /// The memory that its cells may use: no other cell has the same, so that they are known by their arguments.
    memory: u64,
    at: SocketAddr,
}

/// The pack, sealed once for all cells.
static PACK: LazyLock<SealedPack> =
    LazyLock::new(|| SealedPack::new(&bodh_knowledge::inflate(bodh_knowledge::COMMITTED).unwrap()).unwrap());
static WORLDS: AtomicU64 = AtomicU64::new(0);

impl World {
    /// With a view that never gets old.
    pub(super) async fn new() -> Self {
        Self::with(|clock| Trust::source(view(), clock)).await
    }

    pub(super) async fn with(trust: impl FnOnce(Clock) -> Trust) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let ticking = Arc::clone(&clock);
        let trust = trust(Arc::new(move || ticking.load(Ordering::SeqCst)));
        let kept = Arc::new(Kept::default());
        let record: Arc<dyn Record> = Arc::<Kept>::clone(&kept);
        let gate = Gate::new(id(ME), trust, record);
        let ca = Ca::generate(DOMAIN, SystemTime::now()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let memory_bytes = (256 << 20) + 4096 * WORLDS.fetch_add(1, Ordering::SeqCst);
        let limits = Limits { memory_bytes, ..Limits::default() };
        let world = Self {
            ca,
            clock,
            kept,
            gate: gate.clone(),
            connections: Connections::new(),
            turned_away: Arc::default(),
            memory: limits.memory_bytes,
            at,
        };
        let launcher = Launcher::new(program("bodh-diagnostician"), Some(PACK.clone()), limits);
        let agent = routes(
            Member::Diagnostician,
            gate,
            Cells::new(launcher),
            Versions { pack: "0".repeat(64), program: "1".repeat(64) },
        );
        let codes = Arc::clone(&world.turned_away);
        let incoming = server::incoming(listener, world.source(ME), world.connections.clone(), move |refused| {
            codes.lock().unwrap().push(refused.code);
        });
        tokio::spawn(Server::builder().add_routes(agent).serve_with_incoming(incoming));
        world
    }

    fn source(&self, path: &str) -> Source {
        let svid = self.ca.issue(&id(path), Duration::from_secs(300), SystemTime::now()).unwrap();
        Source::fixed(svid, self.ca.bundle().unwrap()).unwrap()
    }

    /// A client with the identity that is named.
    pub(super) fn client(&self, path: &str) -> AgentClient<Channel> {
        AgentClient::new(client::channel(self.at, id(ME), self.source(path)))
    }

    pub(super) fn pass(&self, milliseconds: i64) {
        self.clock.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Questions that the gate admitted: each begins with an attempt, whether the record takes it or not.
    pub(super) fn reached(&self) -> usize {
        self.kept.attempts.load(Ordering::SeqCst)
    }

    /// The cells of this agent: the one kept ready, and the one of each session that was worked for.
    pub(super) fn cells(&self) -> Vec<u32> {
        let memory = self.memory.to_string();
        let is_own = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).nth(2) == Some(memory.as_bytes())
        };
        let cells = processes().into_iter().filter(|(_, program)| program.ends_with("bodh-cell"));
        cells.map(|(pid, _)| pid).filter(is_own).collect()
    }

    /// Exactly so many cells: one is started, and another replaced, in the background.
    pub(super) fn has_cells(&self, count: usize) -> bool {
        until(Duration::from_secs(10), || self.cells().len() == count)
    }

    /// The cell that is ready stands still: whoever asks it waits.
    pub(super) fn stop_the_cell(&self) {
        assert!(until(Duration::from_secs(10), || !self.cells().is_empty()), "a cell is kept ready");
        self.cells().into_iter().for_each(|cell| signal(cell, "STOP"));
    }
}

/// The question that tokens here are made for.
pub(super) fn question() -> pb::Question {
    let chart = pb::DifferentialQuestion { subject: Some(pb::Subject::default()), findings: Vec::new() };
    pb::Question { ask: Some(pb::question::Ask::Differential(chart)) }
}

/// Another question with the same tool.
pub(super) fn other_question() -> pb::Question {
    let subject = pb::Subject { age_days: Some(7), ..pb::Subject::default() };
    let chart = pb::DifferentialQuestion { subject: Some(subject), findings: Vec::new() };
    pb::Question { ask: Some(pb::question::Ask::Differential(chart)) }
}

/// A request with these tokens.
pub(super) fn with_tokens(question: pb::Question, root: Option<&str>, call: Option<&str>) -> Request<pb::Question> {
    let mut request = Request::new(question);
    for (name, token) in [(bodh_token::ROOT_METADATA, root), (bodh_token::CALL_METADATA, call)] {
        if let Some(token) = token {
            request.metadata_mut().insert(name, token.parse().unwrap());
        }
    }
    request
}
