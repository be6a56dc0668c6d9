//! Money: moves are all or nothing, caps hold, settled + held + free = granted.

use std::sync::Arc;

use bytes::Bytes;
use kernel::event::Stored;
use kernel::ledger::{Allowance, Amount, Balance, Measure, Move, MoveKind, Scope};
use kernel::units::{Money, SessionId, Tenant, UnixMs};

use super::sample::{Pen, brief, charge, dollars, grant, hold, payload, scope, settle};
use super::{Broken, Kept, fails, is_missing, same, works};
use crate::ports::{Commit, Listed, Listing, SpendRow, Status, Store, StoreError};

/// Each move does to a stored balance what it does to one in the kernel.
pub async fn moves_follow_the_balance(store: &Arc<dyn Store>) -> Kept {
    let (a, b) = (scope(1), scope(2));
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let unknown = works("a balance reads", store.balance(&pen.tenant, &a).await)?;
    same("an unknown scope has no balance", unknown, None)?;
    let inherited = MoveKind::Grant { cap: dollars(500), inherited: Amount::of(Money(120)) };
    let uncapped = MoveKind::Grant { cap: Allowance::NONE, inherited: Amount::ZERO };
    let nearly = Amount::of(Money(u64::MAX - 5));
    let vast = MoveKind::Grant { cap: dollars(u64::MAX), inherited: nearly };
    let steps: [(&str, Vec<Move>); 9] = [
        ("a grant makes a scope", vec![grant(&a, 100)]),
        ("a hold may fit exactly", vec![hold(&a, 100)]),
        ("a settlement frees what was not spent", vec![settle(&a, 100, 30)]),
        ("moves act in their order", vec![hold(&a, 70), settle(&a, 70, 0), hold(&a, 70)]),
        ("a settlement is never refused", vec![settle(&a, 70, 900)]),
        ("a raised cap counts at once", vec![grant(&a, 1_000), hold(&a, 70)]),
        ("a fork inherits what was spent", vec![Move { scope: b.clone(), kind: inherited }]),
        (
            "without a cap all holds fit",
            vec![Move { scope: b.clone(), kind: uncapped }, hold(&b, 1 << 60)],
        ),
        (
            "the largest sums are exact",
            vec![Move { scope: scope(3), kind: vast }, hold(&scope(3), 5)],
        ),
    ];
    let mut expected = std::collections::BTreeMap::<Scope, Balance>::new();
    for (law, moves) in steps {
        for change in &moves {
            let balance = expected.entry(change.scope.clone()).or_default();
            balance.apply(change).map_err(|cap| super::broken(law, cap.to_string()))?;
        }
        pen.write(&**store, Commit { moves, ..pen.notes(1) }).await?;
        for (scope, balance) in &expected {
            let found = works(law, store.balance(&pen.tenant, scope).await)?;
            same(law, found, Some(*balance))?;
        }
    }
    Ok(())
}

/// A hold without room refuses its whole commit: no fact, no other move, no payload, no
/// charge, no brief.
pub async fn a_refusal_changes_nothing(store: &Arc<dyn Store>) -> Kept {
    let (a, b) = (scope(1), scope(2));
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let granted = vec![grant(&a, 100), grant(&b, 100), hold(&b, 60)];
    let charges = vec![charge(5, "ada", 9, false)];
    pen.write(&**store, Commit { moves: granted, charges, ..pen.notes(1) }).await?;
    let before = Seen::of(&**store, &pen).await?;
    let secret = payload(b"only with the commit");

    let richer = Pen { brief: brief(Status::Parked, Some(1)), ..pen.clone() };
    let refused = Commit {
        moves: vec![hold(&a, 100), grant(&scope(3), 9), hold(&b, 41), settle(&a, 100, 1)],
        charges: vec![charge(5, "ada", 1, false), charge(6, "bob", 1, true)],
        payloads: vec![secret.clone()],
        ..richer.notes(2)
    };
    let no_room = |error: &StoreError| {
        matches!(error, StoreError::Cap(cap) if cap.scope == b && cap.measure == Measure::Money
            && (cap.cap, cap.settled, cap.held, cap.needed) == (100, 0, 60, 41))
    };
    let law = "a hold without room is refused, with the figures of its scope";
    fails(law, store.commit(refused.clone()).await, no_room)?;
    same("a refused commit changes nothing", Seen::of(&**store, &pen).await?, before)?;
    let unknown = works("a balance reads", store.balance(&pen.tenant, &scope(3)).await)?;
    same("a refused commit grants nothing", unknown, None)?;
    let unkept = store.payload(&pen.tenant, None, secret.hash).await;
    fails("a refused commit keeps no payload", unkept, is_missing)?;

    let behind = Commit { expected_seq: 1, ..Pen { seq: 1, ..richer.clone() }.notes(2) };
    let stale = |error: &StoreError| matches!(error, StoreError::Stale { .. });
    let law = "being stale comes before being without room";
    fails(law, store.commit(Commit { moves: refused.moves, ..behind }).await, stale)?;
    let fits = Commit { moves: vec![hold(&a, 100), hold(&b, 40)], ..pen.notes(1) };
    pen.write(&**store, fits).await
}

