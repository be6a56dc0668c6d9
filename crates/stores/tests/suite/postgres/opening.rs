//! Opening: what is refused, and connections over TLS.

use engine::conformance::sample::Pen;
use engine::ports::StoreError;
use secrets::Secret;
use stores::postgres::{OpenError, Options, Postgres};

use super::super::server::Server;
use super::{open, options};

#[tokio::test]
async fn what_is_not_ours_is_left_as_it_is() {
    let server = Server::start().await;
    let beside = server.client().await;
    let make = "CREATE SCHEMA theirs; CREATE TABLE theirs.thing (id int)";
    beside.batch_execute(make).await.unwrap();
    let error = Postgres::open(&server.url(), options("theirs")).await.unwrap_err();
    assert!(matches!(&error, OpenError::Foreign { schema } if schema == "theirs"), "{error}");

    drop(open(&server, "ours").await);
    beside.batch_execute("UPDATE ours.schema_version SET version = 99").await.unwrap();
    let error = Postgres::open(&server.url(), options("ours")).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("hint: use the newer program"), "{error}");

    for name in ["", "Our\"s", "pg_ours", &"x".repeat(64)] {
        let error = Postgres::open(&server.url(), options(name)).await.unwrap_err();
        assert!(matches!(error, OpenError::Name { .. }), "{error}");
    }
    let url = Secret::of_text("postgres://user:hunter2@/x?colour=red".to_owned()).unwrap();
    let error = Postgres::open(&url, options("ours")).await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    beside
        .batch_execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        .await
        .unwrap();
    let latin = server.url().expose_text().unwrap().replace("/postgres", "/latin");
    let latin = Secret::of_text(latin).unwrap();
    let error = Postgres::open(&latin, options("ours")).await.unwrap_err();
    assert!(matches!(error, OpenError::Encoding { .. }), "{error}");
}

/// Over TLS only to a server whose certificate an authority of ours signed for its name.
#[tokio::test]
async fn a_certificate_is_checked() {
    let server = Server::start_with_tls().await;
    let required = format!("{}?sslmode=require", server.url().expose_text().unwrap());
    let required = Secret::of_text(required).unwrap();
    let trusting = Options { ca_file: Some(server.ca_file()), ..options("store") };
    let store = Postgres::open(&required, trusting.clone()).await.unwrap();
    Pen::opened(&store, "t", 1).await.unwrap();
    let beside = server.client().await;
    let sql = "SELECT count(*) FILTER (WHERE ssl) FROM pg_stat_ssl
               JOIN pg_stat_activity USING (pid) WHERE application_name = 'windlass'";
    let encrypted: i64 = beside.query_one(sql, &[]).await.unwrap().get(0);
    assert!(encrypted > 0);

    let error = Postgres::open(&required, options("store")).await.unwrap_err();
    let refused = matches!(&error, OpenError::Store(StoreError::Unavailable(_)));
    assert!(refused && error.to_string().contains("certificate"), "{error}");
    // The certificate is for the number and not for the name.
    let named = required.expose_text().unwrap().replace("127.0.0.1", "localhost");
    let named = Secret::of_text(named).unwrap();
    let error = Postgres::open(&named, trusting).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    let nothing = Options { ca_file: Some(server.data().join("none.pem")), ..options("store") };
    let error = Postgres::open(&required, nothing).await.unwrap_err();
    assert!(matches!(error, OpenError::Authorities(_)), "{error}");
}
