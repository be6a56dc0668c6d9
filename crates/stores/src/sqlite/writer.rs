//! The one thread that writes.
//!
//! It takes whatever is queued, does it in one transaction, and answers after the
//! transaction is on disk: while the disk is busy with one group, the next one gathers.
//! Work that is refused leaves the rest of its group alone; when SQLite itself fails, the
//! group is undone and each piece is tried by itself, so that one cannot spoil another.

use std::path::Path;
use std::time::{Duration, Instant};

use engine::alerts::Alert;
use engine::audit::Record;
use engine::ports::{Asked, Claim, Commit, Delivery, Doomed, Head, Payload, StoreError};
use kernel::ledger::{Allowance, Scope};
use kernel::units::{Epoch, SessionId, Tenant, UnixMs};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::answers::{self, AnswersWork};
use super::audit::{self, AuditWork, Chains};
use super::balances;
use super::commit::{self, Keys};
use super::contents;
use super::directory::{self, DirectoryWork};
use super::error::{Failure, named};
use super::open::OpenError;
use super::outbox::{self, OutboxWork};
use super::readers::closed;
use super::spend::Charges;
use super::{Options, lease, schema};

/// Work for the writer.
#[derive(Debug)]
pub(super) enum Work {
    Commit(Box<Commit>),
    Claim(Claim),
    Renew(Tenant, SessionId, Epoch, UnixMs),
    Release(Tenant, SessionId, Epoch),
    Keep(Tenant, Payload),
    SetCap(Tenant, Scope, Option<Allowance>, Box<Record>),
    Outbox(OutboxWork),
    Audit(AuditWork),
    Erase(Tenant, Doomed),
    Directory(DirectoryWork),
    Answers(AnswersWork),
}

/// What work brings.
#[derive(Debug)]
pub(super) enum Done {
    /// Nothing to tell.
    Nothing,
    /// Where the session stands.
    Head(Head),
    /// The alerts that a commit kept.
    Kept(Vec<Alert>),
    /// Copies of alerts, to be delivered.
    Taken(Vec<Delivery>),
    /// Rows that were changed.
    Count(u64),
    /// Sessions whose content was erased.
    Erased(Vec<SessionId>),
    /// What became of a request with a key.
    Asked(Asked),
}

impl Done {
    /// The rows that were changed.
    pub(super) fn count(&self) -> u64 {
        match self {
            Done::Count(count) => *count,
            Done::Nothing
            | Done::Head(_)
            | Done::Kept(_)
            | Done::Taken(_)
            | Done::Erased(_)
            | Done::Asked(_) => 0,
        }
    }
}

type Answer = Result<Done, StoreError>;

#[derive(Debug)]
enum Job {
    Work(Box<Work>, oneshot::Sender<Answer>),
    Alone(Alone),
}

/// What is done outside of any transaction, after all that was queued before it.
#[derive(Debug)]
enum Alone {
    /// Overwrite what erasures left in the file.
    Scrub(oneshot::Sender<Result<(), StoreError>>),
    /// Close the file.
    Close(oneshot::Sender<()>),
}

/// Work, and who waits for it.
type Waiting = (Box<Work>, oneshot::Sender<Answer>);

/// A group waits for more for at most this part of what the last one took,
const PATIENCE_PART: u32 = 4;

/// and never longer than this.
const PATIENCE_MAX: Duration = Duration::from_millis(2);

/// The way to the writer's thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    pub(super) fn start(db: Connection, path: &Path, options: Options) -> Result<Self, OpenError> {
        let (jobs, queue) = mpsc::channel(options.queue_max.max(1));
        let desk = Desk {
            db,
            busy_wait: Duration::from_millis(options.busy_wait_ms),
            group_max: options.group_max.max(1),
            keys: Keys::default(),
            charges: Charges::default(),
            chains: Chains::default(),
            last_group: 0,
            patience: Duration::ZERO,
        };
        let thread = std::thread::Builder::new().name("sqlite-writer".into());
        thread.spawn(move || desk.serve(queue)).map_err(|why| OpenError::Store {
            path: path.display().to_string(),
            why: StoreError::Unavailable(format!("no thread for the writer: {why}")),
        })?;
        Ok(Writer { jobs })
    }

    /// Queues work and waits until it is done and on disk. A caller that stops waiting
    /// does not stop the work.
    pub(super) async fn ask(&self, work: Work) -> Answer {
        let (answer, answered) = oneshot::channel();
        let job = Job::Work(Box::new(work), answer);
        self.jobs.send(job).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// The same, for work that tells where the session stands.
    pub(super) async fn ask_head(&self, work: Work) -> Result<Head, StoreError> {
        match self.ask(work).await? {
            Done::Head(head) => Ok(head),
            Done::Nothing
            | Done::Kept(_)
            | Done::Taken(_)
            | Done::Count(_)
            | Done::Erased(_)
            | Done::Asked(_) => Err(StoreError::Unavailable("the writer gave no answer".into())),
        }
    }

    /// Waits until everything queued is done and no trace of what was erased is left.
    pub(super) async fn scrub(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::Alone(Alone::Scrub(answer))).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Waits until everything queued is done and the file is closed.
    pub(super) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.jobs.send(Job::Alone(Alone::Close(answer))).await.is_ok() {
            let _ended = answered.await;
        }
    }
}

/// What the thread works with.
struct Desk {
    db: Connection,
    busy_wait: Duration,
    group_max: usize,
    keys: Keys,
    charges: Charges,
    chains: Chains,
    /// Answers given by the last transaction.
    last_group: usize,
    /// How long the next one waits for more.
    patience: Duration,
}

