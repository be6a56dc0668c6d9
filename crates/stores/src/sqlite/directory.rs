//! Members and keys. What writes runs within the writer's transaction, together with what
//! the audit is told.

use async_trait::async_trait;
use engine::audit::Record;
use engine::ports::{DIRECTORY_ROWS_MAX, Directory, Key, Member, StoreError};
use kernel::units::{Tenant, UnixMs};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params};

use super::Sqlite;
use super::audit::Chains;
use super::error::Failure;
use super::row::{hash, in_order, whole};
use super::writer::{Done, Work};

/// The columns of a key, in the order that [`key`] reads.
const KEY_COLUMNS: &str = "id, hash, tenant, user, name, grants, made, ends";

/// Changes of the directory for the writer.
#[derive(Debug)]
pub(super) enum DirectoryWork {
    SetMember(Box<Member>, Box<Record>),
    RemoveMember(Tenant, String, Box<Record>),
    AddKey(Box<Key>, Box<Record>),
    EndKey(Tenant, String, UnixMs, Box<Record>),
}

#[async_trait]
impl Directory for Sqlite {
    async fn set_member(&self, member: Member, told: Record) -> Result<(), StoreError> {
        let work = DirectoryWork::SetMember(Box::new(member), Box::new(told));
        self.writer.ask(Work::Directory(work)).await.map(drop)
    }

    async fn remove_member(
        &self,
        tenant: &Tenant,
        user: &str,
        told: Record,
    ) -> Result<(), StoreError> {
        let work = DirectoryWork::RemoveMember(tenant.clone(), user.to_owned(), Box::new(told));
        self.writer.ask(Work::Directory(work)).await.map(drop)
    }

    async fn member(&self, tenant: &Tenant, user: &str) -> Result<Option<Member>, StoreError> {
        let (tenant, user) = (tenant.clone(), user.to_owned());
        self.readers.read(move |db| Ok(find_member(db, &tenant, &user)?)).await
    }

