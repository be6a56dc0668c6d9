//! What a reservation costs: a call held and settled in four scopes, beside the same two
//! commits without any money.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::conformance::sample::{Pen, dollars, scope, shared};
use engine::ports::{Commit, Store};
use kernel::ledger::{Amount, Move, MoveKind, Scope};
use kernel::units::Money;
use stores::sqlite::Sqlite;

/// How long each form is measured. Both take turns, so that a busy machine slows both.
const MEASURE: Duration = Duration::from_millis(1_500);

/// Rounds, of which the median counts.
const ROUNDS: usize = 3;

/// So many runs at the same time, of one tenant or of one each.
#[derive(Clone, Copy)]
pub(crate) struct Crowd {
    pub(crate) runs: u32,
    pub(crate) one_tenant: bool,
}

/// What was measured of a crowd.
pub(crate) struct Reserved {
    /// Calls held and settled in a second.
    pub(crate) calls_per_second: f64,
    /// Time for a call as a multiple of the time without money.
    pub(crate) ratio: f64,
}

pub(crate) async fn reserved(crowd: Crowd) -> Reserved {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let bare = calls_per_second(crowd, false).await;
        let held = calls_per_second(crowd, true).await;
        rounds.push(Reserved { calls_per_second: held, ratio: bare / held });
    }
    rounds.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    rounds.swap_remove(ROUNDS / 2)
}

async fn calls_per_second(crowd: Crowd, with_money: bool) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Sqlite::open(folder.path().join("bench.db"), Default::default());
    let store: Arc<dyn Store> = Arc::new(store.expect("a store in a fresh folder"));
    let mut pens = Vec::new();
    for number in 0..crowd.runs {
        let tenant = if crowd.one_tenant { "t".to_owned() } else { format!("t{number}") };
        let pen = Pen::opened(&*store, &tenant, u128::from(number)).await;
        pens.push((number, pen.expect("a fresh store takes a session")));
    }
    let began = Instant::now();
    let runs = pens.into_iter().map(|(number, pen)| {
        let store = Arc::clone(&store);
        tokio::spawn(run(store, pen, number, began, with_money))
    });
    let runs: Vec<_> = runs.collect();
    let mut calls = 0;
    for run in runs {
        calls += run.await.expect("a run of the bench ends");
    }
    f64::from(calls) / began.elapsed().as_secs_f64()
}

/// Calls of one run until the time is over.
async fn run(
    store: Arc<dyn Store>,
    mut pen: Pen,
    number: u32,
    began: Instant,
    with_money: bool,
) -> u32 {
    let scopes = scopes(number);
    let (hold, settle) = if with_money { moves(&scopes) } else { (Vec::new(), Vec::new()) };
    let mut calls = 0;
    while began.elapsed() < MEASURE {
        for moves in [&hold, &settle] {
            let commit = Commit { moves: moves.clone(), ..pen.notes(1) };
            pen.write(&*store, commit).await.expect("there is room under every cap");
        }
        calls += 1;
    }
    calls
}

/// The run's own, its user's day and month, and its tenant's month.
fn scopes(number: u32) -> [Scope; 4] {
    let user = format!("user-{}", number % 10);
    [
        scope(u128::from(number)),
        shared("tenant-month", "t", Some("2026-11")),
        shared("user-day", &user, Some("2026-11-21")),
        shared("user-month", &user, Some("2026-11")),
    ]
}

fn moves(scopes: &[Scope]) -> (Vec<Move>, Vec<Move>) {
    let amount = |money| Amount { money: Money(money), tokens: 3_000, requests: 1 };
    let cap = Some(dollars(u64::MAX >> 2));
    let hold = MoveKind::Hold { amount: amount(50_000), cap };
    let settle = MoveKind::Settle { held: amount(50_000), spent: amount(20_000) };
    let each = |kind: MoveKind| {
        scopes.iter().map(|scope| Move { scope: scope.clone(), kind: kind.clone() }).collect()
    };
    (each(hold), each(settle))
}
