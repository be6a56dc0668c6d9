//! One server of one tenant: started when it is needed, looked at before it is used,
//! restarted with a growing wait, stopped when nobody needs it.

mod start;

use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use kernel::backoff::Backoff;
use kernel::units::Tenant;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::client::{Client, Unanswered};
use crate::listing::Listing;
use crate::outside::Outside;
use crate::settings::Server;

/// A wait up to here is waited; for a longer one the caller is told to go on without.
const PATIENCE_MS_MAX: u64 = 2_000;

/// One server of one tenant.
pub(crate) struct Link {
    pub(crate) server: Arc<Server>,
    tenant: Tenant,
    outside: Outside,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Arc<Live>>,
    /// Failures in a row.
    failures: u32,
    not_before: Option<Instant>,
    why: String,
}

/// A server that runs.
pub(crate) struct Live {
    client: Client,
    listed: Lock<Listed>,
    begun: Instant,
    used: Lock<Instant>,
}

/// A list, and how often the tools had changed before it was asked for. A caller who gives
/// up while it is made leaves the old one behind, which is then still known to be old.
struct Listed {
    changes: u64,
    listing: Arc<Listing>,
}

/// A server that can be asked now, and what it offers.
pub(crate) struct Ready {
    live: Arc<Live>,
    pub(crate) listing: Arc<Listing>,
}

/// A call of a tool.
pub(crate) struct Wanted<'a> {
    pub(crate) tool: &'a str,
    pub(crate) arguments: Map<String, Value>,
    /// A key of `_meta` and what stands there.
    pub(crate) meta: Option<(&'a str, &'a str)>,
}

impl Link {
    pub(crate) fn new(server: Arc<Server>, tenant: Tenant, outside: Outside) -> Arc<Self> {
        Arc::new(Link { server, tenant, outside, state: Mutex::default() })
    }

    /// The server, started if need be, with its tools as it tells them now.
    ///
    /// # Errors
    /// Words for a model: what does not work, and when it is tried again.
    pub(crate) async fn ready(self: &Arc<Self>) -> Result<Ready, String> {
        let mut state = self.state.lock().await;
        self.bury(&mut state);
        if let Some(live) = state.live.clone() {
            live.touch();
            if let Some(listing) = live.fresh() {
                return Ok(Ready { live, listing });
            }
            match self.list_again(&live).await {
                Ok(listing) => return Ok(Ready { live, listing }),
                Err(why) => self.fell(&mut state, why),
            }
        }
        self.wait(&state).await?;
        let limit = Duration::from_secs(self.server.settings.start_timeout_seconds);
        let begun = match tokio::time::timeout(limit, self.start()).await {
            Ok(Ok(live)) => Ok(Arc::new(live)),
            Ok(Err(why)) => Err(why),
            Err(_late) => Err(format!("it did not start within {} s", limit.as_secs())),
        };
        match begun {
            Ok(live) => {
                self.watch(&live);
                state.live = Some(live.clone());
                let listing = live.listed().listing.clone();
                Ok(Ready { live, listing })
            }
            Err(why) => {
                self.failed(&mut state, why);
                Err(self.down(&state))
            }
        }
    }

    /// The same with a list that was made just now.
    pub(crate) async fn ready_anew(self: &Arc<Self>) -> Result<Ready, String> {
        let ready = self.ready().await?;
        if ready.live.begun.elapsed() > Duration::from_secs(1) {
            ready.live.client.add_change();
            return self.ready().await;
        }
        Ok(ready)
    }

    /// Calls a tool of a server that is ready. A session that the server forgot is begun
    /// anew once, because its server did not look at the call.
    pub(crate) async fn call(
        self: &Arc<Self>,
        ready: Ready,
        wanted: &Wanted<'_>,
    ) -> Result<Value, Unanswered> {
        let asked = |live: Arc<Live>| async move {
            let answer = live.client.call(wanted.tool, wanted.arguments.clone(), wanted.meta).await;
            live.touch();
            answer
        };
        match asked(ready.live.clone()).await {
            Err(Unanswered::Expired) => {
                self.forget(&ready.live).await;
                let again = self.ready().await.map_err(Unanswered::NotSent)?;
                if !says_the_same(&ready.listing, &again.listing, wanted.tool) {
                    let words = "its tool changed when its session was begun anew".to_owned();
                    return Err(Unanswered::NotSent(words));
                }
                asked(again.live).await
            }
            answer => answer,
        }
    }

    /// Looks at the pins again, after somebody accepted one.
    pub(crate) async fn look_again(self: &Arc<Self>) {
        if let Some(live) = &self.state.lock().await.live {
            live.client.add_change();
        }
    }

