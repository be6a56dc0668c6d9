//! Names to addresses: asked once, and the answer is all that a client ever sees.

use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use reqwest::dns;

/// Turns names into addresses. What it answers is checked before anything connects.
#[async_trait]
pub trait Resolve: Debug + Send + Sync {
    /// All addresses of a name.
    ///
    /// # Errors
    /// Why there are none, in words.
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, String>;
}

/// The machine's own way to resolve names.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let found = tokio::net::lookup_host((name, 0)).await;
        Ok(found.map_err(|error| error.to_string())?.map(|address| address.ip()).collect())
    }
}

/// One host with the addresses that were checked for it. It knows no other.
pub(super) struct Checked {
    pub(super) host: String,
    pub(super) addresses: Vec<SocketAddr>,
}

impl dns::Resolve for Checked {
    fn resolve(&self, name: dns::Name) -> dns::Resolving {
        let known = name.as_str() == self.host;
        let addresses = if known { self.addresses.clone() } else { Vec::new() };
        Box::pin(async move {
            if addresses.is_empty() {
                return Err(io::Error::other("this name was not checked").into());
            }
            Ok(Box::new(addresses.into_iter()) as dns::Addrs)
        })
    }
}
