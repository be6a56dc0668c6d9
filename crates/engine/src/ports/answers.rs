//! Requests that a client may send again: each is done once, and its first answer is given
//! again.
//!
//! The client names a request by a key of its own. Whoever comes first with it may do the
//! work, and leaves a memo of what it is going to do; who comes after a crash finds the memo,
//! and goes on where the first one stood instead of doing it a second time.

use async_trait::async_trait;
use bytes::Bytes;
use kernel::units::{ContentHash, Tenant, UnixMs};

use super::StoreError;

/// A request with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Whose.
    pub tenant: Tenant,
    /// The client's name for the request. Each of a tenant's callers has names of its own, so
    /// that this holds the caller, too.
    pub key: String,
    /// What the request is, so that another one under the same key is seen.
    pub request: ContentHash,
    /// What whoever does it first is going to do.
    pub memo: String,
    /// The present instant.
    pub now: UnixMs,
    /// Until when nobody else may do it, unless its answer is there.
    pub until: UnixMs,
}

/// An answer, as it was given. It holds no words of people, and is not sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// What becomes of a request with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is the caller's to do: this is the memo of who came first.
    Yours {
        /// The memo.
        memo: String,
        /// Whether somebody began before, and left no answer.
        begun: bool,
    },
    /// It was done: this is its answer.
    Done(Answer),
    /// Somebody is doing it.
    Busy,
    /// The key was used for another request.
    Other,
}

/// Keys of requests and their answers.
#[async_trait]
pub trait Answers: Send + Sync {
    /// Takes a request, or tells what became of it.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn ask(&self, asking: Asking) -> Result<Asked, StoreError>;

    /// Keeps the answer of a request that was taken. The first one stays.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn answered(&self, tenant: &Tenant, key: &str, answer: Answer) -> Result<(), StoreError>;

    /// Gives a request back that came to nothing, so that it may be sent again at once.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn give_back(&self, tenant: &Tenant, key: &str) -> Result<(), StoreError>;

    /// Forgets requests that were first sent before an instant, of all tenants, at most
    /// `rows_max`. Tells how many.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn forget_answers(&self, before: UnixMs, rows_max: u32) -> Result<u64, StoreError>;
}
