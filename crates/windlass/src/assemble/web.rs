//! Tools that go to places outside: what the declared HTTP tools need, and one toolbox in
//! front of all.

use std::sync::Arc;

use async_trait::async_trait;
use engine::ports::{Reconciled, ToolCall, ToolError, ToolOutput, Toolbox, World as _};
use kernel::agent::ToolSpec;
use kernel::verdict::Examined;
use secrets::{Configuration, Grants, Limits, Secrets, process_variables};
use tools::{
    Builtin, HttpOutside, HttpTool, HttpTools, SqlDatabase, SqlOutside, SqlPlace, SqlQuery,
    SystemResolver, sql_query_spec,
};

use super::{mcp::Servers, settings};
use crate::config::Config;
use crate::here::Here;
use crate::world::Machine;

/// Where tools get secrets from.
pub(super) fn secrets(here: &Here) -> anyhow::Result<Secrets> {
    let base = std::path::absolute(&here.store)?;
    Ok(Configuration::default().open(&base, process_variables)?)
}

/// The same where something uses them, and none otherwise: who has no secrets needs no place
/// for their key.
pub(super) fn secrets_where(used: bool, here: &Here) -> anyhow::Result<Secrets> {
    let none = || Secrets::new(Vec::new(), Grants::default(), Limits::default());
    if used { secrets(here) } else { Ok(none()) }
}

/// All tools of an agent: built in, declared in its file, and of its servers.
pub(super) fn toolbox(
    here: &Here,
    config: &Config,
    servers: Option<&Servers>,
) -> anyhow::Result<Arc<dyn Toolbox>> {
    let settings = settings(&here.store, config)?;
    let mut boxes: Vec<Arc<dyn Toolbox>> = vec![Arc::new(Builtin::new(settings))];
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
    boxes.extend(servers.map(|servers| servers.toolbox()));
    Ok(Arc::new(Joined(boxes)))
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

/// Several toolboxes as one. No two of them have a tool of one name: declared tools may not
/// be called like built-in ones, and only those of servers have `__` in their names.
struct Joined(Vec<Arc<dyn Toolbox>>);

impl Joined {
    fn with(&self, name: &str) -> Option<&Arc<dyn Toolbox>> {
        self.0.iter().find(|one| one.specs().iter().any(|spec| spec.name == name))
    }
}

#[async_trait]
impl Toolbox for Joined {
    fn specs(&self) -> Vec<ToolSpec> {
        self.0.iter().flat_map(|one| one.specs()).collect()
    }

    fn examine(&self, call: &ToolCall) -> Examined {
        self.with(&call.spec.name).map_or_else(Examined::nothing, |one| one.examine(call))
    }

    async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError> {
        match self.with(&call.spec.name) {
            Some(toolbox) => toolbox.run(call).await,
            None => Err(ToolError::Gone(call.spec.name.clone())),
        }
    }

    async fn reconcile(&self, call: &ToolCall) -> Reconciled {
        match self.with(&call.spec.name) {
            Some(toolbox) => toolbox.reconcile(call).await,
            None => Reconciled::Unknown(format!("there is no tool `{}` here", call.spec.name)),
        }
    }
}
