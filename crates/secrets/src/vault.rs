//! HashiCorp Vault, or what speaks like it: the KV secrets engine over HTTP.
//!
//! A tenant's secrets lie under `PREFIX/@TENANT/`, the installation's under `PREFIX/`.
//! The shapes are those of <https://developer.hashicorp.com/vault/api-docs>. Redirects
//! are not followed, for the token would go with them.

mod login;
mod reply;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Certificate, Client, Url, redirect, retry};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::environment::Variables;
use crate::error::SecretError;
use crate::field;
use crate::handle::{Kind, Name};
use crate::private;
use crate::source::{Source, Version, Versioned, Wanted};
use login::Token;
pub use login::{Credential, VaultAuth};
use reply::Reply;

/// Time for a connection, in milliseconds.
const CONNECT_MS: u64 = 3_000;

/// Time for one request with its answer, in milliseconds.
const REQUEST_MS: u64 = 5_000;

/// The longest file of certificates, in bytes.
const CA_BYTES_MAX: usize = 1_024 * 1_024;

/// How long after a login a refusal is believed and not taken for an expired token, in
/// milliseconds. It keeps a secret that is refused for good from causing login after login.
const LOGIN_GAP_MS: u64 = 10_000;

/// Which version of the KV engine is mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvVersion {
    /// Without versions.
    One,
    /// With versions.
    #[default]
    Two,
}

impl<'de> Deserialize<'de> for KvVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            1 => Ok(KvVersion::One),
            2 => Ok(KvVersion::Two),
            _ => Err(serde::de::Error::custom("the versions of KV are 1 and 2")),
        }
    }
}

/// Where Vault is and how to get in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfiguration {
    /// `https://vault.example.com:8200`. Plain `http` only to this machine, or where
    /// `plain_http` says so.
    pub address: String,
    /// Where the KV engine is mounted.
    #[serde(default = "mount")]
    pub mount: String,
    /// The engine's version: 1 or 2.
    #[serde(default)]
    pub kv: KvVersion,
    /// What stands before every name.
    #[serde(default)]
    pub prefix: Option<Name>,
    /// The namespace, where there are such.
    #[serde(default)]
    pub namespace: Option<String>,
    /// How to get in.
    pub auth: VaultAuth,
    /// A PEM file with the authority of Vault's certificate, where the machine has not got it.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Whether values may cross the network without encryption.
    #[serde(default)]
    pub plain_http: bool,
    /// The tenant that all of this belongs to; nothing where it has a part for each.
    #[serde(default)]
    pub tenant: Option<String>,
}

fn mount() -> String {
    "secret".to_owned()
}

impl VaultConfiguration {
    /// The same with its relative paths starting at `base`.
    pub(crate) fn based_at(&self, base: &Path) -> Self {
        let ca_file = self.ca_file.as_ref().map(|path| base.join(path));
        VaultConfiguration { ca_file, auth: self.auth.based_at(base), ..self.clone() }
    }
}

/// One Vault.
#[derive(Debug)]
pub struct Vault {
    client: Client,
    address: Url,
    mount: Name,
    kv: KvVersion,
    prefix: Option<Name>,
    namespace: Option<String>,
    auth: VaultAuth,
    variables: Variables,
    /// Held over a login, so that many who need a token cause one.
    token: Mutex<Option<Token>>,
}

/// A reading of either engine.
#[derive(Deserialize)]
struct Reading<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    lease_duration: u64,
}

/// What version 2 has within.
#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
}

impl Vault {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// [`SecretError::Unusable`]: the address, the mount or the certificates are none.
    pub fn new(config: &VaultConfiguration, variables: Variables) -> Result<Self, SecretError> {
        let address = address(config)?;
        let unusable = |why: String| SecretError::unusable(&config.address, why);
        let mount = config.mount.trim_matches('/').parse().map_err(|_| {
            unusable(format!("`{}` is not a place where an engine is mounted", config.mount))
        })?;
        Ok(Vault {
            client: client(config, &address)?,
            address,
            mount,
            kv: config.kv,
            prefix: config.prefix.clone(),
            namespace: config.namespace.clone(),
            auth: config.auth.clone(),
            variables,
            token: Mutex::new(None),
        })
    }

    /// The address of a path under `/v1/`.
    fn url(&self, parts: &[&str]) -> Result<Url, SecretError> {
        let mut url = self.address.clone();
        let shown = self.address.to_string();
        let mut segments = url
            .path_segments_mut()
            .map_err(|()| SecretError::unusable(shown, "it is not an address with paths"))?;
        segments.pop_if_empty().push("v1");
        segments.extend(parts.iter().flat_map(|part| part.split('/')));
        drop(segments);
        Ok(url)
    }

