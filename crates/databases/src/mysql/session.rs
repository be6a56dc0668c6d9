//! One connection, from its settings to its end.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts, Row};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::error::{opening, running};
use super::{grants, value};
use crate::answer::Collector;
use crate::{Answer, Column, DatabaseError, Limits, Settings};

/// Milliseconds for killing what nobody waits for.
const KILL_MS: u64 = 2_000;

/// The modes that decide how a statement is read, whatever the server's default is: double
/// quotes are strings, a backslash escapes.
const SQL_MODE: &str =
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

/// A connection that nobody else uses.
pub(super) struct Session {
    conn: Conn,
    limits: Limits,
    mariadb: bool,
    kill: KillOnDrop,
}

impl Session {
    pub(super) async fn open(opts: &Opts, limits: &Limits) -> Result<Session, DatabaseError> {
        let mut conn = Conn::new(opts.clone()).await.map_err(opening)?;
        let version: Option<String> =
            conn.query_first("SELECT VERSION()").await.map_err(opening)?;
        let mariadb = version.is_some_and(|version| version.contains("MariaDB"));
        let kill = KillOnDrop { wanted: true, opts: opts.clone(), id: conn.id() };
        Ok(Session { conn, limits: *limits, mariadb, kill })
    }

    /// Refuses an account that could do more than read what is listed.
    pub(super) async fn look_at_account(
        &mut self,
        opts: &Opts,
        settings: &Settings,
    ) -> Result<(), DatabaseError> {
        if settings.allow_powerful_role {
            return Ok(());
        }
        let mut told: Vec<String> = self.rows("SHOW GRANTS").await?;
        if self.mariadb {
            match self.conn.query::<String, _>("SHOW GRANTS FOR PUBLIC").await {
                Ok(public) => told.extend(public),
                // Versions without PUBLIC, and servers where nothing was granted to it.
                Err(Error::Server(error)) if matches!(error.code, 1064 | 1141 | 1959) => {}
                Err(error) => return Err(running(error, &self.limits)),
            }
        }
        match grants::power(&told, &settings.tables, opts.db_name()) {
            None => Ok(()),
            Some(power) => Err(DatabaseError::PowerfulRole(power)),
        }
    }

    /// A transaction with everything that a server's defaults could have changed.
    pub(super) async fn begin(&mut self) -> Result<(), DatabaseError> {
        let limits = self.limits;
        let wait_s = limits.statement_ms.div_ceil(1_000).max(1);
        let time = match self.mariadb {
            true => format!("max_statement_time = {}", limits.statement_ms as f64 / 1_000.0),
            false => format!("max_execution_time = {}", limits.statement_ms),
        };
        for sql in [
            "SET NAMES utf8mb4".to_owned(),
            format!("SET SESSION sql_mode = '{SQL_MODE}'"),
            "SET SESSION time_zone = '+00:00'".to_owned(),
            format!("SET SESSION {time}"),
            format!("SET SESSION lock_wait_timeout = {wait_s}"),
            format!("SET SESSION innodb_lock_wait_timeout = {wait_s}"),
            // One more than is wanted tells whether there are more.
            format!("SET SESSION sql_select_limit = {}", limits.rows_max.saturating_add(1)),
            "SET SESSION TRANSACTION READ ONLY".to_owned(),
            "START TRANSACTION READ ONLY".to_owned(),
        ] {
            self.conn.query_drop(sql).await.map_err(|error| running(error, &limits))?;
        }
        Ok(())
    }

    pub(super) async fn answer(
        &mut self,
        sql: &str,
        limits: Limits,
    ) -> Result<Answer, DatabaseError> {
        let run = |error| running(error, &limits);
        let statement = self.conn.prep(sql).await.map_err(run)?;
        if statement.num_params() > 0 {
            let words = "there are no values for its parameters".to_owned();
            return Err(DatabaseError::Statement(words));
        }
        if statement.columns().is_empty() {
            return Err(DatabaseError::Denied("only a query is answered".to_owned()));
        }
        let types = statement.columns().to_vec();
        let column = |column: &mysql_async::Column| Column {
            name: column.name_str().into_owned(),
            kind: value::type_name(column).to_owned(),
        };
        let mut answer = Collector::new(limits, types.iter().map(column).collect());
        let mut rows = self.conn.exec_iter(&statement, ()).await.map_err(run)?;
        let mut received = 0;
        while let Some(row) = rows.next().await.map_err(run)? {
            received += bytes(&row);
            if received > limits.received_bytes_max {
                return Err(DatabaseError::TooLarge(limits.received_bytes_max));
            }
            let cells = cells(&mut answer, &types, row);
            if !answer.take(cells) {
                break;
            }
        }
        Ok(answer.finish())
    }

    /// Leaves the server as if nobody had been there.
    pub(super) async fn close(mut self) {
        let rollback = self.conn.query_drop("ROLLBACK");
        if let Ok(Ok(())) = timeout(Duration::from_millis(KILL_MS), rollback).await {
            self.kill.wanted = false;
        }
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<String>, DatabaseError> {
        self.conn.query(sql).await.map_err(|error| running(error, &self.limits))
    }
}

fn bytes(row: &Row) -> usize {
    (0..row.len()).map(|at| row.as_ref(at).map_or(0, value::bytes)).sum()
}

fn cells(answer: &mut Collector, types: &[mysql_async::Column], row: Row) -> Vec<Value> {
    let read = |(cell, column): (Option<mysql_async::Value>, _)| match cell {
        Some(cell) => value::read(answer, column, cell),
        None => Value::Null,
    };
    row.unwrap_raw().into_iter().zip(types).map(read).collect()
}

/// Stops what the server still does for a session that is gone. Closing the connection is
/// not enough: the server looks at it only when it has something to send.
struct KillOnDrop {
    wanted: bool,
    opts: Opts,
    id: u32,
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // Without a runtime the process ends, and the server's own timeout is what is left.
        let (true, Ok(runtime)) = (self.wanted, Handle::try_current()) else { return };
        let (opts, id) = (self.opts.clone(), self.id);
        runtime.spawn(async move {
            let kill = async {
                let mut conn = Conn::new(opts).await?;
                // The whole connection: a query that ended by itself takes nothing else along.
                conn.query_drop(format!("KILL CONNECTION {id}")).await?;
                conn.disconnect().await
            };
            match timeout(Duration::from_millis(KILL_MS), kill).await {
                // 1094: it is gone already.
                Ok(Ok(())) => {}
                Ok(Err(Error::Server(error))) if error.code == 1094 => {}
                Ok(Err(_)) | Err(_) => {
                    tracing::warn!("a query could not be killed; its own timeout ends it");
                }
            }
        });
    }
}
