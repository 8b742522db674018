//! HTTP/1.1 on connections whose handshake is done: each bounded in what it may keep waiting.

use crate::web::Doorway;
use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Connections at once; more wait. A live page holds one for as long as it is open.
const CONNECTIONS: usize = 2048;
/// A request's head that is not there by then, or the next request's on a connection that is kept, ends the connection.
const HEAD: Duration = Duration::from_secs(20);
/// The most lines of a head.
const MOST_HEADERS: usize = 64;

/// Serves every connection that comes through the doorway, for ever.
pub(crate) async fn serve(mut doorway: Doorway, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(MOST_HEADERS);
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Some(stream) = doorway.next().await else { return };
        let service = TowerToHyperService::new(router.clone());
        let connection = http.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            let _place = place;
            // A browser that goes away in the middle of an answer is no failure of ours.
            if let Err(cause) = connection.await {
                tracing::debug!(%cause, "a connection ended");
            }
        });
    }
}