    async fn members(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<Member>, StoreError> {
        let (tenant, after) = (tenant.clone(), after.to_owned());
        self.readers.read(move |db| Ok(members(db, &tenant, &after, rows_max)?)).await
    }

    async fn add_key(&self, key: Key, told: Record) -> Result<(), StoreError> {
        let work = DirectoryWork::AddKey(Box::new(key), Box::new(told));
        self.writer.ask(Work::Directory(work)).await.map(drop)
    }

    async fn find_key(&self, id: &str) -> Result<Option<(Key, Member)>, StoreError> {
        let id = id.to_owned();
        self.readers.read(move |db| Ok(find_key(db, &id)?)).await
    }

    async fn keys(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<Key>, StoreError> {
        let (tenant, after) = (tenant.clone(), after.to_owned());
        self.readers.read(move |db| Ok(keys(db, &tenant, &after, rows_max)?)).await
    }

    async fn end_key(
        &self,
        tenant: &Tenant,
        id: &str,
        at: UnixMs,
        told: Record,
    ) -> Result<(), StoreError> {
        let work = DirectoryWork::EndKey(tenant.clone(), id.to_owned(), at, Box::new(told));
        self.writer.ask(Work::Directory(work)).await.map(drop)
    }
}

/// Does a change, and tells the audit of it.
pub(super) fn work(
    db: &Connection,
    chains: &mut Chains,
    work: &DirectoryWork,
) -> Result<Done, Failure> {
    let (tenant, told) = match work {
        DirectoryWork::SetMember(member, told) => {
            set_member(db, member)?;
            (&member.tenant, told)
        }
        DirectoryWork::RemoveMember(tenant, user, told) => {
            let sql = "DELETE FROM member WHERE tenant = ?1 AND user = ?2";
            if db.prepare_cached(sql)?.execute(params![tenant.0, user])? == 0 {
                return Err(StoreError::Missing(format!("user `{user}`")).into());
            }
            let sql = "UPDATE api_key SET ends = min(coalesce(ends, ?3), ?3)
                       WHERE tenant = ?1 AND user = ?2";
            let values = params![tenant.0, user, in_order(told.entry.at)];
            db.prepare_cached(sql)?.execute(values)?;
            (tenant, told)
        }
        DirectoryWork::AddKey(key, told) => {
            if add_key(db, key)? == 0 {
                return Err(StoreError::Misused(format!("a second key `{}`", key.id)).into());
            }
            (&key.tenant, told)
        }
        DirectoryWork::EndKey(tenant, id, at, told) => {
            let sql = "UPDATE api_key SET ends = min(coalesce(ends, ?3), ?3)
                       WHERE tenant = ?1 AND id = ?2";
            let values = params![tenant.0, id, in_order(*at)];
            if db.prepare_cached(sql)?.execute(values)? == 0 {
                return Err(StoreError::Missing(format!("key `{id}`")).into());
            }
            (tenant, told)
        }
    };
    chains.append(db, tenant, std::slice::from_ref(told))?;
    Ok(Done::Nothing)
}

fn set_member(db: &Connection, member: &Member) -> Result<()> {
    let sql = "INSERT INTO member (tenant, user, role, team, made) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (tenant, user) DO UPDATE SET role = ?3, team = ?4";
    let Member { tenant, user, role, team, made } = member;
    let values = params![tenant.0, user, role, team, in_order(*made)];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

fn add_key(db: &Connection, key: &Key) -> Result<usize> {
    let sql = "INSERT OR IGNORE INTO api_key (id, hash, tenant, user, name, grants, made, ends)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let grants = serde_json::to_string(&key.grants)
        .map_err(|why| Error::ToSqlConversionFailure(Box::new(why)))?;
    let (made, ends) = (in_order(key.made), key.ends.map(in_order));
    let Key { id, hash, tenant, user, name, .. } = key;
    let values = params![id, hash.0, tenant.0, user, name, grants, made, ends];
    db.prepare_cached(sql)?.execute(values)
}

fn find_member(db: &Connection, tenant: &Tenant, user: &str) -> Result<Option<Member>> {
    let sql = "SELECT tenant, user, role, team, made FROM member
               WHERE tenant = ?1 AND user = ?2";
    db.prepare_cached(sql)?.query_row(params![tenant.0, user], |row| member(row, 0)).optional()
}

fn members(db: &Connection, tenant: &Tenant, after: &str, rows_max: u32) -> Result<Vec<Member>> {
    let sql = "SELECT tenant, user, role, team, made FROM member
               WHERE tenant = ?1 AND user > ?2 ORDER BY user LIMIT ?3";
    let mut statement = db.prepare_cached(sql)?;
    let rows_max = rows_max.min(DIRECTORY_ROWS_MAX);
    statement.query_map(params![tenant.0, after, rows_max], |row| member(row, 0))?.collect()
}

fn find_key(db: &Connection, id: &str) -> Result<Option<(Key, Member)>> {
    let sql = "SELECT api_key.id, hash, api_key.tenant, api_key.user, name, grants, api_key.made,
                      ends, member.tenant, member.user, role, team, member.made
               FROM api_key
               JOIN member ON member.tenant = api_key.tenant AND member.user = api_key.user
               WHERE api_key.id = ?1";
    let mut statement = db.prepare_cached(sql)?;
    statement.query_row(params![id], |row| Ok((key(row)?, member(row, 8)?))).optional()
}

fn keys(db: &Connection, tenant: &Tenant, after: &str, rows_max: u32) -> Result<Vec<Key>> {
    let sql = format!(
        "SELECT {KEY_COLUMNS} FROM api_key WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows_max = rows_max.min(DIRECTORY_ROWS_MAX);
    statement.query_map(params![tenant.0, after, rows_max], key)?.collect()
}

fn member(row: &Row<'_>, first: usize) -> Result<Member> {
    Ok(Member {
        tenant: Tenant(row.get(first)?),
        user: row.get(first + 1)?,
        role: row.get(first + 2)?,
        team: row.get(first + 3)?,
        made: UnixMs(whole(row, first + 4)?),
    })
}

/// Reads a row of [`KEY_COLUMNS`].
fn key(row: &Row<'_>) -> Result<Key> {
    let grants: String = row.get(5)?;
    let grants = serde_json::from_str(&grants)
        .map_err(|why| Error::FromSqlConversionFailure(5, Type::Text, Box::new(why)))?;
    let ends: Option<i64> = row.get(7)?;
    Ok(Key {
        id: row.get(0)?,
        hash: hash(row, 1)?,
        tenant: Tenant(row.get(2)?),
        user: row.get(3)?,
        name: row.get(4)?,
        grants,
        made: UnixMs(whole(row, 6)?),
        ends: ends.map(|ends| UnixMs(ends.cast_unsigned())),
    })
}
