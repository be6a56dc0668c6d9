//! Getting into Vault, staying in, and getting in again.
//!
//! A token is renewed at its use once two thirds of its lease are over; where that fails,
//! or the lease has come to its end, there is a new login.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use kernel::units::UnixMs;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Vault;
use crate::error::SecretError;
use crate::private::{self, Permissions};
use crate::value::{SECRET_BYTES_MAX, Secret, without_line_end};

/// A renewed lease that is shorter than this is at its end, in milliseconds.
const LEASE_MS_MIN: u64 = 5_000;

/// Where Kubernetes puts a pod's own token.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A credential that cannot lie in what it opens. It is read again at each login.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Credential {
    /// The name of an environment variable.
    Env(String),
    /// A file, for its owner alone; Vault's agent writes such.
    File(PathBuf),
}

/// How to get into Vault.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum VaultAuth {
    /// With a token that somebody else gets.
    Token(Credential),
    /// As a machine with a role and a secret.
    Approle {
        /// The role's id; it is no secret.
        role_id: String,
        /// The secret's id.
        secret_id: Credential,
        /// Where the method is mounted.
        #[serde(default = "approle")]
        mount: String,
    },
    /// As a pod of Kubernetes.
    Kubernetes {
        /// The role.
        role: String,
        /// The pod's token.
        #[serde(default = "service_account")]
        jwt_file: PathBuf,
        /// Where the method is mounted.
        #[serde(default = "kubernetes")]
        mount: String,
    },
}

impl VaultAuth {
    /// The same with its relative paths starting at `base`.
    pub(super) fn based_at(&self, base: &Path) -> Self {
        let based = |credential: &Credential| match credential {
            Credential::File(path) => Credential::File(base.join(path)),
            Credential::Env(name) => Credential::Env(name.clone()),
        };
        match self {
            VaultAuth::Token(credential) => VaultAuth::Token(based(credential)),
            VaultAuth::Approle { role_id, secret_id, mount } => VaultAuth::Approle {
                role_id: role_id.clone(),
                secret_id: based(secret_id),
                mount: mount.clone(),
            },
            VaultAuth::Kubernetes { role, jwt_file, mount } => VaultAuth::Kubernetes {
                role: role.clone(),
                jwt_file: base.join(jwt_file),
                mount: mount.clone(),
            },
        }
    }
}

fn approle() -> String {
    "approle".to_owned()
}

fn kubernetes() -> String {
    "kubernetes".to_owned()
}

fn service_account() -> PathBuf {
    PathBuf::from(SERVICE_ACCOUNT)
}

/// A token and its lease.
#[derive(Clone, Debug)]
pub(super) struct Token {
    token: Secret,
    got: UnixMs,
    /// Nothing where it does not end, or nobody knows.
    lease_ms: Option<u64>,
    renewable: bool,
}

impl Token {
    /// The token for a header; HTTP's own traces do not show it.
    pub(super) fn header(&self) -> Result<HeaderValue, SecretError> {
        let mut value = HeaderValue::from_bytes(self.token.expose())
            .map_err(|_| SecretError::unusable("Vault's token", "it cannot stand in a header"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Whether it was got in the last `ms` milliseconds.
    pub(super) fn is_younger(&self, ms: u64, now: UnixMs) -> bool {
        self.got <= now && now < self.got.plus_ms(ms)
    }

    /// Whether it needs no renewal yet.
    fn is_fresh(&self, now: UnixMs) -> bool {
        self.lease_ms.is_none_or(|lease_ms| self.is_younger(lease_ms / 3 * 2, now))
    }

    fn is_over(&self, now: UnixMs) -> bool {
        self.lease_ms.is_some_and(|lease_ms| !self.is_younger(lease_ms, now))
    }
}

/// What a login and a renewal answer.
#[derive(Deserialize)]
struct Granted {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: Zeroizing<String>,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
}

/// What a token is told about itself.
#[derive(Deserialize)]
struct Known {
    data: Itself,
}

#[derive(Deserialize)]
struct Itself {
    #[serde(default)]
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

#[derive(Serialize)]
struct AppRoleLogin<'a> {
    role_id: &'a str,
    secret_id: &'a str,
}

#[derive(Serialize)]
struct KubernetesLogin<'a> {
    role: &'a str,
    jwt: &'a str,
}

impl Vault {
    /// A token that is good at `now`.
    pub(super) async fn token(&self, now: UnixMs) -> Result<Token, SecretError> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| token.is_fresh(now)) {
            return Ok(token.clone());
        }
        let renewable = held.take().filter(|token| token.renewable && !token.is_over(now));
        let renewed = match &renewable {
            Some(token) => self.renew(token, now).await,
            None => None,
        };
        let token = match renewed {
            Some(token) => token,
            None => self.login(now).await?,
        };
        *held = Some(token.clone());
        Ok(token)
    }

    /// Forgets a token that Vault has refused, unless there is another one already.
    pub(super) async fn drop_token(&self, refused: &Token) {
        let mut held = self.token.lock().await;
        held.take_if(|token| token.token == refused.token);
    }

