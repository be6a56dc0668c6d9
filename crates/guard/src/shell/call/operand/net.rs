//! Words of `curl`, `wget` and friends. The proxy of the sandbox decides where a connection
//! goes; here only what is plainly an address on the internet gets through.

use url::{Host, Url};

use crate::shell::examine::Examiner;
use crate::shell::path::ANY;
use crate::shell::table::Net;
use crate::shell::value::Value;

impl Examiner<'_> {
    pub(super) fn network(&mut self, title: &str, net: Net, value: &Value) {
        // The question mark of an address is a pattern that matches nothing.
        let address = net == Net::Url && !value.unknown && value.samples.len() == 1;
        if !value.exact && !address {
            return self.deny(format!("nobody knows what `{title}` would send or ask for"));
        }
        let text = value.sample().replace(ANY, "?");
        let text = text.as_str();
        let good = match net {
            Net::Url => match public_host(text) {
                Some(host) => {
                    self.found.hosts.insert(host);
                    true
                }
                None => false,
            },
            Net::Host => {
                let host = public_host(&format!("https://{text}/"));
                self.found.hosts.extend(host.clone());
                host.is_some_and(|host| host == text)
            }
            Net::Method => matches!(text, "GET" | "HEAD"),
            Net::Printed => !text.starts_with('@') && !text.contains("%output"),
            Net::Sent => !text.starts_with('@') && !text.contains("=@"),
            Net::Dash => text == "-",
        };
        if !good {
            self.deny(format!("`{text}` is nothing that `{title}` may be given"));
        }
    }
}

/// The host of an `http` address, where it is a name on the internet and the address has no
/// credentials and no pattern.
fn public_host(text: &str) -> Option<String> {
    if text.contains(['{', '}', '[', ']', '\\']) {
        return None;
    }
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole).ok()?;
    if !matches!(url.scheme(), "http" | "https")
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return None;
    }
    match url.host()? {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let local = ["localhost", "local", "internal", "lan", "home", "arpa"];
            let last = name.rsplit('.').next().unwrap_or("");
            let plain = |one: char| one.is_ascii_alphanumeric() || one == '.' || one == '-';
            (name.contains('.') && name.chars().all(plain) && !local.contains(&last))
                .then(|| name.to_owned())
        }
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_on_the_internet_are_public() {
        assert_eq!(public_host("https://example.com/a?b").as_deref(), Some("example.com"));
        assert_eq!(public_host("example.com").as_deref(), Some("example.com"));
        let bad = [
            "file:///etc/passwd",
            "http://localhost/",
            "http://127.1/",
            "http://[::1]/",
            "http://0x7f.1/",
            "http://u:p@a.b/",
            "gopher://a.b",
            "http://x.internal/",
            "dict://a.b",
            "http://a.{b,c}/",
            "http://2130706433/",
        ];
        for bad in bad {
            assert_eq!(public_host(bad), None, "{bad}");
        }
    }
}
