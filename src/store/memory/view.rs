//! One state of a tenant's data, and a write.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use profile_core::identity::BlockingKey;
use profile_core::records::{
    ContentHash, EventKey, Identifier, KeptEvent, ProfileId, Record, RecordKey, Sequence, TenantId,
    Timestamp,
};
use tokio::sync::OwnedMutexGuard;

use super::Tenants;
use super::data::Data;
use super::segments::Indexes;
use crate::store::footprint::Footprint;
use crate::store::past::refuse_time;
use crate::store::{
    BackfillProgress, Changes, CorrectionKey, ErasedPlace, Erasure, Error, KeyedRecord, MatchPair,
    ProfileRow, Result, SegmentChanges, Snapshot, StatementKey, StoredDecision, StoredErasure,
    StoredRequest, StoredStatement, Tombstone, TombstoneKey, Transaction, WriteMark, WriteTurn,
};

/// What a snapshot looks at: a copy; a transaction at the store itself, since it holds the turn.
pub(super) enum View {
    Frozen(Box<Data>),
    Live(Arc<Tenants>, TenantId),
}

impl View {
    pub(super) fn of<T>(&self, read: impl FnOnce(&Data) -> T) -> T {
        match self {
            Self::Frozen(data) => read(data),
            Self::Live(tenants, tenant) => tenants.of(tenant, read),
        }
    }
}

#[async_trait]
impl Snapshot for View {
    async fn model_in_force(&mut self) -> Result<i64> {
        Ok(self.of(Data::model_version))
    }

    async fn records(&mut self, keys: &[RecordKey]) -> Result<Vec<Record>> {
        let keys: BTreeSet<_> = keys.iter().collect();
        Ok(self.of(|data| {
            keys.into_iter()
                .filter_map(|key| data.records.get(key))
                .cloned()
                .collect()
        }))
    }

    async fn members(&mut self, profiles: &[ProfileId]) -> Result<Vec<Record>> {
        let of_profile = |record: &&Record| {
            record
                .membership
                .profile
                .is_some_and(|id| profiles.contains(&id))
        };
        Ok(self.of(|data| data.records.values().filter(of_profile).cloned().collect()))
    }

    async fn count_records(&mut self, limit: usize) -> Result<usize> {
        Ok(self.of(|data| data.records.len().min(limit)))
    }

    async fn former_members(&mut self, profiles: &[ProfileId]) -> Result<Vec<Record>> {
        Ok(self.of(|data| {
            let gone = data.records.values();
            let gone = gone.filter(|record| record.membership.profile.is_none());
            let last = |record: &&Record| data.past.last_home(&record.key);
            gone.filter(|record| last(record).is_some_and(|id| profiles.contains(&id)))
                .cloned()
                .collect()
        }))
    }

