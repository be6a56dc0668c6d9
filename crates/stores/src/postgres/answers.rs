//! Requests with keys, and their answers.

use async_trait::async_trait;
use engine::ports::{Answer, Answers, Asked, Asking, StoreError};
use kernel::units::{Tenant, UnixMs};
use tokio_postgres::Row;

use super::Postgres;
use super::connection::{Connection, Value};
use super::error::{Failure, damaged};
use super::row::{get, hash, in_order, instant, rows};

#[async_trait]
impl Answers for Postgres {
    async fn ask(&self, asking: Asking) -> Result<Asked, StoreError> {
        let asking = &asking;
        self.pool.transact(|db| async move { ask(&db, asking).await }).await
    }

    async fn answered(&self, tenant: &Tenant, key: &str, answer: Answer) -> Result<(), StoreError> {
        let sql = "UPDATE request SET status = $3, body = $4, until = 0
                   WHERE tenant = $1 AND key = $2 AND status IS NULL";
        let (status, body) = (i32::from(answer.status), &answer.body[..]);
        let values: [Value<'_>; 4] = [&tenant.0, &key, &status, &body];
        let values = &values;
        self.pool.ask(|db| async move { db.change(sql, values).await }).await.map(drop)
    }

    async fn give_back(&self, tenant: &Tenant, key: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM request WHERE tenant = $1 AND key = $2 AND status IS NULL";
        self.pool.ask(|db| async move { db.change(sql, &[&tenant.0, &key]).await }).await.map(drop)
    }

    async fn forget_answers(&self, before: UnixMs, rows_max: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM request WHERE (tenant, key) IN
                     (SELECT tenant, key FROM request WHERE made < $1
                      ORDER BY made LIMIT $2 FOR UPDATE SKIP LOCKED)";
        let (before, rows_max) = (in_order(before), rows(rows_max));
        self.pool.ask(|db| async move { db.change(sql, &[&before, &rows_max]).await }).await
    }
}

const FIRST: &str = "INSERT INTO request (tenant, key, request, memo, made, until)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING 1";

const FOUND: &str = "SELECT request, memo, until, status, body FROM request
     WHERE tenant = $1 AND key = $2 FOR UPDATE";

/// Whoever makes the row came first; the others read it under its lock, one after the other.
async fn ask(db: &Connection, asking: &Asking) -> Result<Asked, Failure> {
    let Asking { tenant, key, request, memo, now, until } = asking;
    let (request, made, until) = (&request.0[..], in_order(*now), in_order(*until));
    let mut asked = db.pipeline();
    asked.add("BEGIN", vec![]);
    let first = asked.add(FIRST, vec![&tenant.0, key, &request, memo, &made, &until]);
    let found = asked.add(FOUND, vec![&tenant.0, key]);
    let brought = asked.run().await?;
    let answer = match (brought.row(first), brought.row(found)) {
        (Some(_), _) => Asked::Yours { memo: memo.clone(), begun: false },
        (None, Some(row)) => what_became(row, asking)?,
        (None, None) => return Err(Failure::Overtaken("a request was forgotten meanwhile")),
    };
    let mut ending = db.pipeline();
    if let Asked::Yours { begun: true, .. } = answer {
        let sql = "UPDATE request SET until = $3 WHERE tenant = $1 AND key = $2";
        ending.add(sql, vec![&tenant.0, key, &until]);
    }
    ending.add("COMMIT", vec![]);
    ending.run().await?;
    Ok(answer)
}

/// What became of a request that somebody sent before.
fn what_became(row: &Row, asking: &Asking) -> Result<Asked, Failure> {
    let (status, body): (Option<i32>, Option<Vec<u8>>) = (get(row, 3)?, get(row, 4)?);
    if hash(row, 0)? != asking.request {
        return Ok(Asked::Other);
    }
    if let Some((status, body)) = status.zip(body) {
        let status = u16::try_from(status);
        let status = status.map_err(|_| damaged("an answer whose status is none"))?;
        return Ok(Asked::Done(Answer { status, body: body.into() }));
    }
    if instant(row, 2)? > asking.now {
        return Ok(Asked::Busy);
    }
    Ok(Asked::Yours { memo: get(row, 1)?, begun: true })
}
