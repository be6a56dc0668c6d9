//! Keeping payloads: once each, within their session or their tenant.

use engine::ports::{Payload, StoreError};
use kernel::units::Tenant;
use uuid::Uuid;

use super::connection::{Connection, Pipeline};
use super::error::Failure;
use super::row::get;

/// Payloads on their way to the table, as columns, in the order of their keys, which is the
/// order of locks. What all sessions of a tenant share has the nil UUID as its owner.
pub(super) struct PayloadColumns<'p> {
    owners: Vec<Uuid>,
    hashes: Vec<&'p [u8]>,
    sealed: Vec<bool>,
    bytes: Vec<&'p [u8]>,
}

impl<'p> PayloadColumns<'p> {
    pub(super) fn of(payloads: &'p [Payload]) -> Self {
        let mut ordered: Vec<&Payload> = payloads.iter().collect();
        ordered.sort_by_key(|payload| (payload.owner, payload.hash));
        let all = || ordered.iter().copied();
        PayloadColumns {
            owners: all()
                .map(|payload| payload.owner.map_or(Uuid::nil(), |owner| owner.0))
                .collect(),
            hashes: all().map(|payload| &payload.hash.0[..]).collect(),
            sealed: all().map(|payload| payload.sealed).collect(),
            bytes: all().map(|payload| &payload.bytes[..]).collect(),
        }
    }

    pub(super) fn write<'a>(&'a self, tenant: &'a Tenant, pipeline: &mut Pipeline<'a>) {
        if self.owners.is_empty() {
            return;
        }
        let sql = "INSERT INTO payload (tenant, owner, hash, sealed, bytes)
                   SELECT $1, owner, hash, sealed, bytes
                   FROM unnest($2::uuid[], $3::bytea[], $4::boolean[], $5::bytea[])
                     WITH ORDINALITY AS new (owner, hash, sealed, bytes, number)
                   ORDER BY number ON CONFLICT DO NOTHING";
        let PayloadColumns { owners, hashes, sealed, bytes } = self;
        pipeline.add(sql, vec![&tenant.0, owners, hashes, sealed, bytes]);
    }
}

/// Keeps a payload by itself. Whether its session's content was erased is read under a lock
/// that whoever erases must wait for.
pub(super) async fn keep(
    db: &Connection,
    tenant: &Tenant,
    payload: &Payload,
) -> Result<(), Failure> {
    let columns = PayloadColumns::of(std::slice::from_ref(payload));
    db.script("BEGIN").await?;
    if let Some(owner) = payload.owner {
        let sql = "SELECT erased > 0 FROM session_content
                   WHERE tenant = $1 AND session = $2 FOR SHARE";
        let row = db.row(sql, &[&tenant.0, &owner.0]).await?;
        if row.map_or(Ok(false), |row| get(&row, 0))? {
            return Err(StoreError::Erased(owner).into());
        }
    }
    let mut writing = db.pipeline();
    columns.write(tenant, &mut writing);
    writing.add("COMMIT", vec![]);
    writing.run().await.map(drop)
}
