//! The keys that content is sealed under, from where the installation's secrets are.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::ports::World as _;
use secrets::{
    EnvConfiguration, Granted, Handle, Kind, Secrets, SourceConfiguration, process_variables,
};
use stores::sealing::{Fetch, Keyring};

use crate::here::Here;
use crate::world::Machine;

/// What variables begin with where no other prefix is configured.
const VARIABLES: &str = "WINDLASS_SECRET_";

/// The keys that the installation's file names; an empty ring where it names none. They
/// are looked up when a session needs them.
pub(super) fn ring(here: &Here) -> anyhow::Result<Keyring> {
    let Some(encryption) = &here.encryption else { return Ok(Keyring::empty()) };
    let handles = std::iter::once(&encryption.key).chain(&encryption.former);
    let secrets = secrets(here, handles)?;
    let fetch = |handle: &Handle| -> Fetch {
        let (secrets, handle) = (secrets.clone(), handle.clone());
        Arc::new(move |tenant| {
            let (secrets, handle) = (secrets.clone(), handle.clone());
            Box::pin(
                async move { Ok(secrets.resolve(&tenant, &handle, Machine.now()).await?.value) },
            )
        })
    };
    Ok(Keyring::new(fetch(&encryption.key), encryption.former.iter().map(fetch).collect()))
}

/// The installation's secrets, with these ones open to every tenant's store. What tools
/// are granted is another matter, and does not change. Sources that are never asked need
/// not work.
fn secrets<'a>(here: &Here, handles: impl Iterator<Item = &'a Handle>) -> anyhow::Result<Secrets> {
    let mut configuration = here.permits.secrets.clone();
    let mut kinds = BTreeSet::new();
    for handle in handles {
        kinds.insert(handle.kind);
        configuration.grants.0.insert(handle.name.clone(), Granted::All);
    }
    let sources = &mut configuration.sources;
    sources.retain(|source| kinds.contains(&None) || kinds.contains(&Some(kind(source))));
    if kinds.contains(&Some(Kind::Env)) && !sources.iter().any(|one| kind(one) == Kind::Env) {
        let variables = EnvConfiguration { prefix: VARIABLES.to_owned(), tenant: None };
        sources.push(SourceConfiguration::Env(variables));
    }
    Ok(configuration.open(&here.store, process_variables)?)
}

fn kind(source: &SourceConfiguration) -> Kind {
    match source {
        SourceConfiguration::Env(_) => Kind::Env,
        SourceConfiguration::File(_) => Kind::File,
        SourceConfiguration::Encrypted(_) => Kind::Enc,
        SourceConfiguration::AwsSecretsManager(_) => Kind::Aws,
        SourceConfiguration::Vault(_) => Kind::Vault,
    }
}
