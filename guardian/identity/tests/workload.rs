//! The Workload API over a Unix socket: ours at both ends, and a third party's client.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[macro_use]
mod stage;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bodh_identity::attest::{self, Caller, Process};
use bodh_identity::ca::Ca;
use bodh_identity::workload::proto::X509svidRequest;
use bodh_identity::workload::proto::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use bodh_identity::workload::{self, Denied, Issuer};
use bodh_identity::{Bundle, Source, SourceError, SpiffeId, Svid};
use stage::{DOMAIN, Stage, call, id};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

const SHORT: Duration = Duration::from_secs(2);

struct TestIssuer {
    ca: Ca,
    bundle: watch::Sender<Arc<Bundle>>,
    denies: AtomicBool,
}

impl Issuer for TestIssuer {
    async fn attest(&self, caller: &Caller) -> Result<SpiffeId, Denied> {
        let executable = caller.executable().ok_or_else(|| Denied::NoIdentity("unmeasured".to_owned()))?;
        assert_eq!(executable.path, std::env::current_exe().unwrap());
        if self.denies.load(Ordering::SeqCst) { Err(Denied::NoIdentity("test".to_owned())) } else { Ok(id("audit")) }
    }

    async fn issue(&self, id: &SpiffeId) -> Result<Svid, Denied> {
        self.ca.issue(id, SHORT, SystemTime::now()).map_err(|error| Denied::Unavailable(error.to_string()))
    }

    fn bundle(&self) -> watch::Receiver<Arc<Bundle>> {
        self.bundle.subscribe()
    }
}

fn issuer() -> Arc<TestIssuer> {
    let ca = Ca::generate(DOMAIN, SystemTime::now()).unwrap();
    let bundle = watch::Sender::new(Arc::new(ca.bundle().unwrap()));
    Arc::new(TestIssuer { ca, bundle, denies: AtomicBool::new(false) })
}

fn serve(socket: &Path, issuer: &Arc<TestIssuer>) -> tokio::task::JoinHandle<()> {
    let listener = UnixListener::bind(socket).unwrap();
    let serving = workload::serve(listener, issuer.clone(), std::future::pending());
    tokio::spawn(async move { serving.await.unwrap() })
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("workload.sock");
    (folder, socket)
}

