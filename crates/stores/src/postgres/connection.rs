//! One connection: the statements that it has prepared, and several of them sent at once.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::{MaybeDone, maybe_done};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

use super::error::Failure;

/// A value for a place in a statement.
pub(super) type Value<'a> = &'a (dyn ToSql + Sync);

/// A connection with its prepared statements, by their text.
pub(super) struct Connection {
    client: Client,
    known: Mutex<HashMap<String, Statement>>,
}

impl Connection {
    pub(super) fn new(client: Client) -> Self {
        Connection { client, known: Mutex::default() }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The rows of one statement.
    pub(super) async fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Failure> {
        let statement = self.statement(sql).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    /// Its first row.
    pub(super) async fn row(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, Failure> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Runs a statement and tells how many rows it changed.
    pub(super) async fn change(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Failure> {
        let statement = self.statement(sql).await?;
        Ok(self.client.execute(&statement, values).await?)
    }

    /// Runs statements without values, as they are.
    pub(super) async fn script(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Nothing to send yet.
    pub(super) fn pipeline<'a>(&'a self) -> Pipeline<'a> {
        Pipeline { connection: self, steps: Vec::new() }
    }

    async fn statement(&self, sql: &str) -> Result<Statement, Error> {
        if let Some(known) = self.known().get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.known().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Statement>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Statements that go out together: one journey to the server and back for all of them.
pub(super) struct Pipeline<'a> {
    connection: &'a Connection,
    steps: Vec<(String, Vec<Value<'a>>)>,
}

/// What the steps of a pipeline brought.
pub(super) struct Brought(Vec<Vec<Row>>);

/// Which step of its pipeline.
#[derive(Clone, Copy)]
pub(super) struct Step(usize);

impl Brought {
    pub(super) fn rows(&self, step: Step) -> &[Row] {
        self.0.get(step.0).map_or(&[], Vec::as_slice)
    }

    pub(super) fn row(&self, step: Step) -> Option<&Row> {
        self.rows(step).first()
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'a>>;

impl<'a> Pipeline<'a> {
    /// Adds a statement behind those that are there.
    pub(super) fn add(&mut self, sql: impl Into<String>, values: Vec<Value<'a>>) -> Step {
        self.steps.push((sql.into(), values));
        Step(self.steps.len() - 1)
    }

    /// Sends all and waits for all. The first failure is told: within a transaction those
    /// behind it did nothing.
    pub(super) async fn run(self) -> Result<Brought, Failure> {
        let Pipeline { connection, steps } = self;
        // Prepared before anything is sent: the answers of what was sent would stand in the
        // way of those to `prepare`.
        let mut ready = Vec::with_capacity(steps.len());
        for (sql, values) in steps {
            ready.push((connection.statement(&sql).await?, values));
        }
        let mut sent = Vec::with_capacity(ready.len());
        for (statement, values) in ready {
            let client = &connection.client;
            let answer: Answer<'a> =
                Box::pin(async move { client.query(&statement, &values).await });
            let mut answer = maybe_done(answer);
            // The first poll sends.
            let _waiting = futures::poll!(&mut answer);
            sent.push(answer);
        }
        let mut brought = Vec::with_capacity(sent.len());
        for answer in sent {
            brought.push(end(answer).await?);
        }
        Ok(Brought(brought))
    }
}

async fn end(mut answer: MaybeDone<Answer<'_>>) -> Result<Vec<Row>, Error> {
    (&mut answer).await;
    Pin::new(&mut answer)
        .take_output()
        .expect("INVARIANT: what has been waited for is done and its output was not taken yet")
}
