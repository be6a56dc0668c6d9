//! Members and keys in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use kernel::units::{Tenant, UnixMs};

use super::Memory;
use crate::audit::Record;
use crate::ports::{DIRECTORY_ROWS_MAX, Directory, Key, Member, StoreError};

/// The people of all tenants.
#[derive(Debug, Default)]
pub(super) struct People(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    members: BTreeMap<(Tenant, String), Member>,
    keys: BTreeMap<String, Key>,
}

impl People {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn tell(&self, tenant: &Tenant, told: Record) {
        self.with(tenant, |vault| vault.archive.append(tenant, vec![told]));
    }
}

#[async_trait]
impl Directory for Memory {
    async fn set_member(&self, member: Member, told: Record) -> Result<(), StoreError> {
        let (tenant, mut rows) = (member.tenant.clone(), self.people.rows());
        let row = rows.members.entry((tenant.clone(), member.user.clone()));
        let row = row.or_insert_with(|| member.clone());
        *row = Member { made: row.made, ..member };
        drop(rows);
        self.tell(&tenant, told);
        Ok(())
    }

    async fn remove_member(
        &self,
        tenant: &Tenant,
        user: &str,
        told: Record,
    ) -> Result<(), StoreError> {
        let mut rows = self.people.rows();
        let removed = rows.members.remove(&(tenant.clone(), user.to_owned()));
        removed.ok_or_else(|| StoreError::Missing(format!("user `{user}`")))?;
        let at = told.entry.at;
        let own = rows.keys.values_mut().filter(|key| key.tenant == *tenant && key.user == user);
        own.for_each(|key| key.ends = Some(key.ends.map_or(at, |ends| ends.min(at))));
        drop(rows);
        self.tell(tenant, told);
        Ok(())
    }

    async fn member(&self, tenant: &Tenant, user: &str) -> Result<Option<Member>, StoreError> {
        Ok(self.people.rows().members.get(&(tenant.clone(), user.to_owned())).cloned())
    }

    async fn members(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<Member>, StoreError> {
        let rows = self.people.rows();
        let own = rows.members.values().filter(|member| member.tenant == *tenant);
        let behind = own.filter(|member| member.user.as_str() > after);
        Ok(behind.take(rows_max.min(DIRECTORY_ROWS_MAX) as usize).cloned().collect())
    }

    async fn add_key(&self, key: Key, told: Record) -> Result<(), StoreError> {
        let (tenant, mut rows) = (key.tenant.clone(), self.people.rows());
        if rows.keys.contains_key(&key.id) {
            return Err(StoreError::Misused(format!("a second key `{}`", key.id)));
        }
        rows.keys.insert(key.id.clone(), key);
        drop(rows);
        self.tell(&tenant, told);
        Ok(())
    }

    async fn find_key(&self, id: &str) -> Result<Option<(Key, Member)>, StoreError> {
        let rows = self.people.rows();
        let key = rows.keys.get(id);
        Ok(key.and_then(|key| {
            let member = rows.members.get(&(key.tenant.clone(), key.user.clone()))?;
            Some((key.clone(), member.clone()))
        }))
    }

    async fn keys(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<Key>, StoreError> {
        let rows = self.people.rows();
        let own = rows.keys.values().filter(|key| key.tenant == *tenant);
        let behind = own.filter(|key| key.id.as_str() > after);
        Ok(behind.take(rows_max.min(DIRECTORY_ROWS_MAX) as usize).cloned().collect())
    }

    async fn end_key(
        &self,
        tenant: &Tenant,
        id: &str,
        at: UnixMs,
        told: Record,
    ) -> Result<(), StoreError> {
        let mut rows = self.people.rows();
        let key = rows.keys.get_mut(id).filter(|key| key.tenant == *tenant);
        let key = key.ok_or_else(|| StoreError::Missing(format!("key `{id}`")))?;
        key.ends = Some(key.ends.map_or(at, |ends| ends.min(at)));
        drop(rows);
        self.tell(tenant, told);
        Ok(())
    }
}
