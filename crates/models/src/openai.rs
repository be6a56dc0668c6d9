//! Chat completions: OpenAI, and every server that speaks like it.
//!
//! Only what is this protocol's own and not its message shapes: where the vendor is, and
//! which headers it wants. The shapes are `wire`'s, the call is [`crate::remote`]'s.

use reqwest::header::{AUTHORIZATION, HeaderMap};
use wire::openai::Dialect;

use crate::catalog::Catalog;
use crate::protocol::Protocol;
use crate::remote::{Endpoint, Key, Remote};

/// Where the vendor's own service is.
pub const BASE_URL: &str = "https://api.openai.com/v1";

/// The path under the base URL.
pub(crate) const PATH: &str = "/chat/completions";

/// Hosts that speak the vendor's own dialect: the end of their names.
const OWN_HOSTS: [&str; 2] = ["api.openai.com", ".openai.azure.com"];

/// A client that makes one try for each call. Away from the vendor's own hosts it speaks
/// the older dialect, which every compatible server knows.
#[must_use]
pub fn client(endpoint: Endpoint, catalog: Catalog) -> Remote {
    let own = OWN_HOSTS.iter().any(|end| endpoint.host().ends_with(end));
    let dialect = if own { Dialect::OpenAi } else { Dialect::Compatible };
    Remote::new(Protocol::OpenAi(dialect), endpoint, catalog)
}

pub(crate) fn headers(key: Option<&Key>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        headers.insert(AUTHORIZATION, key.header("Bearer "));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendor_and_the_others_are_spoken_to_in_their_dialects() {
        for (base, dialect) in [
            (BASE_URL, Dialect::OpenAi),
            ("https://me.openai.azure.com/openai/v1", Dialect::OpenAi),
            ("http://127.0.0.1:11434/v1", Dialect::Compatible),
            ("https://openrouter.ai/api/v1", Dialect::Compatible),
        ] {
            let client = client(Endpoint::new(base, None).unwrap(), Catalog::builtin());
            assert_eq!(client.protocol(), Protocol::OpenAi(dialect), "{base}");
        }
    }
}
