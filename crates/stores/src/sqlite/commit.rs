//! One commit, within the writer's transaction.
//!
//! Everything that may refuse it comes before the first row is written, so that a
//! refusal leaves nothing behind and the rest of the group goes on.

use std::collections::{BTreeMap, HashMap};

use engine::alerts::Alert;
use engine::ports::{Brief, Commit, Head, Moved, Payload, alerts_after, balances_after};
use kernel::event::{FORMAT, Sealed, chain_root};
use kernel::ledger::Scope;
use kernel::units::{Epoch, SessionId, Tenant, UnixMs};
use rusqlite::{Connection, params};

use super::audit::Chains;
use super::balances::{balance_or_new, keep_balances};
use super::contents;
use super::error::Failure;
use super::outbox;
use super::query::{missing, session};
use super::row::{Session, in_order, status_code};
use super::spend::Charges;
use super::waits::measure_code;

/// Sessions whose keys are remembered.
const KEYS_MAX: usize = 65_536;

/// Keys of sessions seen before. A key never changes and is never used again.
#[derive(Debug, Default)]
pub(super) struct Keys(HashMap<SessionId, (Tenant, i64)>);

impl Keys {
    fn get(&self, tenant: &Tenant, session: SessionId) -> Option<i64> {
        self.0.get(&session).filter(|(whose, _)| whose == tenant).map(|(_, key)| *key)
    }

    fn put(&mut self, tenant: &Tenant, session: SessionId, key: i64) {
        if self.0.len() >= KEYS_MAX {
            self.0.clear();
        }
        self.0.insert(session, (tenant.clone(), key));
    }

    /// Forgets all, because some may come from a transaction that failed.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Writes a commit, or refuses it and writes nothing. Tells the alerts that were new.
pub(super) fn commit(
    db: &Connection,
    keys: &mut Keys,
    charges: &mut Charges,
    chains: &mut Chains,
    commit: &Commit,
) -> Result<Vec<Alert>, Failure> {
    contents::check_there(db, &commit.tenant, Some(commit.session))?;
    let balances = balances(db, commit)?;
    let key = match commit.expected_seq {
        0 => open(db, commit)?,
        _ => advance(db, keys, commit)?,
    };
    keys.put(&commit.tenant, commit.session, key);
    keep_balances(db, &commit.tenant, &balances)?;
    commit.events.iter().try_for_each(|sealed| append(db, key, sealed))?;
    commit.payloads.iter().try_for_each(|payload| keep(db, &commit.tenant, payload))?;
    commit.charges.iter().for_each(|charge| charges.add(&commit.tenant, charge));
    if let Some(content) = &commit.content {
        contents::keep(db, &commit.tenant, commit.session, content)?;
    }
    chains.append(db, &commit.tenant, &commit.audit)?;
    let mut kept = Vec::new();
    for (alert, to) in alerts_after(commit, &balances) {
        if outbox::keep(db, &alert, &to)? {
            kept.push(alert);
        }
    }
    Ok(kept)
}

/// What the moves make of the balances. A cap speaks last: a commit that is stale or
/// fenced as well hears that first.
fn balances(db: &Connection, commit: &Commit) -> Result<BTreeMap<Scope, Moved>, Failure> {
    let load = |scope: &Scope| Ok(balance_or_new(db, &commit.tenant, scope)?);
    match balances_after(&commit.moves, load) {
        Err(Failure::Refused(cap)) => {
            admitted(db, commit)?;
            Err(Failure::Refused(cap))
        }
        other => other,
    }
}

/// The session that a commit may be added to. `None`: it makes a new one.
fn admitted(db: &Connection, commit: &Commit) -> Result<Option<Session>, Failure> {
    let found = session(db, &commit.tenant, commit.session)?;
    match &found {
        Some(found) => commit.admit(&found.head)?,
        None if commit.expected_seq > 0 => return Err(missing(commit.session).into()),
        None => {
            let root = chain_root(commit.session);
            commit.admit(&Head { seq: 0, hash: root, epoch: Epoch::default() })?;
        }
    }
    Ok(found)
}

fn open(db: &Connection, commit: &Commit) -> Result<i64, Failure> {
    admitted(db, commit)?;
    let sql = "INSERT INTO session (tenant, id, seq, hash, epoch, owner, lease_until, updated,
                 status, due, title, agent_id, user, turns, spent,
                 waits_scope, waits_measure, waits_needed)
               VALUES (?1, ?2, ?3, ?4, 0, '', 0, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
                 ?15)";
    let (brief, end) = (&commit.brief, End::of(commit));
    let waits = WaitsRow::of(brief);
    db.prepare_cached(sql)?.execute(params![
        commit.tenant.0,
        commit.session.0.as_bytes(),
        end.seq,
        end.hash,
        end.at,
        status_code(brief.status),
        brief.due.map(in_order),
        brief.title,
        brief.agent_id,
        brief.user,
        brief.turns,
        brief.spent.0.cast_signed(),
        waits.scope,
        waits.measure,
        waits.needed,
    ])?;
    Ok(db.last_insert_rowid())
}