    /// The token with a longer lease; nothing where that does not work for any reason,
    /// for a login is tried then and says why.
    async fn renew(&self, token: &Token, now: UnixMs) -> Option<Token> {
        let url = self.url(&["auth", "token", "renew-self"]).ok()?;
        let request = self.client.post(url).json(&serde_json::json!({}));
        let reply = self.send(request, Some(token)).await.ok()?.judge("vault:renew").ok()??;
        let granted: Granted = serde_json::from_slice(&reply.body).ok()?;
        let renewed = granted.auth.token(now)?;
        renewed.lease_ms.is_none_or(|lease_ms| lease_ms >= LEASE_MS_MIN).then_some(renewed)
    }

    async fn login(&self, now: UnixMs) -> Result<Token, SecretError> {
        match &self.auth {
            VaultAuth::Token(credential) => self.with_token(credential, now).await,
            VaultAuth::Approle { role_id, secret_id, mount } => {
                let secret = self.credential(secret_id)?;
                let secret_id = text(&secret, "the AppRole's secret")?;
                self.enter(mount, &AppRoleLogin { role_id, secret_id }, now).await
            }
            VaultAuth::Kubernetes { role, jwt_file, mount } => {
                // Kubernetes decides who in the pod may read it.
                let secret = read(jwt_file, None)?;
                let jwt = text(&secret, "the pod's token")?;
                self.enter(mount, &KubernetesLogin { role, jwt }, now).await
            }
        }
    }

    /// Logs in with one of Vault's methods.
    async fn enter<T: Serialize + Sync>(
        &self,
        mount: &str,
        body: &T,
        now: UnixMs,
    ) -> Result<Token, SecretError> {
        let what = format!("vault:auth/{mount}/login");
        let url = self.url(&["auth", mount, "login"])?;
        let reply = self.send(self.client.post(url).json(body), None).await?;
        // Vault answers 400 to credentials that it does not know.
        let refused = |error| match error {
            SecretError::Unusable { what, why } => SecretError::Denied { what, why },
            error @ (SecretError::Missing { .. }
            | SecretError::Denied { .. }
            | SecretError::Unavailable { .. }
            | SecretError::Damaged { .. }) => error,
        };
        let reply = reply.judge(&what).map_err(refused)?;
        let reply = reply
            .ok_or_else(|| SecretError::unusable(&what, "there is no such method of login"))?;
        let granted = serde_json::from_slice::<Granted>(&reply.body).ok();
        let token = granted.and_then(|granted| granted.auth.token(now));
        token.ok_or_else(|| SecretError::damaged(&what, "Vault's answer has no token"))
    }

    /// Takes a token that is there, and asks Vault how long it lasts. Where it may not ask,
    /// the token is used until it is refused.
    async fn with_token(&self, from: &Credential, now: UnixMs) -> Result<Token, SecretError> {
        let token = self.credential(from)?;
        let token = Token { token, got: now, lease_ms: None, renewable: false };
        let url = self.url(&["auth", "token", "lookup-self"])?;
        let reply = self.get(&url, &token).await?;
        match reply.judge("vault:auth/token/lookup-self") {
            Ok(Some(reply)) => {
                let known = serde_json::from_slice::<Known>(&reply.body);
                let known = known.map(|known| known.data);
                let known = known.unwrap_or(Itself { ttl: 0, renewable: false });
                let lease_ms = (known.ttl > 0).then(|| known.ttl.saturating_mul(1_000));
                Ok(Token { lease_ms, renewable: known.renewable, ..token })
            }
            Ok(None) | Err(SecretError::Denied { .. }) => Ok(token),
            Err(error) => Err(error),
        }
    }

    fn credential(&self, from: &Credential) -> Result<Secret, SecretError> {
        match from {
            Credential::File(path) => read(path, Some(Permissions::Warn)),
            Credential::Env(name) => {
                let unusable = |why: String| SecretError::unusable(name, why);
                let text = (self.variables)(name);
                let text = text.ok_or_else(|| unusable("it is not set".to_owned()))?;
                Secret::new(text.into_vec()).map_err(|why| unusable(why.to_string()))
            }
        }
    }
}

impl Auth {
    fn token(self, now: UnixMs) -> Option<Token> {
        let token = Secret::of_text(self.client_token).ok()?;
        let lease_ms = self.lease_duration.saturating_mul(1_000);
        let lease_ms = (lease_ms > 0).then_some(lease_ms);
        Some(Token { token, got: now, lease_ms, renewable: self.renewable })
    }
}

fn read(path: &Path, permissions: Option<Permissions>) -> Result<Secret, SecretError> {
    let unusable = |why: String| SecretError::unusable(path.display().to_string(), why);
    let bytes = private::read(path, permissions, SECRET_BYTES_MAX)?;
    let bytes = bytes.ok_or_else(|| unusable("it is not there".to_owned()))?;
    Secret::new(without_line_end(bytes)).map_err(|why| unusable(why.to_string()))
}

fn text<'a>(secret: &'a Secret, what: &str) -> Result<&'a str, SecretError> {
    secret.expose_text().map_err(|why| SecretError::unusable(what, why.to_string()))
}
