//! The network: none, a loopback of its own, or a proxy that asks for each host.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use sandbox::{CageError, Gate, Grant, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::attempts::WORD;
use crate::world::{Before, World, bash, myself, probes, text, walled};

/// A server that answers every request with the head that it got.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let got = stream.read(&mut head).await.unwrap_or(0);
            let body = [b"served ", &head[..got]].concat();
            let length = body.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
        }
    });
    address
}

/// Hosts and ports that a gate was asked for.
type Asked = Arc<Mutex<Vec<(String, u16)>>>;

/// Admits one host, sends it to `to`, and remembers what was asked for.
fn gate(to: SocketAddr) -> (Gate, Asked) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    let gate = Gate::new(move |host: String, port| {
        kept.lock().unwrap().push((host.clone(), port));
        async move {
            if host == "good.example" {
                return Ok(vec![to]);
            }
            Err(format!("`{host}` is not on the list"))
        }
    });
    (gate, asked)
}

/// A request as the shell sends it to the proxy.
fn ask(head: &str) -> String {
    format!(
        "exec 3<>/dev/tcp/${{http_proxy:7:9}}/${{http_proxy##*:}}; printf '{head}' >&3; cat <&3"
    )
}

#[tokio::test]
async fn only_admitted_hosts_are_reached_and_only_through_the_proxy() {
    let probe = walled().await;
    let to = server().await;
    let (gate, asked) = gate(to);
    let world = World::new(Before::Full);
    let cage = world.cage_of(&probe, |grant| grant.network = Network::Gated(gate));

    let plain = ask(r"GET http://good.example/a?b HTTP/1.1\r\nHost: bad.example\r\nX-A: b\r\n\r\n");
    let said = text(&bash(&cage, &plain).await);
    assert!(
        said.contains("served GET /a?b HTTP/1.1\r\nHost: good.example\r\nX-A: b\r\n"),
        "{said}"
    );

    let tunnel = ask(r"CONNECT good.example:443 HTTP/1.1\r\n\r\nhello inside");
    let said = text(&bash(&cage, &tunnel).await);
    assert!(said.contains("200 Connection established"), "{said}");
    assert!(said.contains("served hello inside"), "{said}");

    for head in
        [r"CONNECT bad.example:443 HTTP/1.1\r\n\r\n", r"GET http://bad.example/ HTTP/1.1\r\n\r\n"]
    {
        let said = text(&bash(&cage, &ask(head)).await);
        assert!(said.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{said}");
        assert!(said.ends_with("`bad.example` is not on the list\n"), "{said}");
    }
    let said = text(&bash(&cage, &ask(r"GET / HTTP/1.1\r\nHost: good.example\r\n\r\n")).await);
    assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{said}");

    let port = to.port();
    for direct in ["127.0.0.1", "localhost", "192.0.2.1"] {
        let ended = bash(&cage, &format!("exec 3<>/dev/tcp/{direct}/{port} && echo reached")).await;
        assert!(!text(&ended).contains("reached"), "{direct}");
    }
    let expected =
        [("good.example", 80), ("good.example", 443), ("bad.example", 443), ("bad.example", 80)];
    let expected = expected.map(|(host, port)| (host.to_owned(), port));
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[tokio::test]
async fn datagrams_and_odd_streams_stay_closed_on_a_network() {
    let probe = walled().await;
    let world = World::new(Before::Full);
    let cage = world.cage_of(&probe, |grant| grant.network = Network::Loopback);
    let program = myself();
    for (name, said) in [
        ("udp", libc::EPERM.to_string()),
        ("udp6", libc::EPERM.to_string()),
        ("icmp", libc::EPERM.to_string()),
        ("raw", libc::EPERM.to_string()),
        ("packet", libc::EPERM.to_string()),
        ("netlink", libc::EPERM.to_string()),
        ("mptcp", libc::EPERM.to_string()),
        ("tcp", crate::world::SECRET.to_owned()),
    ] {
        let args = [WORD, name].map(str::to_owned);
        let ended = cage.run(program.to_str().unwrap(), &args, b"").await.unwrap();
        assert_eq!(text(&ended).trim(), said, "{name}");
    }
}

/// What listens in one cage is nobody else's.
#[tokio::test]
async fn a_loopback_is_the_cage_s_own() {
    let probe = walled().await;
    let outer = server().await.port();
    let world = World::new(Before::Full);
    let cage = world.cage_of(&probe, |grant| grant.network = Network::Loopback);
    let script = format!(
        "import socket,threading\n\
         s=socket.create_server(('127.0.0.1',{outer}))\n\
         c=socket.create_connection(('127.0.0.1',{outer}))\n\
         s.accept()[0].sendall(b'own')\n\
         print(c.recv(9).decode())"
    );
    let ended = cage.run("/usr/bin/python3", &["-c".to_owned(), script], b"").await;
    let ended = ended.expect("this test needs Python: apt-get install python3");
    assert_eq!(text(&ended), "own\n", "{ended:?}");
}

#[tokio::test]
async fn a_network_without_namespaces_is_refused() {
    let [_, bare] = probes().await;
    let world = World::new(Before::Full);
    for network in [Network::Loopback, Network::Gated(gate(server().await).0)] {
        let grant = Grant { network, ..Grant::writing(world.work()) };
        let refused = sandbox::Cage::new(Arc::clone(&bare), grant).unwrap_err();
        assert!(matches!(refused, CageError::Grant(_)), "{refused}");
        assert!(refused.to_string().contains("apt-get install bubblewrap"), "{refused}");
    }
}
