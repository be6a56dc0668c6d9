//! The way out of a cage: an HTTP proxy that asks a gate for each connection.
//!
//! It listens on the cage's own loopback and connects from outside, so it is the only way
//! there is. It connects to the addresses that the gate returns and looks up no name by
//! itself: what was checked is what is connected to. It speaks `CONNECT` and requests in
//! absolute form, one request for each connection.

mod request;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use request::{HEAD_BYTES_MAX, Request};

/// Connections of one cage at a time. More wait.
const CONNECTIONS_MAX: usize = 64;

/// How long a request's head may take, in milliseconds.
const HEAD_MS_MAX: u64 = 10_000;

/// How long connecting may take, in milliseconds.
const CONNECT_MS_MAX: u64 = 10_000;

/// How long one connection may live, in milliseconds.
const CONNECTION_MS_MAX: u64 = 3_600_000;

/// The addresses to connect to, or why not, in words for whoever asked.
pub type Checked = Result<Vec<SocketAddr>, String>;

type Checking = Pin<Box<dyn Future<Output = Checked> + Send>>;

/// Decides about each connection.
#[derive(Clone)]
pub struct Gate(Arc<dyn Fn(String, u16) -> Checking + Send + Sync>);

impl Gate {
    /// A gate that asks for each host, as the program wrote it, and port. The answer is
    /// the addresses to connect to, in their order, or why there is no connection.
    pub fn new<F, C>(check: F) -> Self
    where
        F: Fn(String, u16) -> C + Send + Sync + 'static,
        C: Future<Output = Checked> + Send + 'static,
    {
        Gate(Arc::new(move |host, port| Box::pin(check(host, port))))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

/// Serves a cage's listener until the task is dropped, and all connections with it.
pub(crate) fn serve(listener: OwnedFd, gate: Gate) -> io::Result<JoinHandle<()>> {
    let listener = std::net::TcpListener::from(listener);
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    Ok(tokio::spawn(accept(listener, gate)))
}

async fn accept(listener: TcpListener, gate: Gate) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else { return };
        let gate = gate.clone();
        connections.spawn(async move {
            let life = Duration::from_millis(CONNECTION_MS_MAX);
            // Either side may hang up at any time; there is nobody to tell.
            let _ = timeout(life, pass(stream, gate)).await;
            drop(permit);
        });
    }
}

/// One connection, from its first byte to its last.
async fn pass(mut client: TcpStream, gate: Gate) -> io::Result<()> {
    let read = timeout(Duration::from_millis(HEAD_MS_MAX), head(&mut client)).await;
    let Ok(Ok((head, rest))) = read else {
        return refuse(&mut client, "400 Bad Request", "the request's head is not readable").await;
    };
    let request = match Request::parse(&head) {
        Ok(request) => request,
        Err(why) => return refuse(&mut client, "400 Bad Request", why).await,
    };
    let addresses = match (gate.0)(request.host.clone(), request.port).await {
        Ok(addresses) => addresses,
        Err(why) => return refuse(&mut client, "403 Forbidden", &why).await,
    };
    let Some(mut server) = connect(&addresses).await else {
        let why = format!("`{}` does not answer", request.host);
        return refuse(&mut client, "502 Bad Gateway", &why).await;
    };
    match &request.forward {
        None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?,
        Some(head) => server.write_all(head).await?,
    }
    server.write_all(&rest).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// Reads up to the empty line; what came after it is returned too.
async fn head(client: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let got = client.read(&mut chunk).await?;
        bytes.extend_from_slice(&chunk[..got]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((bytes, rest));
        }
        if got == 0 || bytes.len() > HEAD_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

async fn connect(addresses: &[SocketAddr]) -> Option<TcpStream> {
    let most = Duration::from_millis(CONNECT_MS_MAX);
    for address in addresses {
        if let Ok(Ok(stream)) = timeout(most, TcpStream::connect(address)).await {
            return Some(stream);
        }
    }
    None
}

async fn refuse(client: &mut TcpStream, status: &str, why: &str) -> io::Result<()> {
    let length = why.len() + 1;
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{why}\n"
    );
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}
