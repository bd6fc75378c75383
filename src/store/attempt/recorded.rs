//! Reads whose questions and answers are remembered.

use async_trait::async_trait;
use profile_core::identity::BlockingKey;
use profile_core::records::{
    Claim, ContentHash, EventKey, Identifier, KeptEvent, ObjectKey, ProfileId, Record, RecordKey,
};

use crate::store::footprint::{ReadSet, Thing};
use crate::store::{
    Attachments, BackfillProgress, CorrectionKey, KeyedRecord, MatchPair, ProfileRow, Result,
    Snapshot, StatementKey, StoredDecision, StoredRequest, StoredStatement, Tombstone,
};

/// Reads through another one, and remembers what was asked for, found or not, and which records
/// were found.
pub(in crate::store) struct Recorded<S> {
    pub(in crate::store) reads: S,
    pub(in crate::store) seen: ReadSet,
}

impl<S> Recorded<S> {
    pub(in crate::store) fn new(reads: S) -> Self {
        Self {
            reads,
            seen: ReadSet::default(),
        }
    }

    fn saw<'a>(&mut self, things: impl Iterator<Item = Thing<'a>>) {
        things.for_each(|thing| self.seen.add(thing));
    }

    fn saw_records(&mut self, records: &[RecordKey]) {
        self.saw(records.iter().map(Thing::Record));
    }
}

#[async_trait]
impl<S: Snapshot> Snapshot for Recorded<S> {
    async fn model_in_force(&mut self) -> Result<i64> {
        // Another model touches everything.
        self.reads.model_in_force().await
    }

    async fn records(&mut self, keys: &[RecordKey]) -> Result<Vec<Record>> {
        self.saw_records(keys);
        self.reads.records(keys).await
    }

    async fn members(&mut self, profiles: &[ProfileId]) -> Result<Vec<Record>> {
        self.saw(profiles.iter().copied().map(Thing::Profile));
        let members = self.reads.members(profiles).await?;
        self.saw(members.iter().map(|record| Thing::Record(&record.key)));
        Ok(members)
    }

    async fn former_members(&mut self, profiles: &[ProfileId]) -> Result<Vec<Record>> {
        self.seen.add_everything();
        self.reads.former_members(profiles).await
    }

    async fn scan_records(
        &mut self,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<Vec<Record>> {
        self.seen.add_everything();
        self.reads.scan_records(after, limit).await
    }

    async fn count_records(&mut self, limit: usize) -> Result<usize> {
        self.seen.add_everything();
        self.reads.count_records(limit).await
    }

    async fn holders(
        &mut self,
        identifiers: &[Identifier],
        limit: usize,
    ) -> Result<Vec<(Identifier, Record)>> {
        self.saw(identifiers.iter().map(Thing::Identifier));
        let holders = self.reads.holders(identifiers, limit).await?;
        self.saw(holders.iter().map(|(_, record)| Thing::Record(&record.key)));
        Ok(holders)
    }

    async fn keyed(&mut self, keys: &[BlockingKey], limit: usize) -> Result<Vec<KeyedRecord>> {
        self.saw(keys.iter().copied().map(Thing::Key));
        self.reads.keyed(keys, limit).await
    }

    async fn pairs(&mut self, records: &[RecordKey]) -> Result<Vec<MatchPair>> {
        self.saw_records(records);
        self.reads.pairs(records).await
    }

    async fn decisions_about(&mut self, records: &[RecordKey]) -> Result<Vec<StoredDecision>> {
        self.saw_records(records);
        self.reads.decisions_about(records).await
    }

    async fn decisions(&mut self) -> Result<Vec<StoredDecision>> {
        self.seen.add_everything();
        self.reads.decisions().await
    }

    async fn decision(&mut self, id: &str) -> Result<Option<StoredDecision>> {
        self.seen.add_everything();
        self.reads.decision(id).await
    }

    async fn request(&mut self, request_id: &str) -> Result<Option<StoredRequest>> {
        self.seen.add_everything();
        self.reads.request(request_id).await
    }

    async fn profile_rows(&mut self, ids: &[ProfileId]) -> Result<Vec<ProfileRow>> {
        self.saw(ids.iter().copied().map(Thing::Profile));
        self.reads.profile_rows(ids).await
    }

    async fn recount_progress(&mut self) -> Result<Option<BackfillProgress>> {
        self.seen.add_everything();
        self.reads.recount_progress().await
    }

    async fn known_statements(&mut self, statements: &[StatementKey]) -> Result<Vec<StatementKey>> {
        self.saw(statements.iter().map(|key| Thing::Record(&key.record)));
        self.reads.known_statements(statements).await
    }

    async fn known_events(&mut self, events: &[EventKey]) -> Result<Vec<(EventKey, ContentHash)>> {
        self.saw(events.iter().map(Thing::Event));
        self.reads.known_events(events).await
    }

    async fn kept_events(&mut self, events: &[EventKey]) -> Result<Vec<KeptEvent>> {
        self.saw(events.iter().map(Thing::Event));
        self.reads.kept_events(events).await
    }

    async fn known_corrections(
        &mut self,
        corrections: &[CorrectionKey],
    ) -> Result<Vec<CorrectionKey>> {
        self.saw(corrections.iter().map(|key| Thing::Event(&key.event)));
        self.reads.known_corrections(corrections).await
    }

    async fn erased(&mut self, tombstones: &[(Tombstone, RecordKey)]) -> Result<Vec<RecordKey>> {
        self.saw(tombstones.iter().map(|(_, record)| Thing::Record(record)));
        self.reads.erased(tombstones).await
    }

    async fn statements(&mut self, records: &[RecordKey]) -> Result<Vec<StoredStatement>> {
        self.saw_records(records);
        self.reads.statements(records).await
    }
}

#[async_trait]
impl<S: Snapshot> Attachments for Recorded<S> {
    async fn attached_events(&mut self, objects: &[ObjectKey]) -> Result<Vec<EventKey>> {
        self.saw(objects.iter().map(Thing::Object));
        self.reads.attached_events(objects).await
    }

    async fn claims(
        &mut self,
        objects: &[ObjectKey],
        except: &[EventKey],
        limit: usize,
    ) -> Result<Vec<(ObjectKey, Claim)>> {
        self.saw(objects.iter().map(Thing::Object));
        let claims = self.reads.claims(objects, except, limit).await?;
        self.saw(claims.iter().map(|(_, claim)| Thing::Record(&claim.record)));
        Ok(claims)
    }

    async fn count_waiting(&mut self, limit: usize) -> Result<usize> {
        // The limit of waiting events is no exact one.
        self.reads.count_waiting(limit).await
    }
}
