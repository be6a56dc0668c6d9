//! A connection that can be told to break: for answers that end inside their headers.
//!
//! HTTP libraries always send whole headers, so the break has to happen below them. Until
//! it is told, a [`Line`] is an ordinary TCP connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What still goes out of a line that was told to break, in bytes: `HTTP/1.1 200 O`.
const LAST_BYTES: usize = 14;

/// Breaks the connection that it belongs to.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker(Arc<AtomicBool>);

impl Breaker {
    /// From the next write on: a few bytes, and then nothing more.
    pub(super) fn trip(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Accepts connections that can break.
pub(super) struct Lines(pub(super) TcpListener);

/// One connection.
pub(super) struct Line {
    tcp: TcpStream,
    breaker: Breaker,
    broken: bool,
}

impl Listener for Lines {
    type Io = Line;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (tcp, from) = Listener::accept(&mut self.0).await;
        // Pieces of an answer should leave as they are written.
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        (Line { tcp, breaker: Breaker::default(), broken: false }, from)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Lines>> for Breaker {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().breaker.clone()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if !self.breaker.0.load(Ordering::Acquire) {
            return Pin::new(&mut self.tcp).poll_write(cx, bytes);
        }
        let last = &bytes[..bytes.len().min(LAST_BYTES)];
        let written = ready!(Pin::new(&mut self.tcp).poll_write(cx, last));
        self.broken = true;
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
