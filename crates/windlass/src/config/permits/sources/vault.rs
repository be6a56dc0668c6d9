//! A source of the kind `vault`: where it is, and how to get in. Credentials are only
//! ever named.

use std::path::Path;

use secrets::{Credential, KvVersion, VaultAuth, VaultConfiguration};

use super::super::super::expect::{Keys, Reader};
use super::super::super::provider::optional;
use super::super::super::yaml::{Entry, Value};
use super::{one_of, path, tenant};

const VAULT: Keys = Keys {
    of: "`vault`",
    known: &[
        "address",
        "mount",
        "kv",
        "prefix",
        "namespace",
        "auth",
        "ca_file",
        "plain_http",
        "tenant",
    ],
    required: &["address", "auth"],
};

const AUTH: Keys = Keys { of: "`auth`", known: &["token", "approle", "kubernetes"], required: &[] };

const CREDENTIAL: Keys = Keys { of: "a credential", known: &["env", "file"], required: &[] };

const APPROLE: Keys = Keys {
    of: "`approle`",
    known: &["role_id", "secret_id", "mount"],
    required: &["role_id", "secret_id"],
};

const KUBERNETES: Keys =
    Keys { of: "`kubernetes`", known: &["role", "jwt_file", "mount"], required: &["role"] };

/// Where Kubernetes puts a pod's own token.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

pub(super) fn read(
    reader: &mut Reader,
    entry: &Entry,
    folder: &Path,
) -> Option<VaultConfiguration> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &VAULT)?;
    let address = section.get("address").and_then(|entry| reader.address(entry));
    let mount = optional(section.get("mount"), |entry| reader.text(entry));
    let kv = optional(section.get("kv"), |entry| reader.whole(entry, 1..=2_u8, "versions"));
    let prefix = optional(section.get("prefix"), |entry| {
        let said = reader.text(entry)?;
        let words = format!("`{said}` cannot stand before the name of a secret");
        let hint = "letters, digits, `.`, `_` and `-`, in parts between slashes";
        said.parse().ok().or_else(|| reader.wrong(entry.value.span.clone(), words, hint))
    });
    let namespace = optional(section.get("namespace"), |entry| reader.text(entry));
    let auth = section.get("auth").and_then(|entry| auth(reader, entry, folder));
    let ca_file = optional(section.get("ca_file"), |entry| path(reader, entry, folder));
    let plain_http = optional(section.get("plain_http"), |entry| yes_or_no(reader, entry));
    let tenant = tenant(reader, &section);
    Some(VaultConfiguration {
        address: address?,
        mount: mount?.unwrap_or_else(|| "secret".to_owned()),
        kv: if kv? == Some(1) { KvVersion::One } else { KvVersion::Two },
        prefix: prefix?,
        namespace: namespace?,
        auth: auth?,
        ca_file: ca_file?,
        plain_http: plain_http?.unwrap_or(false),
        tenant: tenant?,
    })
}

fn auth(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<VaultAuth> {
    let (method, entry) = one_of(reader, entry, &AUTH)?;
    match method {
        "token" => credential(reader, entry, folder).map(VaultAuth::Token),
        "approle" => {
            let section = reader.section(&entry.value, entry.key_span.clone(), &APPROLE)?;
            let role_id = section.get("role_id").and_then(|entry| reader.text(entry));
            let secret_id =
                section.get("secret_id").and_then(|entry| credential(reader, entry, folder));
            let mount = optional(section.get("mount"), |entry| reader.text(entry));
            let mount = mount?.unwrap_or_else(|| "approle".to_owned());
            Some(VaultAuth::Approle { role_id: role_id?, secret_id: secret_id?, mount })
        }
        _ => {
            let section = reader.section(&entry.value, entry.key_span.clone(), &KUBERNETES)?;
            let role = section.get("role").and_then(|entry| reader.text(entry));
            let jwt = optional(section.get("jwt_file"), |entry| path(reader, entry, folder));
            let mount = optional(section.get("mount"), |entry| reader.text(entry));
            let jwt_file = jwt?.unwrap_or_else(|| SERVICE_ACCOUNT.into());
            let mount = mount?.unwrap_or_else(|| "kubernetes".to_owned());
            Some(VaultAuth::Kubernetes { role: role?, jwt_file, mount })
        }
    }
}

/// Where a credential is. A wrong one is not repeated: it may be the credential itself.
fn credential(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<Credential> {
    let (word, entry) = one_of(reader, entry, &CREDENTIAL)?;
    match word {
        "env" => reader.variable(entry).map(Credential::Env),
        _ => path(reader, entry, folder).map(Credential::File),
    }
}

fn yes_or_no(reader: &mut Reader, entry: &Entry) -> Option<bool> {
    match &entry.value.value {
        Value::Bool(said) => Some(*said),
        Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            let words = format!("`{}` is `true` or `false`", entry.key);
            reader.wrong(entry.key_span.clone(), words, "write one of the two, without quotes")
        }
    }
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    let own = [&VAULT, &AUTH, &CREDENTIAL, &APPROLE, &KUBERNETES];
    own.into_iter().flat_map(|keys| keys.known.iter().copied())
}
