//! Where a command works, for whom, and by which rules: the flags that every command
//! has, and the installation's file that they lead to.
//!
//! The file is `windlass.yaml` beside the store unless another is named; without one
//! nothing is shared and the built-in prices hold. A flag goes before the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::door::Owner;
use engine::ports::Principal;
use kernel::event::SessionScope;
use kernel::units::{ContentHash, SessionId, Tenant};
use models::catalog::Catalog;
use policy::Policies;
use secrets::Secret;

use crate::assemble::environment;
use crate::cli::HereArgs;
use crate::config::{
    self, Caps, ConfigError, Encryption, Installation, Keeping, Permits, Redaction, Webhook,
};

/// The tenant and the user of whoever names none.
pub(crate) const LOCAL: &str = "local";

/// The installation's file beside the store.
pub(crate) const FILE_NAME: &str = "windlass.yaml";

/// The store's folder where no other is named.
const STORE: &str = ".windlass";

/// Where a command works, for whom, and by which rules.
#[derive(Clone)]
pub(crate) struct Here {
    /// The store's folder.
    pub(crate) store: PathBuf,
    /// The database that sessions are kept in. `None`: a file in the store's folder.
    pub(crate) database: Option<Database>,
    /// Whose sessions they are.
    pub(crate) tenant: Tenant,
    /// Who within the tenant.
    pub(crate) user: String,
    /// The prices that hold.
    pub(crate) catalog: Catalog,
    /// The caps that sessions share, and who is under which.
    pub(crate) caps: Caps,
    /// Who acts and where, and what sessions are composed for where nothing else is said.
    pub(crate) scope: SessionScope,
    /// Who may do what, as the installation's file has it.
    pub(crate) permits: Permits,
    /// The policies that it names.
    pub(crate) policies: Arc<Policies>,
    /// What all of that was read from.
    pub(crate) configuration: Configuration,
    /// Who is told of trips.
    pub(crate) webhooks: Vec<Webhook>,
    /// What is blanked before anything leaves.
    pub(crate) redaction: Redaction,
    /// Under which keys content is sealed. `None`: it is not.
    pub(crate) encryption: Option<Encryption>,
    /// How long content is kept, by environment.
    pub(crate) retention: BTreeMap<String, Keeping>,
    flags: HereArgs,
}

/// A database of many machines.
#[derive(Clone)]
pub(crate) struct Database {
    /// Its address, with a password.
    pub(crate) url: Secret,
    /// Who may name its server.
    pub(crate) ca_file: Option<PathBuf>,
}

/// The files of the configuration, as far as they concern a tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configuration {
    /// Their hashes, by what they are for.
    pub(crate) files: BTreeMap<String, ContentHash>,
}

impl Configuration {
    /// One hash of all; nothing where nothing is configured.
    pub(crate) fn hash(&self) -> Option<ContentHash> {
        let lines = self.files.iter().map(|(what, hash)| format!("{what}\0{hash}\n"));
        (!self.files.is_empty()).then(|| ContentHash::of(lines.collect::<String>().as_bytes()))
    }
}

impl Here {
    /// Reads what the flags lead to.
    ///
    /// # Errors
    /// A file that is named is not there, or every mistake in it.
    pub(crate) fn of(flags: &HereArgs) -> anyhow::Result<Self> {
        let installation = installation(flags)?;
        let catalog = match flags.prices.as_ref().or(installation.prices.as_ref()) {
            Some(file) => catalog(file)?,
            None => Catalog::builtin(),
        };
        let (tenant, user) = (Tenant(flags.tenant.clone()), flags.user.clone());
        let permits = installation.permits;
        let loaded = permits.policies.load()?;
        let ours = ["policy".to_owned(), format!("policy of {}", tenant.0)];
        let policies = loaded.hashes.into_iter().filter(|(what, _)| ours.contains(what));
        let file = installation.hash.map(|hash| ("installation".to_owned(), hash));
        // Without a file nothing is configured: the program's own policies hold.
        let files = file.map(|file| policies.chain([file]).collect()).unwrap_or_default();
        let scope = SessionScope {
            role: permits.people.role(&tenant, &user).to_owned(),
            environment: permits.environment.clone(),
            ..SessionScope::default()
        };
        Ok(Here {
            store: flags.store.clone(),
            database: flags
                .database
                .clone()
                .map(|url| Database { url, ca_file: flags.database_ca.clone() }),
            tenant,
            user,
            catalog,
            caps: installation.caps,
            scope,
            permits,
            policies: Arc::new(loaded.policies),
            configuration: Configuration { files },
            webhooks: installation.webhooks,
            redaction: installation.redaction,
            encryption: installation.encryption,
            retention: installation.retention,
            flags: flags.clone(),
        })
    }

