//! Starting: an identity of its own, the certificate for browsers, the routes; then serving.

use crate::{
    app::{App, Site},
    routes::routes,
    serve,
    web::{Doorway, tls},
};
use bodh_host::{Config, Confinement, Fatal, Host};
use data_encoding::BASE64;
use ring::{hmac, rand::SystemRandom};
use serde::Deserialize;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

/// What only the console is told.
#[derive(Deserialize)]
struct Orders {
    web: Web,
}

/// The site, and its certificate (DER in base64).
#[derive(Deserialize)]
struct Web {
    /// `https://localhost:8443`, without a path.
    origin: String,
    /// The name that passkeys are for: the origin's host.
    rp_id: String,
    chain: Vec<String>,
    #[serde(deserialize_with = "secret")]
    key: Zeroizing<String>,
}

fn secret<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

/// Nothing but the published log, to be checked in a browser, and the ports of three services.
pub(crate) fn keep(config: &Config) -> Result<Confinement, Fatal> {
    let connect_ports = vec![config.guardian.port(), config.audit.port(), config.orchestrator.port()];
    let log = config.state_dir.join("log");
    std::fs::create_dir_all(&log).map_err(|cause| Fatal::usage(format!("{}: {cause}", log.display())))?;
    Ok(Confinement { read: vec![log], connect_ports, ..Confinement::default() })
}

pub(crate) async fn serve(host: Host) -> Result<(), Fatal> {
    let told: Orders = serde_json::from_slice(host.document())
        .map_err(|_| Fatal::usage("configuration: the console's site and certificate are missing or malformed"))?;
    let read = |text: &str| BASE64.decode(text.as_bytes()).map_err(|_| Fatal::usage("configuration: not base64"));
    let chain = told.web.chain.iter().map(|text| read(text)).collect::<Result<_, _>>()?;
    let tls = tls(chain, read(&told.web.key)?)?;
    let site = Site::new(&told.web.origin, &told.web.rp_id)
        .ok_or_else(|| Fatal::usage("configuration: the console's origin is not https://NAME or https://NAME:PORT"))?;
    let (joined, _) = host.join().await?;
    let csrf = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
    let csrf = csrf.map_err(|_| Fatal::failure("the system gives no randomness"))?;
    let app = Arc::new(App::new(host.config().clone(), site, joined, csrf));
    let listener = host.listener()?;
    let doorway = Doorway::open(listener, tls);
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| Fatal::failure(format!("no signals: {e}")))?;
    bodh_host::announce()?;
    let ending = async move {
        terminate.recv().await;
    };
    // Live pages hold their connections for as long as they like: the end does not wait for them.
    tokio::select! {
        () = serve::serve(doorway, routes(app)) => Err(Fatal::failure("the listener ended")),
        () = ending => Ok(()),
    }
}
