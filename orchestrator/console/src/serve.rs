//! HTTP/1.1 on connections whose handshake is done: each bounded in what it may keep waiting.

use crate::web::Doorway;
use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Semaphore,
};

/// Connections at once; more wait. A live page holds one for as long as it is open.
const CONNECTIONS: usize = 2048;
/// A request's head that is not there by then, or the next request's on a connection that is kept, ends the connection.
const HEAD: Duration = Duration::from_secs(20);
/// The most lines of a head.
const MOST_HEADERS: usize = 64;

/// Serves every connection that comes through the doorway, for ever.
pub(crate) async fn serve(mut doorway: Doorway, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let http = http();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Some(stream) = doorway.next().await else { return };
        let (http, router) = (http.clone(), router.clone());
        tokio::spawn(async move {
            let _place = place;
            converse(&http, stream, router).await;
        });
    }
}

fn http() -> Builder {
    let mut http = Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(MOST_HEADERS);
    http
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(http: &Builder, stream: S, router: Router) {
    let service = TowerToHyperService::new(router);
    // A browser that goes away in the middle of an answer is no failure of ours.
    if let Err(cause) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%cause, "a connection ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::{Instant, timeout},
    };

    fn connect() -> DuplexStream {
        let (ours, theirs) = duplex(4096);
        let router = Router::new().route("/", get(|| async { "here" }));
        tokio::spawn(async move { converse(&http(), theirs, router).await });
        ours
    }

    /// What comes until the connection ends, and how long that took; time stands still but for waiting.
    async fn until_it_ends(mut stream: DuplexStream) -> (String, Duration) {
        let (since, mut said) = (Instant::now(), Vec::new());
        timeout(4 * HEAD, stream.read_to_end(&mut said)).await.unwrap().unwrap();
        (String::from_utf8(said).unwrap(), since.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_never_ends_holds_no_connection() {
        for begun in ["", "GET / HTTP/1.1\r\nHost: here\r\nX-More: "] {
            let mut stream = connect();
            stream.write_all(begun.as_bytes()).await.unwrap();
            let (said, took) = until_it_ends(stream).await;
            assert!(!said.contains("200") && took <= HEAD + Duration::from_secs(1), "{begun:?}: {took:?} {said}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_kept_ends_when_nothing_more_is_asked() {
        let mut stream = connect();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
        let (said, took) = until_it_ends(stream).await;
        assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("here"), "{said}");
        assert!(took <= HEAD + Duration::from_secs(1), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_of_more_lines_than_any_browser_sends_is_refused() {
        let mut stream = connect();
        let lines: String = (0..=MOST_HEADERS).map(|n| format!("X-{n}: 1\r\n")).collect();
        stream.write_all(format!("GET / HTTP/1.1\r\n{lines}\r\n").as_bytes()).await.unwrap();
        let (said, _) = until_it_ends(stream).await;
        assert!(said.starts_with("HTTP/1.1 431"), "{said}");
    }
}
