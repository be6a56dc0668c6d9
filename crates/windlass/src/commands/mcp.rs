//! `windlass mcp …`: what servers offer, and accepting what they say of their tools.

use std::path::Path;

use ::mcp::{Pin, Reviewed, Standing};
use anstream::{eprintln, println};
use comfy_table::{ContentArrangement, Table, presets};
use kernel::units::ContentHash;
use serde_json::json;

use crate::cli::McpCommand;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::{assemble, show};

pub(crate) async fn mcp(here: &Here, command: McpCommand) -> anyhow::Result<End> {
    match command {
        McpCommand::List { agent, json } => list(here, &agent, json).await,
        McpCommand::Accept { agent, name, pin } => accept(here, &agent, &name, &pin).await,
    }
}

async fn list(here: &Here, agent: &Path, json: bool) -> anyhow::Result<End> {
    let servers = assemble::servers(here, agent)?;
    let (mut tools, down) = servers.review(&here.tenant).await;
    servers.close().await;
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    if json {
        for one in &tools {
            let standing = standing(one.standing);
            println!(
                "{}",
                show::object(&json!({
                    "server": one.server, "tool": one.tool, "name": one.name, "standing": standing,
                    "pin": one.pin, "description": one.description,
                }))
            );
        }
    } else if !tools.is_empty() {
        println!("{}", table(&tools));
    }
    for (server, why) in &down {
        eprintln!("{}", show::harmless(&format!("the server `{server}` is down: {why}")));
    }
    Ok(if down.is_empty() { End::Finished } else { End::Failed })
}

fn table(tools: &[Reviewed]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["TOOL", "STANDING", "PIN", "WHAT IT SAYS"]);
    for one in tools {
        table.add_row([
            show::one_line(&one.name),
            standing(one.standing).to_owned(),
            one.pin.to_string(),
            show::one_line(&one.description),
        ]);
    }
    table
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Accepted => "accepted",
        Standing::Changed { .. } => "changed",
        Standing::New => "new",
    }
}

async fn accept(here: &Here, agent: &Path, name: &str, pin: &str) -> anyhow::Result<End> {
    let Some(hash) = ContentHash::from_hex(pin) else {
        let words = format!("`{pin}` is no pin\n`windlass mcp list` shows the pin of each tool");
        return Err(BadUsage(words).into());
    };
    let servers = assemble::servers(here, agent)?;
    let accepted = servers.accept(&here.tenant, name, Pin(hash)).await;
    servers.close().await;
    accepted.map_err(BadUsage)?;
    println!("accepted: {}", show::one_line(name));
    Ok(End::Finished)
}
