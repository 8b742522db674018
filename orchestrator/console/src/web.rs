//! HTTPS on the inherited listener, TLS 1.3 alone: each handshake on its own, bounded in number and in time.

use bodh_host::Fatal;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    version::TLS13,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Handshakes at once; more wait in the kernel's queue.
const HANDSHAKES: usize = 64;
/// A handshake that is not done by then is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections whose handshake is done.
pub(crate) struct Doorway {
    ready: mpsc::Receiver<TlsStream<TcpStream>>,
}

/// The server's side of TLS: `chain` and `key` as DER.
pub(crate) fn tls(chain: Vec<Vec<u8>>, key: Vec<u8>) -> Result<Arc<ServerConfig>, Fatal> {
    let wrong = |cause: rustls::Error| Fatal::usage(format!("the console's certificate: {cause}"));
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(wrong)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(wrong)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl Doorway {
    /// Accepts from now on.
    pub(crate) fn open(listener: TcpListener, config: Arc<ServerConfig>) -> Self {
        let (sender, ready) = mpsc::channel(HANDSHAKES);
        let (acceptor, places) = (TlsAcceptor::from(config), Arc::new(Semaphore::new(HANDSHAKES)));
        tokio::spawn(async move {
            while let Ok(place) = Arc::clone(&places).acquire_owned().await {
                let stream = match listener.accept().await {
                    Ok((stream, _)) => stream,
                    Err(cause) => {
                        tracing::warn!(%cause, "a connection was not accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                };
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    let _place = place;
                    // An answer's last part is not held back until the one before it is acknowledged: on a fresh connection
                    // that would be 40 ms. A socket that does not take it works as well, only later.
                    let _at_once = stream.set_nodelay(true);
                    let shaken = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await;
                    if let Ok(Ok(stream)) = shaken {
                        // Nobody to take it: the server is ending.
                        let _ = sender.send(stream).await;
                    }
                });
            }
        });
        Self { ready }
    }

    /// The next connection; none when no more will come.
    pub(crate) async fn next(&mut self) -> Option<TlsStream<TcpStream>> {
        self.ready.recv().await
    }
}
