//! Tools that an agent's file declares as requests, and what they need from outside.

use std::sync::Arc;

use engine::ports::{Toolbox, World as _};
use kernel::agent::ToolSpec;
use secrets::{Grants, Limits, Secrets, process_variables};
use tools::{
    HttpOutside, HttpTool, HttpTools, SqlDatabase, SqlOutside, SqlPlace, SqlQuery, SystemResolver,
    sql_query_spec,
};

use crate::config::Config;
use crate::here::Here;
use crate::world::Machine;

/// Where tools get secrets from.
pub(super) fn secrets(here: &Here) -> anyhow::Result<Secrets> {
    let base = std::path::absolute(&here.store)?;
    Ok(here.permits.secrets.open(&base, process_variables)?)
}

/// The same where something uses them, and none otherwise: who has no secrets needs no place
/// for their key.
pub(super) fn secrets_where(used: bool, here: &Here) -> anyhow::Result<Secrets> {
    let none = || Secrets::new(Vec::new(), Grants::default(), Limits::default());
    if used { secrets(here) } else { Ok(none()) }
}

/// The toolboxes that an agent's file brings: none of those that it does not speak of.
pub(super) fn toolboxes(here: &Here, config: &Config) -> anyhow::Result<Vec<Arc<dyn Toolbox>>> {
    let mut boxes: Vec<Arc<dyn Toolbox>> = Vec::new();
    if !config.http_tools.is_empty() {
        let outside = HttpOutside {
            secrets: secrets_where(config.http_tools.iter().any(has_secret), here)?,
            resolver: Arc::new(SystemResolver),
            now: || Machine.now(),
        };
        boxes.push(Arc::new(HttpTools::new(config.http_tools.clone(), outside)));
    }
    let databases = &config.tools.databases;
    if !databases.is_empty() {
        let secrets = secrets_where(databases.values().any(is_behind_secret), here)?;
        let outside = SqlOutside { secrets, now: || Machine.now() };
        boxes.push(Arc::new(SqlQuery::new(databases.clone(), outside)));
    }
    Ok(boxes)
}

fn has_secret(tool: &HttpTool) -> bool {
    tool.secret.is_some()
}

fn is_behind_secret(database: &SqlDatabase) -> bool {
    match database.place {
        SqlPlace::Sqlite(_) => false,
        SqlPlace::Postgres(_) | SqlPlace::Mysql(_) => true,
    }
}

/// The tools that an agent's file brings, as agents are shown them.
pub(super) fn declared(config: &Config) -> impl Iterator<Item = ToolSpec> {
    let databases = &config.tools.databases;
    let sql_query = (!databases.is_empty()).then(|| sql_query_spec(databases));
    config.http_tools.iter().map(HttpTool::spec).chain(sql_query)
}