    async fn scan_records(
        &mut self,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<Vec<Record>> {
        let later = |record: &&Record| after.is_none_or(|after| record.key > *after);
        Ok(self.of(|data| {
            data.records
                .values()
                .filter(later)
                .take(limit)
                .cloned()
                .collect()
        }))
    }

    async fn holders(
        &mut self,
        identifiers: &[Identifier],
        limit: usize,
    ) -> Result<Vec<(Identifier, Record)>> {
        let identifiers: BTreeSet<_> = identifiers.iter().collect();
        Ok(self.of(|data| {
            let of_one = |identifier| {
                let records = data
                    .holders(identifier)
                    .take(limit + 1)
                    .filter_map(|key| data.records.get(key));
                records.map(|record| (Identifier::clone(identifier), record.clone()))
            };
            identifiers.into_iter().flat_map(of_one).collect()
        }))
    }

    async fn keyed(&mut self, keys: &[BlockingKey], limit: usize) -> Result<Vec<KeyedRecord>> {
        let keys: BTreeSet<_> = keys.iter().copied().collect();
        Ok(self.of(|data| {
            let of_one = |key: BlockingKey| {
                let least = (key, RecordKey::new("", ""));
                data.keys
                    .range(least..)
                    .take_while(move |(found, _)| *found == key)
                    .take(limit + 1)
                    .cloned()
            };
            keys.into_iter().flat_map(of_one).collect()
        }))
    }

    async fn statements(&mut self, records: &[RecordKey]) -> Result<Vec<StoredStatement>> {
        let records: BTreeSet<_> = records.iter().collect();
        let about = |stored: &&StoredStatement| records.contains(&stored.key.record);
        let mut found: Vec<StoredStatement> =
            self.of(|data| data.statements.values().filter(about).cloned().collect());
        found.sort_by(|a, b| {
            (&a.key.record, a.sequence, a.ordinal).cmp(&(&b.key.record, b.sequence, b.ordinal))
        });
        Ok(found)
    }

    async fn recount_progress(&mut self) -> Result<Option<BackfillProgress>> {
        Ok(self.of(|data| data.recount.clone()))
    }

    async fn pairs(&mut self, records: &[RecordKey]) -> Result<Vec<MatchPair>> {
        let about =
            |pair: &&MatchPair| records.contains(&pair.left) || records.contains(&pair.right);
        Ok(self.of(|data| data.pairs.values().filter(about).cloned().collect()))
    }

    async fn decisions_about(&mut self, records: &[RecordKey]) -> Result<Vec<StoredDecision>> {
        let mut decisions = self.decisions().await?;
        let about = |stored: &StoredDecision| {
            stored
                .decision
                .left
                .iter()
                .chain(&stored.decision.right)
                .any(|key| records.contains(key))
        };
        decisions.retain(about);
        Ok(decisions)
    }

    async fn decisions(&mut self) -> Result<Vec<StoredDecision>> {
        Ok(self.of(|data| {
            data.decisions
                .values()
                .filter(|stored| !stored.withdrawn)
                .cloned()
                .collect()
        }))
    }

    async fn decision(&mut self, id: &str) -> Result<Option<StoredDecision>> {
        Ok(self.of(|data| data.decisions.get(id).cloned()))
    }

    async fn request(&mut self, request_id: &str) -> Result<Option<StoredRequest>> {
        Ok(self.of(|data| data.requests.get(request_id).cloned()))
    }

    async fn profile_rows(&mut self, ids: &[ProfileId]) -> Result<Vec<ProfileRow>> {
        let ids: BTreeSet<_> = ids.iter().collect();
        Ok(self.of(|data| {
            ids.into_iter()
                .filter_map(|id| data.profiles.get(id))
                .cloned()
                .collect()
        }))
    }

    async fn known_statements(&mut self, statements: &[StatementKey]) -> Result<Vec<StatementKey>> {
        let asked: BTreeSet<_> = statements.iter().collect();
        Ok(self.of(|data| {
            asked
                .into_iter()
                .filter(|key| data.statements.contains_key(key))
                .cloned()
                .collect()
        }))
    }

    async fn known_events(&mut self, events: &[EventKey]) -> Result<Vec<(EventKey, ContentHash)>> {
        let asked: BTreeSet<_> = events.iter().collect();
        Ok(self.of(|data| {
            asked
                .into_iter()
                .filter_map(|key| {
                    let kept = data.kept_event(key)?;
                    Some((key.clone(), kept.original().unwrap_or_default()))
                })
                .collect()
        }))
    }

    async fn kept_events(&mut self, events: &[EventKey]) -> Result<Vec<KeptEvent>> {
        let asked: BTreeSet<_> = events.iter().collect();
        Ok(self.of(|data| {
            let kept = asked.into_iter().filter_map(|key| data.kept_event(key));
            kept.collect()
        }))
    }

    async fn erased(&mut self, tombstones: &[(Tombstone, RecordKey)]) -> Result<Vec<RecordKey>> {
        Ok(self.of(|data| {
            let known = tombstones
                .iter()
                .filter(|(tombstone, _)| data.tombstones.contains_key(tombstone));
            known.map(|(_, record)| record.clone()).collect()
        }))
    }

    async fn known_corrections(
        &mut self,
        corrections: &[CorrectionKey],
    ) -> Result<Vec<CorrectionKey>> {
        let asked: BTreeSet<_> = corrections.iter().collect();
        Ok(self.of(|data| {
            let known = asked
                .into_iter()
                .filter(|key| data.corrections.contains_key(key));
            known.cloned().collect()
        }))
    }
}

/// Nothing changes before the commit, except for times that are corrected; the guard gives the turn
/// back in any case.
pub(super) struct MemoryTransaction {
    pub(super) view: View,
    pub(super) tenant: TenantId,
    pub(super) turn: WriteTurn,
    pub(super) tenants: Arc<Tenants>,
    /// What was written ahead of the commit.
    pub(super) ahead: Vec<Changes>,
    /// The erasure that comes with the commit.
    pub(super) erasure: Option<Erasure>,
    /// The index of segments, and what is to be written to it.
    pub(super) index: Arc<Indexes>,
    pub(super) segments: Option<SegmentChanges>,
    pub(super) _guard: OwnedMutexGuard<()>,
}

#[async_trait]
impl Transaction for MemoryTransaction {
    fn sequence(&self) -> Sequence {
        self.turn.sequence
    }

