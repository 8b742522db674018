//! A guardian in process: its folder, its first operator, a record in memory and a clock that the test moves.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses another part")]

use std::{
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use bodh_audit_log::Draft;
use bodh_gate::{Record, RecordError};
use bodh_guardian::{
    authority::Attested,
    config::{Bootstrap, Config},
    start::{self, StartError},
    state::State,
};
use bodh_guardian_api::{Access, Binaries, Binary, Enrolment, pb};
use bodh_identity::{
    SpiffeId,
    attest::Process,
    sealed::AgeKey,
    signing::{Context, PersonKey, SignedDocument, Signer},
};
use bodh_policy::{Bundle, kernel};
use chrono::{DateTime, Utc};
use tempfile::TempDir;

pub mod passkey;

pub const DOMAIN: &str = "test.internal";

/// Keeps entries in memory; can be away.
#[derive(Default)]
pub struct Memory {
    pub drafts: Mutex<Vec<Draft>>,
    pub away: AtomicBool,
}

impl Memory {
    pub fn of(&self, action: &str) -> Vec<Draft> {
        self.drafts.lock().unwrap().iter().filter(|draft| draft.action == action).cloned().collect()
    }
}

pub struct Shared(pub Arc<Memory>);

impl Record for Shared {
    fn append(&self, draft: Draft) -> Pin<Box<dyn Future<Output = Result<u64, RecordError>> + Send + '_>> {
        Box::pin(async move {
            if self.0.away.load(Ordering::SeqCst) {
                return Err(RecordError::Unavailable);
            }
            let mut drafts = self.0.drafts.lock().unwrap();
            if let Some(index) = drafts.iter().position(|kept| kept.key == draft.key) {
                return Ok(index as u64);
            }
            drafts.push(draft);
            Ok(drafts.len() as u64 - 1)
        })
    }
}

/// A process as the test wants it.
#[derive(Clone)]
pub struct Proc {
    pub process: Process,
    pub executable: Option<[u8; 32]>,
    pub uid: u32,
    pub alive: Arc<AtomicBool>,
}

impl Proc {
    pub fn new(pid: i32, executable: Option<[u8; 32]>) -> Self {
        let uid = rustix::process::getuid().as_raw();
        Self { process: Process { pid, started: 7 }, executable, uid, alive: Arc::new(AtomicBool::new(true)) }
    }
}

impl Attested for Proc {
    fn process(&self) -> Process {
        self.process
    }
    fn executable(&self) -> Option<[u8; 32]> {
        self.executable
    }
    fn uid(&self) -> u32 {
        self.uid
    }
    fn alive(&self) -> bool {
        self.alive.load(Ordering::SeqCst)
    }
}

pub const AUDIT_EXE: [u8; 32] = [0xa1; 32];
pub const AGENT_EXE: [u8; 32] = [0xa2; 32];
pub const CLIENT_EXE: [u8; 32] = [0xa3; 32];
pub const LAUNCHER: Process = Process { pid: 1, started: 1 };

/// A state folder and everything around it.
pub struct World {
    pub folder: TempDir,
    pub operator: PersonKey,
    pub memory: Arc<Memory>,
    pub now_ms: Arc<AtomicI64>,
    pub unlock: String,
    pub first: Bootstrap,
    pub binaries: Binaries,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let operator = PersonKey::generate().unwrap();
        let now_ms = Arc::new(AtomicI64::new(bodh_gate::now_ms()));
        let id = human("local").to_string();
        let record = enrolment("local", &["operator", "writer"], &operator.public_key(), &id, time(&now_ms));
        let world = Self {
            folder,
            first: signed_record(&record, &operator),
            operator,
            memory: Arc::default(),
            now_ms,
            unlock: AgeKey::generate().to_secret_text().to_string(),
            binaries: binaries(),
        };
        world.sign_policy(&world.operator, &human("local"));
        world.sign_binaries(&world.operator, &human("local"));
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn time(&self) -> DateTime<Utc> {
        time(&self.now_ms)
    }