    fn url_of(&self, wanted: &Wanted<'_>) -> Result<Url, SecretError> {
        let path = wanted.owner.path(wanted.name);
        let data = match self.kv {
            KvVersion::One => None,
            KvVersion::Two => Some("data"),
        };
        let parts = [Some(self.mount.as_str()), data, self.prefix.as_ref().map(Name::as_str)];
        let parts: Vec<&str> = parts.into_iter().flatten().chain([path.as_str()]).collect();
        self.url(&parts)
    }

    /// Asks with a token, and once more with a new one where the first may have expired.
    async fn ask(&self, wanted: &Wanted<'_>, what: &str) -> Result<Option<Reply>, SecretError> {
        let url = self.url_of(wanted)?;
        let token = self.token(wanted.now).await?;
        match self.get(&url, &token).await?.judge(what) {
            Err(SecretError::Denied { .. }) if !token.is_younger(LOGIN_GAP_MS, wanted.now) => {
                self.drop_token(&token).await;
                let token = self.token(wanted.now).await?;
                self.get(&url, &token).await?.judge(what)
            }
            judged => judged,
        }
    }

    async fn get(&self, url: &Url, token: &Token) -> Result<Reply, SecretError> {
        self.send(self.client.get(url.clone()), Some(token)).await
    }

    /// The value in a reading.
    fn value(
        &self,
        reply: &Reply,
        wanted: &Wanted<'_>,
        what: &str,
    ) -> Result<Option<Versioned>, SecretError> {
        let strange = || SecretError::damaged(what, "Vault's answer is not one of its KV engine");
        let unusable = |why: String| SecretError::unusable(what, why);
        let reading: Reading<'_> = serde_json::from_slice(&reply.body).map_err(|_| strange())?;
        let raw = reading.data.ok_or_else(strange)?;
        let (raw, version) = match self.kv {
            KvVersion::One => (Some(raw), None),
            KvVersion::Two => {
                let data: Data<'_> = serde_json::from_str(raw.get()).map_err(|_| {
                    unusable("the engine there is not version 2\nhint: set `kv: 1`".to_owned())
                })?;
                (data.data, Some(Version(data.metadata.version.to_string())))
            }
        };
        let Some(raw) = raw else { return Ok(None) };
        let json = raw.get().as_bytes();
        let picked = match wanted.field {
            Some(name) => field::pick(json, name),
            None => field::only(json),
        };
        let value = picked.map_err(|why| unusable(why.to_string()))?;
        let version = version.map_or_else(|| Version::of(&value), Ok)?;
        let lease_ms = reading.lease_duration.saturating_mul(1_000);
        let fresh_ms = (lease_ms > 0).then_some(lease_ms);
        Ok(Some(Versioned { fresh_ms, ..Versioned::new(value, version) }))
    }
}

#[async_trait]
impl Source for Vault {
    fn kind(&self) -> Kind {
        Kind::Vault
    }

    async fn read(&self, wanted: &Wanted<'_>) -> Result<Option<Versioned>, SecretError> {
        let what = wanted.shown(Kind::Vault);
        match self.ask(wanted, &what).await? {
            Some(reply) => self.value(&reply, wanted, &what),
            None => Ok(None),
        }
    }
}

/// The address, where values may go there.
fn address(config: &VaultConfiguration) -> Result<Url, SecretError> {
    let unusable = |why: &str| SecretError::unusable(&config.address, why);
    let url: Url = config.address.parse().map_err(|_| unusable("it is not an address"))?;
    let here = match url.host_str() {
        Some(host) => ["localhost", "127.0.0.1", "[::1]"].contains(&host),
        None => return Err(unusable("it names no host")),
    };
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(unusable("an address has no user, password or query"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if here || config.plain_http => Ok(url),
        "http" => Err(unusable(
            "values would cross the network without encryption\nhint: use https, or set `plain_http: true`",
        )),
        _ => Err(unusable("it is neither https nor http")),
    }
}

fn client(config: &VaultConfiguration, address: &Url) -> Result<Client, SecretError> {
    install_tls();
    let mut builder = Client::builder()
        .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_millis(CONNECT_MS))
        .timeout(Duration::from_millis(REQUEST_MS))
        .redirect(redirect::Policy::none())
        .retry(retry::never());
    if address.scheme() == "http" {
        // Without TLS there is nothing to read the machine's certificates for.
        builder = builder.tls_certs_only([]);
    } else if let Some(path) = &config.ca_file {
        let what = path.display().to_string();
        let pem = private::read(path, None, CA_BYTES_MAX)?
            .ok_or_else(|| SecretError::unusable(&what, "it is not there"))?;
        let bundle = Certificate::from_pem_bundle(&pem).ok().filter(|bundle| !bundle.is_empty());
        let certificates =
            bundle.ok_or_else(|| SecretError::unusable(&what, "it has no certificates in PEM"))?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| SecretError::unusable(&config.address, error.to_string()))
}

/// Makes ring the process's TLS, unless somebody has chosen before.
fn install_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error says that another thread was faster, with the same result.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