    fn model_version(&self) -> i64 {
        self.turn.model_version
    }

    fn not_before(&self) -> Timestamp {
        self.turn.not_before
    }

    fn tombstone_key(&self) -> Option<TombstoneKey> {
        self.turn.tombstone_key
    }

    async fn correct_times(&mut self, now: Timestamp) -> Result<u64> {
        let mut tenants = self.tenants.write();
        let data = tenants.entry(self.tenant.clone()).or_default();
        let moved = data.past.move_times(now);
        if moved > 0 {
            for entry in data.log.values_mut() {
                entry.time = entry.time.min(now);
            }
            self.turn.not_before = now;
        }
        Ok(moved)
    }

    fn reads(&mut self) -> &mut dyn Snapshot {
        &mut self.view
    }

    async fn write(&mut self, changes: &Changes) -> Result<()> {
        self.ahead.push(changes.clone());
        Ok(())
    }

    async fn erase(&mut self, erasure: &Erasure) -> Result<StoredErasure> {
        // On a copy: nothing changes before the commit.
        let mut data = self.tenants.of(&self.tenant, Data::clone);
        let mark = WriteMark {
            sequence: self.turn.sequence,
            time: self.turn.not_before,
        };
        data.commit(mark, self.ahead.iter(), Footprint::Everything);
        let (mut receipt, profiles) = data.erase(erasure, mark.sequence);
        let stays = self
            .index
            .of(&self.tenant, |index| index.count_stays(&profiles));
        if stays > 0 {
            receipt.places.push((ErasedPlace::Segments, stays));
        }
        self.erasure = Some(Erasure {
            receipt: receipt.clone(),
            ..erasure.clone()
        });
        Ok(receipt)
    }

    async fn write_segments(&mut self, changes: &SegmentChanges) -> Result<bool> {
        let is_next = self
            .index
            .of(&self.tenant, |index| index.is_before(changes));
        self.segments = is_next.then(|| changes.clone());
        Ok(is_next)
    }

    async fn commit(self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<()> {
        refuse_time(time, self.turn.not_before)?;
        let mut tenants = self.tenants.write();
        let data = tenants.entry(self.tenant.clone()).or_default();
        let all = || self.ahead.iter().chain([changes]);
        all().try_for_each(|changes| data.refuse(changes))?;
        if let Some(segments) = &self.segments
            && !self.index.of(&self.tenant, |index| index.replace(segments))
        {
            return Err(Error::Conflict(
                "the index of segments has moved on".to_owned(),
            ));
        }
        let mark = WriteMark {
            sequence: self.turn.sequence,
            time,
        };
        // Parts that went ahead are not looked through again.
        let footprint = match self.ahead.as_slice() {
            [] => Footprint::of(changes),
            _ => Footprint::Everything,
        };
        data.commit(mark, all(), footprint);
        if let Some(erasure) = &self.erasure {
            let (_, profiles) = data.erase(erasure, mark.sequence);
            // The receipt that was given is the one that is kept.
            let receipt = erasure.receipt.clone();
            data.erasures.insert(receipt.id.clone(), receipt);
            self.index.of(&self.tenant, |index| index.erase(&profiles));
        }
        Ok(())
    }
}
