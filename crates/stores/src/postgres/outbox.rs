//! Alerts and their copies.

use std::collections::BTreeSet;

use async_trait::async_trait;
use engine::alerts::Alert;
use engine::ports::{AlertListed, Copied, CopyStanding, Delivery, Outbox, StoreError, Take, Tried};
use kernel::units::{Tenant, UnixMs};
use tokio_postgres::Row;
use uuid::Uuid;

use super::Postgres;
use super::connection::{Brought, Connection, Pipeline, Step};
use super::error::{Failure, damaged};
use super::row::{get, in_order, instant, rows, shown, small};

/// The most rows that one list gives.
const LIST_ROWS_MAX: u32 = 1_000;

/// Codes of the column `standing`.
const WAITING: i32 = 0;
const DELIVERED: i32 = 1;
const DEAD: i32 = 2;

/// Alerts on their way to the table, and a copy for each who wants one, as columns.
#[derive(Default)]
pub(super) struct AlertColumns {
    alerts: Vec<Alert>,
    ids: Vec<String>,
    tenants: Vec<Option<String>>,
    instants: Vec<i64>,
    bodies: Vec<String>,
    sessions: Vec<Option<Uuid>>,
    copied: Vec<String>,
    subscribers: Vec<String>,
}

impl AlertColumns {
    /// Of several with the same id the first counts.
    pub(super) fn of(alerts: Vec<(Alert, Vec<String>)>) -> Result<Self, Failure> {
        let mut columns = AlertColumns::default();
        for (alert, to) in alerts {
            if !columns.ids.contains(&alert.id()) {
                columns.push(alert, to)?;
            }
        }
        Ok(columns)
    }

    fn push(&mut self, alert: Alert, to: Vec<String>) -> Result<(), Failure> {
        let id = alert.id();
        for subscriber in to {
            self.copied.push(id.clone());
            self.subscribers.push(subscriber);
        }
        self.ids.push(id);
        self.tenants.push(alert.tenant.as_ref().map(|tenant| tenant.0.clone()));
        self.instants.push(in_order(alert.at));
        self.bodies.push(write_alert(&alert)?);
        self.sessions.push(alert.session.map(|session| session.0));
        self.alerts.push(alert);
        Ok(())
    }

    /// Keeps those whose ids are new. `None`: there are none.
    pub(super) fn write<'a>(&'a self, pipeline: &mut Pipeline<'a>) -> Option<Step> {
        if self.ids.is_empty() {
            return None;
        }
        let step = pipeline.add(
            KEEP,
            vec![
                &self.ids,
                &self.tenants,
                &self.instants,
                &self.bodies,
                &self.sessions,
                &self.copied,
                &self.subscribers,
            ],
        );
        Some(step)
    }

    /// Those that were new.
    pub(super) fn kept(self, brought: &Brought, step: Option<Step>) -> Result<Vec<Alert>, Failure> {
        let kept = step.map_or(&[][..], |step| brought.rows(step));
        let kept: BTreeSet<&str> = kept.iter().map(|row| get(row, 0)).collect::<Result<_, _>>()?;
        let all = self.ids.iter().zip(self.alerts);
        Ok(all.filter(|(id, _)| kept.contains(id.as_str())).map(|(_, alert)| alert).collect())
    }
}

const KEEP: &str = "WITH kept AS (
       INSERT INTO alert (id, tenant, at, body, session)
       SELECT id, tenant, at, body, session
       FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::uuid[])
         WITH ORDINALITY AS new (id, tenant, at, body, session, number)
       ORDER BY number
       ON CONFLICT (id) DO NOTHING RETURNING key, id, at),
     copies AS (
       INSERT INTO delivery (alert, subscriber, standing, due, attempts, why)
       SELECT kept.key, copy.subscriber, 0, kept.at, 0, ''
       FROM kept JOIN unnest($6::text[], $7::text[]) AS copy (id, subscriber)
         ON copy.id = kept.id
       ON CONFLICT DO NOTHING)
     SELECT id FROM kept";

