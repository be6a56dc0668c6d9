//! One connection, from its first transaction to its end.

use std::fmt::Write;
use std::pin::pin;
use std::time::Duration;

use futures::TryStreamExt;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{CancelToken, Client, Error, SimpleQueryMessage, SimpleQueryRow};

use super::connect::Server;
use super::error::{opening, running};
use super::meter::{Meter, Metered};
use super::{FAREWELL_MS, relations, role, value};
use crate::answer::Collector;
use crate::{Answer, Column, DatabaseError, Limits, Settings};

/// Rows of one fetch.
const FETCH_ROWS: u64 = 50;

/// A connection that nobody else uses.
pub(super) struct Session {
    client: Client,
    meter: Meter,
    limits: Limits,
    cancel: CancelOnDrop,
}

impl Session {
    pub(super) async fn open(server: &Server, limits: &Limits) -> Result<Session, DatabaseError> {
        let meter = Meter::new(limits.received_bytes_max);
        let wire = server.reach().await.map_err(|e| DatabaseError::Unreachable(e.to_string()))?;
        let wire = Metered::new(wire, meter.clone());
        let (client, connection) =
            server.config.connect_raw(wire, server.upgrade.clone()).await.map_err(opening)?;
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to PostgreSQL ended");
            }
        });
        let cancel = CancelOnDrop {
            wanted: true,
            token: client.cancel_token(),
            server: server.clone(),
            task: task.abort_handle(),
        };
        Ok(Session { client, meter, limits: *limits, cancel })
    }

    /// Refuses a role that could do more than read. In a transaction of its own, so that
    /// its locks are gone when a statement's are counted.
    pub(super) async fn look_at_role(&self, settings: &Settings) -> Result<(), DatabaseError> {
        if settings.allow_powerful_role {
            return Ok(());
        }
        self.begin(settings).await?;
        let power = role::power(&self.client).await.map_err(|e| self.running(e))?;
        self.client.batch_execute("ROLLBACK").await.map_err(|e| self.running(e))?;
        power.map_or(Ok(()), |power| Err(DatabaseError::PowerfulRole(power)))
    }

    pub(super) async fn answer(
        &self,
        sql: &str,
        settings: &Settings,
    ) -> Result<Answer, DatabaseError> {
        let (columns, types) = self.columns(sql, settings).await?;
        self.begin(settings).await?;
        self.declare(sql).await?;
        let run = |error| self.running(error);
        let before = relations::locked(&self.client).await.map_err(run)?;
        relations::check(&self.client, &before, &settings.tables).await?;
        let answer = self.fetch(Collector::new(self.limits, columns), &types).await?;
        // Functions may have read more while they ran.
        let after = relations::locked(&self.client).await.map_err(run)?;
        if after != before {
            relations::check(&self.client, &after, &settings.tables).await?;
        }
        Ok(answer)
    }

    /// Leaves the server as if nobody had been there.
    pub(super) async fn close(mut self) {
        let farewell = Duration::from_millis(FAREWELL_MS);
        let rollback = timeout(farewell, self.client.batch_execute("ROLLBACK")).await;
        if let Ok(Ok(())) = rollback {
            self.cancel.wanted = false;
        }
    }

    async fn begin(&self, settings: &Settings) -> Result<(), DatabaseError> {
        self.client.batch_execute(&beginning(settings)).await.map_err(|e| self.running(e))
    }

    /// The columns of one statement, which is prepared and not run.
    async fn columns(
        &self,
        sql: &str,
        settings: &Settings,
    ) -> Result<(Vec<Column>, Vec<Type>), DatabaseError> {
        self.begin(settings).await?;
        let statement = self.client.prepare(sql).await.map_err(|e| self.running(e))?;
        self.client.batch_execute("ROLLBACK").await.map_err(|e| self.running(e))?;
        if !statement.params().is_empty() {
            let words = "there are no values for its parameters".to_owned();
            return Err(DatabaseError::Statement(words));
        }
        let column = |column: &tokio_postgres::Column| Column {
            name: column.name().to_owned(),
            kind: value::type_name(column.type_()),
        };
        let columns = statement.columns().iter().map(column).collect();
        Ok((columns, statement.columns().iter().map(|column| column.type_().clone()).collect()))
    }

    async fn declare(&self, sql: &str) -> Result<(), DatabaseError> {
        let declare = format!("DECLARE windlass NO SCROLL CURSOR FOR {sql}");
        let only_queries = |error: Error| match error.code() {
            // Alone it was understood, so it is no query.
            Some(&SqlState::SYNTAX_ERROR) => DatabaseError::Denied(
                "only a query is answered: SELECT, VALUES, TABLE or WITH before one".to_owned(),
            ),
            Some(&SqlState::INVALID_CURSOR_DEFINITION | &SqlState::FEATURE_NOT_SUPPORTED) => {
                self.running(error).blame(DatabaseError::Denied)
            }
            _ => self.running(error),
        };
        let statement = self.client.prepare(&declare).await.map_err(only_queries)?;
        self.client.execute(&statement, &[]).await.map_err(only_queries)?;
        Ok(())
    }

    async fn fetch(&self, mut answer: Collector, types: &[Type]) -> Result<Answer, DatabaseError> {
        let fetch = format!("FETCH FORWARD {FETCH_ROWS} FROM windlass");
        loop {
            let rows = self.client.simple_query_raw(&fetch).await.map_err(|e| self.running(e))?;
            let (mut rows, mut count) = (pin!(rows), 0);
            while let Some(message) = rows.try_next().await.map_err(|e| self.running(e))? {
                if let SimpleQueryMessage::Row(row) = message {
                    count += 1;
                    let cells = cells(&mut answer, types, &row).map_err(|e| self.running(e))?;
                    if !answer.take(cells) {
                        return Ok(answer.finish());
                    }
                }
            }
            if count < FETCH_ROWS {
                return Ok(answer.finish());
            }
        }
    }

    fn running(&self, error: Error) -> DatabaseError {
        if self.meter.is_spent() {
            return DatabaseError::TooLarge(self.limits.received_bytes_max);
        }
        running(error, self.limits.statement_ms)
    }
}

