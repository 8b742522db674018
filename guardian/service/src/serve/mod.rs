//! The guardian over the wire: its service over mutual TLS behind the gate, and the Unix socket of the Workload API.

mod actions;
mod guardian;
mod socket;

use std::sync::Arc;

use bodh_gate::Gate;
use bodh_guardian_api::pb::guardian_server::GuardianServer;
use tonic::service::Routes;

pub use socket::serve_socket;

use crate::state::State;

/// The largest request: an enrolment record and its signature are far below.
const MAX_REQUEST: usize = 64 * 1024;

/// The guardian's own gate: it records through the guardian's queue.
#[must_use]
pub fn gate(state: &State) -> Gate {
    Gate::new(state.guardian().clone(), state.trust().clone(), Arc::new(state.ledger().clone()))
}

/// The `Guardian` service, for connections from `bodh_identity::server::incoming`.
#[must_use]
pub fn routes(state: &Arc<State>, gate: Gate) -> Routes {
    let service = guardian::Service::new(state.clone(), gate);
    Routes::new(GuardianServer::new(service).max_decoding_message_size(MAX_REQUEST))
}
