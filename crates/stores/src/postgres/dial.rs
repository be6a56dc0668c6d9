//! How the server is reached, and what each new connection is told.

use std::net::IpAddr;
use std::time::Duration;

use engine::ports::StoreError;
use futures::{StreamExt, stream};
use secrets::Secret;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Config};

use super::Options;
use super::connection::Connection;
use super::error::Failure;
use super::open::OpenError;
use super::tls::Tls;

/// How long a connection is silent before the system asks whether the other end is there.
const KEEPALIVE_MS: u64 = 60_000;

/// Words that were heard and not yet listened to at most; more are dropped.
const HEARD_MAX: usize = 4_096;

/// What is said to this program. It ends with its connection.
pub(super) type Heard = Receiver<String>;

/// An address with its account, and the settings of connections to it.
pub(super) struct Dial {
    config: Config,
    tls: Tls,
    pub(super) schema: String,
    connect_wait_ms: u64,
    answer_wait_ms: u64,
}

impl Dial {
    /// Reads an address. Its mistakes are told without it, because it holds a password.
    pub(super) fn of(url: &Secret, options: &Options) -> Result<Self, OpenError> {
        let mut config: Config = url
            .expose_text()
            .ok()
            .and_then(|url| url.parse().ok())
            .filter(|config: &Config| !config.get_hosts().is_empty())
            .ok_or(OpenError::Address)?;
        if config.get_ssl_mode() == SslMode::Prefer {
            // Preferring TLS means going without when somebody on the way says so.
            let near = config.get_hosts().iter().all(is_here);
            config.ssl_mode(if near { SslMode::Disable } else { SslMode::Require });
        }
        config.application_name("windlass");
        let connect_wait = Duration::from_millis(options.connect_wait_ms);
        config.connect_timeout(connect_wait).tcp_user_timeout(connect_wait);
        config.keepalives_idle(Duration::from_millis(KEEPALIVE_MS));
        let tls = Tls::trusting(options.ca_file.as_deref()).map_err(OpenError::Authorities)?;
        Ok(Dial {
            config,
            tls,
            schema: schema_name(&options.schema)?,
            connect_wait_ms: options.connect_wait_ms,
            answer_wait_ms: options.answer_wait_ms,
        })
    }

    /// A connection for work of the pool.
    pub(super) async fn connect(&self) -> Result<Connection, StoreError> {
        self.connect_for(self.answer_wait_ms).await
    }

    /// A connection on which a statement, a wait for a lock and a pause within a
    /// transaction may each take so long.
    pub(super) async fn connect_for(&self, statement_ms: u64) -> Result<Connection, StoreError> {
        let wait = Duration::from_millis(self.connect_wait_ms);
        match timeout(wait, self.greet(statement_ms)).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(self.no_connection()),
        }
    }

    fn no_connection(&self) -> StoreError {
        StoreError::Unavailable(format!(
            "no connection in {} ms\nhint: look whether the database server runs and can be \
             reached",
            self.connect_wait_ms
        ))
    }

    /// A connection that hears what is said to this program, and what it hears. Both end
    /// together.
    pub(super) async fn listen(&self) -> Result<(Connection, Heard), StoreError> {
        let wait = Duration::from_millis(self.connect_wait_ms);
        match timeout(wait, self.greet_and_listen()).await {
            Ok(listening) => Ok(listening?),
            Err(_) => Err(self.no_connection()),
        }
    }

    async fn greet_and_listen(&self) -> Result<(Connection, Heard), Failure> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await?;
        let (words, heard) = channel(HEARD_MAX);
        tokio::spawn(async move {
            let mut messages = stream::poll_fn(|context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(told) = message {
                    // Where nobody keeps up, the sweep of what is due will.
                    let _dropped = words.try_send(told.payload().to_owned());
                }
            }
        });
        let connection = Connection::new(client);
        connection.script("LISTEN windlass").await?;
        Ok((connection, heard))
    }

    async fn greet(&self, statement_ms: u64) -> Result<Connection, Failure> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        // How it ends is told to whoever waits for an answer on it.
        tokio::spawn(async move { drop(connection.await) });
        let connection = Connection::new(client);
        connection.script(&self.settings(statement_ms)).await?;
        Ok(connection)
    }

    /// An answered commit is on the server's disk, whatever its default is; a stronger
    /// default than that stays.
    fn settings(&self, statement_ms: u64) -> String {
        format!(
            "SELECT set_config('synchronous_commit', 'on', false)
               WHERE current_setting('synchronous_commit') IN ('off', 'local');
             SET default_transaction_isolation = 'read committed';
             SET statement_timeout = {statement_ms};
             SET lock_timeout = {statement_ms};
             SET idle_in_transaction_session_timeout = {statement_ms};
             SET jit = off;
             SET search_path = \"{}\"",
            self.schema
        )
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    }
}

/// Names of schemas stand in statements as they are, so that only plain ones will do.
fn schema_name(name: &str) -> Result<String, OpenError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=63).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with("pg_") {
        Ok(name.to_owned())
    } else {
        Err(OpenError::Name { schema: name.to_owned() })
    }
}
