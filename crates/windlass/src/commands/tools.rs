//! `windlass tools …`: what tools there are, and one call of one, through the same
//! checks and limits as an agent's call.

use std::io::Read;

use anstream::{eprintln, println};
use anyhow::Context as _;
use comfy_table::{ContentArrangement, Table, presets};
use engine::call_alone;
use engine::ports::{ToolCall, World as _};
use kernel::agent::{Effect, EffectRule, ToolSpec};
use kernel::event::Outcome;
use kernel::message::Arguments;
use serde_json::json;
use uuid::Uuid;

use super::workdir;
use crate::cli::ToolsCommand;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::world::Machine;
use crate::{assemble, show};

/// The longest input read from standard input, in bytes.
const INPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;

pub(crate) async fn tools(here: &Here, command: ToolsCommand) -> anyhow::Result<End> {
    match command {
        ToolsCommand::List { json } => Ok(list(json)),
        ToolsCommand::Call { name, workdir: folder, input, agent } => {
            let toolbox = assemble::toolbox(here, agent.as_deref()).await?;
            let spec = find(&toolbox.specs(), &name)?;
            let input = words(input)?;
            let arguments = match Arguments::from_text(&input) {
                Arguments::Json(raw) => raw,
                Arguments::Malformed(_) => {
                    let words = "the input is not one JSON object\ngive it like --input '{\"path\": \"a.txt\"}'";
                    return Err(BadUsage(words.to_owned()).into());
                }
            };
            let folder = workdir(here, folder.as_deref())?;
            let call = ToolCall {
                tenant: here.tenant.clone(),
                session: Machine.session_id(),
                spec,
                arguments,
                workdir: Some(folder.into()),
                key: Uuid::new_v4().simple().to_string(),
            };
            let (outcome, content) = call_alone(&*toolbox, &call).await;
            match outcome {
                Outcome::Ok => {
                    println!("{}", show::harmless(&content));
                    Ok(End::Finished)
                }
                Outcome::Error | Outcome::OutcomeUnknown | Outcome::Cancelled => {
                    eprintln!("{}", show::harmless(&content));
                    Ok(End::Failed)
                }
            }
        }
    }
}

fn list(json: bool) -> End {
    let specs = assemble::known_tools();
    if json {
        for spec in &specs {
            println!("{}", show::object(&json!(spec)));
        }
        return End::Finished;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["TOOL", "RUN TWICE", "WHAT IT DOES"]);
    for spec in &specs {
        let first = spec.description.split(". ").next().unwrap_or_default();
        table.add_row([
            spec.name.clone(),
            class(&spec.effect),
            show::one_line(first.trim_end_matches('.')),
        ]);
    }
    println!("{table}");
    End::Finished
}

/// What running a call twice would mean, in words.
fn class(rule: &EffectRule) -> String {
    match rule {
        EffectRule::Always(Effect::Read) => "read: harmless".to_owned(),
        EffectRule::Always(Effect::Idempotent) => "idempotent: by key".to_owned(),
        EffectRule::Always(Effect::Effect) => "effect: never by itself".to_owned(),
        EffectRule::ByField { reads, .. } => {
            format!("effect, but for {}", reads.join(" and "))
        }
    }
}

fn find(specs: &[ToolSpec], name: &str) -> Result<ToolSpec, BadUsage> {
    specs.iter().find(|spec| spec.name == name).cloned().ok_or_else(|| {
        let near = specs
            .iter()
            .map(|spec| (strsim::jaro_winkler(&spec.name, name), spec.name.as_str()))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = near.map_or_else(
            || "`windlass tools list` shows those that there are".to_owned(),
            |(_, near)| format!("did you mean `{near}`?"),
        );
        BadUsage(format!("there is no tool `{name}`\n{hint}"))
    })
}

fn words(input: String) -> anyhow::Result<String> {
    if input != "-" {
        return Ok(input);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(INPUT_BYTES_MAX)
        .read_to_string(&mut text)
        .context("cannot read the input from standard input")?;
    Ok(text)
}
