//! A server that says exactly the bytes it was given, and breaks where it was told to.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What becomes of a connection after its bytes were said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// It is closed.
    Close,
    /// It stays open and nothing more comes.
    Stall,
}

/// A server with one answer for every connection.
pub(crate) struct Playback {
    /// Its base URL.
    pub(crate) base: String,
    requests: Arc<Mutex<Vec<String>>>,
    asked: Arc<Notify>,
    closed: Arc<Notify>,
}

impl Playback {
    /// Begins to listen.
    pub(crate) async fn of(answer: impl Into<String>, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (requests, asked, closed) = (Arc::default(), Arc::default(), Arc::default());
        let playback = Playback { base, requests, asked, closed };
        let (requests, asked) = (playback.requests.clone(), playback.asked.clone());
        let (closed, answer): (_, String) = (playback.closed.clone(), answer.into());
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let request = read_request(&mut tcp).await;
                requests.lock().unwrap().push(request);
                asked.notify_one();
                tcp.write_all(answer.as_bytes()).await.unwrap();
                if matches!(then, Then::Stall) {
                    // Returns when the other side has closed.
                    let _ = tcp.read(&mut [0; 1]).await;
                    closed.notify_one();
                }
            }
        });
        playback
    }

    /// An event stream of these frames, without an end of the body.
    pub(crate) async fn stream(frames: &str, then: Then) -> Self {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_7\r\n\r\n";
        Playback::of(format!("{head}{frames}"), then).await
    }

    /// An answer with a status, headers and a body.
    pub(crate) async fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let lines: String = headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
        let length = body.len();
        let text = format!("HTTP/1.1 {status} X\r\n{lines}content-length: {length}\r\n\r\n{body}");
        Playback::of(text, Then::Close).await
    }

    /// The requests that came, with their headers.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until a request has come.
    pub(crate) async fn was_asked(&self) {
        self.asked.notified().await;
    }

    /// Waits until a client has closed a stalled connection.
    pub(crate) async fn was_closed(&self) {
        self.closed.notified().await;
    }
}

async fn read_request(tcp: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.unwrap_or("0").trim().parse().unwrap();
            if body.len() >= length {
                return text;
            }
        }
        match tcp.read(&mut piece).await.unwrap() {
            0 => return text,
            count => read.extend_from_slice(&piece[..count]),
        }
    }
}
