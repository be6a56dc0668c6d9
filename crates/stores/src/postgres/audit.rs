//! The chains of the audit. Who adds to a tenant's chain holds the lock of its end, until
//! the transaction is over.

use async_trait::async_trait;
use engine::audit::{self, ChainHead, Link, Record};
use engine::ports::{Audit, StoreError};
use kernel::units::{Tenant, UnixMs};
use tokio_postgres::Row;
use uuid::Uuid;

use super::Postgres;
use super::connection::{Brought, Connection, Pipeline, Step, Value};
use super::error::{Failure, damaged};
use super::row::{get, hash, in_order, rows, whole};

/// The most rows that one list gives.
const LIST_ROWS_MAX: u32 = 1_000;

/// A tenant's chain, for a transaction that adds to it.
pub(super) struct Chain<'t> {
    tenant: &'t Tenant,
    root: Vec<u8>,
}

impl<'t> Chain<'t> {
    pub(super) fn of(tenant: &'t Tenant) -> Self {
        Chain { tenant, root: audit::root(tenant).0.to_vec() }
    }

    /// Locks the chain's end.
    pub(super) fn lock<'a>(&'a self, pipeline: &mut Pipeline<'a>) -> Step {
        let sql = "INSERT INTO audit_chain VALUES ($1, 0, $2, 0, $2) ON CONFLICT DO NOTHING";
        pipeline.add(sql, vec![&self.tenant.0, &self.root]);
        let sql = "SELECT first_seq, first_hash, last_seq, last_hash FROM audit_chain
                   WHERE tenant = $1 FOR UPDATE";
        pipeline.add(sql, vec![&self.tenant.0])
    }

    /// The ends that were locked.
    fn locked(&self, brought: &Brought, step: Step) -> Result<(ChainHead, ChainHead), Failure> {
        let row = brought.row(step);
        let missing = || damaged(format!("tenant `{}` has no chain of its audit", self.tenant.0));
        both(row.ok_or_else(missing)?)
    }

    /// Records as links behind the locked end.
    pub(super) fn links(
        &self,
        brought: &Brought,
        step: Step,
        records: &[Record],
    ) -> Result<LinkColumns<'t>, Failure> {
        let (_, end) = self.locked(brought, step)?;
        Ok(LinkColumns::of(self.tenant, end, records))
    }
}

/// Links on their way to the table, as columns.
pub(super) struct LinkColumns<'t> {
    tenant: &'t Tenant,
    seqs: Vec<i64>,
    instants: Vec<i64>,
    environments: Vec<String>,
    sessions: Vec<Option<Uuid>>,
    prevs: Vec<Vec<u8>>,
    bodies: Vec<Vec<u8>>,
    contents: Vec<Option<Vec<u8>>>,
    last_seq: i64,
    last_hash: Vec<u8>,
}

impl<'t> LinkColumns<'t> {
    fn of(tenant: &'t Tenant, end: ChainHead, records: &[Record]) -> Self {
        let mut columns = LinkColumns {
            tenant,
            seqs: Vec::new(),
            instants: Vec::new(),
            environments: Vec::new(),
            sessions: Vec::new(),
            prevs: Vec::new(),
            bodies: Vec::new(),
            contents: Vec::new(),
            last_seq: 0,
            last_hash: Vec::new(),
        };
        let mut head = end;
        for record in records {
            let link = head.link(record.clone());
            head = link.head();
            columns.push(record, link);
        }
        (columns.last_seq, columns.last_hash) = (head.seq.cast_signed(), head.hash.0.to_vec());
        columns
    }

    fn push(&mut self, record: &Record, link: Link) {
        self.seqs.push(link.seq.cast_signed());
        self.instants.push(in_order(record.entry.at));
        self.environments.push(record.entry.environment.clone());
        self.sessions.push(record.entry.session.map(|session| session.0));
        self.prevs.push(link.prev.0.to_vec());
        self.bodies.push(link.body);
        self.contents.push(link.content.map(|content| content.to_vec()));
    }

    /// Writes the links and the chain's new end.
    pub(super) fn write<'a>(&'a self, pipeline: &mut Pipeline<'a>) {
        if self.seqs.is_empty() {
            return;
        }
        let sql = "INSERT INTO audit (tenant, seq, at, environment, session, prev, body, content)
                   SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::uuid[],
                     $6::bytea[], $7::bytea[], $8::bytea[])";
        pipeline.add(
            sql,
            vec![
                &self.tenant.0,
                &self.seqs,
                &self.instants,
                &self.environments,
                &self.sessions,
                &self.prevs,
                &self.bodies,
                &self.contents,
            ],
        );
        let sql = "UPDATE audit_chain SET last_seq = $2, last_hash = $3 WHERE tenant = $1";
        pipeline.add(sql, vec![&self.tenant.0, &self.last_seq, &self.last_hash]);
    }
}

