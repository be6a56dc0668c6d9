//! Where MCP servers are, and where caged ones may go: judged like every other address.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use guard::url::{Host, Policy, Target, check, check_answer};
use kernel::verdict::Judgement;
use reqwest::{Url, dns};
use tools::{Resolve, SystemResolver};

use crate::config::McpServers;

/// The hosts of HTTP servers, as their configuration names them. No other is asked.
#[derive(Debug, Default)]
pub(super) struct Reach(BTreeMap<String, Vec<Site>>);

/// One configured server.
#[derive(Clone, Debug)]
struct Site {
    policy: Policy,
    /// Where it is, or why it may not be asked.
    target: Result<Target, String>,
}

impl Reach {
    pub(super) fn of(servers: &McpServers) -> Self {
        let mut reach = Reach::default();
        for (name, settings) in &servers.servers.0 {
            let Some(url) = settings.url.as_deref().and_then(|url| Url::parse(url).ok()) else {
                continue;
            };
            let policy = policy(&url, servers.private.contains(name));
            let target = check(url.as_str(), &policy).map_err(|refused| {
                let hint = "say `allow_private: true` for a server of your own network";
                format!("{}\n{hint}", words(&refused))
            });
            reach.0.entry(host_of(&url)).or_default().push(Site { policy, target });
        }
        reach
    }

    /// Whether an address is one that was configured and may be asked.
    pub(super) fn check(&self, url: &Url) -> Result<(), String> {
        let host = host_of(url);
        let mut why = format!("`{host}` is no host of a configured server");
        for site in self.0.get(&host).into_iter().flatten() {
            match (&site.target, check(url.as_str(), &site.policy)) {
                (Ok(_), Ok(_)) => return Ok(()),
                (Ok(_), Err(refused)) => why = words(&refused),
                (Err(refused), _) => why.clone_from(refused),
            }
        }
        Err(why)
    }

    /// The addresses of a name, where one of its servers may have all of them.
    async fn addresses(sites: Vec<Site>, name: &str) -> Result<Vec<SocketAddr>, String> {
        let found = SystemResolver.resolve(name).await?;
        let mut why = "no host of a configured server".to_owned();
        for Site { policy, target } in &sites {
            let Ok(target) = target else { continue };
            match check_answer(&found, target, policy) {
                Ok(()) => return Ok(found.iter().map(|ip| SocketAddr::new(*ip, 0)).collect()),
                Err(refused) => why = words(&refused),
            }
        }
        Err(why)
    }
}

impl dns::Resolve for Reach {
    fn resolve(&self, name: dns::Name) -> dns::Resolving {
        let sites = self.0.get(name.as_str()).cloned().unwrap_or_default();
        Box::pin(async move {
            let found = Reach::addresses(sites, name.as_str()).await;
            let addresses = found.map_err(io::Error::other)?;
            Ok(Box::new(addresses.into_iter()) as dns::Addrs)
        })
    }
}

/// Plain `http` only where the address may be one of the operator's own network.
fn policy(url: &Url, private: bool) -> Policy {
    let plain = private.then(|| "http".to_owned());
    Policy {
        allow_hosts: vec![host_of(url)],
        allow_schemes: std::iter::once("https".to_owned()).chain(plain).collect(),
        allow_ports: url.port_or_known_default().into_iter().collect(),
        deny_private: !private,
    }
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// Where a caged program may connect to: a listed host at the ports of the web, at public
/// addresses.
pub(super) async fn addresses(
    resolver: &dyn Resolve,
    host: &str,
    port: u16,
    hosts: &[String],
) -> Result<Vec<SocketAddr>, String> {
    let policy =
        Policy { allow_hosts: hosts.to_vec(), allow_ports: vec![443, 80], ..Policy::default() };
    let target = check(&format!("https://{host}:{port}/"), &policy).map_err(|no| words(&no))?;
    let found = match target.host() {
        Host::Address(address) => vec![*address],
        Host::Name(name) => resolver.resolve(name).await?,
    };
    check_answer(&found, &target, &policy).map_err(|no| words(&no))?;
    Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

fn words(refused: &Judgement) -> String {
    refused.reasons.join("; ")
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use ::mcp::ServerSettings;
    use async_trait::async_trait;

    use super::*;

    fn reach(url: &str, private: bool) -> Reach {
        let settings = ServerSettings { url: Some(url.to_owned()), ..ServerSettings::default() };
        let mut servers = McpServers::default();
        servers.servers.0.insert("s".to_owned(), settings);
        servers.private.extend(private.then(|| "s".to_owned()));
        Reach::of(&servers)
    }

    fn may(reach: &Reach, url: &str) -> bool {
        reach.check(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn only_the_configured_host_is_asked_and_private_ones_where_that_was_said() {
        for (url, private, good) in [
            ("https://mcp.example.com/mcp", false, true),
            ("http://mcp.example.com/mcp", false, false),
            ("http://127.0.0.1:3000/mcp", false, false),
            ("http://127.0.0.1:3000/mcp", true, true),
            ("https://[::1]:3000/mcp", true, true),
            ("https://10.0.0.7/mcp", false, false),
            ("http://169.254.169.254/mcp", false, false),
        ] {
            let reach = reach(url, private);
            assert_eq!(may(&reach, url), good, "{url} {private}");
            assert!(!may(&reach, "https://other.example.com/mcp"), "{url}");
        }
    }

    #[test]
    fn two_servers_on_one_host_have_each_its_own_port() {
        let mut servers = McpServers::default();
        for (name, url) in [("a", "https://10.0.0.7/a"), ("b", "https://10.0.0.7:8443/b")] {
            let settings =
                ServerSettings { url: Some(url.to_owned()), ..ServerSettings::default() };
            servers.servers.0.insert(name.to_owned(), settings);
        }
        servers.private.push("b".to_owned());
        let reach = Reach::of(&servers);
        assert!(may(&reach, "https://10.0.0.7:8443/b"));
        assert!(!may(&reach, "https://10.0.0.7/a"));
    }

    #[derive(Debug)]
    struct Answers(&'static str);

    #[async_trait]
    impl Resolve for Answers {
        async fn resolve(&self, _name: &str) -> Result<Vec<IpAddr>, String> {
            Ok(vec![self.0.parse().unwrap()])
        }
    }

    #[tokio::test]
    async fn a_caged_program_reaches_listed_hosts_at_public_addresses() {
        let hosts = ["api.example.com".to_owned(), "*.cdn.example.com".to_owned()];
        for (host, port, answer, good) in [
            ("api.example.com", 443, "93.184.215.14", true),
            ("a.cdn.example.com", 80, "93.184.215.14", true),
            ("api.example.com", 22, "93.184.215.14", false),
            ("api.example.com", 443, "10.0.0.1", false),
            ("api.example.com", 443, "169.254.169.254", false),
            ("evil.example.com", 443, "93.184.215.14", false),
            ("127.0.0.1", 443, "93.184.215.14", false),
        ] {
            let found = addresses(&Answers(answer), host, port, &hosts).await;
            assert_eq!(found.is_ok(), good, "{host}:{port} {answer}: {found:?}");
        }
    }
}