#[async_trait]
impl Outbox for Postgres {
    async fn raise(&self, alert: Alert, to: Vec<String>) -> Result<bool, StoreError> {
        let (alert, to) = (&alert, &to);
        self.pool.ask(|db| async move { raise(&db, alert, to).await }).await
    }

    async fn next_due(&self, to: &str) -> Result<Option<UnixMs>, StoreError> {
        let sql = "SELECT due FROM delivery WHERE subscriber = $1 AND standing = 0
                   ORDER BY due LIMIT 1";
        let row = self.pool.ask(|db| async move { db.row(sql, &[&to]).await }).await?;
        Ok(row.map(|row| instant(&row, 0)).transpose()?)
    }

    async fn take(&self, wanted: &Take) -> Result<Vec<Delivery>, StoreError> {
        self.pool.ask(|db| async move { take(&db, wanted).await }).await
    }

    async fn tried(&self, delivery: &Delivery, how: &Tried) -> Result<(), StoreError> {
        self.pool.ask(|db| async move { tried(&db, delivery, how).await }).await
    }

    async fn alerts(
        &self,
        of: Option<&Tenant>,
        rows_max: u32,
    ) -> Result<Vec<AlertListed>, StoreError> {
        self.pool.ask(|db| async move { alerts(&db, of, rows_max).await }).await
    }

    async fn again(&self, id: Option<&str>, now: UnixMs) -> Result<u64, StoreError> {
        let sql = "UPDATE delivery SET standing = 0, due = $2, attempts = 0
                   WHERE standing = 2
                     AND ($1::text IS NULL OR alert = (SELECT key FROM alert WHERE id = $1))";
        let now = in_order(now);
        self.pool.ask(|db| async move { db.change(sql, &[&id, &now]).await }).await
    }

    async fn forget(&self, before: UnixMs, rows_max: u64) -> Result<u64, StoreError> {
        self.pool.ask(|db| async move { forget(&db, before, rows_max).await }).await
    }
}

async fn raise(db: &Connection, alert: &Alert, to: &[String]) -> Result<bool, Failure> {
    let columns = AlertColumns::of(vec![(alert.clone(), to.to_vec())])?;
    let mut one = db.pipeline();
    let step = columns.write(&mut one);
    let brought = one.run().await?;
    Ok(!columns.kept(&brought, step)?.is_empty())
}

/// Copies that somebody else is taking at this moment are left to them.
const TAKE: &str = "WITH due AS (
       SELECT alert, due FROM delivery
       WHERE subscriber = $1 AND standing = 0 AND due <= $2
       ORDER BY due, alert LIMIT $4 FOR UPDATE SKIP LOCKED),
     taken AS (
       UPDATE delivery SET due = $3, attempts = least(delivery.attempts + 1, 4294967295)
       FROM due WHERE delivery.alert = due.alert AND delivery.subscriber = $1
       RETURNING delivery.alert, delivery.attempts, due.due)
     SELECT body, taken.attempts FROM taken JOIN alert ON alert.key = taken.alert
     ORDER BY taken.due, taken.alert";

async fn take(db: &Connection, take: &Take) -> Result<Vec<Delivery>, Failure> {
    let (now, until, rows_max) = (in_order(take.now), in_order(take.until), rows(take.rows_max));
    let found = db.rows(TAKE, &[&take.to, &now, &until, &rows_max]).await?;
    let taken = found.iter().map(|row| {
        let (alert, attempt) = (read_alert(row, 0)?, small(row, 1)?);
        Ok(Delivery { alert, to: take.to.clone(), attempt })
    });
    taken.collect()
}