#[tokio::test]
async fn a_followed_source_renews_and_survives_a_restart_of_the_api() {
    let ((_folder, socket), issuer) = (folder(), issuer());
    let server = serve(&socket, &issuer);
    let source = Source::follow(&socket, Duration::from_secs(5)).await.unwrap();
    assert!(source.is_following());
    let stage = Stage::new(source.clone()).await;
    let channel = stage.channel("audit", &source);
    let mut serials = std::collections::BTreeSet::new();
    for round in 0..50 {
        if round == 20 {
            server.abort();
            std::fs::remove_file(&socket).unwrap();
        }
        if round == 25 {
            serve(&socket, &issuer);
        }
        serials.insert(source.current().serial().to_owned());
        call(&channel).await.expect("a call was dropped");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(serials.len() >= 4, "{serials:?}");
}

#[tokio::test]
async fn new_roots_are_pushed_at_once() {
    let ((_folder, socket), issuer) = (folder(), issuer());
    serve(&socket, &issuer);
    let source = Source::follow(&socket, Duration::from_secs(5)).await.unwrap();
    let second = Ca::generate(DOMAIN, SystemTime::now()).unwrap().bundle().unwrap();
    let both = issuer.ca.bundle().unwrap().certificates().chain(second.certificates()).cloned().collect();
    let changed = source.changed();
    issuer.bundle.send_replace(Arc::new(Bundle::new(DOMAIN, both).unwrap()));
    tokio::time::timeout(Duration::from_millis(500), changed).await.expect("no push");
    assert_eq!(source.bundle().certificates().count(), 2);
}

#[tokio::test]
async fn the_refused_get_nothing_and_learn_little() {
    let ((_folder, socket), issuer) = (folder(), issuer());
    let absent = Source::follow(&socket, Duration::from_millis(200)).await;
    assert!(matches!(absent, Err(SourceError::NoSvid { .. })));
    serve(&socket, &issuer);
    let mut client = SpiffeWorkloadApiClient::new(workload::connect(&socket));
    let status = client.fetch_x509svid(X509svidRequest {}).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    issuer.denies.store(true, Ordering::SeqCst);
    let mut request = tonic::Request::new(X509svidRequest {});
    request.metadata_mut().insert(workload::SECURITY_HEADER, "true".parse().unwrap());
    let status = client.fetch_x509svid(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::PermissionDenied);
    assert!(!status.message().contains("test"));
    let denied = Source::follow(&socket, Duration::from_millis(200)).await.unwrap_err();
    assert!(denied.to_string().contains("permission"), "{denied}");
}

#[tokio::test]
async fn a_third_party_client_reads_our_certificates() {
    let ((_folder, socket), issuer) = (folder(), issuer());
    serve(&socket, &issuer);
    let client = spiffe::WorkloadApiClient::connect_to(format!("unix:{}", socket.display())).await.unwrap();
    let context = client.fetch_x509_context().await.unwrap();
    let svid = context.default_svid().unwrap();
    assert_eq!(svid.spiffe_id().to_string(), "spiffe://test.internal/service/audit");
    assert_eq!(svid.cert_chain().len(), 1);
    let bundles = client.fetch_x509_bundles().await.unwrap();
    let bundle = bundles.get(&spiffe::TrustDomain::new(DOMAIN).unwrap()).unwrap();
    assert_eq!(bundle.authorities().len(), 1);
}

#[tokio::test]
async fn a_caller_is_named_by_the_kernel() {
    let (_folder, socket) = folder();
    let listener = UnixListener::bind(&socket).unwrap();
    let _mine = UnixStream::connect(&socket).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let caller = attest::caller(&stream).unwrap();
    let pid = i32::try_from(std::process::id()).unwrap();
    assert_eq!(caller.process(), Process::of(pid).unwrap());
    assert_eq!(caller.parent(), i32::try_from(std::os::unix::process::parent_id()).unwrap());
    assert!(caller.alive());
    let mut me = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(caller.executable().unwrap().sha256, attest::measure(&mut me).unwrap());
}

/// The child process of the next tests; nothing by itself.
#[test]
fn connects_and_waits() {
    let Some(socket) = std::env::var_os("CONNECT_TO") else { return };
    let _held = std::os::unix::net::UnixStream::connect(socket).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

/// Connects from a copy of this program, and gives what the kernel says of it.
async fn child(program: &Path, spoil: impl FnOnce(&mut std::process::Child)) -> Result<Caller, attest::AttestError> {
    let (_folder, socket) = folder();
    let listener = UnixListener::bind(&socket).unwrap();
    let mut child = Command::new(program)
        .args(["--exact", "connects_and_waits"])
        .env("CONNECT_TO", &socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    spoil(&mut child);
    let caller = attest::caller(&stream);
    let ended = child.kill().and_then(|()| child.wait());
    assert!(ended.is_ok());
    caller
}

#[tokio::test]
async fn a_caller_that_ended_or_whose_executable_is_gone_is_refused() {
    let (folder, _) = folder();
    let program = folder.path().join("caller");
    let this = std::env::current_exe().unwrap();
    std::fs::copy(&this, &program).unwrap();
    let good = child(&program, |_| {}).await.unwrap();
    assert_eq!(good.executable().unwrap().path, program);
    assert!(!good.alive(), "it was ended");
    let ended = child(&program, |child| {
        child.kill().unwrap();
        child.wait().unwrap();
    });
    assert!(matches!(ended.await, Err(attest::AttestError::Gone)));
    let path = program.clone();
    let removed = child(&program, move |_| std::fs::remove_file(path).unwrap()).await;
    assert!(matches!(removed, Err(attest::AttestError::Replaced)));
    std::fs::copy(&this, &program).unwrap();
    let (path, other) = (program.clone(), folder.path().join("other"));
    std::fs::copy(&this, &other).unwrap();
    let replaced = child(&program, move |_| std::fs::rename(other, path).unwrap()).await;
    assert!(matches!(replaced, Err(attest::AttestError::Replaced)));
}
