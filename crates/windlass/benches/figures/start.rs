//! From the start of the process to its first model call on the wire.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

/// Starts that the median is taken of.
pub(crate) const TRIES: usize = 21;

/// The medians in milliseconds: with a store to be made, and with one that is there.
pub(crate) fn to_first_model_call() -> (f64, f64) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let fresh = median(|| one_start(&listener, &folder_with_agent(port)));
    let used = folder_with_agent(port);
    one_start(&listener, &used);
    (fresh, median(|| one_start(&listener, &used)))
}

fn median(measure: impl Fn() -> f64) -> f64 {
    let mut times: Vec<f64> = (0..TRIES).map(|_| measure()).collect();
    times.sort_by(f64::total_cmp);
    times[TRIES / 2]
}

fn folder_with_agent(port: u16) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let agent = format!(
        "agent_id: bench\nmodel: bench\nsystem_prompt: You are measured.\n\
         allowed_tools: [calculator]\n\
         provider:\n  kind: openai\n  base_url: http://127.0.0.1:{port}/v1\n\
         price:\n  usd_per_million: {{input: 1, output: 1}}\n"
    );
    std::fs::write(folder.path().join("agent.yaml"), agent).expect("the folder takes a file");
    folder
}

fn one_start(listener: &TcpListener, folder: &TempDir) -> f64 {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(["run", "--agent", "agent.yaml", "hello"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program was built");
    let (mut stream, _) = listener.accept().expect("the program calls its model");
    let mut first = [0; 16];
    stream.read_exact(&mut first).expect("the program sends a request");
    let took = began.elapsed().as_secs_f64() * 1e3;
    let _gone = stream
        .write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    drop(stream);
    child.kill().expect("it is still there or its status is");
    child.wait().expect("it was started");
    took
}
