//! The calling side: mutual TLS 1.3 to exactly one identity.
//!
//! Rotation drops no call. A [`Channel`] notices at the next call that its own certificate was renewed (at half life),
//! opens a fresh connection for that call and all later ones, and lets go of the old one, which closes when its calls
//! in flight have ended. The server keeps it until [`crate::server::GRACE`] after the old certificate has ended: half a
//! life and a minute later.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::body::Body;
use tonic::transport::{self, Endpoint, Uri};
use tower::{Service, ServiceExt, service_fn};

use crate::id::SpiffeId;
use crate::source::Source;
use crate::svid::Svid;
use crate::tls;
use crate::verify::Refusal;

/// Connecting, handshake included, ends within this time.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A silent connection is asked for a sign of life this often.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// And is given up when none comes within this time.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// A channel to one service: give it to any generated tonic client. It connects at the first call, again after a
/// failure, and again when its own certificate was renewed. Clones share the connection.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
}

struct Shared {
    addr: SocketAddr,
    source: Source,
    tls: Result<TlsConnector, rustls::Error>,
    live: Mutex<Option<Live>>,
}

struct Live {
    shown: Arc<Svid>,
    channel: transport::Channel,
}

/// A channel to `expected` at `addr`, showing the current certificate of `source`. Nothing is connected yet; whatever
/// is wrong shows in the calls. Call it, and use it, inside a tokio runtime.
pub fn channel(addr: SocketAddr, expected: SpiffeId, source: Source) -> Channel {
    let tls = tls::client(source.clone(), expected).map(|config| TlsConnector::from(Arc::new(config)));
    Channel { shared: Arc::new(Shared { addr, source, tls, live: Mutex::new(None) }) }
}

/// Why the other side, or we, refused a connection, when an error of a call comes from that.
pub fn refusal(error: &(dyn StdError + 'static)) -> Option<Refusal> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(tls::refusal_of(found));
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

impl Shared {
    /// The connection for a call that begins now.
    fn current(&self) -> transport::Channel {
        let shown = self.source.current();
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        match &*live {
            Some(live) if Arc::ptr_eq(&live.shown, &shown) => live.channel.clone(),
            _ => {
                let channel = connect_lazily(self.addr, self.tls.clone());
                *live = Some(Live { shown, channel: channel.clone() });
                channel
            }
        }
    }
}

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = transport::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // The connection is chosen by the call; its own readiness is awaited there.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.shared.current().oneshot(request))
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("addr", &self.shared.addr).finish_non_exhaustive()
    }
}

fn connect_lazily(addr: SocketAddr, tls: Result<TlsConnector, rustls::Error>) -> transport::Channel {
    let endpoint = Endpoint::from(Uri::from_static("http://bodh.internal"))
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
        let tls = tls.clone();
        async move {
            let tls = tls.map_err(io::Error::other)?;
            let connecting = tokio::time::timeout(CONNECT_TIMEOUT, connect(addr, tls));
            let stream = connecting.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            Ok::<_, io::Error>(TokioIo::new(stream))
        }
    }))
}

async fn connect(addr: SocketAddr, tls: TlsConnector) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    // The name is not sent (no SNI) and not compared: the verifier compares the SPIFFE id.
    let stream = tls.connect(ServerName::from(addr.ip()), stream).await?;
    if stream.get_ref().1.alpn_protocol() == Some(tls::ALPN) {
        Ok(stream)
    } else {
        Err(io::Error::other(rustls::Error::NoApplicationProtocol))
    }
}
