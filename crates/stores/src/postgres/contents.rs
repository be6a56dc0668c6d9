//! Whose content sessions are, and erasing it.

use async_trait::async_trait;
use engine::alerts::{Alert, ERASED};
use engine::ports::{Content, Contents, Doomed, ERASABLE_ROWS_MAX, Status, StoreError};
use kernel::units::{SessionId, Tenant};
use uuid::Uuid;

use super::Postgres;
use super::connection::{Connection, Pipeline, Value};
use super::error::Failure;
use super::outbox::{read_alert, write_alert};
use super::row::{get, in_order, instant, rows, session_id, status_code};
use super::scrub::scrub;

/// One row where a session's content was erased.
pub(super) const IS_ERASED: &str =
    "SELECT 1 FROM session_content WHERE tenant = $1 AND session = $2 AND erased > 0";

/// What comes with a session's first facts, as columns.
pub(super) struct ContentColumns<'c> {
    user: &'c str,
    environment: &'c str,
    made: i64,
    wrapped: Option<&'c [u8]>,
}

impl<'c> ContentColumns<'c> {
    pub(super) fn of(content: &'c Content) -> Self {
        ContentColumns {
            user: &content.user,
            environment: &content.environment,
            made: in_order(content.made),
            wrapped: content.key.as_deref(),
        }
    }

    pub(super) fn write<'a>(
        &'a self,
        tenant: &'a Tenant,
        session: &'a SessionId,
        pipeline: &mut Pipeline<'a>,
    ) {
        let sql =
            "INSERT INTO session_content (tenant, session, user_id, environment, made, wrapped)
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        let ContentColumns { user, environment, made, wrapped } = self;
        pipeline.add(sql, vec![&tenant.0, &session.0, user, environment, made, wrapped]);
    }
}

#[async_trait]
impl Contents for Postgres {
    async fn content(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Option<Content>, StoreError> {
        self.pool.ask(|db| async move { content(&db, tenant, session).await }).await
    }

    async fn erasable(
        &self,
        tenant: &Tenant,
        which: &Doomed,
        after: Option<SessionId>,
        rows_max: u32,
    ) -> Result<Vec<SessionId>, StoreError> {
        let rows_max = rows(rows_max.min(ERASABLE_ROWS_MAX));
        self.pool.ask(|db| async move { doomed(&db, tenant, which, after, rows_max).await }).await
    }

    async fn erase(&self, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>, StoreError> {
        self.pool.transact(|db| async move { erase(&db, tenant, which).await }).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        scrub(&self.pool.dial, self.scrub_wait_ms).await
    }
}

async fn content(
    db: &Connection,
    tenant: &Tenant,
    session: SessionId,
) -> Result<Option<Content>, Failure> {
    let sql = "SELECT user_id, environment, made, wrapped, erased > 0 FROM session_content
               WHERE tenant = $1 AND session = $2";
    let Some(row) = db.row(sql, &[&tenant.0, &session.0]).await? else { return Ok(None) };
    if get(&row, 4)? {
        return Err(StoreError::Erased(session).into());
    }
    let key: Option<Vec<u8>> = get(&row, 3)?;
    let (user, environment) = (get(&row, 0)?, get(&row, 1)?);
    Ok(Some(Content { user, environment, made: instant(&row, 2)?, key: key.map(Into::into) }))
}

/// The sessions that are meant and not erased yet, in the order of their ids.
async fn doomed(
    db: &Connection,
    tenant: &Tenant,
    which: &Doomed,
    after: Option<SessionId>,
    rows_max: i64,
) -> Result<Vec<SessionId>, Failure> {
    let made;
    let (clause, values): (&str, Vec<Value<'_>>) = match which {
        Doomed::Session(session) => ("session = $4", vec![&session.0]),
        Doomed::User(user) => ("user_id = $4", vec![user]),
        Doomed::Environment { name, before } => {
            made = in_order(*before);
            ("environment = $4 AND made < $5", vec![name, &made])
        }
    };
    let sql = format!(
        "SELECT session FROM session_content
         WHERE tenant = $1 AND erased = 0 AND ($2::uuid IS NULL OR session > $2) AND {clause}
         ORDER BY session LIMIT $3"
    );
    let after = after.map(|after| after.0);
    let first: [Value<'_>; 3] = [&tenant.0, &after, &rows_max];
    let all: Vec<Value<'_>> = first.into_iter().chain(values).collect();
    db.rows(&sql, &all).await?.iter().map(|row| session_id(row, 0)).collect()
}

/// What goes with sessions' content, as statements of their tenant and their ids. The first
/// one locks the sessions: whoever commits to one waits here, or is waited for.
const ERASURES: [&str; 5] = [
    "SELECT key FROM session WHERE tenant = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE",
    "UPDATE session_content SET wrapped = NULL, erased = 2
     WHERE tenant = $1 AND session = ANY ($2)",
    "DELETE FROM payload WHERE tenant = $1 AND owner = ANY ($2)",
    "DELETE FROM event WHERE session IN
       (SELECT key FROM session WHERE tenant = $1 AND id = ANY ($2))",
    "UPDATE audit SET content = NULL
     WHERE tenant = $1 AND session = ANY ($2) AND content IS NOT NULL",
];

const BLANK: &str = "UPDATE session SET title = '', due = NULL, waits_scope = NULL,
       waits_measure = NULL, waits_needed = NULL,
       status = CASE WHEN status IN ($3, $4) THEN $5 ELSE status END
     WHERE tenant = $1 AND id = ANY ($2)";

async fn erase(
    db: &Connection,
    tenant: &Tenant,
    which: &Doomed,
) -> Result<Vec<SessionId>, Failure> {
    db.script("BEGIN").await?;
    let found = doomed(db, tenant, which, None, i64::MAX).await?;
    let ids: Vec<Uuid> = found.iter().map(|session| session.0).collect();
    let [running, parked, cancelled] =
        [Status::Running, Status::Parked, Status::Cancelled].map(status_code);
    let mut erasing = db.pipeline();
    for sql in ERASURES {
        erasing.add(sql, vec![&tenant.0, &ids]);
    }
    erasing.add(BLANK, vec![&tenant.0, &ids, &running, &parked, &cancelled]);
    erasing.run().await?;
    blank_alerts(db, tenant, &ids).await?;
    db.script("COMMIT").await?;
    Ok(found)
}

/// Takes the words out of alerts about the sessions. Not by SQL, whose JSON knows not every
/// character that a text may have.
async fn blank_alerts(db: &Connection, tenant: &Tenant, ids: &[Uuid]) -> Result<(), Failure> {
    let sql = "SELECT key, body FROM alert WHERE tenant = $1 AND session = ANY ($2)
               ORDER BY key FOR UPDATE";
    let found = db.rows(sql, &[&tenant.0, &ids]).await?;
    let (mut keys, mut bodies) = (Vec::<i64>::new(), Vec::new());
    for row in &found {
        let blank = Alert { text: ERASED.to_owned(), ..read_alert(row, 1)? };
        keys.push(get(row, 0)?);
        bodies.push(write_alert(&blank)?);
    }
    let sql = "UPDATE alert SET body = new.body
               FROM unnest($1::bigint[], $2::text[]) AS new (key, body)
               WHERE alert.key = new.key";
    db.change(sql, &[&keys, &bodies]).await.map(drop)
}
