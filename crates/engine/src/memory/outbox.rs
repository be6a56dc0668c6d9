//! Alerts in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use kernel::units::{SessionId, Tenant, UnixMs};

use super::{LIST_ROWS_MAX, Memory};
use crate::alerts::{Alert, ERASED};
use crate::ports::{AlertListed, Copied, CopyStanding, Delivery, Outbox, StoreError, Take, Tried};

/// All alerts, in the order in which they were raised.
#[derive(Debug, Default)]
pub(super) struct Alerts(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    last: u64,
    rows: BTreeMap<u64, Row>,
    by_id: HashMap<String, u64>,
}

#[derive(Debug)]
struct Row {
    id: String,
    alert: Alert,
    copies: Vec<Copied>,
}

impl Row {
    fn waits(&self) -> bool {
        self.copies.iter().any(|copy| matches!(copy.standing, CopyStanding::Waiting(_)))
    }
}

impl Alerts {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an alert whose key is new.
    pub(super) fn keep(&self, alert: &Alert, mut to: Vec<String>) -> bool {
        let mut rows = self.rows();
        let id = alert.id();
        if rows.by_id.contains_key(&id) {
            return false;
        }
        to.sort_unstable();
        to.dedup();
        let standing = CopyStanding::Waiting(alert.at);
        let copy = |to| Copied { to, standing, attempts: 0, why: String::new() };
        let copies = to.into_iter().map(copy).collect();
        rows.last += 1;
        let number = rows.last;
        rows.by_id.insert(id.clone(), number);
        rows.rows.insert(number, Row { id, alert: alert.clone(), copies });
        true
    }

    /// Blanks the words of alerts about sessions whose content was erased.
    pub(super) fn blank(&self, tenant: &Tenant, erased: &[SessionId]) {
        for row in self.rows().rows.values_mut() {
            let alert = &mut row.alert;
            let theirs = alert.session.is_some_and(|session| erased.contains(&session));
            if theirs && alert.tenant.as_ref() == Some(tenant) {
                ERASED.clone_into(&mut alert.text);
            }
        }
    }
}

impl Rows {
    /// Waiting copies for a subscriber, as due instant, number and place.
    fn waiting(&self, to: &str) -> Vec<(UnixMs, u64, usize)> {
        let mut found = Vec::new();
        for (number, row) in &self.rows {
            for (place, copy) in row.copies.iter().enumerate() {
                match copy.standing {
                    CopyStanding::Waiting(due) if copy.to == to => {
                        found.push((due, *number, place))
                    }
                    CopyStanding::Waiting(_) | CopyStanding::Delivered | CopyStanding::Dead => {}
                }
            }
        }
        found.sort_unstable();
        found
    }

    fn remove(&mut self, number: u64) {
        if let Some(row) = self.rows.remove(&number) {
            self.by_id.remove(&row.id);
        }
    }
}

#[async_trait]
impl Outbox for Memory {
    async fn raise(&self, alert: Alert, to: Vec<String>) -> Result<bool, StoreError> {
        Ok(self.alerts.keep(&alert, to))
    }

    async fn next_due(&self, to: &str) -> Result<Option<UnixMs>, StoreError> {
        Ok(self.alerts.rows().waiting(to).first().map(|(due, ..)| *due))
    }

    async fn take(&self, take: &Take) -> Result<Vec<Delivery>, StoreError> {
        let mut rows = self.alerts.rows();
        let due = rows.waiting(&take.to).into_iter().filter(|(due, ..)| *due <= take.now);
        let mut taken = Vec::new();
        for (_, number, place) in due.take(take.rows_max as usize) {
            let Some(row) = rows.rows.get_mut(&number) else { continue };
            let copy = &mut row.copies[place];
            copy.attempts += 1;
            copy.standing = CopyStanding::Waiting(take.until);
            let (alert, attempt) = (row.alert.clone(), copy.attempts);
            taken.push(Delivery { alert, to: take.to.clone(), attempt });
        }
        Ok(taken)
    }

    async fn tried(&self, delivery: &Delivery, how: &Tried) -> Result<(), StoreError> {
        let mut rows = self.alerts.rows();
        let number = rows.by_id.get(&delivery.alert.id()).copied();
        let row = number.and_then(|number| rows.rows.get_mut(&number));
        let mut copies = row.into_iter().flat_map(|row| &mut row.copies);
        let waiting = |copy: &&mut Copied| {
            copy.to == delivery.to
                && copy.attempts == delivery.attempt
                && matches!(copy.standing, CopyStanding::Waiting(_))
        };
        if let Some(copy) = copies.find(waiting) {
            let (standing, why) = match how {
                Tried::Delivered => (CopyStanding::Delivered, ""),
                Tried::Later { due, why } => (CopyStanding::Waiting(*due), why.as_str()),
                Tried::Dead { why } => (CopyStanding::Dead, why.as_str()),
            };
            copy.standing = standing;
            why.clone_into(&mut copy.why);
        }
        Ok(())
    }

    async fn alerts(
        &self,
        of: Option<&Tenant>,
        rows_max: u32,
    ) -> Result<Vec<AlertListed>, StoreError> {
        let rows = self.alerts.rows();
        let newest_first = rows.rows.values().rev();
        let wanted = newest_first.filter(|row| of.is_none() || row.alert.tenant.as_ref() == of);
        let listed = wanted.take(rows_max.min(LIST_ROWS_MAX) as usize);
        let listed =
            listed.map(|row| AlertListed { alert: row.alert.clone(), copies: row.copies.clone() });
        Ok(listed.collect())
    }

    async fn again(&self, id: Option<&str>, now: UnixMs) -> Result<u64, StoreError> {
        let mut rows = self.alerts.rows();
        let wanted = rows.rows.values_mut().filter(|row| id.is_none_or(|id| row.id == id));
        let dead = wanted
            .flat_map(|row| &mut row.copies)
            .filter(|copy| copy.standing == CopyStanding::Dead);
        let mut count = 0;
        for copy in dead {
            copy.standing = CopyStanding::Waiting(now);
            copy.attempts = 0;
            count += 1;
        }
        Ok(count)
    }

    async fn forget(&self, before: UnixMs, rows_max: u64) -> Result<u64, StoreError> {
        let mut rows = self.alerts.rows();
        let had = rows.rows.len();
        let settled = |row: &Row| row.alert.at < before && !row.waits();
        let old = rows.rows.iter().filter(|(_, row)| settled(row)).map(|(number, _)| *number);
        for number in old.collect::<Vec<_>>() {
            rows.remove(number);
        }
        while rows.rows.len() as u64 > rows_max
            && let Some(oldest) = rows.rows.keys().next().copied()
        {
            rows.remove(oldest);
        }
        Ok((had - rows.rows.len()) as u64)
    }
}
