//! The PostgreSQL store keeps every law of the port, against private servers.

mod crowds;
mod erasure;
mod failures;
mod nudges;
mod opening;
mod values;

use std::cell::Cell;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::conformance;
use engine::ports::Store;
use secrets::Secret;
use stores::postgres::{Options, Postgres};
use stores::sealing::{Keyring, Sealing};

use super::server::Server;

/// Few, so that work waits for connections.
const CONNECTIONS_MAX: usize = 8;

fn options(schema: &str) -> Options {
    Options { schema: schema.to_owned(), connections_max: CONNECTIONS_MAX, ..Options::default() }
}

async fn open(server: &Server, schema: &str) -> Postgres {
    Postgres::open(&server.url(), options(schema)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_conforms() {
    let server = Server::start().await;
    let count = Cell::new(0);
    let make = async || {
        count.set(count.get() + 1);
        Arc::new(open(&server, &format!("store_{}", count.get())).await) as Arc<dyn Store>
    };
    conformance::all(make).await.unwrap_or_else(|broken| panic!("{broken}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_behind_a_seal() {
    let server = Server::start().await;
    let count = Cell::new(0);
    let make = async || {
        count.set(count.get() + 1);
        let key = Secret::of_text(STANDARD.encode([7; 32])).unwrap();
        let store = open(&server, &format!("store_{}", count.get())).await;
        Arc::new(Sealing::new(Arc::new(store), Keyring::of(key))) as Arc<dyn Store>
    };
    conformance::all(make).await.unwrap_or_else(|broken| panic!("{broken}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_when_it_is_opened_again() {
    let server = Server::start().await;
    let make = async || Arc::new(open(&server, "store").await) as Arc<dyn Store>;
    conformance::reopened(make, async |store| drop(store))
        .await
        .unwrap_or_else(|broken| panic!("{broken}"));
}
