//! `windlass init`: a tenant's first user, an admin, and their key.

use anstream::eprintln;
use engine::ports::{Action, Grants, Member};
use serde_json::json;

use super::keys::{Draft, add};
use crate::assemble;
use crate::cli::InitArgs;
use crate::exit::{End, NotNow};
use crate::here::Here;

/// The role of a tenant's first user.
const ADMIN: &str = "admin";

pub(crate) async fn init(here: &Here, args: InitArgs) -> anyhow::Result<End> {
    let engine = assemble::keeper(here).await?;
    let directory = engine.store.directory();
    let program = here.program_words();
    if let Some(first) = directory.members(&here.tenant, "", 1).await?.first() {
        let words = format!(
            "the tenant `{}` has users already, `{}` among them\n\
             `{program} keys create` makes a key, `{program} users set` another user",
            here.tenant.0, first.user
        );
        return Err(NotNow(words).into());
    }
    let (who, user) = (here.principal(), here.user.clone());
    let subject = format!("user/{user}");
    let action = Action::Administer { name: "user.set", resource: &subject };
    let judgement = engine.may(&who, &here.scope, action)?;
    let (tenant, made) = (here.tenant.clone(), engine.world.now());
    let role = ADMIN.to_owned();
    let told =
        engine.told(&who, &here.scope, "user.set", &user, &judgement, json!({ "role": role }));
    let member = Member { tenant, user: user.clone(), role, team: None, made };
    directory.set_member(member, told).await?;
    let draft = Draft { user, name: args.name, grants: Grants::default(), ends: None };
    add(here, &engine, "key.create", draft).await?;
    eprintln!("`{}` is an admin of `{}`; this is their key, shown once", here.user, here.tenant.0);
    eprintln!("next: {program} serve");
    Ok(End::Finished)
}
