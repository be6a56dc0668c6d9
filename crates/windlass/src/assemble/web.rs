//! Tools that an agent's file declares as requests, and what they need from outside.

use std::sync::Arc;

use engine::ports::{Toolbox, World as _};
use kernel::agent::ToolSpec;
use secrets::{Secrets, process_variables};
use tools::{HttpOutside, HttpTool, HttpTools, SystemResolver};

use crate::config::Config;
use crate::here::Here;
use crate::world::Machine;

/// Where tools get secrets from.
pub(super) fn secrets(here: &Here) -> anyhow::Result<Secrets> {
    let base = std::path::absolute(&here.store)?;
    Ok(here.permits.secrets.open(&base, process_variables)?)
}

/// The declared tools; nothing where there are none.
pub(super) fn toolbox(here: &Here, config: &Config) -> anyhow::Result<Option<Arc<dyn Toolbox>>> {
    if config.http_tools.is_empty() {
        return Ok(None);
    }
    let outside = HttpOutside {
        secrets: secrets(here)?,
        resolver: Arc::new(SystemResolver),
        now: || Machine.now(),
    };
    Ok(Some(Arc::new(HttpTools::new(config.http_tools.clone(), outside))))
}

/// The declared tools as agents are shown them.
pub(super) fn declared(config: &Config) -> impl Iterator<Item = ToolSpec> {
    config.http_tools.iter().map(HttpTool::spec)
}
