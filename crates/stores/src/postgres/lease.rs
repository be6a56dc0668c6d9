//! Leases: each change is one statement that checks and writes.

use engine::ports::{Claim, Head, StoreError};
use kernel::units::{Epoch, SessionId, Tenant, UnixMs};

use super::connection::Connection;
use super::error::Failure;
use super::query::missing;
use super::row::{get, head, in_order, instant, whole};

/// Takes the lease, or tells who holds it. Of several who claim at once PostgreSQL lets one
/// after the other see the row: the first takes it, the others find it held.
pub(super) async fn claim(db: &Connection, claim: &Claim) -> Result<Head, Failure> {
    let sql = "UPDATE session SET epoch = epoch + 1, owner = $3, lease_until = $4
               WHERE tenant = $1 AND id = $2 AND (lease_until <= $5 OR epoch = $6)
               RETURNING seq, hash, epoch";
    let (until, now) = (in_order(claim.until), in_order(claim.now));
    let over = claim.over.map(|epoch| epoch.0.cast_signed());
    let (tenant, id) = (&claim.tenant.0, &claim.session.0);
    match db.row(sql, &[tenant, id, &claim.owner, &until, &now, &over]).await? {
        Some(row) => head(&row, 0),
        None => Err(held(db, claim).await?),
    }
}

/// Why a claim changed nothing.
async fn held(db: &Connection, claim: &Claim) -> Result<Failure, Failure> {
    let sql = "SELECT owner, epoch, lease_until FROM session WHERE tenant = $1 AND id = $2";
    let row = db.row(sql, &[&claim.tenant.0, &claim.session.0]).await?;
    let row = row.ok_or_else(|| missing(claim.session))?;
    let (epoch, until) = (Epoch(whole(&row, 1)?), instant(&row, 2)?);
    if until <= claim.now || claim.over == Some(epoch) {
        return Ok(Failure::Overtaken("a lease was given back while it was claimed"));
    }
    Ok(StoreError::Held { owner: get(&row, 0)?, epoch, until }.into())
}

pub(super) async fn renew(
    db: &Connection,
    tenant: &Tenant,
    id: SessionId,
    epoch: Epoch,
    until: UnixMs,
) -> Result<Head, Failure> {
    let sql = "UPDATE session SET lease_until = $4
               WHERE tenant = $1 AND id = $2 AND epoch = $3 RETURNING seq, hash, epoch";
    let (number, until) = (epoch.0.cast_signed(), in_order(until));
    if let Some(row) = db.row(sql, &[&tenant.0, &id.0, &number, &until]).await? {
        return head(&row, 0);
    }
    let sql = "SELECT epoch FROM session WHERE tenant = $1 AND id = $2";
    let row = db.row(sql, &[&tenant.0, &id.0]).await?.ok_or_else(|| missing(id))?;
    Err(StoreError::Fenced { epoch: Epoch(whole(&row, 0)?) }.into())
}

pub(super) async fn release(
    db: &Connection,
    tenant: &Tenant,
    id: SessionId,
    epoch: Epoch,
) -> Result<(), Failure> {
    let sql = "UPDATE session SET lease_until = 0 WHERE tenant = $1 AND id = $2 AND epoch = $3";
    db.change(sql, &[&tenant.0, &id.0, &epoch.0.cast_signed()]).await.map(drop)
}
