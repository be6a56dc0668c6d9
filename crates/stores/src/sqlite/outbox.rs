//! Alerts and their copies. What writes runs within the writer's transaction.

use async_trait::async_trait;
use engine::alerts::Alert;
use engine::ports::{AlertListed, Copied, CopyStanding, Delivery, Outbox, StoreError, Take, Tried};
use kernel::units::{Tenant, UnixMs};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::Sqlite;
use super::error::Failure;
use super::row::{in_order, whole};
use super::writer::{Done, Work};

type Result<T, E = Error> = std::result::Result<T, E>;

/// The most rows that one list gives.
const LIST_ROWS_MAX: u32 = 1_000;

/// Codes of the column `standing`.
const WAITING: i64 = 0;
const DELIVERED: i64 = 1;
const DEAD: i64 = 2;

/// Work on alerts for the writer.
#[derive(Debug)]
pub(super) enum OutboxWork {
    Raise(Box<Alert>, Vec<String>),
    Take(Take),
    Tried(Box<Delivery>, Tried),
    Again(Option<String>, UnixMs),
    Forget(UnixMs, u64),
}

#[async_trait]
impl Outbox for Sqlite {
    async fn raise(&self, alert: Alert, to: Vec<String>) -> Result<bool, StoreError> {
        let raised = self.writer.ask(Work::Outbox(OutboxWork::Raise(Box::new(alert), to))).await?;
        Ok(raised.count() > 0)
    }

    async fn next_due(&self, to: &str) -> Result<Option<UnixMs>, StoreError> {
        let to = to.to_owned();
        self.readers.read(move |db| Ok(next_due(db, &to)?)).await
    }

    async fn take(&self, take: &Take) -> Result<Vec<Delivery>, StoreError> {
        match self.writer.ask(Work::Outbox(OutboxWork::Take(take.clone()))).await? {
            Done::Taken(taken) => Ok(taken),
            Done::Nothing
            | Done::Head(_)
            | Done::Kept(_)
            | Done::Count(_)
            | Done::Erased(_)
            | Done::Asked(_) => Ok(Vec::new()),
        }
    }

    async fn tried(&self, delivery: &Delivery, how: &Tried) -> Result<(), StoreError> {
        let work = OutboxWork::Tried(Box::new(delivery.clone()), how.clone());
        self.writer.ask(Work::Outbox(work)).await.map(drop)
    }

    async fn alerts(
        &self,
        of: Option<&Tenant>,
        rows_max: u32,
    ) -> Result<Vec<AlertListed>, StoreError> {
        let of = of.cloned();
        self.readers.read(move |db| Ok(alerts(db, of.as_ref(), rows_max)?)).await
    }

    async fn again(&self, id: Option<&str>, now: UnixMs) -> Result<u64, StoreError> {
        let work = OutboxWork::Again(id.map(str::to_owned), now);
        Ok(self.writer.ask(Work::Outbox(work)).await?.count())
    }

    async fn forget(&self, before: UnixMs, rows_max: u64) -> Result<u64, StoreError> {
        let work = OutboxWork::Forget(before, rows_max);
        Ok(self.writer.ask(Work::Outbox(work)).await?.count())
    }
}

/// Does a piece of work.
pub(super) fn work(db: &Connection, work: &OutboxWork) -> Result<Done, Failure> {
    Ok(match work {
        OutboxWork::Raise(alert, to) => Done::Count(u64::from(keep(db, alert, to)?)),
        OutboxWork::Take(wanted) => Done::Taken(take(db, wanted)?),
        OutboxWork::Tried(delivery, how) => {
            tried(db, delivery, how)?;
            Done::Nothing
        }
        OutboxWork::Again(id, now) => Done::Count(again(db, id.as_deref(), *now)?),
        OutboxWork::Forget(before, rows_max) => Done::Count(forget(db, *before, *rows_max)?),
    })
}

/// Keeps an alert whose key is new, with a copy for each who wants it.
pub(super) fn keep(db: &Connection, alert: &Alert, to: &[String]) -> Result<bool> {
    let sql = "INSERT OR IGNORE INTO alert (id, tenant, at, body, session)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let body =
        serde_json::to_string(alert).map_err(|why| Error::ToSqlConversionFailure(Box::new(why)))?;
    let tenant = alert.tenant.as_ref().map(|tenant| &tenant.0);
    let at = in_order(alert.at);
    let session = alert.session.map(|session| session.0.into_bytes());
    if db.prepare_cached(sql)?.execute(params![alert.id(), tenant, at, body, session])? == 0 {
        return Ok(false);
    }
    let key = db.last_insert_rowid();
    let sql = "INSERT OR IGNORE INTO delivery (alert, subscriber, standing, due, attempts, why)
               VALUES (?1, ?2, ?3, ?4, 0, '')";
    for subscriber in to {
        db.prepare_cached(sql)?.execute(params![key, subscriber, WAITING, at])?;
    }
    Ok(true)
}

fn next_due(db: &Connection, to: &str) -> Result<Option<UnixMs>> {
    let sql = "SELECT due FROM delivery WHERE subscriber = ?1 AND standing = 0
               ORDER BY due LIMIT 1";
    let mut statement = db.prepare_cached(sql)?;
    statement.query_row(params![to], |row| whole(row, 0).map(UnixMs)).optional()
}

