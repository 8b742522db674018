//! Over the wire: mutual TLS and the gate in front, the Unix socket beside it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{
    fs::File,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bodh_audit_log::{Kind, Verdict};
use bodh_guardian::{serve, state::State};
use bodh_guardian_api::{Binary, Client, Door, Error, OpenSession, proof};
use bodh_identity::{
    Bundle, Source, SpiffeId, Svid,
    attest::measure,
    ca::SVID_TTL,
    client, server,
    signing::{Context, PersonKey, Signer},
    workload,
};
use support::{DOMAIN, World, human, service};
use tokio::net::{TcpListener, UnixListener};
use tonic::{Code, transport::Server};

const SESSION: &str = "0123456789abcdef0123456789abcdef";

struct Panel {
    world: World,
    state: Arc<State>,
    at: std::net::SocketAddr,
}

impl Panel {
    async fn new() -> Self {
        let mut world = World::new();
        // The test itself is the audit service's executable and the command line's: it has to be somebody at the
        // socket.
        let me = measure(&mut File::open("/proc/self/exe").unwrap()).unwrap();
        let entry = Binary {
            spiffe_id: Some(service("audit").to_string()),
            executable: "bodh".to_owned(),
            sha256: data_encoding::HEXLOWER.encode(&me),
        };
        world.binaries.entries = vec![entry];
        world.sign_binaries(&world.operator, &human("local"));
        let state = world.start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let incoming = server::incoming(listener, state.source().clone(), state.connections().clone(), |_| ());
        let routes = serve::routes(&state, serve::gate(&state));
        tokio::spawn(Server::builder().add_routes(routes).serve_with_incoming(incoming));
        std::fs::create_dir(world.path("run")).unwrap();
        let socket = UnixListener::bind(world.path("run/workload.sock")).unwrap();
        tokio::spawn(serve::serve_socket(state.clone(), socket, std::future::pending()));
        Self { world, state, at }
    }

    /// A client with a certificate for this id.
    fn client(&self, id: &SpiffeId) -> Client {
        let svid = self.state.authority().issue(id, std::time::SystemTime::now()).unwrap();
        self.client_with(svid)
    }

    fn client_with(&self, svid: Svid) -> Client {
        let bundle: Bundle = self.state.authority().bundle().borrow().as_ref().clone();
        let source = Source::fixed(svid, bundle).unwrap();
        Client::new(client::channel(self.at, service("guardian"), source))
    }
}

fn opening() -> OpenSession {
    OpenSession {
        session: SESSION.to_owned(),
        session_key: bodh_token::SigningKey::from_seed(&[1; 32]).unwrap().public(),
        human: human("local").to_string(),
        purpose: "work".to_owned(),
        budget_cents: 100,
        trace: "0".repeat(32),
        standing: false,
    }
}

