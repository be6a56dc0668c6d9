//! Who answers for a model: vendors' clients in a chain, or a simulated brain.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use engine::circuits::Circuits;
use engine::ports::{Model, ModelCall, ModelError, World};
use kernel::message::{Delta, Reply};
use kernel::price::{Quote, Rule};
use kernel::units::{ContentHash, UnixMs};
use models::catalog::Catalog;
use models::chain::{Candidate, Chain, Gates};
use models::remote::{Endpoint, Key};
use models::simulated::InProcess;
use models::simulated::planner::Planner;
use models::simulated::script::Script;
use models::{anthropic, openai};

use super::environment;
use crate::config::{Config, Dealing, Fallback, Provider};
use crate::exit::BadUsage;
use crate::world::Machine;

/// What all models of a process share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) catalog: Catalog,
    pub(super) circuits: Circuits,
    /// The way to each provider, by base URL.
    pub(super) gates: Gates,
    pub(super) world: Arc<dyn World>,
}

/// The chain of an agent's own model and its fallbacks.
pub(super) fn assemble(config: &Config, shared: &Shared) -> anyhow::Result<Arc<dyn Model>> {
    check_names(config, &shared.catalog, shared.world.now())?;
    let own = Asked {
        model: &config.model,
        provider: &config.provider,
        dealing: &config.dealing,
        price: config.price.as_ref(),
    };
    // A brain in this program cannot be out; alone it needs nothing around it.
    if let (Provider::Planner | Provider::Script { .. }, []) =
        (own.provider, config.fallbacks.as_slice())
    {
        return own.client(shared);
    }
    let fallbacks = config.fallbacks.iter().map(|fallback| {
        let Fallback { model, provider, dealing, price, .. } = fallback;
        let asked = Asked { model, provider, dealing, price: price.as_ref() };
        let candidate = asked.candidate(shared)?;
        let said = fallback.context_tokens.map(u64::from);
        let context_tokens = said.or(candidate.context_tokens);
        Ok(Candidate { takes_tools: fallback.takes_tools, context_tokens, ..candidate })
    });
    let fallbacks = fallbacks.collect::<anyhow::Result<Vec<Candidate>>>()?;
    let (circuits, world) = (shared.circuits.clone(), Arc::clone(&shared.world));
    Ok(Arc::new(Chain::new(own.candidate(shared)?, fallbacks, circuits, world)))
}

/// One model of a chain, as the file says it.
struct Asked<'a> {
    model: &'a str,
    provider: &'a Provider,
    dealing: &'a Dealing,
    price: Option<&'a Rule>,
}

impl Asked<'_> {
    fn candidate(&self, shared: &Shared) -> anyhow::Result<Candidate> {
        let provider = self.base_url();
        Ok(Candidate {
            gate: shared.gates.of(&provider, self.dealing.bulkhead),
            breaker: self.dealing.breaker,
            context_tokens: shared.catalog.context_tokens(self.model, shared.world.now()),
            ..Candidate::new(self.model, &provider, self.client(shared)?)
        })
    }

    /// Whoever answers, by the address that circuits and gates are shared under.
    fn base_url(&self) -> String {
        match self.provider {
            Provider::Anthropic { base_url, .. } => {
                base_url.as_deref().unwrap_or(anthropic::BASE_URL).to_owned()
            }
            Provider::OpenAi { base_url, .. } => base_url.clone(),
            Provider::Planner => "planner".to_owned(),
            Provider::Script { path } => format!("script:{}", path.display()),
        }
    }

    /// A client that makes one try for each call.
    fn client(&self, shared: &Shared) -> anyhow::Result<Arc<dyn Model>> {
        let endpoint = |key| {
            let endpoint = Endpoint::new(&self.base_url(), key).map_err(usage)?;
            anyhow::Ok(endpoint.with_limits(self.dealing.limits))
        };
        let catalog = || shared.catalog.clone();
        let client: Arc<dyn Model> = match self.provider {
            Provider::Planner => Arc::new(InProcess::new(Planner)),
            Provider::Script { path } => Arc::new(InProcess::new(script(path)?)),
            Provider::Anthropic { key_env, .. } => {
                Arc::new(anthropic::client(endpoint(Some(key(key_env)?))?, catalog()))
            }
            Provider::OpenAi { key_env, .. } => {
                let key = key_env.as_deref().map(key).transpose()?;
                Arc::new(openai::client(endpoint(key)?, catalog()))
            }
        };
        Ok(match self.price {
            None => client,
            Some(rule) => Arc::new(Priced::new(client, rule)?),
        })
    }
}

