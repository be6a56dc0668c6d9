//! The head of a request to the proxy, read strictly: what is not understood is refused.

/// The longest head, in bytes.
pub(super) const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Fields that are between the program and the proxy, or that the proxy writes itself.
const OWN: [&str; 7] = [
    "connection",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "upgrade",
];

/// What a program asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// As it was written, without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    /// The head for the server; `None` where a tunnel is asked for.
    pub(super) forward: Option<Vec<u8>>,
}

impl Request {
    /// Reads a head that ends with an empty line.
    pub(super) fn parse(head: &[u8]) -> Result<Self, &'static str> {
        let head = std::str::from_utf8(head).map_err(|_| "the head is not text")?;
        let head = head.strip_suffix("\r\n\r\n").ok_or("the head has no end")?;
        if head.chars().any(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t'))
            || head.replace("\r\n", "").contains(['\r', '\n'])
        {
            return Err("the head has control characters");
        }
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
            (first.next(), first.next(), first.next(), first.next())
        else {
            return Err("the first line is not `method target HTTP/1.1`");
        };
        if method == "CONNECT" {
            let (host, port) = authority(target, None)?;
            return Ok(Request { host, port, forward: None });
        }
        let rest = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"));
        let rest = rest.map(|scheme| &target[scheme.len()..]);
        let rest = rest.ok_or("the target is neither `http://…` nor of CONNECT")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (named, path) = rest.split_at(end);
        let (host, port) = authority(named, Some(80))?;
        let forward = forward(method, named, path, lines)?;
        Ok(Request { host, port, forward: Some(forward.into_bytes()) })
    }
}

/// A head in the form for the server itself, that names the host which was asked for.
fn forward<'a>(
    method: &str,
    named: &str,
    path: &str,
    fields: impl Iterator<Item = &'a str>,
) -> Result<String, &'static str> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut text = format!("{method} {slash}{path} HTTP/1.1\r\nHost: {named}\r\n");
    for field in fields {
        let (name, _) = field.split_once(':').ok_or("a field has no colon")?;
        let word = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(word) {
            return Err("a field's name is not a word");
        }
        if !OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            text.push_str(field);
            text.push_str("\r\n");
        }
    }
    text.push_str("Connection: close\r\n\r\n");
    Ok(text)
}

/// Host and port. A user's name before them is refused: it hides who is meant.
fn authority(text: &str, usual: Option<u16>) -> Result<(String, u16), &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("an address has no closing bracket")?;
            (host, after.strip_prefix(':').or(after.is_empty().then_some("")))
        }
        None => text.split_once(':').map_or((text, Some("")), |(host, port)| (host, Some(port))),
    };
    let port = match port.ok_or("something odd follows an address")? {
        "" => usual.ok_or("the target has no port")?,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map_err(|_| "the port is too large")?
        }
        _ => return Err("the port is not a number"),
    };
    let lawful = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if host.is_empty() || !host.chars().all(lawful) || port == 0 {
        return Err("the host is not a name or address");
    }
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_strictly() {
        for (head, host, port) in [
            ("CONNECT a.example:443 HTTP/1.1\r\n\r\n", "a.example", 443),
            ("CONNECT [::1]:443 HTTP/1.1\r\n\r\n", "::1", 443),
            ("GET http://a.example HTTP/1.1\r\n\r\n", "a.example", 80),
            ("GET http://a.example:81?x=http://b.example/ HTTP/1.1\r\n\r\n", "a.example", 81),
            ("GET HTTP://a.example/b@c HTTP/1.0\r\n\r\n", "a.example", 80),
        ] {
            let request = Request::parse(head.as_bytes()).unwrap();
            assert_eq!((request.host.as_str(), request.port), (host, port), "{head}");
        }
        for head in [
            "CONNECT a.example HTTP/1.1\r\n\r\n",
            "CONNECT a.example:0 HTTP/1.1\r\n\r\n",
            "CONNECT a.example:65536 HTTP/1.1\r\n\r\n",
            "CONNECT a.example:+443 HTTP/1.1\r\n\r\n",
            "CONNECT [::1]x:443 HTTP/1.1\r\n\r\n",
            "CONNECT a.example\0:443 HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
            "GET ftp://a.example/ HTTP/1.1\r\n\r\n",
            "GET http://good@bad.example/ HTTP/1.1\r\n\r\n",
            "GET http://good\\bad.example/ HTTP/1.1\r\n\r\n",
            "GET http:///x HTTP/1.1\r\n\r\n",
            "GET http://a.example/ HTTP/1.1 x\r\n\r\n",
            "GET http://a.example/ HTTP/1.1\r\n folded: x\r\n\r\n",
            "GET http://a.example/ HTTP/1.1\r\nX: y\nHost: z\r\n\r\n",
        ] {
            assert!(Request::parse(head.as_bytes()).is_err(), "{head}");
        }
    }

    #[test]
    fn the_server_is_told_the_host_that_was_checked() {
        let head = "POST http://a.example/p?q HTTP/1.1\r\nHost: b.example\r\nA: b\r\n\
                    Proxy-Authorization: c\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n";
        let forward = Request::parse(head.as_bytes()).unwrap().forward.unwrap();
        assert_eq!(
            String::from_utf8(forward).unwrap(),
            "POST /p?q HTTP/1.1\r\nHost: a.example\r\nA: b\r\nContent-Length: 2\r\n\
             Connection: close\r\n\r\n"
        );
    }
}
