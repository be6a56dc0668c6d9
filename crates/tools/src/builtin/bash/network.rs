//! The hosts that commands reach: each connection is judged like a fetched URL.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use guard::url::{self, Host, Policy};
use kernel::verdict::Judgement;
use sandbox::{Gate, Network};
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::settings::Bash;

/// How long a name may take to be resolved, in milliseconds.
const RESOLVE_MS_MAX: u64 = 5_000;

/// The port that only encrypted requests go to.
const HTTPS_PORT: u16 = 443;

/// What of the network a command gets.
pub(super) fn of(granted: &Bash) -> Network {
    let Some(policy) = &granted.network else {
        return Network::Closed;
    };
    let policy = Arc::new(policy.clone());
    Network::Gated(Gate::new(move |host, port| {
        let policy = Arc::clone(&policy);
        async move { admitted(&host, port, &policy).await }
    }))
}

/// Why a command may not name a host, if it may not.
pub(super) fn refusal(granted: &Bash, host: &str) -> Option<String> {
    let Some(policy) = &granted.network else {
        return Some(format!("`{host}` is on a network, and none is granted"));
    };
    // The port is the connection's to tell, and is judged there.
    let anywhere = Policy { allow_ports: Vec::new(), ..policy.clone() };
    let tried = ["https", "http"].map(|scheme| url::check(&address(scheme, host), &anywhere));
    let [Err(secure), Err(_)] = tried else {
        return None;
    };
    Some(words(&secure))
}

/// The addresses to connect to. The name is resolved once, here, and what was checked is
/// what is connected to.
async fn admitted(host: &str, port: u16, policy: &Policy) -> Result<Vec<SocketAddr>, String> {
    let scheme = if port == HTTPS_PORT { "https" } else { "http" };
    let target = url::check(&format!("{}:{port}", address(scheme, host)), policy);
    let target = target.map_err(|refused| words(&refused))?;
    let name = match target.host() {
        Host::Address(ip) => return Ok(vec![SocketAddr::new(*ip, port)]),
        Host::Name(name) => name,
    };
    let most = Duration::from_millis(RESOLVE_MS_MAX);
    let found = timeout(most, lookup_host((name.as_str(), port))).await;
    let found: Vec<SocketAddr> = match found {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(_)) | Err(_) => return Err(format!("`{name}` does not resolve")),
    };
    let addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
    url::check_answer(&addresses, &target, policy).map_err(|refused| words(&refused))?;
    Ok(found)
}

fn address(scheme: &str, host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("{scheme}://[{host}]")
    } else {
        format!("{scheme}://{host}")
    }
}

fn words(refused: &Judgement) -> String {
    refused.reasons.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(hosts: &[&str]) -> Policy {
        Policy {
            allow_hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            allow_schemes: vec!["https".to_owned(), "http".to_owned()],
            allow_ports: vec![443, 80],
            deny_private: true,
        }
    }

    #[tokio::test]
    async fn connections_go_to_checked_addresses_only() {
        let open = policy(&["*", "1.1.1.1", "127.0.0.1"]);
        let good = admitted("1.1.1.1", 443, &open).await;
        assert_eq!(good.unwrap(), ["1.1.1.1:443".parse().unwrap()]);
        for (host, port, why) in [
            ("1.1.1.1", 22, "port 22"),
            ("127.0.0.1", 443, "127.0.0.1"),
            ("::1", 443, "::1"),
            ("[::1]", 443, "::1"),
            ("169.254.169.254", 80, "169.254.169.254"),
            ("localhost", 443, "localhost"),
            ("0x7f.1", 443, "127.0.0.1"),
            ("a b", 443, ""),
            ("h@1.1.1.1", 443, ""),
        ] {
            let words = admitted(host, port, &open).await.unwrap_err();
            assert!(words.contains(why), "{host}:{port}: {words}");
        }
        let words = admitted("example.com", 443, &policy(&["a.example.com"])).await.unwrap_err();
        assert!(words.contains("not an allowed host"), "{words}");
    }

    #[test]
    fn a_host_that_is_named_must_be_granted() {
        let closed = Bash::default();
        assert!(refusal(&closed, "example.com").is_some_and(|why| why.contains("none is granted")));
        let granted = Bash { network: Some(policy(&["example.com"])), ..Bash::default() };
        assert_eq!(refusal(&granted, "example.com"), None);
        assert!(refusal(&granted, "example.org").is_some());
    }
}
