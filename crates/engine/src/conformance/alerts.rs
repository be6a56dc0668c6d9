//! Alerts: kept with the facts that cause them and never twice, handed to one sender at a
//! time, and forgotten when they are old.

use std::sync::Arc;

use futures::future::try_join_all;
use kernel::ledger::{Amount, Move, MoveKind, Scope};
use kernel::units::{Money, Tenant, UnixMs};

use super::sample::{Pen, dollars, grant, hold, scope, settle, shared};
use super::{Broken, Kept, fails, same, works};
use crate::alerts::{Alert, Kind, Subscriber, Subscriptions};
use crate::ports::{AlertListed, Commit, CopyStanding, Delivery, Store, StoreError, Take, Tried};

/// Takers at the same time, and alerts for them.
const TAKERS: usize = 8;
const ALERTS: u64 = 24;

/// An alert of a tenant with this key.
#[must_use]
pub fn alert(tenant: &str, key: &str, at: u64) -> Alert {
    Alert {
        key: key.to_owned(),
        at: UnixMs(at),
        kind: Kind::Faulted,
        tenant: Some(Tenant(tenant.to_owned())),
        user: Some("ada".into()),
        agent_id: Some("reference".into()),
        session: None,
        run: Some(1),
        cap: None,
        text: "run 1 is parked — “quoted”".into(),
    }
}

/// Subscribers to everything, by name, who are warned at half and at nine tenths of caps.
#[must_use]
pub fn subscriptions(names: &[&str]) -> Arc<Subscriptions> {
    let all = |name: &&str| Subscriber { name: (*name).to_owned(), kinds: None };
    let subscribers = names.iter().map(all).collect();
    Arc::new(Subscriptions { warn_at_permille: vec![500, 900], subscribers })
}

async fn take(
    store: &dyn Store,
    to: &str,
    now: u64,
    rows_max: u32,
) -> Result<Vec<Delivery>, Broken> {
    let (now, until) = (UnixMs(now), UnixMs(now + 100));
    let take = Take { to: to.to_owned(), now, until, rows_max };
    works("due alerts are taken", store.outbox().take(&take).await)
}

async fn listed(store: &dyn Store) -> Result<Vec<AlertListed>, Broken> {
    works("alerts list", store.outbox().alerts(None, 99).await)
}

fn keys(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(|delivery| delivery.alert.key.clone()).collect()
}

/// An alert is there if its facts are, and a key of a tenant is kept once.
pub async fn kept_with_their_facts(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let with = |pen: &Pen, keys: &[&str]| Commit {
        alerts: keys.iter().map(|key| alert("t", key, 5)).collect(),
        subscriptions: subscriptions(&["ops", "chat"]),
        ..pen.notes(1)
    };
    let refused =
        Commit { moves: vec![grant(&scope(1), 1), hold(&scope(1), 2)], ..with(&pen, &["a"]) };
    let no_room = |error: &StoreError| matches!(error, StoreError::Cap(_));
    fails("a hold without room is refused", store.commit(refused).await, no_room)?;
    same("a refused commit alerts nobody", listed(&**store).await?, vec![])?;

    let kept = works("a commit is taken", store.commit(with(&pen, &["a", "b"])).await)?;
    same("a commit tells what it kept", kept, vec![alert("t", "a", 5), alert("t", "b", 5)])?;
    let stale = store.commit(with(&pen, &["c"])).await;
    fails("a stale commit is refused", stale, |error| matches!(error, StoreError::Stale { .. }))?;
    pen = Pen {
        seq: pen.seq + 1,
        head: works("look", store.look(&pen.tenant, pen.session).await)?.head.hash,
        ..pen
    };
    let again = works("a commit is taken", store.commit(with(&pen, &["b", "c"])).await)?;
    same("a key is kept once", again, vec![alert("t", "c", 5)])?;

    let found = listed(&**store).await?;
    let found_keys: Vec<&str> = found.iter().map(|one| one.alert.key.as_str()).collect();
    same("newest first", found_keys, vec!["c", "b", "a"])?;
    let to: Vec<&str> = found[0].copies.iter().map(|copy| copy.to.as_str()).collect();
    same("one copy for each subscriber, by name", to, vec!["chat", "ops"])?;
    let page = works("alerts list", store.outbox().alerts(None, 2).await)?;
    same("a list has at most the rows asked for", page.len(), 2)?;
    let foreign = store.outbox().alerts(Some(&Tenant("other".into())), 9).await;
    same("L27: a tenant's alerts are its own", works("alerts list", foreign)?, vec![])?;
    let own = works("alerts list", store.outbox().alerts(Some(&pen.tenant), 9).await)?;
    same("a tenant's alerts are all there", own, found)
}