    pub fn forward(&self, by: Duration) {
        self.now_ms.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub fn sign_policy(&self, key: &PersonKey, signer: &SpiffeId) {
        // What a kernel alone permits nobody, for the tests to try: money beyond the budget, and whoever is asked for.
        let application = r#"
            @id("app-approve") permit (principal is Human, action == Action::"approve_spend", resource)
            when { principal.roles.contains("approver") && context.kind == "over_limit" };
            @id("app-approve-far") permit (principal is Human, action == Action::"approve_spend", resource)
            when { principal.roles.contains("approver") && context.kind == "far_over_limit" && context.signers >= 2 };
            @id("app-reopen") permit (principal is Human, action == Action::"reopen_session", resource)
            when { principal.roles.contains("approver") };"#;
        let bundle = kernel().merge(Bundle::new([("app.cedar", application)]).unwrap()).unwrap();
        let payload = serde_json::to_vec(&bundle).unwrap();
        self.sign("policy.json", key, signer, Context::Policy, payload);
    }

    pub fn sign_binaries(&self, key: &PersonKey, signer: &SpiffeId) {
        self.sign("binaries.json", key, signer, Context::Binaries, self.binaries.to_bytes());
    }

    pub fn sign(&self, file: &str, key: &PersonKey, signer: &SpiffeId, context: Context, payload: Vec<u8>) {
        let document = SignedDocument::sign(key, signer, context, payload).unwrap();
        std::fs::write(self.path(file), document.to_json().unwrap()).unwrap();
    }

    pub fn config(&self) -> Config {
        let document = serde_json::json!({
            "name": "guardian", "state_dir": self.folder.path(), "trust_domain": DOMAIN, "unlock": self.unlock,
            "workload_socket": self.path("run/workload.sock"), "guardian": "127.0.0.1:9", "audit": "127.0.0.1:9",
            "orchestrator": "127.0.0.1:9", "agents": {}, "policy": self.path("policy.json"),
            "binaries": self.path("binaries.json"), "tools": ["look", "think"],
            "audiences": [format!("spiffe://{DOMAIN}/agent/one"), format!("spiffe://{DOMAIN}/agent/two")],
        });
        Config::parse(&serde_json::to_vec(&document).unwrap()).unwrap()
    }

    pub async fn open_with(&self, config: &Config) -> Result<Arc<State>, StartError> {
        let now = self.now_ms.clone();
        let clock: bodh_gate::Clock = Arc::new(move || now.load(Ordering::SeqCst));
        let memory = self.memory.clone();
        start::open(config, clock, Some(LAUNCHER), |_| Ok(Arc::new(Shared(memory)) as Arc<dyn Record>)).await
    }

    /// The first start.
    pub async fn start(&self) -> Arc<State> {
        let state = self.open_with(&Config { bootstrap: Some(self.first.clone()), ..self.config() }).await.unwrap();
        acknowledged(&state).await;
        state
    }

    /// A later start.
    pub async fn restart(&self, state: Arc<State>) -> Arc<State> {
        state.store().close().await;
        drop(state);
        let state = self.open_with(&self.config()).await.unwrap();
        acknowledged(&state).await;
        state
    }

    /// An enrolment request that the first operator signed.
    pub fn enrol(&self, name: &str, roles: &[&str], key: &PersonKey) -> pb::EnrollRequest {
        let record = enrolment(name, roles, &key.public_key(), human("local").as_str(), self.time());
        request(&record, &self.operator)
    }
}

/// A person's signed request to open a session.
pub fn access(session: &str, signer: &str, key: &PersonKey, nonce: u8, at_unix_ms: i64) -> pb::Statement {
    let nonce = format!("{nonce:032x}");
    let json = Access { session: session.to_owned(), signer: human(signer).to_string(), nonce, at_unix_ms }.to_bytes();
    let signature = key.sign(Context::Access, &json).unwrap().to_vec();
    pb::Statement { json, signature }
}

/// A person's signed decision about money.
pub fn approval(
    session: &str,
    signer: &str,
    key: &PersonKey,
    (action, cents): (&str, u64),
    nonce: u8,
) -> pb::Statement {
    let statement = serde_json::json!({
        "session": session, "verdict": "approve", "kind": "over_limit", "action": action, "amount_cents": cents,
        "record_sha256": "0".repeat(64), "signer": human(signer).as_str(), "nonce": format!("{nonce:032x}"),
        "reason": "needed",
    });
    sign_decision(&statement, key)
}

pub fn sign_decision(statement: &serde_json::Value, key: &PersonKey) -> pb::Statement {
    let json = serde_json::to_vec(statement).unwrap();
    let signature = key.sign(Context::Decision, &json).unwrap().to_vec();
    pb::Statement { json, signature }
}

pub async fn acknowledged(state: &State) {
    while state.ledger().acknowledged() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub fn human(name: &str) -> SpiffeId {
    SpiffeId::human(DOMAIN, name).unwrap()
}

pub fn service(name: &str) -> SpiffeId {
    SpiffeId::service(DOMAIN, name).unwrap()
}

pub fn enrolment(name: &str, roles: &[&str], key: &[u8; 32], by: &str, at: DateTime<Utc>) -> Enrolment {
    Enrolment::new(name, DOMAIN, roles, key, "local_key", by, at)
}

pub fn request(record: &Enrolment, signer: &PersonKey) -> pb::EnrollRequest {
    let record = record.to_bytes();
    let signature = signer.sign(Context::Enrolment, &record).unwrap().to_vec();
    pb::EnrollRequest { record, signature, trace: String::new() }
}

pub fn signed_record(record: &Enrolment, signer: &PersonKey) -> Bootstrap {
    let request = request(record, signer);
    Bootstrap { record: String::from_utf8(request.record).unwrap(), signature: request.signature }
}

fn time(now_ms: &AtomicI64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(now_ms.load(Ordering::SeqCst)).unwrap()
}

fn binaries() -> Binaries {
    let entry = |id: Option<&str>, executable: &str, hash: [u8; 32]| Binary {
        spiffe_id: id.map(|path| format!("spiffe://{DOMAIN}/{path}")),
        executable: executable.to_owned(),
        sha256: data_encoding::HEXLOWER.encode(&hash),
    };
    Binaries {
        entries: vec![
            entry(Some("service/audit"), "bodh-audit", AUDIT_EXE),
            entry(Some("agent/one"), "bodh-one", AGENT_EXE),
            entry(None, "bodh", CLIENT_EXE),
        ],
    }
}
