//! Connections: taken one by one, with a limit on how many there are and on how long one may
//! take to say what it wants. At the end each finishes the answer under way.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How long the head of a request may take, and a connection be without one, in
/// milliseconds.
const HEAD_MS_MAX: u64 = 20_000;

/// The largest head, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The wait after a connection could not be taken, in milliseconds: most often this process
/// has too many files open, which takes a moment to pass.
const REFUSED_WAIT_MS: u64 = 50;

/// Answers until `stopping` comes true, and then until all is answered or `drain` is over.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    connections_max: usize,
    stopping: &CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(connections_max));
    let graceful = GracefulShutdown::new();
    // Both versions on one port would be told apart by a first read that no timer ends; who
    // speaks HTTP/2 does so to whatever ends TLS in front of this.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    let head = Duration::from_millis(HEAD_MS_MAX);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head).max_buf_size(HEAD_BYTES_MAX);
    loop {
        // Beyond the limit callers wait in the system's queue.
        let place = tokio::select! {
            place = Arc::clone(&room).acquire_owned() => place,
            () = stopping.cancelled() => break,
        };
        let Ok(place) = place else { break };
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            () = stopping.cancelled() => break,
        };
        let stream = match taken {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(REFUSED_WAIT_MS)).await;
                continue;
            }
        };
        // Events are small and should not wait for each other; without it they only do.
        let _slower = stream.set_nodelay(true);
        let service = TowerToHyperService::new(app.clone());
        let (builder, watcher, stopping) = (builder.clone(), graceful.watcher(), stopping.clone());
        tokio::spawn(async move {
            if !says_something(&stream, head, &stopping).await {
                return;
            }
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection.into_owned()).await {
                tracing::debug!(error, "a connection broke");
            }
            drop(place);
        });
    }
    drop(listener);
    // What is not answered by then is cut: its callers send it again.
    let _late = tokio::time::timeout(drain, graceful.shutdown()).await;
    Ok(())
}

/// Whether a first byte comes in time; the timer of a head begins with it.
async fn says_something(
    stream: &TcpStream,
    within: Duration,
    stopping: &CancellationToken,
) -> bool {
    let mut byte = [0];
    tokio::select! {
        peeked = tokio::time::timeout(within, stream.peek(&mut byte)) => {
            matches!(peeked, Ok(Ok(1..)))
        }
        () = stopping.cancelled() => false,
    }
}
