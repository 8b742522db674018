//! Joining the panel: an identity, the trust feed, the record, a gate; then serving.

use crate::{
    Config, Fatal, Host,
    trace::{Carrying, Continuing},
};
use bodh_gate::{Gate, Record, Tally, Trust, now_ms};
use bodh_identity::{
    Source, SpiffeId,
    client::{self, Channel},
    server::{self, Connections},
};
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tonic::{service::Routes, transport::Server};

/// How long a service waits for its first identity and for its guardian before it gives up and is started again.
const PATIENCE: Duration = Duration::from_secs(20);

/// A service with its identity, its view of the world, its record and its gate.
#[derive(Clone)]
pub struct Joined {
    /// The certificate in use now.
    pub source: Source,
    /// Live connections, so that a revocation closes them.
    pub connections: Connections,
    /// Refusals before authentication.
    pub tally: Tally,
    /// The gate.
    pub gate: Gate,
    /// The guardian.
    pub guardian: bodh_guardian_api::Client,
}

impl Host {
    /// Takes an identity from the Workload API and follows the guardian; returns once the gate can judge calls.
    ///
    /// # Errors
    /// When the guardian cannot be reached in time or what it sends cannot be trusted.
    pub async fn join(&self) -> Result<(Joined, bodh_audit_api::Client), Fatal> {
        let config = self.config();
        let source = identity(&config.workload_socket).await?;
        let audit = bodh_audit_api::Client::new(channel(config, "audit", config.audit, &source)?);
        let joined = self.join_with(source, Arc::new(audit.clone())).await?;
        Ok((joined, audit))
    }

    /// The same for the record itself, which keeps its entries by its own means.
    ///
    /// # Errors
    /// As [`Host::join`].
    pub async fn join_as_record(&self, record: Arc<dyn Record>) -> Result<Joined, Fatal> {
        let source = identity(&self.config().workload_socket).await?;
        self.join_with(source, record).await
    }

    async fn join_with(&self, source: Source, record: Arc<dyn Record>) -> Result<Joined, Fatal> {
        let config = self.config();
        let guardian = bodh_guardian_api::Client::new(channel(config, "guardian", config.guardian, &source)?);
        let connections = Connections::default();
        let trust = follow(config, &guardian, &connections)?;
        let gate = Gate::new(source.current().id().clone(), trust.clone(), Arc::clone(&record));
        let tally = Tally::default();
        tokio::spawn(tally.clone().keep(record));
        settled(&trust).await?;
        Ok(Joined { source, connections, tally, gate, guardian })
    }
}

/// The service's own identity from the Workload API.
async fn identity(socket: &Path) -> Result<Source, Fatal> {
    let source = Source::follow(socket, PATIENCE).await;
    source.map_err(|cause| Fatal::failure(format!("no identity from {}: {cause}", socket.display())))
}

fn id(config: &Config, name: &str) -> Result<SpiffeId, Fatal> {
    SpiffeId::service(&config.trust_domain, name)
        .map_err(|cause| Fatal::usage(format!("configuration: trust_domain: {cause}")))
}

fn channel(config: &Config, name: &str, at: SocketAddr, source: &Source) -> Result<Carrying<Channel>, Fatal> {
    Ok(Carrying(client::channel(at, id(config, name)?, source.clone())))
}

fn follow(config: &Config, guardian: &bodh_guardian_api::Client, connections: &Connections) -> Result<Trust, Fatal> {
    let trust = Trust::followed(Arc::new(now_ms));
    let feed = bodh_gate::follow(guardian.clone(), id(config, "guardian")?, trust.clone(), connections.clone());
    tokio::spawn(feed);
    Ok(trust)
}

async fn settled(trust: &Trust) -> Result<(), Fatal> {
    let waited = tokio::time::timeout(PATIENCE, async {
        while trust.current().is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.map_err(|_| Fatal::failure("the guardian's trust feed did not arrive in time"))
}

impl Joined {
    /// A channel to the service or agent `expected` at `at`; its exact SPIFFE id is checked at every connection.
    /// Calls carry the current span.
    #[must_use]
    pub fn channel(&self, at: SocketAddr, expected: SpiffeId) -> Carrying<Channel> {
        Carrying(client::channel(at, expected, self.source.clone()))
    }

    /// Serves until SIGTERM: prints `ready`, then accepts mutual TLS on the inherited listener and nothing else.
    ///
    /// # Errors
    /// When serving ends by itself.
    pub async fn serve(&self, host: Host, routes: Routes) -> Result<(), Fatal> {
        serve(&host, &self.source, &self.connections, &self.tally, routes).await
    }
}

/// The one accept loop of every service: mutual TLS on the inherited listener until SIGTERM.
///
/// # Errors
/// When serving ends by itself.
pub async fn serve(
    host: &Host,
    source: &Source,
    connections: &Connections,
    tally: &Tally,
    routes: Routes,
) -> Result<(), Fatal> {
    let listener = host.listener()?;
    let tally = tally.clone();
    let incoming = server::incoming(listener, source.clone(), connections.clone(), move |refused| {
        tally.count(refused.code);
    });
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| Fatal::failure(format!("no signals: {e}")))?;
    announce()?;
    let served = Server::builder()
        .layer(tower::layer::layer_fn(Continuing))
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, async move {
            terminate.recv().await;
        });
    served.await.map_err(|cause| Fatal::failure(format!("serving ended: {cause}")))
}

/// Tells the launcher that calls are accepted now: the listener was bound before this process began.
///
/// # Errors
/// When standard output is gone.
pub fn announce() -> Result<(), Fatal> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(b"ready\n").and_then(|()| out.flush()).map_err(|e| Fatal::failure(format!("standard output: {e}")))
}