fn cells(
    answer: &mut Collector,
    types: &[Type],
    row: &SimpleQueryRow,
) -> Result<Vec<serde_json::Value>, Error> {
    let mut cells = Vec::with_capacity(types.len());
    for (at, kind) in types.iter().enumerate() {
        cells.push(value::read(answer, kind, row.try_get(at)?));
    }
    Ok(cells)
}

/// A transaction with everything that a role's or a database's defaults could have changed.
fn beginning(settings: &Settings) -> String {
    let limits = &settings.limits;
    let mut sql = String::from("BEGIN TRANSACTION READ ONLY");
    for (name, value) in [
        ("statement_timeout", limits.statement_ms.to_string()),
        ("lock_timeout", limits.statement_ms.to_string()),
        ("idle_in_transaction_session_timeout", (2 * limits.statement_ms).to_string()),
        ("search_path", search_path(&settings.search_path)),
        ("datestyle", "'ISO, YMD'".to_owned()),
        ("intervalstyle", "'iso_8601'".to_owned()),
        ("bytea_output", "'hex'".to_owned()),
        ("timezone", "'UTC'".to_owned()),
        ("extra_float_digits", "1".to_owned()),
        ("standard_conforming_strings", "on".to_owned()),
        // All rows may be wanted: plan for that, not for the first tenth.
        ("cursor_tuple_fraction", "1".to_owned()),
    ] {
        let _ = write!(sql, "; SET LOCAL {name} = {value}");
    }
    sql
}

fn search_path(schemas: &[String]) -> String {
    if schemas.is_empty() {
        return "public".to_owned();
    }
    let quoted: Vec<_> =
        schemas.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    quoted.join(", ")
}

/// Stops what the server still does for a session that is gone.
struct CancelOnDrop {
    wanted: bool,
    token: CancelToken,
    server: Server,
    task: AbortHandle,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if !self.wanted || self.task.is_finished() {
            return;
        }
        let (token, server, task) = (self.token.clone(), self.server.clone(), self.task.clone());
        // Without a runtime the process ends, and the server's own timeout is what is left.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let cancel = async {
                    let wire = server.reach().await.ok()?;
                    token.cancel_query_raw(wire, server.upgrade).await.ok()
                };
                let sent = timeout(Duration::from_millis(FAREWELL_MS), cancel).await;
                if !matches!(sent, Ok(Some(()))) {
                    tracing::warn!("a query could not be cancelled; its own timeout ends it");
                }
                task.abort();
            });
        }
    }
}
