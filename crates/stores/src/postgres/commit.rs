//! One commit: two journeys to the server. The first begins the transaction and locks what
//! it stands on; then everything that may refuse it is asked here; the second writes and
//! commits. A refusal rolls back, so that it leaves nothing behind.
//!
//! Locks are taken in one order: session, balances, the end of the audit's chain; then, by
//! writing, payloads, spend, alerts (L18).

use engine::alerts::Alert;
use engine::ports::{Commit, Head, StoreError, alerts_after, balances_after};
use kernel::event::{FORMAT, chain_root};
use kernel::units::SessionId;

use super::audit::{Chain, LinkColumns};
use super::balances::{BalanceColumns, Locked, Wanted};
use super::connection::{Brought, Connection, Pipeline, Step};
use super::contents::{ContentColumns, IS_ERASED};
use super::error::Failure;
use super::outbox::AlertColumns;
use super::payloads::PayloadColumns;
use super::query::missing;
use super::row::{get, head, in_order, shown, status_code};
use super::spend::SpendColumns;
use super::waits::WaitsColumns;

/// A session that nobody has written to yet, to be locked as any other. What is refused
/// takes it back.
const MAKE: &str = "INSERT INTO session (tenant, id, seq, hash) VALUES ($1, $2, 0, $3)
     ON CONFLICT DO NOTHING";

const LOCK: &str =
    "SELECT seq, hash, epoch, key FROM session WHERE tenant = $1 AND id = $2 FOR UPDATE";

/// Writes a commit, or refuses it. Tells the alerts that were new.
pub(super) async fn commit(db: &Connection, commit: &Commit) -> Result<Vec<Alert>, Failure> {
    let wanted = Wanted::of(&commit.tenant, &commit.moves);
    let chain = Chain::of(&commit.tenant);
    let ground = Ground::lock(db, commit, &wanted, &chain).await?;
    commit.admit(&ground.head)?;
    let moved = balances_after(&commit.moves, |scope| ground.balances.get(scope))?;

    let session = SessionColumns::of(ground.key, commit);
    let events = EventColumns::of(ground.key, commit);
    let balances = BalanceColumns::of(&moved);
    let payloads = PayloadColumns::of(&commit.payloads);
    let spend = SpendColumns::of(&commit.charges);
    let content = commit.content.as_ref().map(ContentColumns::of);
    let alerts = AlertColumns::of(alerts_after(commit, &moved))?;
    let mut writing = db.pipeline();
    session.write(&mut writing);
    events.write(&mut writing);
    balances.write(&commit.tenant, &mut writing);
    if let Some(content) = &content {
        content.write(&commit.tenant, &commit.session, &mut writing);
    }
    ground.links.iter().for_each(|links| links.write(&mut writing));
    payloads.write(&commit.tenant, &mut writing);
    spend.write(&commit.tenant, &mut writing);
    let kept = alerts.write(&mut writing);
    writing.add("COMMIT", vec![]);
    let brought = writing.run().await?;
    alerts.kept(&brought, kept)
}

/// What a commit stands on, locked.
struct Ground<'c> {
    key: i64,
    head: Head,
    balances: Locked,
    links: Option<LinkColumns<'c>>,
}

impl<'c> Ground<'c> {
    async fn lock(
        db: &Connection,
        commit: &'c Commit,
        wanted: &Wanted,
        chain: &Chain<'c>,
    ) -> Result<Self, Failure> {
        let (tenant, id) = (&commit.tenant.0, &commit.session.0);
        let root = chain_root(commit.session).0.to_vec();
        let mut locking = db.pipeline();
        locking.add("BEGIN", vec![]);
        if commit.expected_seq == 0 {
            locking.add(MAKE, vec![tenant, id, &root]);
        }
        let session = locking.add(LOCK, vec![tenant, id]);
        // Behind the lock, which whoever erases takes first.
        let erased = locking.add(IS_ERASED, vec![tenant, id]);
        let balances = wanted.ask(&commit.tenant, &mut locking);
        let end = (!commit.audit.is_empty()).then(|| chain.lock(&mut locking));
        let brought = locking.run().await?;

        refuse_erased(&brought, erased, commit.session)?;
        let row = brought.row(session).ok_or_else(|| missing(commit.session))?;
        let balances = balances.map(|asked| Locked::read(&brought, &asked)).transpose()?;
        let links = end.map(|end| chain.links(&brought, end, &commit.audit)).transpose()?;
        let balances = balances.unwrap_or_default();
        Ok(Ground { key: get(row, 3)?, head: head(row, 0)?, balances, links })
    }
}

