//! `windlass secrets …`: the encrypted file of secrets, with every change in the audit.
//!
//! A value comes from standard input or is typed unseen. It is never an argument, which
//! other users of the machine could read, and it is never printed.

mod value;

use std::path::Path;

use anstream::{eprintln, println};
use comfy_table::{Table, presets};
use engine::Engine;
use engine::ports::Action;
use kernel::verdict::Judgement;
use secrets::{Changed, EncryptedFile, Listed, Name, Owner, SecretError, process_variables};
use serde_json::{Value, json};

use crate::assemble;
use crate::cli::{SecretsCommand, WhoseArgs};
use crate::exit::End;
use crate::here::Here;
use crate::show;

/// What a change of one secret comes to in the file.
type Change<'a> = &'a dyn Fn(&EncryptedFile, &Owner) -> Result<Changed, SecretError>;

pub(crate) async fn secrets(here: &Here, command: SecretsCommand) -> anyhow::Result<End> {
    let desk = Desk::open(here).await?;
    let now = desk.engine.world.now();
    match command {
        SecretsCommand::Set { name, whose } => {
            let permit = desk.permit("secret.set", &name, whose)?;
            let value = value::read(&name)?;
            let set = |file: &EncryptedFile, owner: &Owner| file.set(owner, &name, &value, 0, now);
            desk.change("secret.set", &name, whose, &permit, &set).await
        }
        SecretsCommand::Rotate { name: Some(name), whose, overlap } => {
            let permit = desk.permit("secret.rotate", &name, whose)?;
            let value = value::read(&name)?;
            let overlap_ms = overlap.unwrap_or(here.permits.secrets.overlap_ms);
            let set = |file: &EncryptedFile, owner: &Owner| {
                file.set(owner, &name, &value, overlap_ms, now)
            };
            desk.change("secret.rotate", &name, whose, &permit, &set).await
        }
        SecretsCommand::Remove { name, whose } => {
            let permit = desk.permit("secret.remove", &name, whose)?;
            let remove = |file: &EncryptedFile, owner: &Owner| file.remove(owner, &name, now);
            desk.change("secret.remove", &name, whose, &permit, &remove).await
        }
        SecretsCommand::Rotate { name: None, .. } => desk.rotate_key().await,
        SecretsCommand::List { all, whose, json } => desk.list(all, whose, json),
    }
}

/// The file, and those who are asked and told.
struct Desk<'a> {
    here: &'a Here,
    engine: Engine,
    file: EncryptedFile,
}

impl<'a> Desk<'a> {
    async fn open(here: &'a Here) -> anyhow::Result<Self> {
        // The audit of the first secret needs a store, which may not be there yet.
        let engine = assemble::keeper(here).await?;
        let base = std::path::absolute(&here.store)?;
        let file = here.permits.secrets.encrypted(&base, process_variables)?;
        Ok(Desk { here, engine, file })
    }

    /// Whether whoever sits here may do this; asked before a value is.
    fn permit(&self, action: &str, name: &Name, whose: WhoseArgs) -> anyhow::Result<Judgement> {
        let resource = subject(name, &self.owner(whose));
        let action = Action::Administer { name: action, resource: &resource };
        Ok(self.engine.may(&self.here.principal(), &self.here.scope, action)?)
    }

    fn owner(&self, whose: WhoseArgs) -> Owner {
        match whose.installation {
            true => Owner::Installation,
            false => Owner::Tenant(self.here.tenant.clone()),
        }
    }

    /// Makes a change, and tells the audit and the person of it.
    async fn change(
        &self,
        action: &str,
        name: &Name,
        whose: WhoseArgs,
        permit: &Judgement,
        act: Change<'_>,
    ) -> anyhow::Result<End> {
        let owner = self.owner(whose);
        let changed = act(&self.file, &owner)?;
        self.tell(action, &subject(name, &owner), permit, json!(changed)).await?;
        let what = match action {
            "secret.remove" => "removed",
            _ if changed.created => "set",
            _ => "changed",
        };
        println!("{what}: {name} of {owner}, version {}", changed.version);
        match changed.former_until {
            Some(until) => eprintln!("the former value stays good until {}", show::instant(until)),
            None if changed.created => {
                eprintln!(
                    "tools get it by the handle `secret://{name}`; keep a copy of the file's key elsewhere"
                );
            }
            None => {}
        }
        Ok(End::Finished)
    }

    async fn rotate_key(&self) -> anyhow::Result<End> {
        let resource = shown(self.file.path());
        let action = Action::Administer { name: "secret.rotate_key", resource: &resource };
        let permit = self.engine.may(&self.here.principal(), &self.here.scope, action)?;
        let rotated = self.file.rotate_key(None, self.engine.world.now())?;
        self.tell("secret.rotate_key", &resource, &permit, json!(rotated)).await?;
        println!("a new data key: {} secrets were encrypted anew", rotated.entries);
        Ok(End::Finished)
    }

    /// A change without its entry is worse than an error: it is said that it was made.
    async fn tell(
        &self,
        action: &str,
        subject: &str,
        permit: &Judgement,
        content: Value,
    ) -> anyhow::Result<()> {
        let who = self.here.principal();
        let told = self.engine.told(&who, &self.here.scope, action, subject, permit, content);
        let kept = self.engine.store.audit().append(&self.here.tenant, vec![told]).await;
        kept.map_err(|why| {
            let words = format!("`{action}` of `{subject}` was done, and the audit lacks it");
            anyhow::Error::from(why).context(words)
        })
    }

    fn list(&self, all: bool, whose: WhoseArgs, json: bool) -> anyhow::Result<End> {
        let resource = if all { "all" } else { "secrets" };
        let action = Action::Administer { name: "secret.list", resource };
        self.engine.may(&self.here.principal(), &self.here.scope, action)?;
        let now = self.engine.world.now();
        let owner = self.owner(whose);
        let mut listed = self.file.list(now)?;
        listed.retain(|one| all || one.tenant.as_deref() == owner.tenant());
        if json {
            listed.iter().for_each(|one| println!("{}", show::object(&object(one))));
        } else if listed.is_empty() {
            eprintln!(
                "there is no secret of {}",
                if all { "anybody".to_owned() } else { owner.to_string() }
            );
        } else {
            let mut table = Table::new();
            table.load_style(presets::NOTHING);
            table.set_header(["NAME", "OF", "VERSION", "CHANGED", "FORMER VALUE"]);
            for one in &listed {
                let former =
                    one.former_until.map(|until| format!("good until {}", show::instant(until)));
                table.add_row([
                    one.name.to_string(),
                    one.tenant
                        .clone()
                        .map_or_else(|| "the installation".to_owned(), |t| show::one_line(&t)),
                    one.version.to_string(),
                    show::ago(one.changed, now),
                    former.unwrap_or_default(),
                ]);
            }
            println!("{table}");
        }
        Ok(End::Finished)
    }
}

/// A secret as policies and the audit speak of it: with whose it is where it is not the
/// tenant's own.
fn subject(name: &Name, owner: &Owner) -> String {
    match owner {
        Owner::Installation => format!("installation:{name}"),
        Owner::Tenant(_) => name.to_string(),
    }
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn object(one: &Listed) -> Value {
    let mut object = json!(one);
    for (key, at) in [
        ("created", Some(one.created)),
        ("changed", Some(one.changed)),
        ("former_until", one.former_until),
    ] {
        object[key] = at.map(show::instant).into();
    }
    object
}