#[async_trait]
impl Audit for Postgres {
    async fn append(&self, tenant: &Tenant, records: Vec<Record>) -> Result<(), StoreError> {
        let records = &records;
        self.pool.transact(|db| async move { append(&db, tenant, records).await }).await
    }

    async fn links(
        &self,
        tenant: &Tenant,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Link>, StoreError> {
        self.pool.ask(|db| async move { links(&db, tenant, after, rows_max).await }).await
    }

    async fn ends(&self, tenant: &Tenant) -> Result<(ChainHead, ChainHead), StoreError> {
        self.pool.ask(|db| async move { ends(&db, tenant).await }).await
    }

    async fn forget_content(
        &self,
        tenant: &Tenant,
        environment: &str,
        before: UnixMs,
        rows_max: u32,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE audit SET content = NULL WHERE tenant = $1 AND seq IN (
                     SELECT seq FROM audit WHERE tenant = $1 AND environment = $2
                       AND at < $3 AND content IS NOT NULL
                     ORDER BY at, seq LIMIT $4 FOR UPDATE SKIP LOCKED)";
        let (before, rows_max) = (in_order(before), rows(rows_max));
        let values: [Value<'_>; 4] = [&tenant.0, &environment, &before, &rows_max];
        let values = &values;
        self.pool.ask(|db| async move { db.change(sql, values).await }).await
    }

    async fn prune(
        &self,
        tenant: &Tenant,
        before: UnixMs,
        rows_max: u32,
    ) -> Result<u64, StoreError> {
        self.pool.transact(|db| async move { prune(&db, tenant, before, rows_max).await }).await
    }
}

async fn append(db: &Connection, tenant: &Tenant, records: &[Record]) -> Result<(), Failure> {
    if records.is_empty() {
        return Ok(());
    }
    let chain = Chain::of(tenant);
    let mut first = db.pipeline();
    first.add("BEGIN", vec![]);
    let end = chain.lock(&mut first);
    let links = chain.links(&first.run().await?, end, records)?;
    let mut second = db.pipeline();
    links.write(&mut second);
    second.add("COMMIT", vec![]);
    second.run().await.map(drop)
}

/// Removes first entries. The last one of a chain stays, so that its end is known by more
/// than its head.
async fn prune(
    db: &Connection,
    tenant: &Tenant,
    before: UnixMs,
    rows_max: u32,
) -> Result<u64, Failure> {
    let chain = Chain::of(tenant);
    let mut locking = db.pipeline();
    locking.add("BEGIN", vec![]);
    let ends = chain.lock(&mut locking);
    let (first, last) = chain.locked(&locking.run().await?, ends)?;
    let mut kept_from = first;
    for link in links(db, tenant, first.seq, rows_max).await? {
        let old = link.checked().is_ok_and(|entry| entry.at < before);
        if !old || link.seq >= last.seq {
            break;
        }
        kept_from = link.head();
    }
    let (seq, hash) = (kept_from.seq.cast_signed(), kept_from.hash.0.to_vec());
    let mut removing = db.pipeline();
    removing.add("DELETE FROM audit WHERE tenant = $1 AND seq <= $2", vec![&tenant.0, &seq]);
    let sql = "UPDATE audit_chain SET first_seq = $2, first_hash = $3 WHERE tenant = $1";
    removing.add(sql, vec![&tenant.0, &seq, &hash]);
    removing.add("COMMIT", vec![]);
    removing.run().await?;
    Ok(kept_from.seq - first.seq)
}

async fn links(
    db: &Connection,
    tenant: &Tenant,
    after: u64,
    rows_max: u32,
) -> Result<Vec<Link>, Failure> {
    let sql = "SELECT seq, prev, body, content FROM audit
               WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let rows_max = rows(rows_max.min(LIST_ROWS_MAX));
    db.rows(sql, &[&tenant.0, &after, &rows_max]).await?.iter().map(link).collect()
}

fn link(row: &Row) -> Result<Link, Failure> {
    let content: Option<Vec<u8>> = get(row, 3)?;
    Ok(Link {
        seq: whole(row, 0)?,
        prev: hash(row, 1)?,
        body: get(row, 2)?,
        content: content.map(Into::into),
    })
}

async fn ends(db: &Connection, tenant: &Tenant) -> Result<(ChainHead, ChainHead), Failure> {
    let sql = "SELECT first_seq, first_hash, last_seq, last_hash FROM audit_chain
               WHERE tenant = $1";
    let empty = ChainHead::empty(tenant);
    db.row(sql, &[&tenant.0]).await?.map_or(Ok((empty, empty)), |row| both(&row))
}

fn both(row: &Row) -> Result<(ChainHead, ChainHead), Failure> {
    let end = |at| Ok::<_, Failure>(ChainHead { seq: whole(row, at)?, hash: hash(row, at + 1)? });
    Ok((end(0)?, end(2)?))
}
