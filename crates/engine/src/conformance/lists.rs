//! Lists: what is due for workers, and what people see of their sessions.

use std::sync::Arc;

use kernel::ledger::Measure;
use kernel::units::{Epoch, Money, SessionId, UnixMs};

use super::sample::{Pen, brief, session, shared};
use super::{Broken, Kept, fails, is_missing, same, works};
use crate::ports::{Brief, Head, Listing, Status, Store, Waits};

/// The most sessions that a store gives at once.
const LIST_ROWS_MAX: usize = 1_000;

/// What is due by now comes oldest first, as many as asked, of every tenant.
pub async fn due_oldest_first(store: &Arc<dyn Store>) -> Kept {
    let dues = [("t", 1, Some(50)), ("u", 2, Some(10)), ("t", 3, None), ("t", 4, Some(30))];
    for (tenant, number, due) in dues {
        let mut pen = Pen::new(tenant, number);
        pen.brief = brief(Status::Running, due);
        pen.write(&**store, pen.opening()).await?;
    }
    for (now, rows_max, expected) in [
        (9, 9, vec![]),
        (10, 9, vec![2]),
        (49, 9, vec![2, 4]),
        (50, 9, vec![2, 4, 1]),
        (50, 2, vec![2, 4]),
    ] {
        let law = format!("at {now} the oldest {rows_max} that are due come, and no others");
        same(&law, due(&**store, now, rows_max).await?, expected)?;
    }
    let whose = works("due sessions list", store.due(UnixMs(10), 1).await)?;
    same("a due session comes with its tenant", whose[0].0.0.as_str(), "u")?;

    let mut pen = Pen { seq: 1, ..Pen::new("u", 2) };
    pen.head =
        works("a session can be looked at", store.look(&pen.tenant, pen.session).await)?.head.hash;
    pen.brief = brief(Status::Parked, Some(40));
    pen.write(&**store, pen.notes(1)).await?;
    same("a commit moves when its session is due", due(&**store, 99, 9).await?, vec![4, 2, 1])?;
    pen.brief = brief(Status::Finished, None);
    pen.write(&**store, pen.notes(1)).await?;
    same("a session that is never due is not listed", due(&**store, u64::MAX, 9).await?, vec![4, 1])
}

/// A session is not due for others while somebody runs it.
pub async fn leased_are_not_due(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::new("t", 1);
    pen.brief = brief(Status::Running, Some(0));
    pen.write(&**store, pen.opening()).await?;
    works("a free session is given", store.claim(&pen.claim("a", 100, 200)).await)?;
    same("a leased session is not due", due(&**store, 199, 9).await?, vec![])?;
    same("it is due again when the lease ends", due(&**store, 200, 9).await?, vec![1])?;
    let renewed = store.renew(&pen.tenant, pen.session, Epoch(1), UnixMs(300)).await;
    works("an owner prolongs its lease", renewed)?;
    same("a prolonged lease hides it on", due(&**store, 299, 9).await?, vec![])?;
    let released = store.release(&pen.tenant, pen.session, Epoch(1)).await;
    works("an owner gives its lease back", released)?;
    same("it is due when the lease is given back", due(&**store, 100, 9).await?, vec![1])
}

/// A tenant's sessions come newest first, page by page, of one status where asked.
pub async fn newest_first_by_page(store: &Arc<dyn Store>) -> Kept {
    for number in 1..=9_u128 {
        let mut pen = Pen::new("t", number);
        let status = if number % 3 == 0 { Status::Parked } else { Status::Idle };
        pen.brief = brief(status, None);
        pen.write(&**store, pen.opening()).await?;
    }
    let (parked, all) = (Some(Status::Parked), None);
    // (status, before, rows_max, what comes)
    let pages = [
        (all, None, 4, vec![9, 8, 7, 6]),
        (all, Some(6), 4, vec![5, 4, 3, 2]),
        (all, Some(2), 4, vec![1]),
        (all, Some(1), 4, vec![]),
        (parked, None, 2, vec![9, 6]),
        (parked, Some(6), 9, vec![3]),
        (Some(Status::Failed), None, 9, vec![]),
    ];
    for (status, before, rows_max, expected) in pages {
        let listing = Listing { status, before: before.map(session), rows_max };
        let law = format!("a list is newest first, of one status, before one session: {listing:?}");
        same(&law, listed(&**store, &listing).await?, expected)?;
    }
    let openings = (100..1_102).map(|number| Pen::new("t", number).opening());
    let commits = openings.map(|commit| store.commit(commit));
    for made in futures::future::join_all(commits).await {
        works("many sessions are made", made)?;
    }
    let listing = Listing { rows_max: u32::MAX, ..Listing::default() };
    let rows = listed(&**store, &listing).await?;
    same("a list has at most 1,000 rows", rows.len(), LIST_ROWS_MAX)
}

/// A session is shown as its last commit said, whatever it said.
pub async fn briefs_as_committed(store: &Arc<dyn Store>) -> Kept {
    let mut pen = Pen::opened(&**store, "t", 1).await?;
    let statuses = [
        Status::Idle,
        Status::Running,
        Status::Parked,
        Status::Finished,
        Status::Failed,
        Status::Cancelled,
    ];
    for status in statuses {
        pen.brief = Brief { status, ..brief(status, Some(7)) };
        pen.write(&**store, pen.notes(1)).await?;
        shows(&**store, &pen).await?;
    }
    let due = Some(UnixMs(1_790_000_000_000));
    pen.brief = Brief {
        due,
        title: "ü".repeat(60),
        agent_id: "other".into(),
        user: String::new(),
        turns: u32::MAX,
        spent: Money(u64::MAX),
        waits: Some(Waits {
            scope: shared("user-day", "a/b", Some("2026-11-21")),
            measure: Measure::Tokens,
            needed: u64::MAX / 2,
        }),
        ..brief(Status::Parked, None)
    };
    pen.write(&**store, pen.notes(1)).await?;
    shows(&**store, &pen).await?;
    let nobody = store.look(&pen.tenant, session(2)).await;
    fails("a session that was never made is missing", nobody, is_missing)
}

async fn shows(store: &dyn Store, pen: &Pen) -> Kept {
    let row = works("a session can be looked at", store.look(&pen.tenant, pen.session).await)?;
    same("a session is shown as its last commit said", &row.brief, &pen.brief)?;
    let head = Head { seq: pen.seq, hash: pen.head, epoch: Epoch(0) };
    same("a session is shown where it stands", &row.head, &head)?;
    let listing = Listing { rows_max: 1, ..Listing::default() };
    let rows = works("sessions list", store.list(&pen.tenant, &listing).await)?;
    same("a list shows what a look shows", rows, vec![row])
}

async fn due(store: &dyn Store, now: u64, rows_max: u32) -> Result<Vec<u128>, Broken> {
    let due = works("due sessions list", store.due(UnixMs(now), rows_max).await)?;
    Ok(due.iter().map(|(_, id)| number(*id)).collect())
}

async fn listed(store: &dyn Store, listing: &Listing) -> Result<Vec<u128>, Broken> {
    let tenant = kernel::units::Tenant("t".into());
    let rows = works("sessions list", store.list(&tenant, listing).await)?;
    Ok(rows.iter().map(|row| number(row.session)).collect())
}

fn number(id: SessionId) -> u128 {
    id.0.as_u128()
}
