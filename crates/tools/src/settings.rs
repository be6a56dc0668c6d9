//! What the tools must be told by the program that assembles them.

mod bash;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::outward::{Resolve, SystemResolver};

pub use bash::Bash;

/// What the tools must be told. The default works without any configuration, and keeps
/// its records in `.windlass` of the present folder.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where notes are kept; a relative path starts at the working directory.
    /// `None`: `notes` in the working directory.
    pub notes_dir: Option<PathBuf>,
    /// The program's own folder. Records of effects are kept in its folder `effects`, and
    /// file tools never see inside it, wherever it is and however it is named.
    pub state_dir: PathBuf,
    /// The weather service. `None`: Open-Meteo.
    pub weather_base_url: Option<String>,
    /// The service that turns a place's name into coordinates. `None`: the one at
    /// `weather_base_url` where that is set, Open-Meteo otherwise.
    pub weather_geocoding_url: Option<String>,
    /// Who searches the web. `None`: nobody, and the tool says so.
    pub search: Option<SearchEngine>,
    /// Where pages may be fetched from. `None`: nowhere, and the tool says so.
    pub web_fetch: Option<guard::url::Policy>,
    /// Turns names into addresses for what goes to places that others choose.
    pub resolver: Arc<dyn Resolve>,
    /// Limits of every HTTP request.
    pub http: HttpLimits,
    /// What the shell is granted.
    pub bash: Bash,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            notes_dir: None,
            state_dir: PathBuf::from(".windlass"),
            weather_base_url: None,
            weather_geocoding_url: None,
            search: None,
            web_fetch: None,
            resolver: Arc::new(SystemResolver),
            http: HttpLimits::default(),
            bash: Bash::default(),
        }
    }
}

/// Who searches the web. An address is that of another server than the vendor's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchEngine {
    /// Brave Search.
    Brave {
        /// The subscription token.
        key: Secret,
        /// Instead of `https://api.search.brave.com`.
        base_url: Option<String>,
    },
    /// Tavily.
    Tavily {
        /// The API key.
        key: Secret,
        /// Instead of `https://api.tavily.com`.
        base_url: Option<String>,
    },
    /// A SearXNG server of one's own, with the format `json` switched on.
    Searxng {
        /// Its address.
        base_url: String,
    },
}

/// A key. Never shown by `Debug`, so that it cannot slip into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a key in.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Secret(key.into())
    }

    /// The key, for the one header that it is sent in.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Limits of every HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Time to connect, in milliseconds.
    pub connect_ms: u64,
    /// Time for the whole exchange, in milliseconds.
    pub total_ms: u64,
    /// Largest reply, in bytes after decompression.
    pub reply_bytes_max: usize,
    /// Redirects followed, and only within the same origin.
    pub redirects_max: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits {
            connect_ms: 5_000,
            total_ms: 15_000,
            reply_bytes_max: 2 * 1024 * 1024,
            redirects_max: 3,
        }
    }
}
