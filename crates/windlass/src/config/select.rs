//! From a configuration to the definition that a session is begun with.

use kernel::agent::{Agent, END_TASK, MORE, ToolSpec};

use super::mistake::{Broken, Mistake};
use super::{AllowedTools, Config, ConfigError, suggest};

/// The agent that `config` describes, with those of `specs` that it allows.
///
/// Tools keep the order of `specs`, so that two files which allow the same tools show
/// them to the model in the same bytes. `more` is always there, because a long result
/// cannot be read without it; so is `end_task` where there is an output schema, which is
/// put into its input. Only tools that `specs` has are ever given.
///
/// # Errors
/// The file allows tools that `specs` does not have: each at its place.
pub(crate) fn agent(config: &Config, specs: &[ToolSpec]) -> Result<Agent, ConfigError> {
    let unknown = unknown_tools(config, specs);
    if !unknown.is_empty() {
        return Err(Broken::new(config.source.clone(), unknown).into());
    }
    let tools = specs.iter().filter(|spec| is_given(config, spec));
    Ok(Agent {
        agent_id: config.agent_id.clone(),
        model: config.model.clone(),
        system_prompt: config.system_prompt.clone(),
        tools: tools.map(|spec| with_schema(config, spec)).collect(),
        max_tokens: config.max_tokens,
        temperature: config.temperature,
        limits: config.limits,
        task_cap: config.budget,
        output_schema: config.output_schema.clone(),
    })
}

fn unknown_tools(config: &Config, specs: &[ToolSpec]) -> Vec<Mistake> {
    let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    let allowed = match &config.allowed_tools {
        AllowedTools::All => &[][..],
        AllowedTools::Named(allowed) => allowed,
    };
    allowed
        .iter()
        .chain(&config.sensitive)
        .filter(|(pattern, _)| !names.iter().any(|name| means(pattern, name)))
        .map(|(name, span)| {
            let words = format!("there is no tool `{name}`");
            Mistake::new(span.clone(), words).hint(suggest::hint(name, &names))
        })
        .collect()
}

/// Whether an entry of `allowed_tools` means this tool: by its name, or by `SERVER__*` for
/// all tools of a server.
fn means(entry: &str, name: &str) -> bool {
    let of_server = entry.strip_suffix('*').filter(|start| start.ends_with("__"));
    entry == name || of_server.is_some_and(|start| name.starts_with(start))
}

/// Tools that can do harm outside of the conversation are given by their names only.
fn is_given(config: &Config, spec: &ToolSpec) -> bool {
    let name = spec.name.as_str();
    let allowed = match &config.allowed_tools {
        AllowedTools::All => !spec.sensitive,
        AllowedTools::Named(allowed) => allowed.iter().any(|(known, _)| means(known, name)),
    };
    allowed || name == MORE || (name == END_TASK && config.output_schema.is_some())
}

fn with_schema(config: &Config, spec: &ToolSpec) -> ToolSpec {
    let spec = match &config.output_schema {
        Some(schema) if spec.name == END_TASK => tools::end_task_spec(Some(schema)),
        Some(_) | None => spec.clone(),
    };
    let marked = config.sensitive.iter().any(|(name, _)| *name == spec.name);
    ToolSpec { sensitive: spec.sensitive || marked, ..spec }
}