    /// Ends the server, and waits until it is gone.
    pub(crate) async fn close(&self) {
        let live = self.state.lock().await.live.take();
        if let Some(live) = live {
            live.client.close("it was stopped").await;
        }
    }

    /// Whether nothing would be lost by forgetting this link.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.state.try_lock().is_ok_and(|state| state.live.is_none() && state.failures == 0)
    }

    /// Takes note of a server that died since the last look.
    fn bury(&self, state: &mut State) {
        if let Some(why) = state.live.as_ref().and_then(|live| live.client.ended()) {
            self.fell(state, why);
        }
    }

    /// A running server is no longer of use.
    fn fell(&self, state: &mut State, why: String) {
        if let Some(live) = state.live.take() {
            let steady = Duration::from_secs(self.server.settings.restart.steady_seconds);
            if live.begun.elapsed() >= steady {
                state.failures = 0;
            }
            tokio::spawn(async move { live.client.close("it is of no use any more").await });
        }
        self.failed(state, why);
    }

    fn failed(&self, state: &mut State, why: String) {
        let restart = &self.server.settings.restart;
        let backoff = Backoff { base_ms: restart.base_ms, window_ms_max: restart.wait_ms_max };
        state.failures = state.failures.saturating_add(1);
        let wait_ms = backoff.wait_ms(state.failures, fastrand::u64(..));
        state.not_before = Some(Instant::now() + Duration::from_millis(wait_ms));
        tracing::warn!(
            server = self.server.name,
            tenant = self.tenant.0,
            failures = state.failures,
            wait_ms,
            "an MCP server is down: {why}"
        );
        state.why = why;
    }

    /// Waits a short while, or refuses where it would be a long one.
    async fn wait(&self, state: &State) -> Result<(), String> {
        let Some(at) = state.not_before else { return Ok(()) };
        if at.saturating_duration_since(Instant::now()) > Duration::from_millis(PATIENCE_MS_MAX) {
            return Err(self.down(state));
        }
        tokio::time::sleep_until(at).await;
        Ok(())
    }

    fn down(&self, state: &State) -> String {
        let now = Instant::now();
        let wait = state.not_before.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        format!(
            "the server `{}` does not work: {}\nit is tried again in {} s; go on without it",
            self.server.name,
            state.why,
            wait.as_millis().div_ceil(1_000)
        )
    }

    /// Drops a connection that is of no use without counting it as a failure.
    async fn forget(&self, old: &Arc<Live>) {
        let mut state = self.state.lock().await;
        if state.live.as_ref().is_some_and(|live| Arc::ptr_eq(live, old)) {
            state.live = None;
        }
        let old = old.clone();
        tokio::spawn(async move { old.client.close("its session expired").await });
    }

    /// Stops the server once nobody used it for so long.
    fn watch(self: &Arc<Self>, live: &Arc<Live>) {
        let idle = Duration::from_secs(self.server.settings.idle_seconds);
        let (link, live) = (Arc::downgrade(self), Arc::downgrade(live));
        tokio::spawn(async move {
            while let Some(rest) = rest_of(&live, idle) {
                tokio::time::sleep(rest).await;
                let Some(link) = link.upgrade() else { return };
                if link.close_unused(&live, idle).await {
                    return;
                }
            }
        });
    }

    /// Whether the server was unused for so long and is closed now.
    async fn close_unused(&self, live: &Weak<Live>, idle: Duration) -> bool {
        let mut state = self.state.lock().await;
        let Some(live) = live.upgrade() else { return true };
        // One for the state, one here; any other belongs to a call.
        let is_unused = Arc::strong_count(&live) <= 2 && live.unused() >= idle;
        if is_unused {
            // It came through a time of rest: what was before does not count any more.
            *state = State::default();
            drop(state);
            live.client.close("nobody used it").await;
        }
        is_unused
    }
}

/// How long until a server will have been unused for so long.
fn rest_of(live: &Weak<Live>, idle: Duration) -> Option<Duration> {
    let live = live.upgrade()?;
    Some(idle.saturating_sub(live.unused()).max(Duration::from_millis(100)))
}

fn says_the_same(before: &Listing, after: &Listing, tool: &str) -> bool {
    let pin = |listing: &Listing| {
        let mut all = listing.tools.values();
        all.find(|listed| listed.tool.name == tool).map(|listed| listed.tool.pin)
    };
    pin(before) == pin(after)
}

impl Live {
    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn unused(&self) -> Duration {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    fn listed(&self) -> MutexGuard<'_, Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The list, where nothing changed since.
    fn fresh(&self) -> Option<Arc<Listing>> {
        let listed = self.listed();
        (listed.changes == self.client.changes()).then(|| listed.listing.clone())
    }
}
