//! One accepted connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::connections::Entry;
use crate::verify::Peer;

/// How long after its peer's certificate has ended a connection is cut. A client opens its next connection at half
/// life, so only calls that outlast half a life and this see it; a stream that must last longer is opened again by its
/// reader.
pub const GRACE: Duration = Duration::from_secs(60);

/// A connection whose peer is proved. It is cut by [`super::Connections`], and [`GRACE`] after its peer's certificate
/// has ended.
pub struct Conn {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    entry: Entry,
    deadline: SystemTime,
    timer: Pin<Box<Sleep>>,
    ended: bool,
}

impl Conn {
    pub(super) fn new(stream: TlsStream<TcpStream>, peer: Peer, entry: Entry) -> Self {
        let deadline = peer.not_after + entry.grace();
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        Self { stream, peer, entry, deadline, timer: Box::pin(tokio::time::sleep(left)), ended: false }
    }

    /// Who is at the other end.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Ready with an error once the connection is cut; otherwise this task is woken when it is. The wall clock is asked
    /// too, as the timer stands still while the machine sleeps.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.ended {
            self.ended = Pin::new(&mut self.entry.cut).poll(cx).is_ready()
                || self.timer.as_mut().poll(cx).is_ready()
                || SystemTime::now() > self.deadline;
        }
        if self.ended { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl Connected for Conn {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Conn {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Conn {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
