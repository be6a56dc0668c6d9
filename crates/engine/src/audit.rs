//! The audit: who did what, who let them, and how it ended, chained so that every change
//! shows.
//!
//! An entry is committed together with the fact that it tells of. What people wrote (the
//! arguments, the reasons) is kept beside the entry and not in it: the chain covers its
//! hash alone, so that it can be erased and the chain still verifies. Nothing is decided by
//! the audit.

mod facts;

pub use facts::{Redact, entries};

use bytes::Bytes;
use kernel::units::{ContentHash, Money, SessionId, Tenant, UnixMs};
use kernel::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// The longest content that is kept beside an entry, in bytes.
pub const CONTENT_BYTES_MAX: usize = 16_384;

/// One thing that was done. It is stored and exported as JSON: new fields are optional.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: UnixMs,
    /// What was done: `tool.call`, `approval.decide`, `cap.raise`, ….
    pub action: String,
    /// To what: a tool, a model, a scope, a key, ….
    pub subject: String,
    /// Who did it, within the tenant.
    pub user: String,
    /// Their role then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// The agent that did it for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Where: `development`, `production`, ….
    pub environment: String,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The run in the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// The event in the session's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u64>,
    /// The trace that it belongs to: 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The request that asked for it, or the provider's own id of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The id of the call within its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The verdict on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The policies and guards that decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The size of what came back, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_bytes: Option<u64>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// What it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
}

impl Entry {
    /// Something that a person did beside any session.
    #[must_use]
    pub fn of(at: UnixMs, action: &str, subject: &str, user: &str, environment: &str) -> Self {
        Entry {
            at,
            action: action.to_owned(),
            subject: subject.to_owned(),
            user: user.to_owned(),
            role: String::new(),
            agent_id: None,
            environment: environment.to_owned(),
            session: None,
            run: None,
            event: None,
            trace_id: None,
            request_id: None,
            call: None,
            verdict: None,
            by: Vec::new(),
            outcome: None,
            result_bytes: None,
            took_ms: None,
            cost: None,
        }
    }
}

/// An entry with what people wrote, on its way to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The entry.
    pub entry: Entry,
    /// What people wrote, redacted: JSON, at most [`CONTENT_BYTES_MAX`] as it is given here.
    pub content: Option<Bytes>,
}

/// What the chain covers of an entry.
#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(flatten)]
    entry: Entry,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<ContentHash>,
}

/// An entry in its chain, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number in its tenant's chain: 1 for the first.
    pub seq: u64,
    /// The hash of the one before, or the chain's root.
    pub prev: ContentHash,
    /// What the chain covers: the entry as JSON, with the hash of its content.
    pub body: Vec<u8>,
    /// What people wrote, unless it was erased.
    pub content: Option<Bytes>,
}

/// Where a tenant's chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// The number of the last entry; 0 for an empty chain.
    pub seq: u64,
    /// Its hash; the root for an empty chain.
    pub hash: ContentHash,
}

/// Why a chain is not what was committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Altered {
    /// An entry is missing, or stands in another's place.
    #[error("entry {expected} is missing from the audit: {found} stands in its place")]
    Gap {
        /// The number that comes next.
        expected: u64,
        /// The number that was found.
        found: u64,
    },
    /// An entry or the one before it was changed.
    #[error("entry {seq} of the audit, or the one before it, was altered")]
    Chain {
        /// The entry.
        seq: u64,
    },
    /// What people wrote is not what the entry names.
    #[error("the content of entry {seq} of the audit was altered")]
    Content {
        /// The entry.
        seq: u64,
    },
    /// The entry cannot be read.
    #[error("entry {seq} of the audit cannot be read: {why}")]
    Unreadable {
        /// The entry.
        seq: u64,
        /// Why.
        why: String,
    },
}

/// The hash before a tenant's first entry.
#[must_use]
pub fn root(tenant: &Tenant) -> ContentHash {
    ContentHash::of(format!("windlass audit\0{}", tenant.0).as_bytes())
}

impl ChainHead {
    /// An empty chain.
    #[must_use]
    pub fn empty(tenant: &Tenant) -> Self {
        ChainHead { seq: 0, hash: root(tenant) }
    }

