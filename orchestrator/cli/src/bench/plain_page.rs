//! The page that `bodh bench pages` holds the console's against: so many bytes of text from axum behind the same TLS, in a process
//! of its own. Nobody signs in, nothing is read or recorded: a measurement's other side, and never a service.

use super::plain::{Beside, until_left};
use super::web::Web;
use crate::failure::{Failure, Outcome};
use crate::launch::Site;
use axum::{Router, extract::Path, response::Html, routing::get, serve::Listener};
use data_encoding::BASE64;
use rustls::{ServerConfig, pki_types::PrivateKeyDer, version::TLS13};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// The hidden word of the command line that makes this program the plain page.
pub(crate) const WORD: &str = "plain-page";
/// The name in its certificate.
const NAME: &str = "localhost";
const MOST: usize = 16 << 20;

fn failed(cause: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!("the plain page: {cause}"))
}

/// Starts it. It ends with the first value.
pub(crate) fn start() -> Outcome<(Beside, Web)> {
    let (child, line) = Beside::start(WORD)?;
    let (port, authority) = line.split_once(' ').ok_or_else(|| failed(&"it did not start"))?;
    let port: u16 = port.parse().map_err(|cause| failed(&cause))?;
    let authority = BASE64.decode(authority.as_bytes()).map_err(|cause| failed(&cause))?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Ok((child, Web::new(at, &format!("https://{NAME}:{port}"), authority)?))
}

/// Connections one after the other: nobody else comes.
struct Doorway(TcpListener, TlsAcceptor);

impl Listener for Doorway {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, peer)) = self.0.accept().await else { continue };
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// Is the plain page: says its port and its authority, answers until its standard input ends.
pub(crate) fn serve() -> Outcome {
    let site = Site::passing(NAME)?;
    let (chain, key) = site.certificate()?;
    let authority = chain.last().map(|der| BASE64.encode(der)).unwrap_or_default();
    let key = PrivateKeyDer::Pkcs8(key.to_vec().into());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|cause| failed(&cause))?
        .with_no_client_auth()
        .with_single_cert(chain.into_iter().map(Into::into).collect(), key)
        .map_err(|cause| failed(&cause))?;
    until_left();
    let runtime = tokio::runtime::Runtime::new().map_err(|cause| failed(&cause))?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|cause| failed(&cause))?;
        let port = listener.local_addr().map_err(|cause| failed(&cause))?.port();
        crate::terminal::print(&format!("{port} {authority}\n")).map_err(|cause| failed(&cause))?;
        let page = |Path(bytes): Path<usize>| async move { Html("x".repeat(bytes.min(MOST))) };
        let doorway = Doorway(listener, TlsAcceptor::from(Arc::new(config)));
        axum::serve(doorway, Router::new().route("/{bytes}", get(page))).await.map_err(|cause| failed(&cause))
    })
}