/// A name that the vendor's price list does not have is most likely misspelt (L33), and
/// under a money cap nothing could be held for it (L13). A misspelt fallback would be
/// found in an outage only, so it is refused without a cap, too.
pub(super) fn check_names(config: &Config, catalog: &Catalog, now: UnixMs) -> Result<(), BadUsage> {
    let vendors = |provider: &Provider| match provider {
        Provider::Anthropic { .. } => true,
        Provider::OpenAi { .. } | Provider::Planner | Provider::Script { .. } => false,
    };
    if vendors(&config.provider) && config.budget.is_some() {
        check_name(&config.model, config.price.is_some(), catalog, now)?;
    }
    for fallback in &config.fallbacks {
        let simulated = matches!(fallback.provider, Provider::Planner | Provider::Script { .. });
        if !simulated && (vendors(&fallback.provider) || config.budget.is_some()) {
            check_name(&fallback.model, fallback.price.is_some(), catalog, now)?;
        }
    }
    Ok(())
}

fn check_name(
    model: &str,
    has_price: bool,
    catalog: &Catalog,
    now: UnixMs,
) -> Result<(), BadUsage> {
    if has_price || catalog.row(model, now).is_some() {
        return Ok(());
    }
    let near = catalog.nearest(model);
    let hint = near.map_or_else(
        || "give its `price` in the agent's file, or `budget_usd: none`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(BadUsage(format!("the price list does not know the model `{model}`\n{hint}")))
}

/// A model of a chain, and where its price comes from.
pub(crate) struct PriceOf<'a> {
    pub(crate) model: &'a str,
    /// In words. `None`: nobody knows its price.
    pub(crate) from: Option<String>,
}

/// The prices of an agent's own model and of its fallbacks.
pub(crate) fn prices<'a>(config: &'a Config, catalog: &Catalog) -> Vec<PriceOf<'a>> {
    let of = |model: &'a str, provider: &Provider, own: Option<&Rule>| {
        let from = match provider {
            Provider::Planner | Provider::Script { .. } => Some("is simulated".to_owned()),
            Provider::Anthropic { .. } | Provider::OpenAi { .. } if own.is_some() => {
                Some("has the price of this file".to_owned())
            }
            Provider::Anthropic { .. } | Provider::OpenAi { .. } => {
                let listed = catalog.row(model, Machine.now());
                listed.map(|_| format!("has its price from the list {}", catalog.version()))
            }
        };
        PriceOf { model, from }
    };
    let own = of(&config.model, &config.provider, config.price.as_ref());
    let fallbacks = config.fallbacks.iter();
    let fallbacks = fallbacks.map(|one| of(&one.model, &one.provider, one.price.as_ref()));
    std::iter::once(own).chain(fallbacks).collect()
}

/// A script's brain from its file.
pub(crate) fn script(path: &Path) -> anyhow::Result<Script> {
    let text = std::fs::read_to_string(path)
        .map_err(|why| BadUsage(format!("cannot read the script `{}`: {why}", path.display())))?;
    Script::read(&text).map_err(|why| BadUsage(format!("`{}`: {why}", path.display())).into())
}