    /// Adds a record behind this head.
    #[must_use]
    pub fn link(&self, record: Record) -> Link {
        let content = record.content.as_ref().map(|content| ContentHash::of(content));
        let body = serde_json::to_vec(&Body { entry: record.entry, content })
            .expect("INVARIANT: an entry has string keys and always serializes");
        Link { seq: self.seq + 1, prev: self.hash, body, content: record.content }
    }

    /// Checks that a link continues this head and is whole, and moves behind it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn follow(&mut self, link: &Link) -> Result<Entry, Altered> {
        let (expected, seq) = (self.seq + 1, link.seq);
        if seq != expected {
            return Err(Altered::Gap { expected, found: seq });
        }
        if link.prev != self.hash {
            return Err(Altered::Chain { seq });
        }
        let entry = link.checked()?;
        *self = link.head();
        Ok(entry)
    }
}

impl Link {
    /// The head of a chain that ends here.
    #[must_use]
    pub fn head(&self) -> ChainHead {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.prev.0);
        hasher.update(&self.seq.to_le_bytes());
        hasher.update(&self.body);
        ChainHead { seq: self.seq, hash: ContentHash(*hasher.finalize().as_bytes()) }
    }

    /// The entry, with its content checked against it where that is still there.
    ///
    /// # Errors
    /// It cannot be read, or the content is another.
    pub fn checked(&self) -> Result<Entry, Altered> {
        let seq = self.seq;
        let body: Body = serde_json::from_slice(&self.body)
            .map_err(|why| Altered::Unreadable { seq, why: why.to_string() })?;
        match (&self.content, body.content) {
            (Some(content), Some(hash)) if ContentHash::of(content) != hash => {
                Err(Altered::Content { seq })
            }
            (Some(_), None) => Err(Altered::Content { seq }),
            (Some(_), Some(_)) | (None, _) => Ok(body.entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(tenant: &Tenant) -> Vec<Link> {
        let mut head = ChainHead::empty(tenant);
        let contents = [None, Some(Bytes::from_static(b"{}")), Some(Bytes::from_static(b"{1}"))];
        contents
            .into_iter()
            .map(|content| {
                let entry = Entry::of(UnixMs(5), "tool.call", "read", "ada", "production");
                let link = head.link(Record { entry, content });
                head = link.head();
                link
            })
            .collect()
    }

    fn verdict(tenant: &Tenant, links: &[Link]) -> Result<u64, Altered> {
        let mut head = ChainHead::empty(tenant);
        links.iter().try_for_each(|link| head.follow(link).map(drop)).map(|()| head.seq)
    }

    #[test]
    fn every_change_shows_and_erasure_does_not() {
        let tenant = Tenant("acme".to_owned());
        let whole = chain(&tenant);
        assert_eq!(verdict(&tenant, &whole), Ok(3));
        assert_eq!(
            verdict(&Tenant("other".to_owned()), &whole),
            Err(Altered::Chain { seq: 1 }),
            "a chain belongs to its tenant"
        );
        let mut erased = whole.clone();
        erased[1].content = None;
        assert_eq!(verdict(&tenant, &erased), Ok(3), "erased content leaves the chain whole");
        let mut written = whole.clone();
        written[1].content = Some(Bytes::from_static(b"other"));
        assert_eq!(verdict(&tenant, &written), Err(Altered::Content { seq: 2 }));
        let mut added = whole.clone();
        added[0].content = Some(Bytes::from_static(b"other"));
        assert_eq!(verdict(&tenant, &added), Err(Altered::Content { seq: 1 }));
        let mut cut = whole.clone();
        cut.remove(1);
        assert_eq!(verdict(&tenant, &cut), Err(Altered::Gap { expected: 2, found: 3 }));
        for seq in 0..3 {
            for at in 0..whole[seq].body.len() {
                let mut changed = whole.clone();
                changed[seq].body[at] ^= 1;
                let told = verdict(&tenant, &changed);
                let last_body = seq == 2 && told.is_ok();
                assert!(told.is_err() || last_body, "byte {at} of entry {}", seq + 1);
                if last_body {
                    let (was, is) = (whole[2].head(), changed[2].head());
                    assert_ne!(was, is, "what nobody follows yet shows in the recorded head");
                }
            }
        }
    }
}