/// Why a transaction did not come to its end.
enum Void {
    /// It did not even begin.
    NotBegun(rusqlite::Error),
    /// Something in it failed.
    Undone(rusqlite::Error),
}

impl Desk {
    fn serve(mut self, mut queue: mpsc::Receiver<Job>) {
        let closing = loop {
            let Some(first) = queue.blocking_recv() else { return };
            let mut group = Vec::new();
            let alone = self.gather(first, &mut queue, &mut group);
            let began = Instant::now();
            self.last_group = group.len();
            self.settle(group);
            self.patience = PATIENCE_MAX.min(began.elapsed() / PATIENCE_PART);
            match alone {
                None => {}
                Some(Alone::Scrub(answer)) => {
                    let done = contents::overwrite_traces(&self.db, self.busy_wait);
                    let _gone = answer.send(done.map_err(|error| named(&error)));
                }
                Some(Alone::Close(answer)) => break answer,
            }
        };
        drop(self);
        drop(queue);
        let _gone = closing.send(());
    }

    /// Takes what is queued, and waits a little for those who were just answered: they
    /// mostly come back at once, and a transaction costs about the same for one more.
    /// One session alone never waits.
    fn gather(
        &self,
        first: Job,
        queue: &mut mpsc::Receiver<Job>,
        group: &mut Vec<Waiting>,
    ) -> Option<Alone> {
        let began = Instant::now();
        let expected = (self.last_group + queue.len()).min(self.group_max);
        let mut next = Some(first);
        loop {
            match next.take() {
                Some(Job::Work(work, answer)) => group.push((work, answer)),
                Some(Job::Alone(alone)) => return Some(alone),
                None if group.len() >= expected || began.elapsed() >= self.patience => return None,
                None => std::thread::yield_now(),
            }
            if group.len() >= self.group_max {
                return None;
            }
            next = queue.try_recv().ok();
        }
    }

    /// Does a group and answers all of it.
    fn settle(&mut self, group: Vec<Waiting>) {
        let (works, waiting): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let answers = match self.transact(&works) {
            Ok(answers) => answers,
            Err(Void::NotBegun(error)) => works.iter().map(|_| Err(named(&error))).collect(),
            Err(Void::Undone(error)) => {
                self.make_room(&error);
                works.chunks(1).map(|alone| self.alone(alone)).collect()
            }
        };
        for (answer, waiting) in answers.into_iter().zip(waiting) {
            let _gone = waiting.send(answer);
        }
    }

    /// On a full disk, moves the write-ahead log into the file and gives its space back.
    /// Where that fails as well, the next try says so.
    fn make_room(&self, error: &rusqlite::Error) {
        if matches!(named(error), StoreError::Full(_)) {
            let _tried = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }

    fn alone(&mut self, work: &[Box<Work>]) -> Answer {
        match self.transact(work) {
            Ok(mut answers) => answers.pop().unwrap_or(Ok(Done::Nothing)),
            Err(Void::NotBegun(error) | Void::Undone(error)) => Err(named(&error)),
        }
    }

    /// One transaction, all of it on disk or none.
    fn transact(&mut self, works: &[Box<Work>]) -> Result<Vec<Answer>, Void> {
        schema::begin(&self.db, self.busy_wait).map_err(Void::NotBegun)?;
        self.work_through(works).map_err(|error| {
            // SQLite has often rolled back by itself; then there is nothing left to do.
            let _done = self.db.execute_batch("ROLLBACK");
            self.keys.clear();
            self.charges.clear();
            self.chains.clear();
            Void::Undone(error)
        })
    }

    fn work_through(&mut self, works: &[Box<Work>]) -> rusqlite::Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(works.len());
        for work in works {
            match self.work(work) {
                Ok(done) => answers.push(Ok(done)),
                Err(Failure::Refused(refusal)) => answers.push(Err(refusal)),
                Err(Failure::Broke(error)) => return Err(error),
            }
        }
        self.charges.write(&self.db)?;
        self.chains.write(&self.db)?;
        self.db.prepare_cached("COMMIT")?.execute([])?;
        Ok(answers)
    }

    fn work(&mut self, work: &Work) -> Result<Done, Failure> {
        let db = &self.db;
        match work {
            Work::Commit(commit) => {
                let (keys, charges, chains) = (&mut self.keys, &mut self.charges, &mut self.chains);
                commit::commit(db, keys, charges, chains, commit).map(Done::Kept)
            }
            Work::Claim(claim) => lease::claim(db, claim).map(Done::Head),
            Work::Renew(tenant, session, epoch, until) => {
                lease::renew(db, tenant, *session, *epoch, *until).map(Done::Head)
            }
            Work::Release(tenant, session, epoch) => {
                lease::release(db, tenant, *session, *epoch).map(|()| Done::Nothing)
            }
            Work::Keep(tenant, payload) => {
                contents::check_there(db, tenant, payload.owner)?;
                Ok(commit::keep(db, tenant, payload).map(|()| Done::Nothing)?)
            }
            Work::SetCap(tenant, scope, cap, told) => {
                balances::set_cap(db, tenant, scope, *cap)?;
                self.chains.append(db, tenant, std::slice::from_ref(told))?;
                Ok(Done::Nothing)
            }
            Work::Outbox(work) => outbox::work(db, work),
            Work::Audit(work) => audit::work(db, &mut self.chains, work),
            Work::Erase(tenant, which) => Ok(contents::erase(db, tenant, which).map(Done::Erased)?),
            Work::Directory(work) => directory::work(db, &mut self.chains, work),
            Work::Answers(work) => Ok(answers::work(db, work)?),
        }
    }
}