    /// Whose a new session is, and what its calls are counted under.
    pub(crate) fn owner(
        &self,
        labels: &[(String, String)],
        workdir: String,
        scope: SessionScope,
    ) -> Owner {
        Owner {
            tenant: self.tenant.clone(),
            user: self.user.clone(),
            labels: labels.iter().cloned().collect(),
            workdir: Some(workdir),
            scope,
        }
    }

    /// The same place for somebody else.
    pub(crate) fn for_whom(&self, who: &Principal) -> Here {
        let scope = SessionScope { role: who.role.clone(), ..self.scope.clone() };
        Here { tenant: who.tenant.clone(), user: who.user.clone(), scope, ..self.clone() }
    }

    /// Who acts here.
    pub(crate) fn principal(&self) -> Principal {
        Principal {
            tenant: self.tenant.clone(),
            user: self.user.clone(),
            role: self.scope.role.clone(),
            labels: BTreeMap::new(),
            agent: None,
        }
    }

    /// The command that goes on with a session, as it can be typed.
    pub(crate) fn resume_words(&self, session: SessionId) -> String {
        format!("{} resume {session}", self.program_words())
    }

    /// The command that goes on with a conversation, as it can be typed.
    pub(crate) fn chat_words(&self, session: SessionId) -> String {
        format!("{} chat --session {session}", self.program_words())
    }

    /// The beginning of a command that works in the same place, for the same tenant and
    /// by the same rules.
    pub(crate) fn program_words(&self) -> String {
        let mut words = vec!["windlass".to_owned()];
        let path = |path: &Path| quoted(&path.display().to_string());
        if self.store != Path::new(STORE) {
            words.extend(["--store".to_owned(), path(&self.store)]);
        }
        for (flag, file) in [("--config", &self.flags.config), ("--prices", &self.flags.prices)] {
            words.extend(file.iter().flat_map(|file| [flag.to_owned(), path(file)]));
        }
        if self.tenant.0 != LOCAL {
            words.extend(["--tenant".to_owned(), quoted(&self.tenant.0)]);
        }
        words.join(" ")
    }
}

/// The installation's file: the one that is named, or the one beside the store.
pub(crate) fn file(flags: &HereArgs) -> Option<PathBuf> {
    let beside = || flags.store.parent().unwrap_or(Path::new("")).join(FILE_NAME);
    flags.config.clone().or_else(|| Some(beside()).filter(|file| file.exists()))
}

/// What the installation's file says.
pub(crate) fn installation(flags: &HereArgs) -> Result<Installation, ConfigError> {
    file(flags).map_or_else(
        || Ok(Installation::default()),
        |file| config::load_installation(&file, &environment),
    )
}

/// The price file that is laid over the built-in prices, if there is one.
///
/// # Errors
/// The installation's file is wrong.
pub(crate) fn price_file(flags: &HereArgs) -> Result<Option<PathBuf>, ConfigError> {
    match &flags.prices {
        Some(file) => Ok(Some(file.clone())),
        None => Ok(installation(flags)?.prices),
    }
}

/// The built-in prices with those of a file laid over them.
fn catalog(file: &Path) -> anyhow::Result<Catalog> {
    let own = config::load_prices(file, &environment)?;
    Ok(Catalog::builtin().overlay(&own.version, own.rows))
}

/// A word as a POSIX shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(store: &str) -> HereArgs {
        HereArgs {
            store: store.into(),
            database: None,
            database_ca: None,
            config: None,
            prices: None,
            tenant: LOCAL.to_owned(),
            user: LOCAL.to_owned(),
        }
    }

    #[test]
    fn the_resume_command_can_be_typed_as_it_is_printed() {
        let session: SessionId = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
        let words = |store: &str| Here::of(&flags(store)).unwrap().resume_words(session);
        assert_eq!(words(STORE), format!("windlass resume {session}"));
        assert_eq!(words("/no/s"), format!("windlass --store /no/s resume {session}"));
        let odd = format!(r"windlass --store '/no/it'\''s here' resume {session}");
        assert_eq!(words("/no/it's here"), odd);
        let mut acme = Here::of(&flags(STORE)).unwrap();
        acme.tenant = Tenant("acme co".to_owned());
        acme.flags.config = Some("a b.yaml".into());
        let expected = format!(r"windlass --config 'a b.yaml' --tenant 'acme co' resume {session}");
        assert_eq!(acme.resume_words(session), expected);
    }
}
