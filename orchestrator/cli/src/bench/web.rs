//! A browser's side of HTTPS on loopback, as much of it as the measurement of the pages needs: HTTP/1.1 on one kept connection,
//! and events as they come. It trusts one authority, as a browser is told to, and reaches nothing but the console.

use crate::failure::{Failure, Outcome};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
    version::TLS13,
};
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The longest line of an answer's head, and the largest body that is taken.
const MOST_LINE: usize = 16 << 10;
const MOST_BODY: usize = 16 << 20;

/// A site on this machine.
#[derive(Clone)]
pub(crate) struct Web {
    address: SocketAddr,
    pub(crate) origin: String,
    tls: Arc<ClientConfig>,
}

/// One kept connection.
pub(crate) struct Connection {
    stream: BufReader<TlsStream<TcpStream>>,
    origin: String,
    cookie: Option<String>,
}

/// What was answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

fn lost(cause: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!("the console's connection: {cause}"))
}

impl Web {
    /// The site at `origin`, whose certificate `authority` (DER) vouches for.
    pub(crate) fn new(address: SocketAddr, origin: &str, authority: Vec<u8>) -> Outcome<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authority)).map_err(|cause| lost(&cause))?;
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .map_err(|cause| lost(&cause))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { address, origin: origin.to_owned(), tls: Arc::new(tls) })
    }

    /// A new connection; its handshake is done. `cookie` goes with every request.
    pub(crate) async fn connect(&self, cookie: Option<&str>) -> Outcome<Connection> {
        let stream = TcpStream::connect(self.address).await.map_err(|cause| lost(&cause))?;
        stream.set_nodelay(true).map_err(|cause| lost(&cause))?;
        let host = self.origin.trim_start_matches("https://");
        let name = host.split(':').next().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(|cause| lost(&cause))?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await;
        let stream = BufReader::new(stream.map_err(|cause| lost(&cause))?);
        Ok(Connection { stream, origin: self.origin.clone(), cookie: cookie.map(str::to_owned) })
    }
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Nothing else than 200 is a measurement.
    pub(crate) fn sound(self, path: &str) -> Outcome<Self> {
        if self.status == 200 {
            return Ok(self);
        }
        Err(Failure::failed(format!("{path}: answered {}", self.status)))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Connection {
    /// The whole answer to a GET.
    pub(crate) async fn get(&mut self, path: &str) -> Outcome<Answer> {
        let mut answer = self.ask(path).await?;
        answer.body = self.body(&answer).await?;
        Ok(answer)
    }

    /// The whole answer to a script's POST.
    pub(crate) async fn post(&mut self, path: &str, kind: &str, body: &[u8]) -> Outcome<Answer> {
        let more = format!(
            "Origin: {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nAccept: application/json\r\n",
            self.origin,
            body.len()
        );
        self.send("POST", path, &more, body).await?;
        let mut answer = self.head().await?;
        answer.body = self.body(&answer).await?;
        Ok(answer)
    }

    /// Begins a GET: its body is still to come.
    pub(crate) async fn ask(&mut self, path: &str) -> Outcome<Answer> {
        self.send("GET", path, "Accept: text/html, text/event-stream\r\n", &[]).await?;
        self.head().await
    }

    /// The name of the next event of a stream; none at its end.
    pub(crate) async fn event(&mut self) -> Outcome<Option<String>> {
        loop {
            let chunk = self.chunk().await?;
            if chunk.is_empty() {
                return Ok(None);
            }
            // The console writes an event as one chunk; a comment only keeps the connection.
            let text = String::from_utf8_lossy(&chunk).into_owned();
            if let Some(name) = text.lines().find_map(|line| line.strip_prefix("event:")) {
                return Ok(Some(name.trim().to_owned()));
            }
        }
    }

    async fn send(&mut self, method: &str, path: &str, more: &str, body: &[u8]) -> Outcome {
        let host = self.origin.trim_start_matches("https://");
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{cookie}{more}\r\n");
        let whole = [head.as_bytes(), body].concat();
        self.stream.write_all(&whole).await.map_err(|cause| lost(&cause))?;
        self.stream.flush().await.map_err(|cause| lost(&cause))
    }

    async fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        let most = MOST_LINE as u64;
        let read = (&mut self.stream).take(most).read_line(&mut line).await.map_err(|cause| lost(&cause))?;
        if read == 0 || !line.ends_with('\n') {
            return Err(lost(&"it ended in the middle of an answer"));
        }
        Ok(line.trim_end().to_owned())
    }

    async fn head(&mut self) -> Outcome<Answer> {
        let first = self.line().await?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut answer = Answer { status: status.ok_or_else(|| lost(&"no status"))?, ..Answer::default() };
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { return Ok(answer) };
            answer.head.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    async fn body(&mut self, answer: &Answer) -> Outcome<Vec<u8>> {
        let mut body = Vec::new();
        if answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            loop {
                let chunk = self.chunk().await?;
                if chunk.is_empty() {
                    return Ok(body);
                }
                body.extend(chunk);
                if body.len() > MOST_BODY {
                    return Err(lost(&"an answer is too large"));
                }
            }
        }
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        self.exactly(length).await
    }

    /// The next chunk (RFC 9112, section 7.1); empty is the end.
    async fn chunk(&mut self) -> Outcome<Vec<u8>> {
        let line = self.line().await?;
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| lost(&"a chunk without a size"))?;
        let chunk = self.exactly(size).await?;
        self.line().await?;
        Ok(chunk)
    }

    async fn exactly(&mut self, length: usize) -> Outcome<Vec<u8>> {
        if length > MOST_BODY {
            return Err(lost(&"an answer is too large"));
        }
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await.map_err(|cause| lost(&cause))?;
        Ok(bytes)
    }
}
