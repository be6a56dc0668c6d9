//! Where a server is and who is asking, from an address.

use std::net::IpAddr;

use mysql_async::{Opts, OptsBuilder, SslOpts};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{DatabaseError, Settings};

/// Reads an address. Its mistakes are told without it, because it holds a password.
pub(super) fn read(url: &SecretString, settings: &Settings) -> Result<Opts, DatabaseError> {
    let form = "the address is not of the form `mysql://user:password@host:port/database`";
    let wrong = |words: &str| DatabaseError::Configuration(words.to_owned());
    let url = Url::parse(url.expose_secret()).map_err(|_| wrong(form))?;
    if !matches!(url.scheme(), "mysql" | "mariadb") || url.host_str().is_none() {
        return Err(wrong(form));
    }
    let encrypt = match url.query() {
        None => None,
        Some("require_ssl=true") => Some(true),
        Some("require_ssl=false") => Some(false),
        Some(_) => return Err(wrong("the address's only option is `require_ssl`")),
    };
    let mut plain = url;
    plain.set_query(None);
    let plain = plain.as_str().replacen("mariadb://", "mysql://", 1);
    let opts = Opts::from_url(&plain).map_err(|_| wrong(form))?;
    let encrypt = encrypt.unwrap_or_else(|| !is_here(opts.ip_or_hostname()));
    let tls = match encrypt {
        true => Some(trust(settings)?),
        false => None,
    };
    let builder = OptsBuilder::from_opts(opts)
        .ssl_opts(tls)
        // A socket that the server names is another way than the one that was configured.
        .prefer_socket(false)
        .stmt_cache_size(0)
        .max_allowed_packet(Some(settings.limits.received_bytes_max));
    Ok(Opts::from(builder))
}

fn trust(settings: &Settings) -> Result<SslOpts, DatabaseError> {
    // Read now, so that a file that is no CA file is told when it is configured.
    crate::tls::client(settings.ca_file.as_deref())?;
    Ok(match &settings.ca_file {
        None => SslOpts::default(),
        Some(file) => SslOpts::default()
            .with_root_certs(vec![file.clone().into()])
            .with_disable_built_in_roots(true),
    })
}

fn is_here(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
