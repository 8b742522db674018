//! The Unix socket: the Workload API, the door and the launcher's word, all to callers that the kernel names.

use std::{future::Future, sync::Arc};

use bodh_guardian_api::{
    pb,
    pb::{
        door_server::{Door, DoorServer},
        launcher_server::{Launcher, LauncherServer},
    },
};
use bodh_identity::{
    attest::{Caller, Process},
    workload,
};
use tokio::net::UnixListener;
use tonic::{Request, Response, Status, transport::Server};

use super::MAX_REQUEST;
use crate::{
    door,
    issuer::{self, WorkloadIssuer},
    state::State,
};

struct Socket {
    state: Arc<State>,
}

/// Serves the socket until `stop`.
pub async fn serve_socket(
    state: Arc<State>,
    listener: UnixListener,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let refusals = state.clone();
    let callers = workload::incoming(listener, move |error| {
        tracing::warn!(%error, "a caller at the Unix socket could not be named");
        refusals.refusals().count("connect_socket", "unnamed_caller");
    });
    let socket = || Socket { state: state.clone() };
    Server::builder()
        .add_service(workload::service(Arc::new(WorkloadIssuer(state.clone()))))
        .add_service(DoorServer::new(socket()).max_decoding_message_size(MAX_REQUEST))
        .add_service(LauncherServer::new(socket()).max_decoding_message_size(MAX_REQUEST))
        .serve_with_incoming_shutdown(callers, stop)
        .await
}

fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| Status::permission_denied("the caller is not known"))
}

#[tonic::async_trait]
impl Door for Socket {
    async fn challenge(&self, request: Request<pb::ChallengeRequest>) -> Result<Response<pb::ChallengeReply>, Status> {
        let caller = caller(&request)?;
        let reply = door::challenge(&self.state, &caller, request.get_ref()).map_err(|error| error.status())?;
        Ok(Response::new(reply))
    }

    async fn accept(&self, request: Request<pb::AcceptRequest>) -> Result<Response<pb::AcceptReply>, Status> {
        let caller = caller(&request)?;
        let reply = door::accept(&self.state, &caller, request.get_ref()).await;
        Ok(Response::new(reply.map_err(|error| error.status())?))
    }

    async fn recover(&self, request: Request<pb::ChangeKeysRequest>) -> Result<Response<pb::ChangeKeysReply>, Status> {
        let (caller, request) = (caller(&request)?, request.into_inner());
        let reply = door::recover(&self.state, &caller, request).await;
        Ok(Response::new(reply.map_err(|error| error.status())?))
    }

    async fn human_svid(&self, request: Request<pb::HumanSvidRequest>) -> Result<Response<pb::HumanSvidReply>, Status> {
        let caller = caller(&request)?;
        let reply = door::human_svid(&self.state, &caller, request.get_ref()).await;
        Ok(Response::new(reply.map_err(|error| error.status())?))
    }
}

#[tonic::async_trait]
impl Launcher for Socket {
    async fn vouch(&self, request: Request<pb::VouchRequest>) -> Result<Response<pb::VouchReply>, Status> {
        let (caller, request) = (caller(&request)?, request.into_inner());
        let child = Process { pid: request.pid, started: request.started };
        let vouched = issuer::vouch(&self.state, &caller, child, &request.exe_sha256);
        vouched.map_err(|error| error.status())?;
        Ok(Response::new(pb::VouchReply {}))
    }
}
