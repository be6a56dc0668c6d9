//! Events as they are stored: chained by hash, so that any later change shows.
//!
//! The chain is BLAKE3 over (hash before, number, instant, format, body). Its root binds
//! it to the session; the last hash is kept beside the session, so that a cut-off tail
//! shows too.

use super::{Event, FORMAT};
use crate::units::{ContentHash, SessionId, UnixMs};

/// An event as it is stored: its body as bytes, and its links in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    /// The event.
    pub event: Event,
    /// The fact as JSON.
    pub body: String,
    /// The hash of the event before.
    pub prev: ContentHash,
    /// The hash of this event.
    pub hash: ContentHash,
}

/// An event's row as a store gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub seq: u64,
    /// When it was committed.
    pub at: UnixMs,
    /// The format version that it was written in.
    pub format: u8,
    /// The hash of the event before.
    pub prev: ContentHash,
    /// The fact as JSON.
    pub body: String,
}

/// Why a stored event is not the one that was committed.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A row is missing or doubled.
    #[error("event {expected} is missing (found {found})")]
    Gap {
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The chain does not hold.
    #[error("event {seq} does not continue the chain: it, or one before it, was altered")]
    Chain {
        /// Where.
        seq: u64,
    },
    /// Written by a newer program.
    #[error("event {seq} has format {format}, newer than this program knows")]
    Newer {
        /// Where.
        seq: u64,
        /// Its format.
        format: u8,
    },
    /// The body is not a fact.
    #[error("event {seq} cannot be read: {why}")]
    Unreadable {
        /// Where.
        seq: u64,
        /// The JSON mistake.
        why: serde_json::Error,
    },
}

/// What the first event's `prev` is: it binds the chain to its session.
#[must_use]
pub fn chain_root(session: SessionId) -> ContentHash {
    ContentHash::of(format!("windlass session {session}").as_bytes())
}

fn link(prev: ContentHash, seq: u64, at: UnixMs, format: u8, body: &str) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&prev.0);
    hasher.update(&seq.to_le_bytes());
    hasher.update(&at.0.to_le_bytes());
    hasher.update(&[format]);
    hasher.update(body.as_bytes());
    ContentHash(*hasher.finalize().as_bytes())
}

/// Writes an event down and chains it to the one before.
#[must_use]
pub fn seal(prev: ContentHash, event: Event) -> Sealed {
    let body = serde_json::to_string(&event.fact)
        .expect("INVARIANT: facts have string keys and always serialize");
    let hash = link(prev, event.seq, event.at, FORMAT, &body);
    Sealed { event, body, prev, hash }
}

/// Reads a stored event and checks that it continues the chain.
///
/// # Errors
/// It is not the event that was committed after `prev`, or not readable.
pub fn unseal(prev: ContentHash, seq: u64, row: Stored) -> Result<Sealed, Broken> {
    if row.seq != seq {
        return Err(Broken::Gap { expected: seq, found: row.seq });
    }
    if row.format > FORMAT {
        return Err(Broken::Newer { seq, format: row.format });
    }
    if row.prev != prev {
        return Err(Broken::Chain { seq });
    }
    let fact = serde_json::from_str(&row.body).map_err(|why| Broken::Unreadable { seq, why })?;
    let hash = link(prev, seq, row.at, row.format, &row.body);
    Ok(Sealed { event: Event { seq, at: row.at, fact }, body: row.body, prev, hash })
}