fn code<T: std::fmt::Debug>(answer: Result<T, Error>) -> Code {
    match answer.unwrap_err() {
        Error::Refused { code, .. } => code,
        Error::Unavailable(_) => Code::Unavailable,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_orchestrator_lives_through_a_session_and_each_step_is_recorded() {
    let panel = Panel::new().await;
    let client = panel.client(&service("orchestrator"));
    let grant = client.open_session(opening()).await.unwrap();
    assert!(client.spend(SESSION, &grant.token, ("a", 60), [None, None], "").await.unwrap().granted);
    assert!(!client.spend(SESSION, &grant.token, ("b", 60), [None, None], "").await.unwrap().granted);
    assert_eq!(client.renew_session(SESSION, opening().session_key, "", None).await.unwrap().remaining_cents, 40);
    client.close_session(SESSION, "").await.unwrap();
    client.erase_session(SESSION, "").await.unwrap();
    assert_eq!(code(client.renew_session(SESSION, opening().session_key, "", None).await), Code::FailedPrecondition);
    for action in ["open_session", "renew_session", "spend", "close_session", "erase_session"] {
        let drafts = panel.world.memory.of(action);
        assert!(drafts.iter().any(|draft| draft.kind == Kind::Attempt), "{action}");
        assert!(drafts.iter().any(|draft| draft.kind == Kind::Outcome && draft.session == SESSION), "{action}");
    }
    let short = panel.world.memory.of("spend");
    assert!(short.iter().any(|draft| draft.cause == "over_budget" && draft.verdict == Some(Verdict::Failed)));
    let secret = grant.envelope_secret.as_str();
    assert!(!format!("{:?}", panel.world.memory.drafts.lock().unwrap()).contains(secret));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_else_is_refused_and_recorded() {
    let panel = Panel::new().await;
    let agent = SpiffeId::agent(DOMAIN, "one").unwrap();
    for id in [agent.clone(), service("audit"), human("local")] {
        let client = panel.client(&id);
        assert_eq!(code(client.open_session(opening()).await), Code::PermissionDenied);
        assert_eq!(code(client.renew_session(SESSION, [0; 32], "", None).await), Code::PermissionDenied);
        assert_eq!(code(client.spend(SESSION, "x", ("a", 1), [None, None], "").await), Code::PermissionDenied);
        assert_eq!(code(client.close_session(SESSION, "").await), Code::PermissionDenied);
        assert_eq!(code(client.erase_session(SESSION, "").await), Code::PermissionDenied);
    }
    for id in [agent, service("orchestrator")] {
        let client = panel.client(&id);
        let key = PersonKey::generate().unwrap();
        let request = panel.world.enrol("ada", &["approver"], &key);
        assert_eq!(code(client.enroll(request.record, request.signature, "").await), Code::PermissionDenied);
        assert_eq!(code(client.revoke(human("local").as_str(), "x", "").await), Code::PermissionDenied);
    }
    let human_client = panel.client(&human("local"));
    assert_eq!(code(human_client.trust().await), Code::PermissionDenied);
    assert_eq!(code(human_client.watch().await.map(drop)), Code::PermissionDenied);
    let stranger = panel.client(&human("eve"));
    assert_eq!(code(stranger.people().await), Code::PermissionDenied);
    let agent_client = panel.client(&SpiffeId::agent(DOMAIN, "one").unwrap());
    assert_eq!(code(agent_client.identities().await), Code::PermissionDenied);
    let refusals = panel.world.memory.of("open_session");
    assert_eq!(refusals.iter().filter(|draft| draft.kind == Kind::Refusal).count(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_are_refused_before_anything() {
    let panel = Panel::new().await;
    let client = panel.client(&service("orchestrator"));
    let bad = |change: fn(&mut OpenSession)| {
        let mut opening = opening();
        change(&mut opening);
        client.open_session(opening)
    };
    assert_eq!(code(bad(|o| o.session = "x y".into()).await), Code::InvalidArgument);
    assert_eq!(code(bad(|o| o.trace = "x".into()).await), Code::InvalidArgument);
    assert_eq!(code(bad(|o| o.human = "x".into()).await), Code::InvalidArgument);
    assert_eq!(code(bad(|o| o.purpose = "X".into()).await), Code::InvalidArgument);
    let operator = panel.client(&human("local"));
    assert_eq!(code(operator.enroll(b"{}".to_vec(), vec![0; 64], "").await), Code::InvalidArgument);
    assert_eq!(code(operator.revoke("x", "x", "").await), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_enrols_and_revokes_and_gates_are_told() {
    let panel = Panel::new().await;
    let operator = panel.client(&human("local"));
    let gate = panel.client(&service("audit"));
    let mut feed = gate.watch().await.unwrap();
    let began = feed.message().await.unwrap().unwrap().epoch;
    assert_eq!(gate.trust().await.unwrap().epoch, began);

    let ada = PersonKey::generate().unwrap();
    let request = panel.world.enrol("ada", &["approver"], &ada);
    let enrolled = operator.enroll(request.record, request.signature, "").await.unwrap();
    assert_eq!(enrolled.id, human("ada").to_string());
    let theirs = panel.client(&human("ada"));
    assert_eq!(code(theirs.people().await), Code::PermissionDenied, "not an operator");

    let epoch = operator.revoke(&enrolled.id, "left", "").await.unwrap();
    let mut told = Vec::new();
    while told.is_empty() {
        told = feed.message().await.unwrap().unwrap().revoked;
    }
    assert_eq!(told, [human("ada").to_string()]);
    assert_eq!(epoch, began + 2);
    // The connection that was open is closed, and a new one is refused.
    let refused = theirs.people().await;
    assert!(matches!(refused, Err(Error::Unavailable(_) | Error::Refused { code: Code::PermissionDenied, .. })));
    let people = operator.people().await.unwrap();
    assert_eq!(people.iter().filter(|person| person.revoked).count(), 1);
    assert!(operator.identities().await.unwrap().iter().all(|identity| identity.pid != 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_record_nothing_is_done_but_gates_still_learn() {
    let panel = Panel::new().await;
    let orchestrator = panel.client(&service("orchestrator"));
    let grant = orchestrator.open_session(opening()).await.unwrap();
    panel.world.memory.away.store(true, Ordering::SeqCst);
    assert_eq!(code(orchestrator.spend(SESSION, &grant.token, ("a", 60), [None, None], "").await), Code::Unavailable);
    assert!(panel.client(&service("audit")).trust().await.is_ok(), "the audit service starts with it");
    panel.world.memory.away.store(false, Ordering::SeqCst);
    let renewed = orchestrator.renew_session(SESSION, opening().session_key, "", None).await.unwrap();
    assert_eq!(renewed.remaining_cents, 100, "nothing was taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_socket_gives_a_service_its_certificate_and_a_person_theirs() {
    let panel = Panel::new().await;
    let path = panel.world.path("run/workload.sock");
    let source = Source::follow(&path, Duration::from_secs(5)).await.unwrap();
    assert_eq!(source.current().id(), &service("audit"));

    let door = Door::connect(&path).await.unwrap();
    let challenge = door.challenge("local").await.unwrap();
    assert_eq!(challenge.id, human("local").to_string());
    let holder = panel.state.authority().issue(&service("audit"), std::time::SystemTime::now()).unwrap();
    let spki = spki_of(holder.chain()[0].as_ref());
    let signed = panel.world.operator.sign(Context::Door, &proof(&challenge.nonce, &spki)).unwrap().to_vec();
    let credential = door.prove("local", challenge.nonce, spki, signed).await.unwrap();
    let chain: Vec<_> = credential.chain.into_iter().map(Into::into).collect();
    let own = Svid::new(chain, zeroize::Zeroizing::new(holder.key_pkcs8().to_vec())).unwrap();
    assert_eq!(own.id(), &human("local"));
    assert!(own.not_after() <= std::time::SystemTime::now() + SVID_TTL);
    assert!(panel.client_with(own).people().await.is_ok(), "and it works");

    // This process did not start the guardian, so its word on others does not count.
    assert_eq!(code(door.vouch(1, 1, [0; 32]).await), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_workload_api_refuses_an_unknown_executable() {
    let mut panel = Panel::new().await;
    panel.world.binaries.entries[0].sha256 = "0".repeat(64);
    panel.world.sign_binaries(&panel.world.operator, &human("local"));
    let state = panel.world.restart(panel.state.clone()).await;
    let path = panel.world.path("run/second.sock");
    tokio::spawn(serve::serve_socket(state, UnixListener::bind(&path).unwrap(), std::future::pending()));
    assert!(Source::follow(&path, Duration::from_millis(500)).await.is_err());
    assert!(workload::fetch(&path).await.is_err());
    let door = Door::connect(&path).await.unwrap();
    assert_eq!(code(door.challenge("local").await), Code::PermissionDenied);
}

/// The SubjectPublicKeyInfo of a certificate, found by its fixed P-256 prefix (RFC 5480): 26 bytes, then the 65-byte
/// point.
fn spki_of(certificate: &[u8]) -> Vec<u8> {
    let prefix = [0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let at = certificate.windows(prefix.len()).position(|window| window == prefix).unwrap();
    certificate[at..at + 91].to_vec()
}
