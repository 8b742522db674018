//! What goes on beside the calls: the authority's age, the guardian's own certificate, counted refusals.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{clock::system_time, error::Error, issuer, refusals, state::State};

/// How often the authority looks at its age: its steps are an hour apart at least.
const ADVANCE_EVERY: Duration = Duration::from_secs(60);
/// The pause after a certificate of our own could not be made.
const RETRY: Duration = Duration::from_secs(1);

/// Starts the guardian's own tasks; they end when the set is dropped.
#[must_use = "the tasks end when the set is dropped"]
pub fn tend(state: &Arc<State>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(advance(state.clone()));
    tasks.spawn(renew(state.clone()));
    tasks.spawn(count(state.clone()));
    tasks
}

async fn advance(state: Arc<State>) {
    let mut every = tokio::time::interval(ADVANCE_EVERY);
    loop {
        every.tick().await;
        if let Err(error) = state.authority().advance(system_time(state.clock())) {
            tracing::error!(%error, "the authority could not be advanced");
        }
    }
}

/// Renews the guardian's own certificate at half life, and whenever the roots change.
async fn renew(state: Arc<State>) {
    let mut bundle = state.authority().bundle();
    bundle.mark_unchanged();
    loop {
        let half_life = state.source().current().renew_after(system_time(state.clock()));
        tokio::select! {
            () = tokio::time::sleep(half_life) => {}
            changed = bundle.changed() => if changed.is_err() {
                return;
            },
        }
        if let Err(error) = renew_once(&state) {
            tracing::error!(%error, "the guardian's own certificate could not be renewed");
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// One new certificate for the guardian itself, shown at the next handshake.
pub fn renew_once(state: &State) -> Result<(), Error> {
    let svid = issuer::issue(state, state.guardian())?;
    let bundle = state.authority().bundle().borrow().as_ref().clone();
    state.source().replace(svid, bundle).map_err(Error::internal)
}

async fn count(state: Arc<State>) {
    let mut every = tokio::time::interval(refusals::EVERY);
    loop {
        every.tick().await;
        state.refusals().write(state.ledger());
    }
}