fn take(db: &Connection, take: &Take) -> Result<Vec<Delivery>> {
    let sql = "SELECT alert.key, alert.body, delivery.attempts FROM delivery
               JOIN alert ON alert.key = delivery.alert
               WHERE subscriber = ?1 AND standing = 0 AND due <= ?2
               ORDER BY due, alert LIMIT ?3";
    let mut statement = db.prepare_cached(sql)?;
    let wanted = params![take.to, in_order(take.now), take.rows_max];
    let found = statement.query_map(wanted, |row| {
        Ok((row.get::<_, i64>(0)?, alert(row, 1)?, row.get::<_, u32>(2)?))
    })?;
    let found: Vec<(i64, Alert, u32)> = found.collect::<Result<_>>()?;
    let sql = "UPDATE delivery SET due = ?3, attempts = ?4 WHERE alert = ?1 AND subscriber = ?2";
    let mut taken = Vec::new();
    for (key, alert, attempts) in found {
        let attempt = attempts.saturating_add(1);
        let until = in_order(take.until);
        db.prepare_cached(sql)?.execute(params![key, take.to, until, attempt])?;
        taken.push(Delivery { alert, to: take.to.clone(), attempt });
    }
    Ok(taken)
}

fn tried(db: &Connection, delivery: &Delivery, how: &Tried) -> Result<()> {
    let sql = "UPDATE delivery SET standing = ?4, due = coalesce(?5, due), why = ?6
               WHERE alert = (SELECT key FROM alert WHERE id = ?1) AND subscriber = ?2
                 AND attempts = ?3 AND standing = 0";
    let (standing, due, why) = match how {
        Tried::Delivered => (DELIVERED, None, ""),
        Tried::Later { due, why } => (WAITING, Some(in_order(*due)), why.as_str()),
        Tried::Dead { why } => (DEAD, None, why.as_str()),
    };
    let id = delivery.alert.id();
    let values = params![id, delivery.to, delivery.attempt, standing, due, why];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

fn alerts(db: &Connection, of: Option<&Tenant>, rows_max: u32) -> Result<Vec<AlertListed>> {
    let rows_max = rows_max.min(LIST_ROWS_MAX);
    let keyed = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, alert(row, 1)?));
    let found: Vec<(i64, Alert)> = match of {
        Some(tenant) => db
            .prepare_cached(
                "SELECT key, body FROM alert WHERE tenant = ?1 ORDER BY key DESC LIMIT ?2",
            )?
            .query_map(params![tenant.0, rows_max], keyed)?
            .collect::<Result<_>>()?,
        None => db
            .prepare_cached("SELECT key, body FROM alert ORDER BY key DESC LIMIT ?1")?
            .query_map(params![rows_max], keyed)?
            .collect::<Result<_>>()?,
    };
    let listed = found.into_iter().map(|(key, alert)| {
        let sql = "SELECT subscriber, standing, due, attempts, why FROM delivery
                   WHERE alert = ?1 ORDER BY subscriber";
        let mut statement = db.prepare_cached(sql)?;
        let copies = statement.query_map(params![key], copied)?.collect::<Result<_>>()?;
        Ok(AlertListed { alert, copies })
    });
    listed.collect()
}

fn again(db: &Connection, id: Option<&str>, now: UnixMs) -> Result<u64> {
    let sql = "UPDATE delivery SET standing = 0, due = ?2, attempts = 0
               WHERE standing = 2
                 AND (?1 IS NULL OR alert = (SELECT key FROM alert WHERE id = ?1))";
    let changed = db.prepare_cached(sql)?.execute(params![id, in_order(now)])?;
    Ok(changed as u64)
}

fn forget(db: &Connection, before: UnixMs, rows_max: u64) -> Result<u64> {
    let old = "SELECT key FROM alert WHERE at < ?1 AND NOT EXISTS
                 (SELECT 1 FROM delivery WHERE alert = alert.key AND standing = 0)";
    let beyond = "SELECT key FROM alert ORDER BY key DESC LIMIT -1 OFFSET ?1";
    let mut forgotten = 0;
    let rows_max = i64::try_from(rows_max).unwrap_or(i64::MAX);
    for (which, bound) in [(old, in_order(before)), (beyond, rows_max)] {
        let mut statement = db.prepare_cached(which)?;
        let keys = statement.query_map(params![bound], |row| row.get::<_, i64>(0))?;
        for key in keys.collect::<Result<Vec<_>>>()? {
            db.prepare_cached("DELETE FROM delivery WHERE alert = ?1")?.execute(params![key])?;
            db.prepare_cached("DELETE FROM alert WHERE key = ?1")?.execute(params![key])?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

fn alert(row: &Row<'_>, column: usize) -> Result<Alert> {
    let body: String = row.get(column)?;
    serde_json::from_str(&body)
        .map_err(|why| Error::FromSqlConversionFailure(column, Type::Text, Box::new(why)))
}

/// Reads a row of `subscriber, standing, due, attempts, why`.
fn copied(row: &Row<'_>) -> Result<Copied> {
    let standing = match row.get::<_, i64>(1)? {
        WAITING => CopyStanding::Waiting(UnixMs(whole(row, 2)?)),
        DELIVERED => CopyStanding::Delivered,
        DEAD => CopyStanding::Dead,
        code => {
            let unknown = format!("a standing with the code {code}");
            return Err(Error::FromSqlConversionFailure(1, Type::Integer, unknown.into()));
        }
    };
    Ok(Copied { to: row.get(0)?, standing, attempts: row.get(3)?, why: row.get(4)? })
}
