//! Requests with keys in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use kernel::units::{ContentHash, Tenant, UnixMs};

use super::Memory;
use crate::ports::{Answer, Answers, Asked, Asking, StoreError};

/// The requests of all tenants.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<BTreeMap<(Tenant, String), Row>>);

#[derive(Debug)]
struct Row {
    request: ContentHash,
    memo: String,
    made: UnixMs,
    until: UnixMs,
    answer: Option<Answer>,
}

impl Requests {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<(Tenant, String), Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Answers for Memory {
    async fn ask(&self, asking: Asking) -> Result<Asked, StoreError> {
        let Asking { tenant, key, request, memo, now, until } = asking;
        let mut rows = self.requests.rows();
        let Some(row) = rows.get_mut(&(tenant.clone(), key.clone())) else {
            let row = Row { request, memo: memo.clone(), made: now, until, answer: None };
            rows.insert((tenant, key), row);
            return Ok(Asked::Yours { memo, begun: false });
        };
        if row.request != request {
            return Ok(Asked::Other);
        }
        match &row.answer {
            Some(answer) => Ok(Asked::Done(answer.clone())),
            None if row.until > now => Ok(Asked::Busy),
            None => {
                row.until = until;
                Ok(Asked::Yours { memo: row.memo.clone(), begun: true })
            }
        }
    }

    async fn answered(&self, tenant: &Tenant, key: &str, answer: Answer) -> Result<(), StoreError> {
        if let Some(row) = self.requests.rows().get_mut(&(tenant.clone(), key.to_owned())) {
            row.answer.get_or_insert(answer);
        }
        Ok(())
    }

    async fn give_back(&self, tenant: &Tenant, key: &str) -> Result<(), StoreError> {
        let key = (tenant.clone(), key.to_owned());
        let mut rows = self.requests.rows();
        if rows.get(&key).is_some_and(|row| row.answer.is_none()) {
            rows.remove(&key);
        }
        Ok(())
    }

    async fn forget_answers(&self, before: UnixMs, rows_max: u32) -> Result<u64, StoreError> {
        let mut rows = self.requests.rows();
        let old = rows.iter().filter(|(_, row)| row.made < before).map(|(key, _)| key.clone());
        let old: Vec<_> = old.take(rows_max as usize).collect();
        old.iter().for_each(|key| drop(rows.remove(key)));
        Ok(old.len() as u64)
    }
}
