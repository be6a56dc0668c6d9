//! `windlass users …`: who may call the service for a tenant.

use anstream::{eprintln, println};
use comfy_table::{Table, presets};
use engine::Engine;
use engine::ports::{Action, DIRECTORY_ROWS_MAX, Member};
use serde_json::json;

use crate::assemble;
use crate::cli::UsersCommand;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::show;

/// The longest name of a user, role or team, in bytes.
const NAME_BYTES_MAX: usize = 128;

pub(crate) async fn users(here: &Here, command: UsersCommand) -> anyhow::Result<End> {
    let engine = assemble::keeper(here).await?;
    match command {
        UsersCommand::List { json } => list(here, &engine, json).await,
        UsersCommand::Set { name, role, team } => set(here, &engine, name, role, team).await,
        UsersCommand::Remove { name } => remove(here, &engine, &name).await,
    }
}

async fn list(here: &Here, engine: &Engine, json: bool) -> anyhow::Result<End> {
    let mut all: Vec<Member> = Vec::new();
    loop {
        let after = all.last().map(|member| member.user.clone()).unwrap_or_default();
        let directory = engine.store.directory();
        let page = directory.members(&here.tenant, &after, DIRECTORY_ROWS_MAX).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    if json {
        for Member { user, role, team, made, .. } in &all {
            let made = show::instant(*made);
            let row = json!({ "user": user, "role": role, "team": team, "made": made });
            println!("{}", show::object(&row));
        }
        return Ok(End::Finished);
    }
    if all.is_empty() {
        eprintln!("no users here yet; `{} init` makes the first", here.program_words());
        return Ok(End::Finished);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["USER", "ROLE", "TEAM", "SINCE"]);
    for member in all {
        let (user, role) = (show::one_line(&member.user), show::one_line(&member.role));
        let team = show::one_line(&member.team.unwrap_or_default());
        table.add_row([user, role, team, show::instant(member.made)]);
    }
    println!("{table}");
    Ok(End::Finished)
}

async fn set(
    here: &Here,
    engine: &Engine,
    user: String,
    role: String,
    team: Option<String>,
) -> anyhow::Result<End> {
    for text in [Some(&user), Some(&role), team.as_ref()].into_iter().flatten() {
        let plain = !text.chars().any(|c| c.is_control() || c == '/');
        if text.is_empty() || text.len() > NAME_BYTES_MAX || !plain {
            let words = "names are 1 to 128 bytes without `/` and control characters";
            return Err(BadUsage(words.to_owned()).into());
        }
    }
    let (who, subject) = (here.principal(), format!("user/{user}"));
    let action = Action::Administer { name: "user.set", resource: &subject };
    let judgement = engine.may(&who, &here.scope, action)?;
    let content = json!({ "role": role, "team": team });
    let told = engine.told(&who, &here.scope, "user.set", &user, &judgement, content);
    let (tenant, made) = (here.tenant.clone(), engine.world.now());
    let member = Member { tenant, user, role, team, made };
    engine.store.directory().set_member(member.clone(), told).await?;
    eprintln!("`{}` is `{}` in `{}`", member.user, member.role, here.tenant.0);
    Ok(End::Finished)
}

async fn remove(here: &Here, engine: &Engine, user: &str) -> anyhow::Result<End> {
    let (who, subject) = (here.principal(), format!("user/{user}"));
    let action = Action::Administer { name: "user.remove", resource: &subject };
    let judgement = engine.may(&who, &here.scope, action)?;
    let told = engine.told(&who, &here.scope, "user.remove", user, &judgement, json!({}));
    engine.store.directory().remove_member(&here.tenant, user, told).await?;
    eprintln!("`{user}` is no user of `{}` any more, and their keys do not work", here.tenant.0);
    Ok(End::Finished)
}
