//! The Workload API's questions: who is this process, and its next certificate.

use std::{sync::Arc, time::Duration};

use bodh_audit_log::{Draft, Kind, Verdict};
use bodh_identity::{
    Bundle, SpiffeId, Svid,
    attest::{Caller, Process},
    workload::{Denied, Issuer},
};
use tokio::sync::watch;

use crate::{
    authority::Attested,
    clock::system_time,
    error::{Cause, Error},
    state::State,
};

/// What the record calls the issue of a service's certificate.
pub const ISSUE_SVID: &str = "issue_svid";
/// How long a child that hides its executable waits for its launcher's word.
const PATIENCE: Duration = Duration::from_secs(3);

/// The identity of a calling process: its executable is in the signed manifest, no other living process has the
/// identity, and it is not revoked.
pub async fn attest(state: &State, caller: &impl Attested) -> Result<SpiffeId, Error> {
    let attested = identify(state, caller).await;
    if let Err(error) = &attested {
        state.refusals().count(ISSUE_SVID, error.code());
    }
    attested
}

async fn identify(state: &State, caller: &impl Attested) -> Result<SpiffeId, Error> {
    let executable = state.authority().executable(caller, PATIENCE).await?;
    let entry = state.binaries().with_hash(&executable).ok_or(Cause::UnknownExecutable)?;
    let id = entry.spiffe_id.as_deref().ok_or(Cause::NoIdentity)?;
    let id = SpiffeId::parse(id).map_err(Error::internal)?;
    if state.registry().is_revoked(&id) {
        return Err(Cause::Revoked.into());
    }
    if !caller.alive() {
        return Err(Cause::CallerGone.into());
    }
    state.authority().hold(&id, caller, executable)?;
    Ok(id)
}

/// A certificate. Its entry has a place in the queue before it is given; it is not waited for, because the audit
/// service itself begins with one.
pub fn issue(state: &State, id: &SpiffeId) -> Result<Svid, Error> {
    if state.registry().is_revoked(id) {
        state.refusals().count(ISSUE_SVID, Cause::Revoked.code());
        return Err(Cause::Revoked.into());
    }
    let svid = state.authority().issue(id, system_time(state.clock()))?;
    state.ledger().queue(Draft {
        verdict: Some(Verdict::Ok),
        actors: vec![id.to_string()],
        resource: svid.serial().to_owned(),
        ..Draft::new(Kind::Issue, ISSUE_SVID, state.ledger().next_key())
    })?;
    Ok(svid)
}

/// Takes the launcher's word for what its child executes.
pub fn vouch(state: &State, caller: &impl Attested, child: Process, executable: &[u8]) -> Result<(), Error> {
    let refuse = |error: Error| {
        state.refusals().count("vouch", error.code());
        error
    };
    if state.launcher() != Some(caller.process()) {
        return Err(refuse(Cause::NotTheLauncher.into()));
    }
    if state.binaries().with_hash(executable).is_none() {
        return Err(refuse(Cause::UnknownExecutable.into()));
    }
    let executable = executable.try_into().map_err(|_| refuse(Error::Malformed("hash")))?;
    state.authority().vouch(child, executable)
}

/// [`State`] as the Workload API sees it.
pub struct WorkloadIssuer(pub Arc<State>);

impl Issuer for WorkloadIssuer {
    async fn attest(&self, caller: &Caller) -> Result<SpiffeId, Denied> {
        attest(&self.0, caller).await.map_err(denied)
    }

    async fn issue(&self, id: &SpiffeId) -> Result<Svid, Denied> {
        issue(&self.0, id).map_err(denied)
    }

    fn bundle(&self) -> watch::Receiver<Arc<Bundle>> {
        self.0.authority().bundle()
    }
}

fn denied(error: Error) -> Denied {
    match error {
        Error::Refused(cause) => Denied::NoIdentity(cause.code().to_owned()),
        other => Denied::Unavailable(other.code().to_owned()),
    }
}
