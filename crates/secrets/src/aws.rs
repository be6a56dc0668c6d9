//! AWS Secrets Manager.
//!
//! A tenant's secrets are named `PREFIX@TENANT/NAME`, the installation's `PREFIXNAME`.
//! Credentials come from where AWS's own programs find them: variables, profile files,
//! web identity, the container, the machine. No name can be an ARN, so none leads out of
//! the prefix.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::{
    GetSecretValueError, GetSecretValueOutput,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use serde::Deserialize;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::error::SecretError;
use crate::field;
use crate::handle::Kind;
use crate::source::{Source, Version, Versioned, Wanted};
use crate::value::Secret;

/// Time for a connection, in milliseconds.
const CONNECT_MS: u64 = 3_000;

/// Time for one try, in milliseconds.
const TRY_MS: u64 = 5_000;

/// Time for all tries together, in milliseconds.
const TRIES_MS: u64 = 10_000;

/// Tries of one call.
const TRIES_MAX: u32 = 2;

/// How much of AWS's own words is passed on, in characters.
const WORDS_MAX: usize = 200;

/// Where the secrets are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsConfiguration {
    /// The region; nothing where AWS's own settings name it.
    #[serde(default)]
    pub region: Option<String>,
    /// What stands before every name, with the `/` where one is wanted.
    #[serde(default)]
    pub prefix: String,
    /// Another address than AWS's own.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The tenant that all of this belongs to; nothing where it has a part for each.
    #[serde(default)]
    pub tenant: Option<String>,
}

/// Secrets Manager in one region.
#[derive(Debug)]
pub struct Aws {
    config: AwsConfiguration,
    client: OnceCell<Client>,
}

impl Aws {
    /// Looks for no credentials yet.
    #[must_use]
    pub fn new(config: AwsConfiguration) -> Self {
        Aws { config, client: OnceCell::new() }
    }

    /// The same over a client that is there.
    #[must_use]
    pub fn over(client: Client, config: AwsConfiguration) -> Self {
        Aws { config, client: OnceCell::new_with(Some(client)) }
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(|| connect(&self.config)).await
    }
}

async fn connect(config: &AwsConfiguration) -> Client {
    let ring = Provider::Rustls(CryptoMode::Ring);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(CONNECT_MS))
        .operation_attempt_timeout(Duration::from_millis(TRY_MS))
        .operation_timeout(Duration::from_millis(TRIES_MS));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(ring).build_https())
        .timeout_config(timeouts.build())
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES_MAX));
    if let Some(region) = &config.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &config.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    Client::new(&loader.load().await)
}

#[async_trait]
impl Source for Aws {
    fn kind(&self) -> Kind {
        Kind::Aws
    }

    async fn read(&self, wanted: &Wanted<'_>) -> Result<Option<Versioned>, SecretError> {
        let what = wanted.shown(Kind::Aws);
        let id = format!("{}{}", self.config.prefix, wanted.owner.path(wanted.name));
        let asked = self.client().await.get_secret_value().secret_id(id).send().await;
        match asked {
            Ok(output) => value(output, wanted, &what).map(Some),
            Err(error) => failed(&error, &what).map_or(Ok(None), Err),
        }
    }
}

/// The value in an answer.
fn value(
    output: GetSecretValueOutput,
    wanted: &Wanted<'_>,
    what: &str,
) -> Result<Versioned, SecretError> {
    let (text, binary, version) = (output.secret_string, output.secret_binary, output.version_id);
    let whole = match (text, binary) {
        (Some(text), _) => Zeroizing::new(text.into_bytes()),
        (None, Some(binary)) => Zeroizing::new(binary.into_inner()),
        (None, None) => return Err(SecretError::damaged(what, "AWS's answer has no value")),
    };
    let unusable = |why: String| SecretError::unusable(what, why);
    let value = match wanted.field {
        Some(name) => field::pick(&whole, name).map_err(|why| unusable(why.to_string()))?,
        None => Secret::new(whole).map_err(|why| unusable(why.to_string()))?,
    };
    let version = version.map_or_else(|| Version::of(&value), |id| Ok(Version(id)))?;
    Ok(Versioned::new(value, version))
}

/// What an error means; nothing where it says that there is no such secret.
fn failed(error: &SdkError<GetSecretValueError>, what: &str) -> Option<SecretError> {
    let Some(said) = error.as_service_error() else { return Some(unsent(error, what)) };
    if said.is_resource_not_found_exception() {
        return None;
    }
    let code = said.code().unwrap_or("an error without a code");
    let words = said.message().unwrap_or("nothing more");
    let plain = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    let why = format!("AWS says {code}: {}", plain.take(WORDS_MAX).collect::<String>());
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    Some(match code {
        // It is kept for some days after somebody deleted it.
        "InvalidRequestException" if words.contains(" marked ") && words.contains(" delet") => {
            return None;
        }
        "AccessDeniedException"
        | "DecryptionFailure"
        | "UnrecognizedClientException"
        | "ExpiredTokenException"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken" => SecretError::denied(what, why),
        "ThrottlingException" | "InternalServiceError" | "ServiceUnavailable" => {
            SecretError::unavailable(what, why)
        }
        _ if status >= 500 || status == 429 => SecretError::unavailable(what, why),
        _ => SecretError::unusable(what, why),
    })
}

/// What it means that AWS has said nothing.
fn unsent(error: &SdkError<GetSecretValueError>, what: &str) -> SecretError {
    match error {
        SdkError::TimeoutError(_) => SecretError::unavailable(what, "AWS did not answer in time"),
        // No region, no endpoint, or a name that AWS's own client does not send.
        SdkError::ConstructionFailure(_) => {
            let why = "the request to AWS cannot be made\nhint: look at region and endpoint";
            SecretError::unusable(what, why)
        }
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            SecretError::unavailable(what, "AWS did not answer in time")
        }
        SdkError::DispatchFailure(failure) if failure.is_io() => {
            SecretError::unavailable(what, "AWS cannot be reached")
        }
        SdkError::DispatchFailure(_) => {
            let why = "AWS cannot be asked\nhint: look at the credentials that this process finds";
            SecretError::unavailable(what, why)
        }
        SdkError::ResponseError(_) => SecretError::unavailable(what, "AWS's answer was cut off"),
        SdkError::ServiceError(_) | _ => SecretError::unavailable(what, "AWS gave no answer"),
    }
}