/// Moves the session row on, checking and writing in one statement. The first form
/// leaves `due` and what is waited for as they are, so that their indexes are not written
/// again for every commit of a running session.
fn advance(db: &Connection, keys: &Keys, commit: &Commit) -> Result<i64, Failure> {
    if let Some(key) = keys.get(&commit.tenant, commit.session)
        && update(db, key, commit, KEEP_DUE)? == 1
    {
        return Ok(key);
    }
    let found = admitted(db, commit)?.ok_or_else(|| missing(commit.session))?;
    match update(db, found.key, commit, MOVE_DUE)? {
        1 => Ok(found.key),
        rows => Err(rusqlite::Error::StatementChangedRows(rows).into()),
    }
}

const KEEP_DUE: &str = "UPDATE session SET seq = ?4, hash = ?5, updated = ?6, status = ?7,
       title = ?9, agent_id = ?10, user = ?11, turns = ?12, spent = ?13
     WHERE key = ?1 AND seq = ?2 AND hash = ?14 AND (?3 IS NULL OR epoch = ?3) AND due IS ?8
       AND waits_scope IS ?15 AND waits_measure IS ?16 AND waits_needed IS ?17";

const MOVE_DUE: &str = "UPDATE session SET seq = ?4, hash = ?5, updated = ?6, status = ?7,
       due = ?8, waits_scope = ?15, waits_measure = ?16, waits_needed = ?17, title = ?9, agent_id = ?10, user = ?11, turns = ?12, spent = ?13
     WHERE key = ?1 AND seq = ?2 AND hash = ?14 AND (?3 IS NULL OR epoch = ?3)";

fn update(db: &Connection, key: i64, commit: &Commit, sql: &str) -> rusqlite::Result<usize> {
    let (brief, end) = (&commit.brief, End::of(commit));
    let waits = WaitsRow::of(brief);
    db.prepare_cached(sql)?.execute(params![
        key,
        commit.expected_seq.cast_signed(),
        commit.epoch.map(|epoch| epoch.0.cast_signed()),
        end.seq,
        end.hash,
        end.at,
        status_code(brief.status),
        brief.due.map(in_order),
        brief.title,
        brief.agent_id,
        brief.user,
        brief.turns,
        brief.spent.0.cast_signed(),
        commit.events.first().map(|first| first.prev.0),
        waits.scope,
        waits.measure,
        waits.needed,
    ])
}

/// What a session waits for, as columns.
#[derive(Default)]
struct WaitsRow {
    scope: Option<String>,
    measure: Option<i64>,
    needed: Option<i64>,
}

impl WaitsRow {
    fn of(brief: &Brief) -> Self {
        brief.waits.as_ref().map_or_else(WaitsRow::default, |waits| WaitsRow {
            scope: Some(waits.scope.to_string()),
            measure: Some(measure_code(waits.measure)),
            needed: Some(i64::try_from(waits.needed).unwrap_or(i64::MAX)),
        })
    }
}

/// Where a session stands after a commit.
struct End {
    seq: i64,
    hash: [u8; 32],
    at: i64,
}

impl End {
    fn of(commit: &Commit) -> Self {
        let last = commit.events.last();
        let at = last.map_or(UnixMs::default(), |last| last.event.at);
        End {
            seq: last.map_or(0, |last| last.event.seq).cast_signed(),
            hash: last.map_or([0; 32], |last| last.hash.0),
            at: in_order(at),
        }
    }
}

fn append(db: &Connection, key: i64, sealed: &Sealed) -> rusqlite::Result<()> {
    let sql = "INSERT INTO event (session, seq, at, format, prev, body)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (seq, at) = (sealed.event.seq.cast_signed(), sealed.event.at.0.cast_signed());
    let values = params![key, seq, at, FORMAT, sealed.prev.0, sealed.body];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

/// The owner of payloads that all sessions of a tenant share.
pub(super) const ALL: [u8; 16] = [0; 16];

/// Keeps a payload, unless its owner has it.
pub(super) fn keep(db: &Connection, tenant: &Tenant, payload: &Payload) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO payload (tenant, owner, hash, sealed, bytes)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let owner = payload.owner.map_or(ALL, |owner| owner.0.into_bytes());
    let values = params![tenant.0, owner, payload.hash.0, payload.sealed, &payload.bytes[..]];
    db.prepare_cached(sql)?.execute(values).map(drop)
}
