//! Starting: the store, the packs, the panel's members; what a crash left unfinished; then serving.

use crate::{
    ask::Agents, expiry::Lives, outbox::Outbox, patients::Patients, rules::Rules, runner::Runner, service::Service,
    store::Store,
};
use bodh_host::{Config, Confinement, Fatal, Host};
use bodh_knowledge::Pack;
use bodh_panel_api::pb::panel_server::PanelServer;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
use tonic::service::Routes;

/// The largest request: a case of 4 MiB and its frame.
const MAX_REQUEST: usize = 5 << 20;

fn folder(config: &Config) -> PathBuf {
    config.state_dir.join("orchestrator")
}

/// Its own folder, and the ports of the guardian, the record and the six agents.
pub(crate) fn keep(config: &Config) -> Result<Confinement, Fatal> {
    let folder = folder(config);
    std::fs::create_dir_all(&folder).map_err(|cause| Fatal::usage(format!("{}: {cause}", folder.display())))?;
    let mut connect_ports = vec![config.guardian.port(), config.audit.port()];
    connect_ports.extend(config.agents.values().map(std::net::SocketAddr::port));
    Ok(Confinement { write: vec![folder], connect_ports, ..Confinement::default() })
}

pub(crate) async fn serve(host: Host) -> Result<(), Fatal> {
    let reading = tokio::task::spawn_blocking(pack);
    let store = Store::open(&folder(host.config())).await.map_err(|e| Fatal::usage(e.to_string()))?;
    let fresh = store.is_empty().await.map_err(|e| Fatal::usage(e.to_string()))?;
    let patients = Patients::open(&folder(host.config()), host.document(), fresh)?;
    let (joined, audit) = host.join().await?;
    let failed = |error: crate::error::Error| Fatal::failure(error.to_string());
    let lives = Lives::read(host.document())?;
    let config = host.config();
    let agents = Agents::connect(&joined, &config.trust_domain, &config.agents).map_err(failed)?;
    let pack = reading.await.map_err(|e| Fatal::failure(e.to_string()))??;
    let policy = joined.gate.trust().current().map_err(|e| Fatal::failure(e.to_string()))?.policy_hash;
    let versions = BTreeMap::from([
        ("bodh".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("pack".to_owned(), pack.release().to_owned()),
        ("pack_sha256".to_owned(), data_encoding::HEXLOWER.encode(&pack.sha256())),
        ("policy_sha256".to_owned(), data_encoding::HEXLOWER.encode(&policy)),
    ]);
    let runner = Arc::new(Runner {
        outbox: Outbox::start(store.clone(), audit.clone()),
        store,
        gate: joined.gate.clone(),
        guardian: joined.guardian.clone(),
        audit,
        agents: Arc::new(agents),
        pack,
        rules: Rules::default(),
        patients,
        noted: tokio::sync::Mutex::default(),
        versions,
        lives,
        live: std::sync::Mutex::default(),
        at_work: std::sync::Mutex::default(),
    });
    runner.outbox.wake();
    // Before the first case: a rule that is not loaded would not be in force.
    open_rules(&runner).await?;
    tokio::spawn(resume(Arc::clone(&runner)));
    tokio::spawn(Arc::clone(&runner).let_lapse());
    let server = PanelServer::new(Service { runner }).max_decoding_message_size(MAX_REQUEST);
    joined.serve(host, Routes::new(server)).await
}

fn pack() -> Result<Pack, Fatal> {
    let bad = |cause: bodh_knowledge::PackError| {
        Fatal::usage(format!("knowledge pack: {cause}; this program is damaged, build or install it again"))
    };
    Pack::open(bodh_knowledge::inflate(bodh_knowledge::COMMITTED).map_err(bad)?).map_err(bad)
}

/// Opens the review rules, waiting for the guardian and the record to be there.
async fn open_rules(runner: &Runner) -> Result<(), Fatal> {
    for wait_ms in [50, 100, 200, 400, 800, 1_600, 3_200, 6_400] {
        match runner.load_rules().await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::warn!(%error, "the review rules cannot be opened yet"),
        }
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
    Err(Fatal::failure("the review rules cannot be opened; without them no case is taken"))
}

/// Closes every session at rest that a crash left open, and carries on every one that it left at work.
async fn resume(runner: Arc<Runner>) {
    match runner.store.unclosed().await {
        Ok(sessions) => {
            for (session, trace) in sessions {
                runner.close(&session, &trace).await;
            }
        }
        Err(error) => tracing::error!(%error, "sessions to be closed could not be listed"),
    }
    match runner.store.unfinished().await {
        Ok(sessions) => {
            for session in sessions {
                runner.carry_on_later(session, Duration::ZERO);
            }
        }
        Err(error) => tracing::error!(%error, "unfinished sessions could not be listed"),
    }
}
