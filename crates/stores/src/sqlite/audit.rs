//! The chains of the audit. What writes runs within the writer's transaction.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engine::audit::{ChainHead, Link, Record};
use engine::ports::{Audit, StoreError};
use kernel::units::{ContentHash, Tenant, UnixMs};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::Sqlite;
use super::error::Failure;
use super::row::{in_order, whole};
use super::writer::{Done, Work};

/// The most rows that one list gives.
const LIST_ROWS_MAX: u32 = 1_000;

/// Work on the audit for the writer.
#[derive(Debug)]
pub(super) enum AuditWork {
    Append(Tenant, Vec<Record>),
    ForgetContent { tenant: Tenant, environment: String, before: UnixMs, rows_max: u32 },
    Prune { tenant: Tenant, before: UnixMs, rows_max: u32 },
}

/// Ends of the chains that the present transaction adds to: read once, written once.
#[derive(Debug, Default)]
pub(super) struct Chains(BTreeMap<Tenant, ChainHead>);

impl Chains {
    /// Adds records behind the end of a tenant's chain.
    pub(super) fn append(
        &mut self,
        db: &Connection,
        tenant: &Tenant,
        records: &[Record],
    ) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let mut head = match self.0.get(tenant) {
            Some(head) => *head,
            None => ends(db, tenant)?.1,
        };
        let sql = "INSERT INTO audit (tenant, seq, at, environment, prev, body, content, session)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let mut statement = db.prepare_cached(sql)?;
        for record in records {
            let (at, environment) = (in_order(record.entry.at), &record.entry.environment);
            let session = record.entry.session.map(|session| session.0.into_bytes());
            let link = head.link(record.clone());
            statement.execute(params![
                tenant.0,
                link.seq.cast_signed(),
                at,
                environment,
                link.prev.0,
                link.body,
                link.content.as_deref(),
                session,
            ])?;
            head = link.head();
        }
        self.0.insert(tenant.clone(), head);
        Ok(())
    }

    /// Writes the ends down, at the end of a transaction.
    pub(super) fn write(&mut self, db: &Connection) -> Result<()> {
        let sql = "INSERT INTO audit_chain VALUES (?1, 0, ?2, ?3, ?4)
                   ON CONFLICT (tenant) DO UPDATE SET last_seq = ?3, last_hash = ?4";
        for (tenant, head) in std::mem::take(&mut self.0) {
            let root = engine::audit::root(&tenant).0;
            let values = params![tenant.0, root, head.seq.cast_signed(), head.hash.0];
            db.prepare_cached(sql)?.execute(values)?;
        }
        Ok(())
    }

    /// Forgets all, because the transaction failed.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[async_trait]
impl Audit for Sqlite {
    async fn append(&self, tenant: &Tenant, records: Vec<Record>) -> Result<(), StoreError> {
        let work = AuditWork::Append(tenant.clone(), records);
        self.writer.ask(Work::Audit(work)).await.map(drop)
    }

    async fn links(
        &self,
        tenant: &Tenant,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Link>, StoreError> {
        let tenant = tenant.clone();
        self.readers.read(move |db| Ok(links(db, &tenant, after, rows_max)?)).await
    }

    async fn ends(&self, tenant: &Tenant) -> Result<(ChainHead, ChainHead), StoreError> {
        let tenant = tenant.clone();
        self.readers.read(move |db| Ok(ends(db, &tenant)?)).await
    }

    async fn forget_content(
        &self,
        tenant: &Tenant,
        environment: &str,
        before: UnixMs,
        rows_max: u32,
    ) -> Result<u64, StoreError> {
        let (tenant, environment) = (tenant.clone(), environment.to_owned());
        let work = AuditWork::ForgetContent { tenant, environment, before, rows_max };
        Ok(self.writer.ask(Work::Audit(work)).await?.count())
    }

    async fn prune(
        &self,
        tenant: &Tenant,
        before: UnixMs,
        rows_max: u32,
    ) -> Result<u64, StoreError> {
        let work = AuditWork::Prune { tenant: tenant.clone(), before, rows_max };
        Ok(self.writer.ask(Work::Audit(work)).await?.count())
    }
}

/// Does a piece of work.
pub(super) fn work(
    db: &Connection,
    chains: &mut Chains,
    work: &AuditWork,
) -> Result<Done, Failure> {
    Ok(match work {
        AuditWork::Append(tenant, records) => {
            chains.append(db, tenant, records)?;
            Done::Nothing
        }
        AuditWork::ForgetContent { tenant, environment, before, rows_max } => {
            let sql = "UPDATE audit SET content = NULL WHERE (tenant, seq) IN (
                         SELECT tenant, seq FROM audit WHERE tenant = ?1 AND environment = ?2
                           AND at < ?3 AND content IS NOT NULL LIMIT ?4)";
            let values = params![tenant.0, environment, in_order(*before), rows_max];
            Done::Count(db.prepare_cached(sql)?.execute(values)? as u64)
        }
        AuditWork::Prune { tenant, before, rows_max } => {
            Done::Count(prune(db, tenant, *before, *rows_max)?)
        }
    })
}

/// Removes first entries. The last one of a chain stays, so that its end is known by more
/// than its head.
fn prune(db: &Connection, tenant: &Tenant, before: UnixMs, rows_max: u32) -> Result<u64> {
    let (first, last) = ends(db, tenant)?;
    let beginning = links(db, tenant, first.seq, rows_max)?;
    let mut kept_from = first;
    for link in beginning {
        let old = link.checked().is_ok_and(|entry| entry.at < before);
        if !old || link.seq >= last.seq {
            break;
        }
        kept_from = link.head();
    }
    let sql = "DELETE FROM audit WHERE tenant = ?1 AND seq <= ?2";
    db.prepare_cached(sql)?.execute(params![tenant.0, kept_from.seq.cast_signed()])?;
    let sql = "UPDATE audit_chain SET first_seq = ?2, first_hash = ?3 WHERE tenant = ?1";
    let values = params![tenant.0, kept_from.seq.cast_signed(), kept_from.hash.0];
    db.prepare_cached(sql)?.execute(values)?;
    Ok(kept_from.seq - first.seq)
}

fn links(db: &Connection, tenant: &Tenant, after: u64, rows_max: u32) -> Result<Vec<Link>> {
    let sql = "SELECT seq, prev, body, content FROM audit
               WHERE tenant = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(sql)?;
    let values = params![tenant.0, after, rows_max.min(LIST_ROWS_MAX)];
    statement.query_map(values, link)?.collect()
}

fn link(row: &Row<'_>) -> Result<Link> {
    let content: Option<Vec<u8>> = row.get(3)?;
    Ok(Link {
        seq: whole(row, 0)?,
        prev: ContentHash(row.get(1)?),
        body: row.get(2)?,
        content: content.map(Into::into),
    })
}

fn ends(db: &Connection, tenant: &Tenant) -> Result<(ChainHead, ChainHead)> {
    let sql = "SELECT first_seq, first_hash, last_seq, last_hash FROM audit_chain
               WHERE tenant = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let both = |row: &Row<'_>| Ok((end(row, 0)?, end(row, 2)?));
    let found = statement.query_row([&tenant.0], both).optional()?;
    let empty = ChainHead::empty(tenant);
    Ok(found.unwrap_or((empty, empty)))
}

fn end(row: &Row<'_>, at: usize) -> Result<ChainHead> {
    Ok(ChainHead { seq: whole(row, at)?, hash: ContentHash(row.get(at + 1)?) })
}
