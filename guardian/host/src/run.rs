//! From `main` to a running service.

use crate::{Config, Fatal, config::MAX_BYTES, telemetry};
use bodh_cell::host::{self, Confinement, Enforced};
use std::{fs::File, future::Future, io::Read, net::TcpListener, os::fd::OwnedFd, process::ExitCode, sync::Mutex};
use zeroize::Zeroizing;

/// The descriptor of the TCP listener, by agreement with the launcher.
const LISTENER: i32 = 3;
/// The descriptor of the configuration.
const CONFIG: i32 = 4;

/// A hardened, confined process with its configuration and its listener.
pub struct Host {
    config: Config,
    document: Zeroizing<Vec<u8>>,
    listener: Mutex<Option<TcpListener>>,
    enforced: Enforced,
}

impl Host {
    /// What every service is told.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The whole document, for what only this service is told. Secret.
    #[must_use]
    pub fn document(&self) -> &[u8] {
        &self.document
    }

    /// Takes the inherited listener; once.
    ///
    /// # Errors
    /// When it was taken before, or is not a listening TCP socket.
    pub fn listener(&self) -> Result<tokio::net::TcpListener, Fatal> {
        let mut slot = self.listener.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let listener = slot.take().ok_or_else(|| Fatal::failure("the listener was taken twice"))?;
        let ready = listener.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(listener));
        ready.map_err(|cause| Fatal::failure(format!("descriptor {LISTENER} is not a listening socket: {cause}")))
    }

    /// What the kernel enforces on this process.
    #[must_use]
    pub fn enforced(&self) -> Enforced {
        self.enforced
    }
}

/// Runs a service: hardens the process, reads its configuration, confines it to what `keep` names, then runs `service`
/// in a runtime. Returns the exit status: 0, 1, or 2 when trying again cannot help.
pub fn run<K, S, F>(name: &'static str, keep: K, service: S) -> ExitCode
where
    K: FnOnce(&Config) -> Result<Confinement, Fatal>,
    S: FnOnce(Host) -> F,
    F: Future<Output = Result<(), Fatal>>,
{
    match prepare(name, keep).and_then(|host| begin(name, host, service)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            // The launcher shows a service's last line.
            eprintln!("bodh-{name}: {fatal}");
            fatal.exit_code()
        }
    }
}

fn prepare<K>(name: &str, keep: K) -> Result<Host, Fatal>
where
    K: FnOnce(&Config) -> Result<Confinement, Fatal>,
{
    host::harden().map_err(|cause| Fatal::failure(format!("the process could not be hardened: {cause}")))?;
    let document = read_document()?;
    let config = Config::parse(&document)?;
    if config.name != name {
        return Err(Fatal::usage(format!("configuration: it is for {}", config.name)));
    }
    let listener = TcpListener::from(inherited(LISTENER)?);
    let mut keep = keep(&config)?;
    // The collector's port and no other: where none is configured, there is no way out to one.
    keep.connect_ports.extend(config.otlp.map(|collector| collector.port()));
    let enforced = host::confine(&keep).map_err(|cause| Fatal::failure(cause.to_string()))?;
    Ok(Host { config, document, listener: Mutex::new(Some(listener)), enforced })
}

fn inherited(descriptor: i32) -> Result<OwnedFd, Fatal> {
    host::inherited(descriptor).map_err(|cause| {
        Fatal::usage(format!("descriptor {descriptor} is not there ({cause}); services are started by `bodh up`"))
    })
}

fn read_document() -> Result<Zeroizing<Vec<u8>>, Fatal> {
    let mut document = Zeroizing::new(Vec::new());
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) + 1;
    let read = File::from(inherited(CONFIG)?).take(limit).read_to_end(&mut document);
    match read {
        Ok(length) if length > MAX_BYTES => Err(Fatal::usage("configuration: longer than 4 MiB")),
        Ok(_) => Ok(document),
        Err(cause) => Err(Fatal::failure(format!("configuration: {cause}"))),
    }
}

fn begin<S, F>(name: &'static str, host: Host, service: S) -> Result<(), Fatal>
where
    S: FnOnce(Host) -> F,
    F: Future<Output = Result<(), Fatal>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|cause| Fatal::failure(format!("no runtime: {cause}")))?;
    runtime.block_on(async {
        let spans = telemetry::start(name, host.config().otlp)?;
        tracing::info!(landlock_abi = host.enforced().abi, fully = host.enforced().fully, "confined");
        let served = service(host).await;
        spans.end();
        served
    })
}