/// A part of a cap that is passed is told once, the highest of several, and anew for
/// another cap.
pub async fn caps_warn_once(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let day = shared("user-day", "ada", Some("2026-11-21"));
    let spend = |scope: &Scope, spent: u64, cap: u64| {
        let amount = Amount::of(Money(spent));
        let cap = Some(dollars(cap));
        let hold = Move { scope: scope.clone(), kind: MoveKind::Hold { amount, cap } };
        vec![hold, settle(scope, spent, spent)]
    };
    let mut warned = async |moves: Vec<Move>| {
        let subscriptions = subscriptions(&["ops"]);
        let commit = Commit { moves, subscriptions, ..pen.notes(1) };
        let last = commit.events.last().map(|sealed| (sealed.event.seq, sealed.hash));
        let kept = works("a commit is taken", store.commit(commit).await)?;
        (pen.seq, pen.head) = last.unwrap_or((pen.seq, pen.head));
        Ok::<_, Broken>(kept.into_iter().map(|alert| alert.key).collect::<Vec<_>>())
    };
    let key = |cap: u64, part: u32| vec![format!("cap/{day}/money/{cap}/{part}")];
    let none = Vec::<String>::new();
    same("below the first part", warned(spend(&day, 49, 100)).await?, none.clone())?;
    same("at the first part", warned(spend(&day, 1, 100)).await?, key(100, 500))?;
    same("told once", warned(spend(&day, 1, 100)).await?, none.clone())?;
    same("a raised cap begins anew", warned(spend(&day, 40, 200)).await?, none.clone())?;
    same("its own parts are told", warned(spend(&day, 10, 200)).await?, key(200, 500))?;
    same("a lowered cap warns of its own", warned(spend(&day, 1, 110)).await?, key(110, 900))?;
    let other = shared("user-day", "bob", Some("2026-11-21"));
    let highest = vec![format!("cap/{other}/money/100/900")];
    same("the highest part alone", warned(spend(&other, 95, 100)).await?, highest)?;
    let own = vec![grant(&scope(1), 10), hold(&scope(1), 9)];
    same("a hold warns of nothing", warned(own).await?, none)?;
    let run = vec![format!("cap/{}/money/10/900", scope(1))];
    same("a run's own cap warns", warned(vec![settle(&scope(1), 9, 9)]).await?, run)?;
    let due = take(&**store, "ops", 10_000, 9).await?;
    same("warnings are for subscribers", due.len(), 5)
}

/// What no commit causes is kept once as well, and may be nobody's.
pub async fn raised_once(store: &Arc<dyn Store>) -> Kept {
    let outbox = store.outbox();
    let nobodys = Alert { tenant: None, ..alert("t", "a", 5) };
    let to = || vec!["ops".to_owned(), "ops".to_owned()];
    for (one, expected) in [
        (alert("t", "a", 5), true),
        (alert("t", "a", 9), false),
        (alert("u", "a", 6), true),
        (nobodys.clone(), true),
        (nobodys.clone(), false),
    ] {
        let raised = works("an alert is raised", outbox.raise(one, to()).await)?;
        same("a key is kept once for each tenant", raised, expected)?;
    }
    same("the first one is kept", listed(&**store).await?.len(), 3)?;
    let taken = take(&**store, "ops", 9, 9).await?;
    let expected = [nobodys, alert("t", "a", 5), alert("u", "a", 6)];
    let found: Vec<Alert> = taken.into_iter().map(|one| one.alert).collect();
    let whole = expected.iter().all(|one| found.contains(one)) && found.len() == expected.len();
    same("alerts come back as they were raised, one copy each", whole, true)
}

/// A copy that was taken is nobody else's until its time is over.
pub async fn taken_by_one_at_a_time(store: &Arc<dyn Store>) -> Kept {
    let outbox = store.outbox();
    for (key, at) in [("late", 50), ("a", 10), ("b", 20)] {
        let to = vec!["ops".to_owned(), "chat".to_owned()];
        works("an alert is raised", outbox.raise(alert("t", key, at), to).await)?;
    }
    same("nobody else's", take(&**store, "nobody", 99, 9).await?, vec![])?;
    let due = works("the next is told", outbox.next_due("ops").await)?;
    same("the next due", due, Some(UnixMs(10)))?;
    same("nothing waits for others", works("told", outbox.next_due("nobody").await)?, None)?;
    let first = take(&**store, "ops", 30, 1).await?;
    same("the longest due first", keys(&first), vec!["a".to_owned()])?;
    same("the rest that is due", keys(&take(&**store, "ops", 30, 9).await?), vec!["b".to_owned()])?;
    same("taken is taken", take(&**store, "ops", 49, 9).await?, vec![])?;
    same("each subscriber has its own", take(&**store, "chat", 30, 9).await?.len(), 2)?;

    // Its taker died: from 130 on it is due again, and what the dead one says late is
    // not heard.
    let second = take(&**store, "ops", 130, 1).await?;
    let late: Vec<u32> = second.iter().chain(&first).map(|one| one.attempt).collect();
    same("late ones come before those whose taker died", keys(&second), vec!["late".to_owned()])?;
    let third = take(&**store, "ops", 130, 1).await?;
    same("due again when the time is over", keys(&third), vec!["a".to_owned()])?;
    same("tries are counted", (late, third[0].attempt), (vec![1, 1], 2))?;
    works("a late word is no error", outbox.tried(&first[0], &Tried::Delivered).await)?;
    let standing = listed(&**store).await?[1].copies[1].standing;
    same("a late word is not heard", standing, CopyStanding::Waiting(UnixMs(230)))?;
    works("the present word is", outbox.tried(&third[0], &Tried::Delivered).await)?;
    let standing = listed(&**store).await?[1].copies[1].standing;
    same("delivered", standing, CopyStanding::Delivered)
}