/// Charges are summed by day, user, agent and model, in this order.
pub async fn spend_is_summed(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let charges = [
        vec![charge(7, "bob", 5, true), charge(7, "bob", 6, false), charge(6, "cy", 1, false)],
        vec![charge(7, "ada", 0, false), charge(7, "bob", 7, true), charge(9, "ada", 2, false)],
    ];
    for charges in charges {
        pen.write(&**store, Commit { charges, ..pen.notes(1) }).await?;
    }
    // (day, user, calls, tokens in, tokens out, amount, estimated)
    let rows = [
        (6, "cy", 1, 15, 2, 1, 0),
        (7, "ada", 1, 15, 2, 0, 0),
        (7, "bob", 3, 45, 6, 18, 12),
        (9, "ada", 1, 15, 2, 2, 0),
    ];
    let row = |(day, user, calls, input_tokens, output_tokens, amount, estimated): &(
        u64,
        &str,
        u64,
        u64,
        u64,
        u64,
        u64,
    )| SpendRow {
        day: *day,
        user: (*user).to_owned(),
        agent_id: "reference".into(),
        model: "planner".into(),
        prices: "2026-11".into(),
        calls: *calls,
        input_tokens: *input_tokens,
        output_tokens: *output_tokens,
        amount: Money(*amount),
        estimated: Money(*estimated),
    };
    for (from, to, expected) in [(0, u64::MAX, &rows[..]), (7, 7, &rows[1..3]), (8, 8, &[])] {
        let found = works("spend reads", store.spend(&pen.tenant, from, to).await)?;
        let law = "spend is summed by day, user, agent and model, both days included";
        same(law, found, expected.iter().map(row).collect())?;
    }
    Ok(())
}

/// Everything that a store shows of a session and its tenant.
#[derive(Debug, PartialEq)]
struct Seen {
    events: Vec<Stored>,
    look: Listed,
    list: Vec<Listed>,
    due: Vec<(Tenant, SessionId)>,
    balances: Vec<Option<Balance>>,
    spend: Vec<SpendRow>,
    payload: Option<Bytes>,
}

impl Seen {
    async fn of(store: &dyn Store, pen: &Pen) -> Result<Self, Broken> {
        let (tenant, session) = (&pen.tenant, pen.session);
        let listing = Listing { rows_max: 9, ..Listing::default() };
        let mut balances = Vec::new();
        for number in 1..=3 {
            let balance = store.balance(tenant, &scope(number)).await;
            balances.push(works("a balance reads", balance)?);
        }
        Ok(Seen {
            events: works("a session reads", store.read(tenant, session, 0, 99).await)?,
            look: works("a session can be looked at", store.look(tenant, session).await)?,
            list: works("sessions list", store.list(tenant, &listing).await)?,
            due: works("due sessions list", store.due(UnixMs(u64::MAX), 9).await)?,
            balances,
            spend: works("spend reads", store.spend(tenant, 0, 99).await)?,
            payload: store.payload(tenant, None, payload(b"only with the commit").hash).await.ok(),
        })
    }
}
