//! One database with its rules, and the one thing that can be done with it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::mysql::Mysql;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::{Answer, DatabaseError, Dialect, Limits, Settings};

/// A database that may be read. Cheap to clone; clones share their places.
#[derive(Clone)]
pub struct Database {
    engine: Engine,
    places: Arc<Semaphore>,
    limits: Limits,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
    Mysql(Arc<Mysql>),
}

impl Database {
    /// A SQLite file that exists. It is never written, nor made.
    ///
    /// # Errors
    /// [`DatabaseError::Configuration`] if there is no such file.
    pub fn sqlite(path: &Path, settings: Settings) -> Result<Database, DatabaseError> {
        let limits = settings.limits;
        Ok(Database::new(Engine::Sqlite(Arc::new(Sqlite::new(path, settings)?)), limits))
    }

    /// A PostgreSQL server, as `postgres://user:password@host:port/database`. TLS with a
    /// certificate that is checked, unless the host is this machine or the address says
    /// `sslmode=disable`. Nothing is connected to yet.
    ///
    /// # Errors
    /// [`DatabaseError::Configuration`] if the address or the CA file cannot be used.
    pub fn postgres(url: &SecretString, settings: Settings) -> Result<Database, DatabaseError> {
        let limits = settings.limits;
        Ok(Database::new(Engine::Postgres(Arc::new(Postgres::new(url, settings)?)), limits))
    }

    /// A MySQL or MariaDB server, as `mysql://user:password@host:port/database`, with TLS
    /// as for PostgreSQL (`require_ssl=false` turns it off). Nothing is connected to yet.
    ///
    /// # Errors
    /// [`DatabaseError::Configuration`] if the address or the CA file cannot be used.
    pub fn mysql(url: &SecretString, settings: Settings) -> Result<Database, DatabaseError> {
        let limits = settings.limits;
        Ok(Database::new(Engine::Mysql(Arc::new(Mysql::new(url, settings)?)), limits))
    }

    fn new(engine: Engine, limits: Limits) -> Database {
        Database { engine, places: Arc::new(Semaphore::new(limits.connections_max)), limits }
    }

    /// The SQL it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
            Engine::Mysql(_) => Dialect::Mysql,
        }
    }

    /// Connects and looks whether the account is fit, and asks nothing. For the start of a
    /// process; every query looks again.
    ///
    /// # Errors
    /// Whatever would keep every query from being answered.
    pub async fn check(&self) -> Result<(), DatabaseError> {
        let _place = self.place().await?;
        match &self.engine {
            Engine::Sqlite(engine) => engine.check().await,
            Engine::Postgres(engine) => engine.check().await,
            Engine::Mysql(engine) => engine.check().await,
        }
    }

    /// Answers one statement. Dropping the future stops it in the database as well.
    ///
    /// # Errors
    /// See [`DatabaseError`]; the database is as before in every case.
    pub async fn query(&self, sql: &str) -> Result<Answer, DatabaseError> {
        if sql.len() > self.limits.sql_bytes_max {
            let words = format!("it is longer than {} bytes", self.limits.sql_bytes_max);
            return Err(DatabaseError::Statement(words));
        }
        if sql.contains('\0') {
            return Err(DatabaseError::Statement("it holds a NUL byte".to_owned()));
        }
        let _place = self.place().await?;
        match &self.engine {
            Engine::Sqlite(engine) => engine.query(sql).await,
            Engine::Postgres(engine) => engine.query(sql).await,
            Engine::Mysql(engine) => engine.query(sql).await,
        }
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, DatabaseError> {
        let wait = Duration::from_millis(self.limits.connect_ms);
        match tokio::time::timeout(wait, self.places.acquire()).await {
            Ok(place) => Ok(place.expect("INVARIANT: the semaphore is never closed")),
            Err(_) => {
                let words = format!("{} queries are under way", self.limits.connections_max);
                Err(DatabaseError::Busy(words))
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("dialect", &self.dialect()).finish_non_exhaustive()
    }
}
