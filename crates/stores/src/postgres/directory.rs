//! Members and keys. What changes them is told to the tenant's audit in the same
//! transaction.

use async_trait::async_trait;
use engine::audit::Record;
use engine::ports::{DIRECTORY_ROWS_MAX, Directory, Key, Member, StoreError};
use kernel::units::{Tenant, UnixMs};
use tokio_postgres::Row;

use super::Postgres;
use super::audit::Chain;
use super::connection::{Connection, Value};
use super::error::{Failure, damaged};
use super::row::{get, hash, in_order, instant, rows, tenant};

/// The columns of a key, in the order that [`key`] reads.
const KEY_COLUMNS: &str = "api_key.id, api_key.hash, api_key.tenant, api_key.user_id, \
     api_key.name, api_key.grants, api_key.made, api_key.ends";

/// The columns of a member, in the order that [`member`] reads.
const MEMBER_COLUMNS: &str = "member.tenant, member.user_id, member.role, member.team, member.made";

#[async_trait]
impl Directory for Postgres {
    async fn set_member(&self, member: Member, told: Record) -> Result<(), StoreError> {
        let sql = "INSERT INTO member (tenant, user_id, role, team, made)
                   VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (tenant, user_id) DO UPDATE SET role = $3, team = $4
                   RETURNING 1";
        let Member { tenant, user, role, team, made } = &member;
        let made = in_order(*made);
        let values: [Value<'_>; 5] = [&tenant.0, user, role, team, &made];
        let gone = || StoreError::Unavailable(format!("user `{user}` was not kept"));
        let about = About { sql, values: &values, tenant, told: &told };
        self.pool.transact(|db| async move { change(&db, about, gone).await }).await
    }

    async fn remove_member(
        &self,
        tenant: &Tenant,
        user: &str,
        told: Record,
    ) -> Result<(), StoreError> {
        // The changes of one statement are made together; what it brings is the member.
        let sql = "WITH ended AS (UPDATE api_key SET ends = least(coalesce(ends, $3), $3)
                     WHERE tenant = $1 AND user_id = $2)
                   DELETE FROM member WHERE tenant = $1 AND user_id = $2 RETURNING 1";
        let at = in_order(told.entry.at);
        let values: [Value<'_>; 3] = [&tenant.0, &user, &at];
        let gone = || StoreError::Missing(format!("user `{user}`"));
        let about = About { sql, values: &values, tenant, told: &told };
        self.pool.transact(|db| async move { change(&db, about, gone).await }).await
    }

    async fn member(&self, tenant: &Tenant, user: &str) -> Result<Option<Member>, StoreError> {
        self.pool.ask(|db| async move { find_member(&db, tenant, user).await }).await
    }

    async fn members(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<Member>, StoreError> {
        self.pool.ask(|db| async move { members(&db, tenant, after, rows_max).await }).await
    }

    async fn add_key(&self, key: Key, told: Record) -> Result<(), StoreError> {
        let sql = "INSERT INTO api_key (id, hash, tenant, user_id, name, grants, made, ends)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING 1";
        let grants = serde_json::to_string(&key.grants)
            .map_err(|why| StoreError::Misused(format!("grants that are no JSON: {why}")))?;
        let (made, ends) = (in_order(key.made), key.ends.map(in_order));
        let Key { id, hash, tenant, user, name, .. } = &key;
        let hash = &hash.0[..];
        let values: [Value<'_>; 8] = [id, &hash, &tenant.0, user, name, &grants, &made, &ends];
        let second = || StoreError::Misused(format!("a second key `{id}`"));
        let about = About { sql, values: &values, tenant, told: &told };
        self.pool.transact(|db| async move { change(&db, about, second).await }).await
    }

    async fn find_key(&self, id: &str) -> Result<Option<(Key, Member)>, StoreError> {
        self.pool.ask(|db| async move { find_key(&db, id).await }).await
    }

    async fn keys(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<Key>, StoreError> {
        self.pool.ask(|db| async move { keys(&db, tenant, after, rows_max).await }).await
    }

    async fn end_key(
        &self,
        tenant: &Tenant,
        id: &str,
        at: UnixMs,
        told: Record,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE api_key SET ends = least(coalesce(ends, $3), $3)
                   WHERE tenant = $1 AND id = $2 RETURNING 1";
        let at = in_order(at);
        let values: [Value<'_>; 3] = [&tenant.0, &id, &at];
        let gone = || StoreError::Missing(format!("key `{id}`"));
        let about = About { sql, values: &values, tenant, told: &told };
        self.pool.transact(|db| async move { change(&db, about, gone).await }).await
    }
}

/// A change of one row, and what the audit is told of it.
#[derive(Clone, Copy)]
struct About<'a> {
    sql: &'a str,
    values: &'a [Value<'a>],
    tenant: &'a Tenant,
    told: &'a Record,
}

/// Changes the row and tells the audit, or refuses where there was none to change.
async fn change(
    db: &Connection,
    about: About<'_>,
    refusal: impl Fn() -> StoreError,
) -> Result<(), Failure> {
    let About { sql, values, tenant, told } = about;
    let chain = Chain::of(tenant);
    let mut changing = db.pipeline();
    changing.add("BEGIN", vec![]);
    let changed = changing.add(sql, values.to_vec());
    let end = chain.lock(&mut changing);
    let brought = changing.run().await?;
    if brought.row(changed).is_none() {
        return Err(refusal().into());
    }
    let links = chain.links(&brought, end, std::slice::from_ref(told))?;
    let mut telling = db.pipeline();
    links.write(&mut telling);
    telling.add("COMMIT", vec![]);
    telling.run().await.map(drop)
}

async fn find_member(
    db: &Connection,
    tenant: &Tenant,
    user: &str,
) -> Result<Option<Member>, Failure> {
    let sql = format!("SELECT {MEMBER_COLUMNS} FROM member WHERE tenant = $1 AND user_id = $2");
    db.row(&sql, &[&tenant.0, &user]).await?.map(|row| member(&row, 0)).transpose()
}

async fn members(
    db: &Connection,
    tenant: &Tenant,
    after: &str,
    rows_max: u32,
) -> Result<Vec<Member>, Failure> {
    let sql = format!(
        "SELECT {MEMBER_COLUMNS} FROM member WHERE tenant = $1 AND user_id > $2
         ORDER BY user_id LIMIT $3"
    );
    let rows_max = rows(rows_max.min(DIRECTORY_ROWS_MAX));
    let found = db.rows(&sql, &[&tenant.0, &after, &rows_max]).await?;
    found.iter().map(|row| member(row, 0)).collect()
}

async fn find_key(db: &Connection, id: &str) -> Result<Option<(Key, Member)>, Failure> {
    let sql = format!(
        "SELECT {KEY_COLUMNS}, {MEMBER_COLUMNS} FROM api_key
         JOIN member ON member.tenant = api_key.tenant AND member.user_id = api_key.user_id
         WHERE api_key.id = $1"
    );
    let both = |row| Ok((key(&row)?, member(&row, 8)?));
    db.row(&sql, &[&id]).await?.map(both).transpose()
}

async fn keys(
    db: &Connection,
    tenant: &Tenant,
    after: &str,
    rows_max: u32,
) -> Result<Vec<Key>, Failure> {
    let sql = format!(
        "SELECT {KEY_COLUMNS} FROM api_key WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3"
    );
    let rows_max = rows(rows_max.min(DIRECTORY_ROWS_MAX));
    db.rows(&sql, &[&tenant.0, &after, &rows_max]).await?.iter().map(key).collect()
}

/// Reads [`MEMBER_COLUMNS`] from a column on.
fn member(row: &Row, first: usize) -> Result<Member, Failure> {
    Ok(Member {
        tenant: tenant(row, first)?,
        user: get(row, first + 1)?,
        role: get(row, first + 2)?,
        team: get(row, first + 3)?,
        made: instant(row, first + 4)?,
    })
}

/// Reads a row of [`KEY_COLUMNS`].
fn key(row: &Row) -> Result<Key, Failure> {
    let grants = serde_json::from_str(get(row, 5)?);
    let ends: Option<i64> = get(row, 7)?;
    Ok(Key {
        id: get(row, 0)?,
        hash: hash(row, 1)?,
        tenant: tenant(row, 2)?,
        user: get(row, 3)?,
        name: get(row, 4)?,
        grants: grants.map_err(|why| damaged(format!("grants of a key: {why}")))?,
        made: instant(row, 6)?,
        ends: ends.map(|ends| UnixMs(ends.cast_unsigned())),
    })
}
