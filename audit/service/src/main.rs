//! The record's process.

use std::process::ExitCode;
use std::sync::Arc;

use bodh_audit::{Log, Settings, config::Own, handlers::Handlers, handlers::OwnEntries, system_clock};
use bodh_host::{Config, Confinement, Fatal, Host};
use bodh_identity::{SpiffeId, sealed::AgeKey};
use tonic::service::Routes;

fn main() -> ExitCode {
    bodh_host::run("audit", confinement, record)
}

/// The record touches its own folder and the published one, and asks the guardian.
fn confinement(config: &Config) -> Result<Confinement, Fatal> {
    bodh_audit::make_folders(&config.state_dir).map_err(|error| Fatal::failure(error.to_string()))?;
    Ok(Confinement {
        write: ["audit", "log"].map(|name| config.state_dir.join(name)).into(),
        connect_ports: vec![config.guardian.port()],
        ..Confinement::default()
    })
}

async fn record(host: Host) -> Result<(), Fatal> {
    let log = open(&host).await?;
    let watched = log.clone();
    let me = SpiffeId::service(&host.config().trust_domain, "audit").map_err(|e| Fatal::usage(e.to_string()))?;
    let own = OwnEntries::new(log.clone(), me.to_string()).map_err(|e| Fatal::failure(e.to_string()))?;
    let joined = host.join_as_record(Arc::new(own.clone())).await?;
    let handlers = Handlers::new(log.clone(), own, joined.gate.clone());
    let routes = Routes::new(handlers.into_server());
    tokio::select! {
        served = joined.serve(host, routes) => {
            log.close().await;
            served
        }
        // Nothing is acknowledged any more; a new start checks what is stored and goes on from there.
        cause = watched.failed() => Err(Fatal::failure(cause)),
    }
}

async fn open(host: &Host) -> Result<Log, Fatal> {
    let config = host.config();
    let own = Own::parse(host.document()).map_err(Fatal::usage)?;
    let wrap = AgeKey::parse(own.unlock()).map_err(|e| Fatal::usage(format!("configuration: `unlock`: {e}")))?;
    let settings = Settings {
        state_dir: config.state_dir.clone(),
        origin: format!("{}/log", config.trust_domain),
        clock: system_clock(),
        wrap: Box::new(wrap),
    };
    Log::start(settings).await.map_err(|error| Fatal::failure(error.to_string()))
}