fn refuse_erased(brought: &Brought, erased: Step, session: SessionId) -> Result<(), Failure> {
    match brought.row(erased) {
        Some(_) => Err(StoreError::Erased(session).into()),
        None => Ok(()),
    }
}

/// A session's row after a commit, as columns.
struct SessionColumns<'c> {
    key: i64,
    seq: i64,
    hash: Vec<u8>,
    updated: i64,
    status: i32,
    due: Option<i64>,
    title: String,
    agent_id: &'c str,
    user: &'c str,
    turns: i64,
    spent: i64,
    waits: WaitsColumns,
}

impl<'c> SessionColumns<'c> {
    fn of(key: i64, commit: &'c Commit) -> Self {
        let (brief, last) = (&commit.brief, commit.events.last());
        SessionColumns {
            key,
            seq: last.map_or(0, |last| last.event.seq).cast_signed(),
            hash: last.map_or_else(Vec::new, |last| last.hash.0.to_vec()),
            updated: last.map_or(0, |last| in_order(last.event.at)),
            status: status_code(brief.status),
            due: brief.due.map(in_order),
            title: shown(&brief.title),
            agent_id: &brief.agent_id,
            user: &brief.user,
            turns: i64::from(brief.turns),
            spent: brief.spent.0.cast_signed(),
            waits: WaitsColumns::of(brief),
        }
    }

    fn write<'a>(&'a self, pipeline: &mut Pipeline<'a>) {
        let sql = "UPDATE session SET seq = $2, hash = $3, updated = $4, status = $5, due = $6,
                     title = $7, agent_id = $8, user_id = $9, turns = $10, spent = $11,
                     waits_scope = $12, waits_measure = $13, waits_needed = $14
                   WHERE key = $1";
        pipeline.add(
            sql,
            vec![
                &self.key,
                &self.seq,
                &self.hash,
                &self.updated,
                &self.status,
                &self.due,
                &self.title,
                &self.agent_id,
                &self.user,
                &self.turns,
                &self.spent,
                &self.waits.scope,
                &self.waits.measure,
                &self.waits.needed,
            ],
        );
    }
}

/// A commit's facts, as columns.
struct EventColumns<'c> {
    session: i64,
    format: i16,
    seqs: Vec<i64>,
    instants: Vec<i64>,
    prevs: Vec<&'c [u8]>,
    bodies: Vec<&'c str>,
}

impl<'c> EventColumns<'c> {
    fn of(session: i64, commit: &'c Commit) -> Self {
        let events = || commit.events.iter();
        EventColumns {
            session,
            format: i16::from(FORMAT),
            seqs: events().map(|sealed| sealed.event.seq.cast_signed()).collect(),
            instants: events().map(|sealed| sealed.event.at.0.cast_signed()).collect(),
            prevs: events().map(|sealed| &sealed.prev.0[..]).collect(),
            bodies: events().map(|sealed| sealed.body.as_str()).collect(),
        }
    }

    fn write<'a>(&'a self, pipeline: &mut Pipeline<'a>) {
        let sql = "INSERT INTO event (session, format, seq, at, prev, body)
                   SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::bytea[],
                     $6::text[])";
        pipeline.add(
            sql,
            vec![
                &self.session,
                &self.format,
                &self.seqs,
                &self.instants,
                &self.prevs,
                &self.bodies,
            ],
        );
    }
}
