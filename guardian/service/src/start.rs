//! From a configuration to a running state, or to one clear line saying why not.

use std::{
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_gate::{Clock, Record, Trust};
use bodh_identity::{Source, SpiffeId, attest::Process, server::Connections, signing::Context};
use bodh_policy::{Bundle, Policies};

use crate::{
    authority::Authority,
    clock::system_time,
    config::{Config, ConfigError},
    delegates::Delegates,
    documents::{self, DocumentError},
    door::Nonces,
    error::Error,
    keys::{KeyError, Keyring},
    ledger::{CAPACITY, Ledger},
    people,
    refusals::Refusals,
    registry::{Registry, RegistryError},
    state::{Policy, Scope, State},
    store::{Store, StoreError},
    trust,
    watch::Watchers,
};

/// Why the guardian does not start. One line for the operator; trying again without a change does not help.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder cannot be made.
    #[error("{0}: cannot be made ({1}); give the guardian's user write permission on the state folder")]
    Folder(PathBuf, std::io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sealed keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The people in the database.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The first person's record.
    #[error("the first person's record is refused: {0}")]
    Bootstrap(#[source] Error),
    /// Nobody is enrolled, and no first person was given.
    #[error("nobody is enrolled; the first start of a state folder needs a first person's signed record")]
    Nobody,
    /// One of the signed documents.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Something inside.
    #[error("the guardian cannot start: {0}")]
    Inside(String),
}

/// Opens the state folder and everything in it. `record` makes the way to the audit service, given the guardian's own
/// certificate.
pub async fn open(
    config: &Config,
    clock: Clock,
    launcher: Option<Process>,
    record: impl FnOnce(&Source) -> Result<Arc<dyn Record>, StartError>,
) -> Result<Arc<State>, StartError> {
    let folder = folder(&config.state_dir)?;
    let fresh = !folder.join("guardian.db").exists();
    let keyring = Keyring::new(&folder, &config.unlock)?;
    // Keys before the database: a crash in between leaves a folder that still counts as fresh.
    let (vault, token_key) = (keyring.vault(fresh)?, keyring.token(fresh)?);
    let ca = keyring.ca(&config.trust_domain, system_time(&clock))?;
    let store = Store::open(&folder).await?;
    let registry = enrolled(config, &store, &clock).await?;
    let policy = policy(&config.policy, &registry)?;
    let binaries = documents::read_binaries(&config.binaries, &registry)?;
    let guardian = SpiffeId::service(&config.trust_domain, "guardian").map_err(inside)?;
    let authority = Authority::new(ca, keyring).map_err(inside)?;
    let svid = authority.issue(&guardian, system_time(&clock)).map_err(inside)?;
    let source = Source::fixed(svid, authority.bundle().borrow().as_ref().clone()).map_err(inside)?;
    let ledger = Ledger::start(record(&source)?, CAPACITY).map_err(inside)?;
    let trust = Trust::source(trust::view(&registry, &policy, &token_key, &guardian), clock.clone());
    let state = State {
        trust_domain: config.trust_domain.clone(),
        guardian,
        scope: Scope {
            audiences: config.audiences.iter().map(ToString::to_string).collect(),
            tools: config.tools.iter().cloned().collect(),
        },
        launcher,
        clock,
        store,
        registry,
        policy,
        binaries,
        vault,
        token_key,
        authority,
        source,
        ledger,
        refusals: Refusals::default(),
        nonces: Nonces::default(),
        delegates: Delegates::default(),
        watchers: Watchers::default(),
        trust,
        connections: Connections::default(),
    };
    announce(&state).map_err(inside)?;
    Ok(Arc::new(state))
}

/// The guardian's own folder, which only its user can enter.
pub fn folder(state_dir: &Path) -> Result<PathBuf, StartError> {
    let folder = state_dir.join("guardian");
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|error| StartError::Folder(folder.clone(), error))?;
    Ok(folder)
}

async fn enrolled(config: &Config, store: &Store, clock: &Clock) -> Result<Registry, StartError> {
    let registry = Registry::load(store.clone(), &config.trust_domain).await?;
    if let Some(first) = &config.bootstrap {
        people::bootstrap(&registry, &config.trust_domain, clock, first).await.map_err(StartError::Bootstrap)?;
    }
    if registry.people().is_empty() { Err(StartError::Nobody) } else { Ok(registry) }
}

fn policy(path: &Path, registry: &Registry) -> Result<Policy, StartError> {
    let verified = documents::read(path, Context::Policy, registry)?;
    let unusable = |cause: String| documents::content(path, Context::Policy, cause);
    let bundle: Bundle = serde_json::from_slice(&verified.payload).map_err(|error| unusable(error.to_string()))?;
    let policies = Policies::load(&bundle).map_err(|error| unusable(error.to_string()))?;
    Ok(Policy {
        document: verified.document,
        operator_key: verified.key,
        hash: bundle.hash(),
        policies: Arc::new(policies),
    })
}

/// The first entries: that the guardian started, under which policy, and, under a key that makes it one entry however
/// often the guardian starts, whom it believed first and whose keys changed last.
fn announce(state: &State) -> Result<(), Error> {
    let ledger = state.ledger();
    if let Some(first) = state.registry().people().first() {
        let record = bodh_token::sha256(&first.stored.record);
        let hash = data_encoding::HEXLOWER.encode(&record);
        ledger.queue(Draft {
            verdict: Some(Verdict::Ok),
            actors: vec![first.id.to_string()],
            resource: first.id.to_string(),
            commitments: [("record".to_owned(), record)].into(),
            ..Draft::new(Kind::Decision, "bootstrap", format!("bootstrap/{hash}"))
        })?;
    }
    crate::passkeys::last(state).map_or(Ok(()), |entry| ledger.queue(entry))?;
    ledger.queue(Draft {
        verdict: Some(Verdict::Ok),
        policy: Some(state.policy().hash),
        versions: [("guardian".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into(),
        ..Draft::new(Kind::State, "start", ledger.next_key())
    })
}

fn inside(error: impl std::fmt::Display) -> StartError {
    StartError::Inside(error.to_string())
}
