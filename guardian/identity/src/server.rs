//! The accepting side: mutual TLS 1.3, the peer attached to each connection.

mod conn;
mod connections;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;

use crate::source::Source;
use crate::tls;
use crate::verify::{self, Refusal};

pub use crate::verify::Peer;
pub use conn::{Conn, GRACE};
pub use connections::{Connections, MAX_LIVE};

/// A handshake ends within this time or is refused.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// At most this many handshakes at once; the rest wait in the listener's queue.
pub const MAX_HANDSHAKES: usize = 1024;
/// The pause after the system refuses to accept (out of descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A connection that was refused before it reached any handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Why: [`Refusal::code`].
    pub code: &'static str,
    /// From where.
    pub remote: SocketAddr,
}

/// The connections that passed, for tonic's `serve_with_incoming`. Dropping it stops accepting.
pub struct Incoming {
    accepted: mpsc::Receiver<io::Result<Conn>>,
}

impl Stream for Incoming {
    type Item = io::Result<Conn>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.accepted.poll_recv(cx)
    }
}

/// Accepts connections: handshakes run side by side, a refused one is reported to `on_refusal` and costs the others
/// nothing. A handler finds the [`Peer`] in its request's extensions. Call it inside a tokio runtime.
pub fn incoming<F>(listener: TcpListener, source: Source, connections: Connections, on_refusal: F) -> Incoming
where
    F: Fn(Refused) + Send + Sync + 'static,
{
    let (passed, accepted) = mpsc::channel(64);
    match tls::server(source, connections.clone()) {
        Ok(config) => {
            let tls = TlsAcceptor::from(Arc::new(config));
            let door = Arc::new(Door { tls, connections, on_refusal, passed });
            tokio::spawn(accept(listener, door));
        }
        Err(error) => {
            // The channel is new and has room, so this is received first and is the last.
            let _ = passed.try_send(Err(io::Error::other(error)));
        }
    }
    Incoming { accepted }
}

struct Door<F> {
    tls: TlsAcceptor,
    connections: Connections,
    on_refusal: F,
    passed: mpsc::Sender<io::Result<Conn>>,
}

async fn accept<F: Fn(Refused) + Send + Sync + 'static>(listener: TcpListener, door: Arc<Door<F>>) {
    let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    loop {
        let Ok(slot) = handshakes.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = door.passed.closed() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let door = door.clone();
        tokio::spawn(async move {
            let result = door.admit(stream).await;
            drop(slot);
            match result {
                // Nobody receives any more when the server is stopping; the connection then closes here.
                Ok(conn) => drop(door.passed.send(Ok(conn)).await),
                Err(refusal) => (door.on_refusal)(Refused { code: refusal.code(), remote }),
            }
        });
    }
}

impl<F> Door<F> {
    async fn admit(&self, stream: TcpStream) -> Result<Conn, Refusal> {
        stream.set_nodelay(true).map_err(|_| Refusal::Handshake)?;
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, self.tls.accept(stream));
        let stream = handshake.await.map_err(|_| Refusal::TimedOut)?.map_err(|error| refusal_of(&error))?;
        let (_, session) = stream.get_ref();
        if session.alpn_protocol() != Some(tls::ALPN) {
            return Err(Refusal::NoAlpn);
        }
        let peer = verify::accepted(session.peer_certificates().unwrap_or_default())?;
        let entry = self.connections.enter(&peer.id)?;
        Ok(Conn::new(stream, peer, entry))
    }
}

fn refusal_of(error: &io::Error) -> Refusal {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    cause.map_or(Refusal::Handshake, tls::refusal_of)
}
