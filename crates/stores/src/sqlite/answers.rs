//! Requests with keys, and their answers. What writes runs within the writer's transaction.

use async_trait::async_trait;
use bytes::Bytes;
use engine::ports::{Answer, Answers, Asked, Asking, StoreError};
use kernel::units::{Tenant, UnixMs};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::Sqlite;
use super::row::{hash, in_order, whole};
use super::writer::{Done, Work};

/// Work on requests for the writer.
#[derive(Debug)]
pub(super) enum AnswersWork {
    Ask(Box<Asking>),
    Answered(Tenant, String, Answer),
    GiveBack(Tenant, String),
    Forget(UnixMs, u32),
}

#[async_trait]
impl Answers for Sqlite {
    async fn ask(&self, asking: Asking) -> Result<Asked, StoreError> {
        match self.writer.ask(Work::Answers(AnswersWork::Ask(Box::new(asking)))).await? {
            Done::Asked(asked) => Ok(asked),
            Done::Nothing
            | Done::Head(_)
            | Done::Kept(_)
            | Done::Taken(_)
            | Done::Count(_)
            | Done::Erased(_) => Err(StoreError::Unavailable("the writer gave no answer".into())),
        }
    }

    async fn answered(&self, tenant: &Tenant, key: &str, answer: Answer) -> Result<(), StoreError> {
        let work = AnswersWork::Answered(tenant.clone(), key.to_owned(), answer);
        self.writer.ask(Work::Answers(work)).await.map(drop)
    }

    async fn give_back(&self, tenant: &Tenant, key: &str) -> Result<(), StoreError> {
        let work = AnswersWork::GiveBack(tenant.clone(), key.to_owned());
        self.writer.ask(Work::Answers(work)).await.map(drop)
    }

    async fn forget_answers(&self, before: UnixMs, rows_max: u32) -> Result<u64, StoreError> {
        let work = AnswersWork::Forget(before, rows_max);
        Ok(self.writer.ask(Work::Answers(work)).await?.count())
    }
}

/// Does a piece of work.
pub(super) fn work(db: &Connection, work: &AnswersWork) -> Result<Done> {
    Ok(match work {
        AnswersWork::Ask(asking) => Done::Asked(ask(db, asking)?),
        AnswersWork::Answered(tenant, key, answer) => {
            let sql = "UPDATE request SET status = ?3, body = ?4, until = 0
                       WHERE tenant = ?1 AND key = ?2 AND status IS NULL";
            let values = params![tenant.0, key, answer.status, &answer.body[..]];
            db.prepare_cached(sql)?.execute(values)?;
            Done::Nothing
        }
        AnswersWork::GiveBack(tenant, key) => {
            let sql = "DELETE FROM request WHERE tenant = ?1 AND key = ?2 AND status IS NULL";
            db.prepare_cached(sql)?.execute(params![tenant.0, key])?;
            Done::Nothing
        }
        AnswersWork::Forget(before, rows_max) => {
            let sql = "DELETE FROM request WHERE (tenant, key) IN
                       (SELECT tenant, key FROM request WHERE made < ?1 LIMIT ?2)";
            let gone = db.prepare_cached(sql)?.execute(params![in_order(*before), rows_max])?;
            Done::Count(gone as u64)
        }
    })
}

fn ask(db: &Connection, asking: &Asking) -> Result<Asked> {
    let sql = "SELECT request, memo, until, status, body FROM request
               WHERE tenant = ?1 AND key = ?2";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_row(params![asking.tenant.0, asking.key], |row| {
        let status: Option<u16> = row.get(3)?;
        let body: Option<Vec<u8>> = row.get(4)?;
        let answer = status.zip(body);
        let answer = answer.map(|(status, body)| Answer { status, body: Bytes::from(body) });
        Ok((hash(row, 0)?, row.get::<_, String>(1)?, UnixMs(whole(row, 2)?), answer))
    });
    match found.optional()? {
        None => {
            let sql = "INSERT INTO request (tenant, key, request, memo, made, until)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let Asking { tenant, key, request, memo, now, until } = asking;
            let (made, until) = (in_order(*now), in_order(*until));
            let values = params![tenant.0, key, request.0, memo, made, until];
            db.prepare_cached(sql)?.execute(values)?;
            Ok(Asked::Yours { memo: memo.clone(), begun: false })
        }
        Some((request, ..)) if request != asking.request => Ok(Asked::Other),
        Some((_, _, _, Some(answer))) => Ok(Asked::Done(answer)),
        Some((_, _, until, None)) if until > asking.now => Ok(Asked::Busy),
        Some((_, memo, _, None)) => {
            let sql = "UPDATE request SET until = ?3 WHERE tenant = ?1 AND key = ?2";
            let values = params![asking.tenant.0, asking.key, in_order(asking.until)];
            db.prepare_cached(sql)?.execute(values)?;
            Ok(Asked::Yours { memo, begun: true })
        }
    }
}
