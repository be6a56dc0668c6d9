//! Starting a server: its process or its address, the handshake, its tools.

use std::sync::{Arc, Mutex as Lock};
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::{Link, Listed, Live};
use crate::client::{Client, Handshake, Http, Unanswered, Unstarted};
use crate::listing::Listing;
use crate::outside::Launch;
use crate::settings::{Reach, Text};

/// How often a list is asked for again because the server says that it changed meanwhile.
const LISTS_MAX: usize = 3;

impl Link {
    /// A server that runs, and its tools.
    pub(super) async fn start(&self) -> Result<Live, String> {
        let client = match self.connect(Handshake::Initialize).await {
            Ok(client) => client,
            Err(Unstarted::Failed(why)) => return Err(why),
            Err(Unstarted::OtherHandshake(why)) => {
                self.connect(Handshake::Discover).await.map_err(|error| match error {
                    Unstarted::Failed(other) | Unstarted::OtherHandshake(other) => {
                        format!("{why}; and without a handshake: {other}")
                    }
                })?
            }
        };
        let listed = self.list(&client).await?;
        let now = Instant::now();
        tracing::info!(
            server = self.server.name,
            tenant = self.tenant.0,
            tools = listed.listing.tools.len(),
            "an MCP server was started"
        );
        Ok(Live { client, listed: Lock::new(listed), begun: now, used: Lock::new(now) })
    }

    /// The tools of a running server, after it said that they changed.
    pub(super) async fn list_again(&self, live: &Live) -> Result<Arc<Listing>, String> {
        let limit = Duration::from_secs(self.server.settings.start_timeout_seconds);
        let listed = tokio::time::timeout(limit, self.list(&live.client)).await;
        let late = |_| format!("it did not list its tools within {} s", limit.as_secs());
        let listed = listed.map_err(late)??;
        let listing = listed.listing.clone();
        *live.listed() = listed;
        Ok(listing)
    }

    /// Its tools. A server that adds some right after the handshake is asked again.
    async fn list(&self, client: &Client) -> Result<Listed, String> {
        let (mut entries, mut changes) = (Vec::new(), 0);
        for _time in 0..LISTS_MAX {
            changes = client.changes();
            entries = client.tools().await.map_err(|unanswered| match unanswered {
                Unanswered::NotSent(why) | Unanswered::Lost(why) => why,
                Unanswered::Refused(why) => format!("it refused to list its tools: {why}"),
                Unanswered::Expired => "it forgot its session".to_owned(),
            })?;
            if client.changes() == changes {
                break;
            }
        }
        let taken = Listing::take(&entries, &self.server, &self.tenant, &*self.outside.pins);
        let listing = taken.await.map_err(|error| error.to_string())?;
        Ok(Listed { changes, listing: Arc::new(listing) })
    }

    async fn connect(&self, handshake: Handshake) -> Result<Client, Unstarted> {
        let limits = &self.server.settings.limits;
        match &self.server.reach {
            Reach::Stdio { command } => {
                let launch = self.launch(command).await.map_err(Unstarted::Failed)?;
                let child = self.outside.spawn.spawn(launch).await;
                let child = child.map_err(|error| Unstarted::Failed(error.to_string()))?;
                let (told, tenant) = (self.outside.on_stderr.clone(), self.tenant.clone());
                let server = self.server.name.clone();
                let on_stderr = move |line: &str| told(&tenant, &server, line);
                Client::over_stdio(child, on_stderr, limits, handshake).await
            }
            Reach::Http { url } => {
                let http = Http::new(&self.server, url, &self.tenant, &self.outside);
                Client::over_http(http.map_err(Unstarted::Failed)?, limits, handshake).await
            }
        }
    }

    /// What is started, with the tenant's secrets in its environment.
    async fn launch(&self, command: &str) -> Result<Launch, String> {
        let settings = &self.server.settings;
        let mut env = Vec::new();
        for (name, text) in &settings.env {
            let value = match text {
                Text::Plain(value) => SecretString::from(value.clone()),
                Text::Secret(handle) => {
                    let credentials = &self.outside.credentials;
                    let found = credentials.resolve(&self.tenant, &handle.secret, false).await;
                    found.map_err(|error| error.to_string())?
                }
            };
            env.push((name.clone(), value));
        }
        Ok(Launch {
            tenant: self.tenant.clone(),
            server: self.server.name.clone(),
            command: command.to_owned(),
            args: settings.args.clone(),
            env,
            cwd: settings.cwd.clone(),
        })
    }
}
