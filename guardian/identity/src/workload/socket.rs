//! Connections over a Unix socket, their caller attested once.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::Stream;
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use crate::attest::{self, AttestError, Caller};

/// At most this many callers are measured at once.
const MAX_ATTESTING: usize = 16;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// A connection with its [`Caller`], which handlers find in their request's extensions.
#[derive(Debug)]
pub struct SocketConn {
    stream: UnixStream,
    caller: Caller,
}

/// Attested connections, for tonic's `serve_with_incoming`. Dropping it stops accepting.
pub struct SocketIncoming {
    accepted: mpsc::Receiver<io::Result<SocketConn>>,
}

impl Stream for SocketIncoming {
    type Item = io::Result<SocketConn>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.accepted.poll_recv(cx)
    }
}

/// Accepts and attests. A caller that cannot be named is closed and reported.
pub fn incoming<F>(listener: UnixListener, on_refusal: F) -> SocketIncoming
where
    F: Fn(AttestError) + Send + Sync + 'static,
{
    let (passed, accepted) = mpsc::channel(64);
    tokio::spawn(accept(listener, passed, Arc::new(on_refusal)));
    SocketIncoming { accepted }
}

async fn accept<F>(listener: UnixListener, passed: mpsc::Sender<io::Result<SocketConn>>, on_refusal: Arc<F>)
where
    F: Fn(AttestError) + Send + Sync + 'static,
{
    let attesting = Arc::new(Semaphore::new(MAX_ATTESTING));
    loop {
        let Ok(slot) = attesting.clone().acquire_owned().await else { return };
        let stream = tokio::select! {
            () = passed.closed() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let (passed, on_refusal) = (passed.clone(), on_refusal.clone());
        tokio::task::spawn_blocking(move || {
            let attested = attest::caller(&stream);
            drop(slot);
            match attested {
                // Nobody receives any more when the server is stopping.
                Ok(caller) => drop(passed.blocking_send(Ok(SocketConn { stream, caller }))),
                Err(error) => on_refusal(error),
            }
        });
    }
}

/// A plain HTTP/2 channel over a Unix socket. It connects at the first call.
pub fn connect(socket: &Path) -> Channel {
    let socket: Arc<Path> = socket.into();
    let endpoint = Endpoint::from(Uri::from_static("http://localhost"))
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_while_idle(true);
    endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
        let socket = socket.clone();
        async move { Ok::<_, io::Error>(TokioIo::new(UnixStream::connect(&*socket).await?)) }
    }))
}

impl Connected for SocketConn {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for SocketConn {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for SocketConn {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