/// Delivered and given up stay as they are; what was given up can be tried again.
pub async fn ends_are_kept(store: &Arc<dyn Store>) -> Kept {
    let outbox = store.outbox();
    for key in ["done", "later", "dead"] {
        let to = vec!["ops".to_owned()];
        works("an alert is raised", outbox.raise(alert("t", key, 1), to).await)?;
    }
    let taken = take(&**store, "ops", 1, 9).await?;
    let why = || "500 — “no”".to_owned();
    for delivery in &taken {
        let how = match delivery.alert.key.as_str() {
            "done" => Tried::Delivered,
            "later" => Tried::Later { due: UnixMs(5_000), why: why() },
            _ => Tried::Dead { why: why() },
        };
        works("the end of a try is noted", outbox.tried(delivery, &how).await)?;
    }
    let ends = async || {
        let all = listed(&**store).await?.into_iter();
        let ends = all.flat_map(|one| one.copies).map(|copy| (copy.standing, copy.why));
        Ok::<_, Broken>(ends.collect::<Vec<_>>())
    };
    let waiting = (CopyStanding::Waiting(UnixMs(5_000)), why());
    let done = (CopyStanding::Delivered, String::new());
    let expected = vec![(CopyStanding::Dead, why()), waiting.clone(), done.clone()];
    same("ends are kept with their reasons", ends().await?, expected)?;
    same("nothing is due before its time", take(&**store, "ops", 4_999, 9).await?, vec![])?;
    same("an unknown id", works("again", outbox.again(Some("x"), UnixMs(7)).await)?, 0)?;
    let dead = alert("t", "dead", 1).id();
    same("one is due again", works("again", outbox.again(Some(&dead), UnixMs(7)).await)?, 1)?;
    same("and nothing else", works("again", outbox.again(None, UnixMs(7)).await)?, 0)?;
    let expected = vec![(CopyStanding::Waiting(UnixMs(7)), why()), waiting, done];
    same("what was given up waits again", ends().await?, expected)?;
    let taken = take(&**store, "ops", 7, 9).await?;
    let attempts: Vec<u32> = taken.iter().map(|one| one.attempt).collect();
    same("its tries begin anew", attempts, vec![1])
}

/// The table stays small: old alerts go when nobody waits for them, the oldest go when
/// there are too many.
pub async fn old_ones_are_forgotten(store: &Arc<dyn Store>) -> Kept {
    let outbox = store.outbox();
    for (key, at, to) in [
        ("old and done", 10, "ops"),
        ("old and waiting", 20, "ops"),
        ("old and for nobody", 30, ""),
        ("new", 90, "ops"),
        ("newer", 91, ""),
    ] {
        let to = Some(to.to_owned()).filter(|to| !to.is_empty()).into_iter().collect();
        works("an alert is raised", outbox.raise(alert("t", key, at), to).await)?;
    }
    for delivery in take(&**store, "ops", 10, 9).await? {
        works("a try is noted", outbox.tried(&delivery, &Tried::Delivered).await)?;
    }
    let left = async || {
        let all = listed(&**store).await?.into_iter();
        Ok::<_, Broken>(all.map(|one| one.alert.key).collect::<Vec<_>>())
    };
    let forgotten = works("old ones go", outbox.forget(UnixMs(50), 100).await)?;
    same("what nobody waits for goes", forgotten, 2)?;
    same(
        "the rest stays",
        left().await?,
        ["newer", "new", "old and waiting"].map(str::to_owned).to_vec(),
    )?;
    let forgotten = works("too many go", outbox.forget(UnixMs(0), 2).await)?;
    same("the oldest goes, whatever became of it", forgotten, 1)?;
    same("the newest stay", left().await?, ["newer", "new"].map(str::to_owned).to_vec())?;
    let next = works("the next is told", outbox.next_due("ops").await)?;
    same("its copies are gone as well", next, Some(UnixMs(90)))?;
    let again = works("raised", outbox.raise(alert("t", "old and done", 95), vec![]).await)?;
    same("a forgotten key is new", again, true)
}

/// Senders that take at the same time are each given other copies.
pub async fn many_takers_each_once(store: &Arc<dyn Store>) -> Kept {
    for number in 0..ALERTS {
        let raised = alert("t", &number.to_string(), number);
        works("raised", store.outbox().raise(raised, vec!["ops".to_owned()]).await)?;
    }
    let takers = (0..TAKERS).map(|_| async {
        let mut found = Vec::new();
        loop {
            match take(&**store, "ops", 100, 2).await? {
                taken if taken.is_empty() => return Ok::<_, Broken>(found),
                taken => found.extend(keys(&taken)),
            }
        }
    });
    let mut found = try_join_all(takers).await?.concat();
    found.sort_unstable();
    let whole = found.len();
    found.dedup();
    same("each copy is given to one taker", (whole, found.len() as u64), (found.len(), ALERTS))
}
