//! Leases, within the writer's transaction.

use engine::ports::{Claim, Head, StoreError};
use kernel::units::{Epoch, SessionId, Tenant, UnixMs};
use rusqlite::{Connection, params};

use super::error::Failure;
use super::query::{missing, session};
use super::row::in_order;

pub(super) fn claim(db: &Connection, claim: &Claim) -> Result<Head, Failure> {
    let found = session(db, &claim.tenant, claim.session)?;
    let found = found.ok_or_else(|| missing(claim.session))?;
    let (mut head, until) = (found.head, found.lease_until);
    if until > claim.now && claim.over != Some(head.epoch) {
        return Err(StoreError::Held { owner: found.owner, epoch: head.epoch, until }.into());
    }
    head.epoch = Epoch(head.epoch.0 + 1);
    let sql = "UPDATE session SET epoch = ?2, owner = ?3, lease_until = ?4 WHERE key = ?1";
    let epoch = head.epoch.0.cast_signed();
    let values = params![found.key, epoch, claim.owner, in_order(claim.until)];
    db.prepare_cached(sql)?.execute(values)?;
    Ok(head)
}

pub(super) fn renew(
    db: &Connection,
    tenant: &Tenant,
    id: SessionId,
    epoch: Epoch,
    until: UnixMs,
) -> Result<Head, Failure> {
    let found = session(db, tenant, id)?.ok_or_else(|| missing(id))?;
    if found.head.epoch != epoch {
        return Err(StoreError::Fenced { epoch: found.head.epoch }.into());
    }
    let sql = "UPDATE session SET lease_until = ?2 WHERE key = ?1";
    db.prepare_cached(sql)?.execute(params![found.key, in_order(until)])?;
    Ok(found.head)
}

pub(super) fn release(
    db: &Connection,
    tenant: &Tenant,
    id: SessionId,
    epoch: Epoch,
) -> Result<(), Failure> {
    let sql = "UPDATE session SET lease_until = 0 WHERE tenant = ?1 AND id = ?2 AND epoch = ?3";
    let values = params![tenant.0, id.0.as_bytes(), epoch.0.cast_signed()];
    db.prepare_cached(sql)?.execute(values)?;
    Ok(())
}
