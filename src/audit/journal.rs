//! The journal: entries that are not written yet.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::{Mutex, MutexGuard, PoisonError};

use profile_core::records::TenantId;

use super::Entry;

/// The entries of all tenants that wait to be written. Noting one takes no lock for longer than a
/// list takes to grow.
#[derive(Debug)]
pub struct Journal {
    waiting: Mutex<Waiting>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    by_tenant: BTreeMap<TenantId, Vec<Entry>>,
    count: usize,
    /// The weight of all of them.
    weight: usize,
    /// How many were written.
    total: u64,
}

impl Journal {
    /// A journal that is full at a number of entries; those of many customers count several times.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let waiting = Mutex::default();
        Self { waiting, limit }
    }

    /// Notes an entry, also in a full journal: what happened is not forgotten.
    pub fn note(&self, tenant: &TenantId, entry: Entry) {
        let mut waiting = self.waiting();
        waiting.count += 1;
        waiting.weight += entry.weight();
        if let Some(entries) = waiting.by_tenant.get_mut(tenant) {
            entries.push(entry);
        } else {
            waiting.by_tenant.insert(tenant.clone(), vec![entry]);
        }
    }

    /// Whether no more calls are to be taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting().weight >= self.limit
    }

    /// How many entries wait.
    #[must_use]
    pub fn count(&self) -> usize {
        self.waiting().count
    }

    /// How many entries were written.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.waiting().total
    }

    /// How many entries of a tenant wait.
    #[must_use]
    pub fn count_of(&self, tenant: &TenantId) -> usize {
        self.waiting().by_tenant.get(tenant).map_or(0, Vec::len)
    }

    /// The tenants of which entries wait.
    pub(super) fn tenants(&self) -> Vec<TenantId> {
        self.waiting().by_tenant.keys().cloned().collect()
    }

    /// The oldest entries of a tenant, at most `limit`. They count as waiting until they are
    /// [written](Self::written) or [given back](Self::give_back).
    pub(super) fn take(&self, tenant: &TenantId, limit: usize) -> Vec<Entry> {
        let mut waiting = self.waiting();
        let Slot::Occupied(mut slot) = waiting.by_tenant.entry(tenant.clone()) else {
            return Vec::new();
        };
        if slot.get().len() <= limit {
            return slot.remove();
        }
        let rest = slot.get_mut().split_off(limit);
        std::mem::replace(slot.get_mut(), rest)
    }

    /// Entries that were taken are written.
    pub(super) fn written<'a>(&self, entries: impl Iterator<Item = &'a Entry>) {
        let mut waiting = self.waiting();
        for entry in entries {
            waiting.count -= 1;
            waiting.weight -= entry.weight();
            waiting.total += 1;
        }
    }

    /// Entries that were taken are not written: they wait before all others.
    pub(super) fn give_back(&self, tenant: &TenantId, mut entries: Vec<Entry>) {
        let mut waiting = self.waiting();
        let since = waiting.by_tenant.remove(tenant).unwrap_or_default();
        entries.extend(since);
        waiting.by_tenant.insert(tenant.clone(), entries);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u32) -> Entry {
        Entry {
            request_id: id.to_string(),
            ..Entry::default()
        }
    }

    #[test]
    fn entries_stay_in_order_until_they_are_written() {
        let (journal, tenant) = (Journal::new(3), TenantId::default());
        (0..3).for_each(|id| journal.note(&tenant, entry(id)));
        assert!(journal.is_full());
        let taken = journal.take(&tenant, 2);
        journal.note(&tenant, entry(3));
        assert_eq!((taken.len(), journal.count()), (2, 4));
        journal.give_back(&tenant, taken);
        let all = journal.take(&tenant, 100);
        let ids: Vec<_> = all.iter().map(|entry| entry.request_id.as_str()).collect();
        assert_eq!(ids, ["0", "1", "2", "3"]);
        journal.written(all.iter());
        assert!(!journal.is_full() && journal.tenants().is_empty());
        assert!(journal.take(&tenant, 1).is_empty());
        let customers = (0..30).map(|id| format!("profiles/{id}")).collect();
        let many = Entry {
            customers,
            ..entry(4)
        };
        journal.note(&tenant, many);
        assert!(journal.is_full() && journal.count() == 1);
    }
}
