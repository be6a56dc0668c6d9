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
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How long the head of a request may take, in milliseconds.
const HEAD_MS_MAX: u64 = 10_000;

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
    let mut builder = Builder::new(TokioExecutor::new());
    let head = Duration::from_millis(HEAD_MS_MAX);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head).max_buf_size(HEAD_BYTES_MAX);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(64 * 1024);
    loop {
        // Beyond the limit callers wait in the system's queue.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
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
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
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