async fn tried(db: &Connection, delivery: &Delivery, how: &Tried) -> Result<(), Failure> {
    let sql = "UPDATE delivery SET standing = $4, due = coalesce($5, due), why = $6
               WHERE alert = (SELECT key FROM alert WHERE id = $1) AND subscriber = $2
                 AND attempts = $3 AND standing = 0";
    let (standing, due, why) = match how {
        Tried::Delivered => (DELIVERED, None, ""),
        Tried::Later { due, why } => (WAITING, Some(in_order(*due)), why.as_str()),
        Tried::Dead { why } => (DEAD, None, why.as_str()),
    };
    let (id, attempt, why) = (delivery.alert.id(), i64::from(delivery.attempt), shown(why));
    db.change(sql, &[&id, &delivery.to, &attempt, &standing, &due, &why]).await.map(drop)
}

async fn alerts(
    db: &Connection,
    of: Option<&Tenant>,
    rows_max: u32,
) -> Result<Vec<AlertListed>, Failure> {
    let whose = if of.is_some() { "WHERE tenant = $2" } else { "WHERE $2::text IS NULL" };
    let sql = format!(
        "SELECT key, body, subscriber, standing, due, attempts, why
         FROM (SELECT key, body FROM alert {whose} ORDER BY key DESC LIMIT $1) AS alert
         LEFT JOIN delivery ON delivery.alert = alert.key
         ORDER BY key DESC, subscriber"
    );
    let (rows_max, tenant) = (rows(rows_max.min(LIST_ROWS_MAX)), of.map(|tenant| &tenant.0));
    let (mut listed, mut last) = (Vec::<AlertListed>::new(), None);
    for row in &db.rows(&sql, &[&rows_max, &tenant]).await? {
        let key: i64 = get(row, 0)?;
        if last != Some(key) {
            listed.push(AlertListed { alert: read_alert(row, 1)?, copies: Vec::new() });
            last = Some(key);
        }
        if let (Some(alert), Some(copy)) = (listed.last_mut(), copied(row)?) {
            alert.copies.push(copy);
        }
    }
    Ok(listed)
}

/// Reads `subscriber, standing, due, attempts, why`, which are absent where an alert has no
/// copies.
fn copied(row: &Row) -> Result<Option<Copied>, Failure> {
    let Some(to) = get::<Option<String>>(row, 2)? else { return Ok(None) };
    let standing = match get::<i32>(row, 3)? {
        WAITING => CopyStanding::Waiting(instant(row, 4)?),
        DELIVERED => CopyStanding::Delivered,
        DEAD => CopyStanding::Dead,
        code => return Err(damaged(format!("a standing with the code {code}")).into()),
    };
    Ok(Some(Copied { to, standing, attempts: small(row, 5)?, why: get(row, 6)? }))
}

/// Forgets alerts with their copies, in two statements: what the first one did stays done
/// if the second fails.
async fn forget(db: &Connection, before: UnixMs, rows_max: u64) -> Result<u64, Failure> {
    let old = "DELETE FROM alert WHERE at < $1 AND NOT EXISTS
                 (SELECT FROM delivery WHERE delivery.alert = alert.key AND standing = 0)";
    let beyond = "DELETE FROM alert WHERE key IN
                    (SELECT key FROM alert ORDER BY key DESC OFFSET $1)";
    let (before, rows_max) = (in_order(before), i64::try_from(rows_max).unwrap_or(i64::MAX));
    Ok(db.change(old, &[&before]).await? + db.change(beyond, &[&rows_max]).await?)
}

pub(super) fn read_alert(row: &Row, column: usize) -> Result<Alert, Failure> {
    let body: &str = get(row, column)?;
    serde_json::from_str(body).map_err(|why| damaged(format!("an alert: {why}")).into())
}

pub(super) fn write_alert(alert: &Alert) -> Result<String, Failure> {
    let words = |why| StoreError::Misused(format!("an alert that is no JSON: {why}"));
    serde_json::to_string(alert).map_err(|why| words(why).into())
}
