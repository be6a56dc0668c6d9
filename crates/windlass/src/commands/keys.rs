//! `windlass keys …`: the keys that callers of the service show.

use std::collections::BTreeSet;

use anstream::{eprintln, println};
use comfy_table::{Table, presets};
use engine::Engine;
use engine::ports::{Action, DIRECTORY_ROWS_MAX, Grants, Key};
use kernel::units::UnixMs;
use serde_json::{Value, json};

use crate::assemble;
use crate::cli::{KeysCommand, NewKeyArgs};
use crate::exit::{BadUsage, End, NotNow};
use crate::here::Here;
use crate::show;

pub(crate) async fn keys(here: &Here, command: KeysCommand) -> anyhow::Result<End> {
    let engine = assemble::keeper(here).await?;
    match command {
        KeysCommand::Create(args) => create(here, &engine, args).await,
        KeysCommand::List { json } => list(here, &engine, json).await,
        KeysCommand::Rotate { id, overlap } => rotate(here, &engine, &id, overlap).await,
        KeysCommand::Revoke { id } => revoke(here, &engine, &id).await,
    }
}

/// A key to be made.
pub(super) struct Draft {
    pub(super) user: String,
    pub(super) name: String,
    pub(super) grants: Grants,
    pub(super) ends: Option<UnixMs>,
}

/// Makes a key, if policies let who acts here, and prints it this once.
pub(super) async fn add(
    here: &Here,
    engine: &Engine,
    action: &str,
    draft: Draft,
) -> anyhow::Result<()> {
    let who = here.principal();
    let resource = format!("user/{}", draft.user);
    let asked = Action::Administer { name: action, resource: &resource };
    let judgement = engine.may(&who, &here.scope, asked)?;
    let made = server::make_key()?;
    let Draft { user, name, grants, ends } = draft;
    let (tenant, now) = (here.tenant.clone(), engine.world.now());
    let key = Key { id: made.id, hash: made.hash, tenant, user, name, grants, made: now, ends };
    let content = json!({
        "user": key.user, "name": key.name, "grants": key.grants, "ends": key.ends,
    });
    let told = engine.told(&who, &here.scope, action, &key.id, &judgement, content);
    engine.store.directory().add_key(key, told).await?;
    println!("{}", made.text);
    Ok(())
}

async fn create(here: &Here, engine: &Engine, args: NewKeyArgs) -> anyhow::Result<End> {
    let user = args.user.unwrap_or_else(|| here.user.clone());
    if engine.store.directory().member(&here.tenant, &user).await?.is_none() {
        let program = here.program_words();
        return Err(BadUsage(format!(
            "`{user}` is no user of `{}`, and a key works only for one\n\
             `{program} users set {user}` makes them one; `{program} init` makes the first",
            here.tenant.0
        ))
        .into());
    }
    let limit = |names: Vec<String>| {
        let names: BTreeSet<String> = names.into_iter().collect();
        (!names.is_empty()).then_some(names)
    };
    let grants = Grants {
        actions: limit(args.actions),
        agents: limit(args.agents),
        models: limit(args.models),
        environments: limit(args.environments),
    };
    let ends = args.expires.map(|ms| engine.world.now().plus_ms(ms));
    add(here, engine, "key.create", Draft { user, name: args.name, grants, ends }).await?;
    eprintln!("this is the key, shown once");
    Ok(End::Finished)
}

/// All keys of the tenant.
async fn all(here: &Here, engine: &Engine) -> anyhow::Result<Vec<Key>> {
    let mut all: Vec<Key> = Vec::new();
    loop {
        let after = all.last().map(|key| key.id.clone()).unwrap_or_default();
        let directory = engine.store.directory();
        let page = directory.keys(&here.tenant, &after, DIRECTORY_ROWS_MAX).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn list(here: &Here, engine: &Engine, json: bool) -> anyhow::Result<End> {
    let (keys, now) = (all(here, engine).await?, engine.world.now());
    if json {
        keys.iter().for_each(|key| println!("{}", show::object(&object(key, now))));
        return Ok(End::Finished);
    }
    if keys.is_empty() {
        eprintln!("no keys here yet; `{} init` makes the first", here.program_words());
        return Ok(End::Finished);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["KEY", "USER", "WORKS", "FOR", "NAME"]);
    for key in &keys {
        let works = match key.ends {
            Some(ends) if ends <= now => format!("no, since {}", show::instant(ends)),
            Some(ends) => format!("until {}", show::instant(ends)),
            None => "yes".to_owned(),
        };
        table.add_row([
            key.id.clone(),
            show::one_line(&key.user),
            works,
            good_for(&key.grants),
            show::one_line(&key.name),
        ]);
    }
    println!("{table}");
    Ok(End::Finished)
}

/// What a key is good for, in a line.
fn good_for(grants: &Grants) -> String {
    let limits = [&grants.actions, &grants.agents, &grants.models, &grants.environments];
    let names = limits.into_iter().flatten().flatten().map(String::as_str);
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "all that its user may".to_owned() } else { names.join(", ") }
}

fn object(key: &Key, now: UnixMs) -> Value {
    json!({
        "key": key.id,
        "user": key.user,
        "name": key.name,
        "grants": key.grants,
        "made": show::instant(key.made),
        "ends": key.ends.map(show::instant),
        "works": key.works(now),
    })
}

/// The key that somebody means: its id or the beginning of one.
async fn meant(here: &Here, engine: &Engine, named: &str) -> anyhow::Result<Key> {
    let mut meant = all(here, engine).await?;
    meant.retain(|key| !named.is_empty() && key.id.starts_with(named));
    match (meant.pop(), meant.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) => {
            Err(BadUsage(format!("several keys begin with `{named}`\ngive more of the id")).into())
        }
        (None, _) => Err(BadUsage(format!(
            "there is no key `{named}`\n`{} keys list` shows those that there are",
            here.program_words()
        ))
        .into()),
    }
}

async fn rotate(here: &Here, engine: &Engine, id: &str, overlap_ms: u64) -> anyhow::Result<End> {
    let (old, now) = (meant(here, engine, id).await?, engine.world.now());
    if !old.works(now) {
        return Err(NotNow(format!("the key `{}` has ended\nmake a new one", old.id)).into());
    }
    let Key { user, name, grants, ends, .. } = old.clone();
    add(here, engine, "key.rotate", Draft { user, name, grants, ends }).await?;
    let at = now.plus_ms(overlap_ms);
    end(here, engine, "key.rotate", &old, at).await?;
    eprintln!("this is the new key, shown once; the old one works until {}", show::instant(at));
    Ok(End::Finished)
}

async fn revoke(here: &Here, engine: &Engine, id: &str) -> anyhow::Result<End> {
    let key = meant(here, engine, id).await?;
    end(here, engine, "key.revoke", &key, engine.world.now()).await?;
    eprintln!("the key {} works no more", key.id);
    Ok(End::Finished)
}

async fn end(
    here: &Here,
    engine: &Engine,
    action: &str,
    key: &Key,
    at: UnixMs,
) -> anyhow::Result<()> {
    let who = here.principal();
    let resource = format!("user/{}", key.user);
    let asked = Action::Administer { name: action, resource: &resource };
    let judgement = engine.may(&who, &here.scope, asked)?;
    let content = json!({ "user": key.user, "ends": at });
    let told = engine.told(&who, &here.scope, action, &key.id, &judgement, content);
    Ok(engine.store.directory().end_key(&here.tenant, &key.id, at, told).await?)
}
