//! Nudges through the database.

use std::time::Duration;

use engine::conformance::sample::session;
use engine::ports::Dispatch;
use kernel::units::{SessionId, Tenant};
use stores::postgres::Nudges;

use super::super::server::Server;
use super::open;

/// A nudge comes to every process of its store, to no other store's, and again after the
/// server went and came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nudges_reach_every_process_of_the_store() {
    let mut server = Server::start().await;
    let (here, there) = (open(&server, "store").await, open(&server, "store").await);
    let (here, there) = (here.nudges(), there.nudges());
    let elsewhere = open(&server, "other").await.nudges();
    let nudged = (Tenant("a tenant".into()), session(7));
    for _ in 0..2 {
        assert_eq!(insist(&here, &here, &nudged).await, nudged);
        assert_eq!(insist(&here, &there, &nudged).await, nudged);
        server.stop();
        server.start_again().await;
    }
    let unheard = tokio::time::timeout(Duration::from_millis(50), elsewhere.next()).await;
    assert!(unheard.is_err(), "{unheard:?}");
}

/// Nudges until somebody hears it: what is said while nobody listens is lost.
async fn insist(from: &Nudges, to: &Nudges, nudged: &(Tenant, SessionId)) -> (Tenant, SessionId) {
    for _ in 0..200 {
        from.nudge(&nudged.0, nudged.1).await;
        if let Ok(heard) = tokio::time::timeout(Duration::from_millis(50), to.next()).await {
            return heard;
        }
    }
    panic!("ten seconds passed and nobody heard");
}
