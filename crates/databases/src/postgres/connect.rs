//! Where a server is, and how it is reached.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::DatabaseError;
use crate::tls::{self, Upgrade};

/// Bytes in both directions.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A server, with the account in its configuration.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) config: Config,
    pub(super) upgrade: Upgrade,
    place: Place,
}

#[derive(Clone)]
enum Place {
    Tcp(String, u16),
    Unix(PathBuf),
}

impl Server {
    /// Reads an address. Its mistakes are told without it, because it holds a password.
    pub(super) fn parse(url: &SecretString, ca_file: Option<&Path>) -> Result<Self, DatabaseError> {
        let wrong = |words: &str| DatabaseError::Configuration(words.to_owned());
        let mut config: Config = url.expose_secret().parse().map_err(|_| {
            wrong(
                "the address is not of the form `postgres://user:password@host:port/database`, \
                 or has an unknown option",
            )
        })?;
        let port = config.get_ports().first().copied().unwrap_or(5_432);
        let (place, name) = match config.get_hosts() {
            [Host::Tcp(host)] => (Place::Tcp(host.clone(), port), host.clone()),
            [Host::Unix(folder)] => {
                (Place::Unix(folder.join(format!(".s.PGSQL.{port}"))), "localhost".to_owned())
            }
            _ => return Err(wrong("the address must name one host")),
        };
        let server = ServerName::try_from(name)
            .map_err(|_| wrong("the address's host is neither a name nor a number"))?;
        let mode = match (config.get_ssl_mode(), place.is_here()) {
            (SslMode::Disable, _) | (SslMode::Prefer, true) => SslMode::Disable,
            // Preferring means going without when somebody on the way says so.
            _ => SslMode::Require,
        };
        config.ssl_mode(mode);
        config.application_name("windlass");
        config.options("-c default_transaction_read_only=on");
        Ok(Server { config, upgrade: Upgrade { config: tls::client(ca_file)?, server }, place })
    }

    /// A connection of bytes, before anything is said on it.
    pub(super) async fn reach(&self) -> io::Result<Box<dyn Wire>> {
        match &self.place {
            Place::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Place::Unix(socket) => Ok(Box::new(UnixStream::connect(socket).await?)),
        }
    }
}

impl Place {
    fn is_here(&self) -> bool {
        match self {
            Place::Unix(_) => true,
            Place::Tcp(host, _) => {
                host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }
}
