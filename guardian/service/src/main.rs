//! The guardian's process.

use std::{process::ExitCode, sync::Arc};

use bodh_gate::{Record, Tally};
use bodh_guardian::{config::Config, serve, start, start::StartError, state::State, tend::tend};
use bodh_host::{Confinement, Fatal, Host};
use bodh_identity::{Source, SpiffeId, attest::Process, client};
use tokio::net::UnixListener;

/// The descriptor of the Unix listener, by agreement with the launcher.
const SOCKET: i32 = 5;

fn main() -> ExitCode {
    bodh_host::run("guardian", confinement, guard)
}

/// The guardian touches its own folder, the two signed documents, and `/proc` to tell callers apart.
fn confinement(config: &bodh_host::Config) -> Result<Confinement, Fatal> {
    let folder = start::folder(&config.state_dir).map_err(|error| Fatal::usage(error.to_string()))?;
    let documents = ["policy.json", "binaries.json"].map(|name| config.state_dir.join(name));
    let mut read = vec!["/proc".into(), "/dev/urandom".into()];
    read.extend(documents.into_iter().filter(|path| path.exists()));
    Ok(Confinement { read, write: vec![folder], connect_ports: vec![config.audit.port()], ..Confinement::default() })
}

async fn guard(host: Host) -> Result<(), Fatal> {
    let config = Config::parse(host.document()).map_err(|error| Fatal::usage(error.to_string()))?;
    let state = start::open(&config, Arc::new(bodh_gate::now_ms), launcher(), |source| audit(&config, source)).await;
    let state = state.map_err(|error| Fatal::usage(error.to_string()))?;
    let _tasks = tend(&state);
    let socket = serve::serve_socket(state.clone(), listener()?, std::future::pending());
    let calls = serve_calls(host, &state);
    tokio::select! {
        ended = socket => Err(Fatal::failure(format!("the Workload API ended: {ended:?}"))),
        ended = calls => ended,
    }
}

async fn serve_calls(host: Host, state: &Arc<State>) -> Result<(), Fatal> {
    let gate = serve::gate(state);
    let tally = Tally::default();
    tokio::spawn(tally.clone().keep(Arc::new(state.ledger().clone())));
    bodh_host::serve(&host, state.source(), state.connections(), &tally, serve::routes(state, gate)).await
}

fn audit(config: &Config, source: &Source) -> Result<Arc<dyn Record>, StartError> {
    let id = SpiffeId::service(&config.trust_domain, "audit");
    let id = id.map_err(|error| StartError::Inside(error.to_string()))?;
    Ok(Arc::new(bodh_audit_api::Client::new(client::channel(config.audit, id, source.clone()))))
}

/// Who started this process: the only one whose word on other processes counts.
fn launcher() -> Option<Process> {
    let parent = rustix::process::getppid()?;
    Process::of(parent.as_raw_nonzero().get()).ok()
}

fn listener() -> Result<UnixListener, Fatal> {
    let wrong = |cause: String| Fatal::usage(format!("descriptor {SOCKET} is not a Unix listener ({cause})"));
    let descriptor = bodh_cell::host::inherited(SOCKET).map_err(|cause| wrong(cause.to_string()))?;
    let listener = std::os::unix::net::UnixListener::from(descriptor);
    listener.set_nonblocking(true).map_err(|cause| wrong(cause.to_string()))?;
    UnixListener::from_std(listener).map_err(|cause| wrong(cause.to_string()))
}
