//! Which of the installation's secrets a tenant may use.

use std::collections::{BTreeMap, BTreeSet};

use kernel::units::Tenant;
use serde::{Deserialize, Deserializer};

use crate::handle::Name;

/// To whom a secret of the installation is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// To every tenant, now and later.
    All,
    /// To these.
    To(BTreeSet<Tenant>),
}

impl<'de> Deserialize<'de> for Granted {
    /// Reads `"*"` or a list of tenants.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Star(String),
            List(BTreeSet<Tenant>),
        }
        match Form::deserialize(deserializer)? {
            Form::Star(star) if star == "*" => Ok(Granted::All),
            Form::Star(_) => Err(serde::de::Error::custom("write `\"*\"` or a list of tenants")),
            Form::List(tenants) => Ok(Granted::To(tenants)),
        }
    }
}

/// The grants of an installation. What is not named is granted to nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Grants(pub BTreeMap<Name, Granted>);

impl Grants {
    /// Whether a tenant may use the installation's secret of this name.
    #[must_use]
    pub fn allow(&self, tenant: &Tenant, name: &Name) -> bool {
        match self.0.get(name) {
            None => false,
            Some(Granted::All) => true,
            Some(Granted::To(tenants)) => tenants.contains(tenant),
        }
    }
}