fn key(name: &str) -> anyhow::Result<Key> {
    let text = environment(name).filter(|text| !text.trim().is_empty()).ok_or_else(|| {
        BadUsage(format!(
            "the environment variable `{name}` is not set\nset it to the provider's key"
        ))
    })?;
    Key::new(&text).map_err(|why| {
        BadUsage(format!("{why}: the key is read from the environment variable `{name}`")).into()
    })
}

fn usage(why: impl std::fmt::Display) -> anyhow::Error {
    BadUsage(why.to_string()).into()
}

/// A model with the price that its agent's file gives.
struct Priced {
    inner: Arc<dyn Model>,
    rule: Rule,
    /// What the books tell it apart by: an agent's file has no version of its own.
    version: String,
}

impl Priced {
    fn new(inner: Arc<dyn Model>, rule: &Rule) -> anyhow::Result<Self> {
        let mut hash = ContentHash::of(&serde_json::to_vec(rule)?).to_string();
        hash.truncate(FINGERPRINT_DIGITS);
        Ok(Priced { inner, rule: rule.clone(), version: format!("agent-file-{hash}") })
    }
}

/// Digits of a hash that stand for a version.
const FINGERPRINT_DIGITS: usize = 8;

#[async_trait]
impl Model for Priced {
    async fn call(
        &self,
        call: &ModelCall,
        watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError> {
        self.inner.call(call, watch).await
    }

    fn quote(&self, _model: &str, _now: UnixMs) -> Option<Quote> {
        Some(Quote::of(self.version.clone(), self.rule.clone()))
    }
}

#[cfg(test)]
mod tests {
    use engine::tap::Tap;
    use kernel::price::Prompt;

    use super::*;
    use crate::config::parse;
    use crate::world::Machine;

    fn config(more: &str) -> Config {
        let text = format!("agent_id: a\nsystem_prompt: p\nallowed_tools: []\n{more}");
        parse("agent.yaml", Path::new(""), text.into(), &|_| None).expect("it is a good file")
    }

    #[test]
    fn l33_a_misspelt_name_is_found_before_the_outage() {
        let own = "model: planner\n";
        let cases = [
            ("fallbacks: [claude-sonnet-5]", None),
            ("fallbacks: [claude-sonet-5]", Some("did you mean `claude-sonnet-5`?")),
            ("budget_usd: none\nfallbacks: [claude-sonet-5]", Some("claude-sonnet-5")),
            ("fallbacks: [{model: q, provider: {base_url: \"http://h/v1\"}}]", Some("`price`")),
            (
                "fallbacks: [{model: q, provider: {base_url: \"http://h/v1\"}, \
                 price: {usd_per_million: {input: 1, output: 2}}}]",
                None,
            ),
        ];
        for (more, words) in cases {
            let config = config(&format!("{own}{more}"));
            let told = check_names(&config, &Catalog::builtin(), Machine.now());
            match (told, words) {
                (Ok(()), None) => {}
                (Err(why), Some(words)) => assert!(why.to_string().contains(words), "{why}"),
                (told, words) => panic!("{more}: {told:?} and not {words:?}"),
            }
        }
    }

    #[test]
    fn a_chain_is_assembled_with_the_prices_of_all_its_models() {
        let config = config(
            "model: planner\nfallbacks: [{model: q, provider: {base_url: \"http://h/v1\"}, \
             context_tokens: 9000, price: {usd_per_million: {input: 1, output: 2}}}]",
        );
        let shared = Shared {
            catalog: Catalog::builtin(),
            circuits: Circuits::new(Tap::default()),
            gates: Gates::default(),
            world: Arc::new(Machine),
        };
        let chain = assemble(&config, &shared).expect("it needs no key");
        let quote = chain.quote("planner", Machine.now()).expect("all have prices");
        assert_eq!(quote.fallbacks.len(), 1);
        assert_eq!(quote.worst(&Prompt::of(1_000_000), 0).to_string(), "$1.00");
        assert_eq!(quote.context_tokens, Some(9_000));
    }
}
