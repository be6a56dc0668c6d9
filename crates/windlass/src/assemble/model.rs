//! Who answers for a model: a vendor's client behind retries, or a simulated brain.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use engine::ports::{Model, ModelCall, ModelError, World};
use kernel::message::{Delta, Reply};
use kernel::price::{Quote, Rule};
use kernel::units::UnixMs;
use models::catalog::Catalog;
use models::remote::{Endpoint, Key};
use models::route::Route;
use models::simulated::InProcess;
use models::simulated::planner::Planner;
use models::simulated::script::Script;
use models::{anthropic, openai};

use super::environment;
use crate::config::{Config, Provider};
use crate::exit::BadUsage;

pub(super) fn assemble(
    config: &Config,
    catalog: &Catalog,
    world: Arc<dyn World>,
) -> anyhow::Result<Arc<dyn Model>> {
    let model: Arc<dyn Model> = match &config.provider {
        Provider::Planner => Arc::new(InProcess::new(Planner)),
        Provider::Script { path } => Arc::new(InProcess::new(script(path)?)),
        Provider::Anthropic { base_url, key_env } => {
            check_name(config, catalog, world.now())?;
            let base = base_url.as_deref().unwrap_or(anthropic::BASE_URL);
            let endpoint = Endpoint::new(base, Some(key(key_env)?)).map_err(usage)?;
            Arc::new(Route::new(anthropic::client(endpoint, catalog.clone()), world))
        }
        Provider::OpenAi { base_url, key_env } => {
            let key = key_env.as_deref().map(key).transpose()?;
            let endpoint = Endpoint::new(base_url, key).map_err(usage)?;
            Arc::new(Route::new(openai::client(endpoint, catalog.clone()), world))
        }
    };
    Ok(match &config.price {
        None => model,
        Some(rule) => Arc::new(Priced { inner: model, rule: rule.clone() }),
    })
}

/// A name that the vendor's price list does not have is most likely misspelt (L33), and
/// under a money cap nothing could be held for it (L13).
fn check_name(config: &Config, catalog: &Catalog, now: UnixMs) -> Result<(), BadUsage> {
    let priced = config.price.is_some() || catalog.row(&config.model, now).is_some();
    if priced || config.budget.is_none() {
        return Ok(());
    }
    let near = catalog.nearest(&config.model);
    let hint = near.map_or_else(
        || "give its `price` in the agent's file, or `budget_usd: none`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    let model = &config.model;
    Err(BadUsage(format!("the price list does not know the model `{model}`\n{hint}")))
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
}

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
        Some(Quote::of("agent file", self.rule.clone()))
    }
}
