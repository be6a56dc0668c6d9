//! AWS Secrets Manager, against a server that speaks its protocol.
use crate::support::{ask, of, shown};
use aws_config::{BehaviorVersion, Region};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use secrets::{Aws, AwsConfiguration, Owner, SecretError};
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, header_regex, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn aws(server: &MockServer) -> Aws {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .http_client(Builder::new().build_http())
        .endpoint_url(server.uri())
        .build();
    let prefix = "windlass/".to_owned();
    let described = AwsConfiguration { region: None, prefix, endpoint: None, tenant: None };
    Aws::over(Client::from_conf(config), described)
}

fn asked_for(id: &str) -> wiremock::MockBuilder {
    Mock::given(method("POST"))
        .and(path("/"))
        .and(header("X-Amz-Target", "secretsmanager.GetSecretValue"))
        .and(header("Content-Type", "application/x-amz-json-1.1"))
        .and(header_regex("Authorization", "^AWS4-HMAC-SHA256 .*/eu-central-1/secretsmanager/"))
        .and(body_json(json!({"SecretId": id})))
}

fn answer(status: u16, body: &Value) -> ResponseTemplate {
    let body = body.to_string().into_bytes();
    ResponseTemplate::new(status).set_body_raw(body, "application/x-amz-json-1.1")
}

fn kept(name: &str, field: &str, value: &str, version: &str) -> ResponseTemplate {
    let arn = format!("arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-a1b2c3");
    let mut body = json!({
        "ARN": arn, "Name": name, "VersionId": version, "VersionStages": ["AWSCURRENT"],
        "CreatedDate": 1_774_146_246.945
    });
    body[field] = Value::from(value);
    answer(200, &body)
}

#[tokio::test]
async fn secrets_are_read_under_prefix_and_tenant() {
    let server = MockServer::start().await;
    let version = "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111";
    let text =
        kept("windlass/@acme/db", "SecretString", r#"{"user":"ada","password":"pw"}"#, version);
    asked_for("windlass/@acme/db").respond_with(text).mount(&server).await;
    let binary = kept("windlass/tls/key", "SecretBinary", "AP8BAg==", "2");
    asked_for("windlass/tls/key").respond_with(binary).mount(&server).await;
    let aws = aws(&server);
    let found = ask(&aws, &of("acme"), "db#password", 0).await.unwrap().unwrap();
    assert_eq!(
        (crate::support::text(&found.value).as_str(), found.version.0.as_str()),
        ("pw", version)
    );
    let whole = shown(ask(&aws, &of("acme"), "db", 0).await);
    assert_eq!(whole, Ok(Some(r#"{"user":"ada","password":"pw"}"#.to_owned())));
    let key = ask(&aws, &Owner::Installation, "tls/key", 0).await.unwrap().unwrap();
    assert_eq!(key.value.expose(), [0, 255, 1, 2]);
}

#[tokio::test]
async fn what_aws_answers_says_what_to_do_next() {
    let deleted =
        "You can't perform this operation on the secret because it was marked for deletion.";
    let cases = [
        (
            400,
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret.",
            "absent",
        ),
        (400, "InvalidRequestException", deleted, "absent"),
        (
            400,
            "InvalidRequestException",
            "It's a secret that's currently marked deleted.",
            "absent",
        ),
        (400, "InvalidRequestException", "You can't do that.", "secret_unusable"),
        (400, "InvalidParameterException", "Invalid name.", "secret_unusable"),
        (400, "AccessDeniedException", "User is not authorized to perform this.", "secret_denied"),
        (400, "DecryptionFailure", "Secrets Manager can't decrypt it.", "secret_denied"),
        (400, "ExpiredTokenException", "The security token is expired.", "secret_denied"),
        (400, "UnrecognizedClientException", "The security token is invalid.", "secret_denied"),
        (400, "ThrottlingException", "Rate exceeded", "secret_source_unavailable"),
        (500, "InternalServiceError", "An error occurred.", "secret_source_unavailable"),
        (503, "SomethingNew", "Later.", "secret_source_unavailable"),
    ];
    for (status, code, message, expected) in cases {
        let server = MockServer::start().await;
        let body = json!({"__type": code, "Message": message});
        asked_for("windlass/@acme/key").respond_with(answer(status, &body)).mount(&server).await;
        match ask(&aws(&server), &of("acme"), "key", 0).await {
            Ok(found) => assert_eq!((expected, found), ("absent", None), "{code}"),
            Err(error) => {
                assert_eq!(error.code(), expected, "{code}: {error}");
                assert!(error.to_string().contains(code), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_throttled_call_is_tried_again() {
    let server = MockServer::start().await;
    let busy = answer(400, &json!({"__type": "ThrottlingException", "Message": "Rate exceeded"}));
    asked_for("windlass/@acme/key")
        .respond_with(busy)
        .up_to_n_times(1)
        .expect(1)
        .mount(&server)
        .await;
    let value = kept("windlass/@acme/key", "SecretString", "value", "1");
    asked_for("windlass/@acme/key").respond_with(value).expect(1).mount(&server).await;
    let found = shown(ask(&aws(&server), &of("acme"), "key", 0).await);
    assert_eq!(found, Ok(Some("value".to_owned())));
}

#[tokio::test]
async fn an_answer_without_a_value_or_a_server_is_no_value() {
    let server = MockServer::start().await;
    let empty = answer(200, &json!({"Name": "windlass/@acme/key", "VersionId": "1"}));
    asked_for("windlass/@acme/key").respond_with(empty).mount(&server).await;
    let aws = aws(&server);
    let error = ask(&aws, &of("acme"), "key", 0).await.unwrap_err();
    assert!(matches!(error, SecretError::Damaged { .. }), "{error}");
    drop(server);
}
