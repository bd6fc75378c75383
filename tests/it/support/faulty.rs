//! A store in memory with faults and delays: what no healthy database does on demand.

use async_trait::async_trait;
use customer_profile::store::memory::MemoryStore;
use customer_profile::store::*;
use profile_core::identity::Spelling;
use profile_core::profile::StoredProfile;
use profile_core::records::*;
use uuid::Uuid;

/// Writes that have a record of this key are refused.
pub(crate) const REFUSED: &str = "refused";
/// What the driver says, and nobody outside may read.
pub(crate) const SECRET: &str = "relation record, password hunter2";

/// What reads of profiles do.
#[derive(Clone, Copy)]
pub(crate) enum Reads {
    /// They fail.
    Fail,
    /// They come back late, with what was true when they began: others run so many times meanwhile.
    Linger(usize),
}

/// Reads are as they are told; writes of [`REFUSED`] fail.
pub(crate) struct Faulty {
    inner: MemoryStore,
    reads: Reads,
    shared: bool,
}

impl Faulty {
    pub(crate) fn new(reads: Reads) -> Self {
        Self {
            inner: MemoryStore::new(),
            reads,
            shared: false,
        }
    }

    /// One that other servers write to as well.
    pub(crate) fn shared(self) -> Self {
        Self {
            shared: true,
            ..self
        }
    }
}

#[async_trait]
impl Store for Faulty {
    fn is_shared(&self) -> bool {
        self.shared
    }

    fn availability(&self) -> &Availability {
        self.inner.availability()
    }

    async fn renew(&self) -> Result<()> {
        self.inner.renew().await
    }

    async fn recover(&self) -> Result<()> {
        self.inner.recover().await
    }

    async fn id(&self) -> Result<Uuid> {
        self.inner.id().await
    }

    async fn check(&self) -> Result<()> {
        self.inner.check().await
    }

    async fn begin(&self, tenant: &TenantId) -> Result<Box<dyn Transaction>> {
        Ok(Box::new(FaultyTransaction {
            inner: self.inner.begin(tenant).await?,
        }))
    }

    async fn attempt(&self, tenant: &TenantId) -> Result<Box<dyn Attempt>> {
        Ok(Box::new(FaultyAttempt {
            inner: self.inner.attempt(tenant).await?,
        }))
    }

    async fn profiles(
        &self,
        tenant: &TenantId,
        ids: &[ProfileId],
    ) -> Result<AsOf<Vec<Option<StoredProfile>>>> {
        match self.reads {
            Reads::Fail => Err(Error::Internal(SECRET.to_owned())),
            Reads::Linger(times) => {
                let found = self.inner.profiles(tenant, ids).await;
                for _ in 0..times {
                    tokio::task::yield_now().await;
                }
                found
            }
        }
    }

    async fn find_by_identifiers(
        &self,
        tenant: &TenantId,
        identifiers: &[Identifier],
        limit: usize,
    ) -> Result<AsOf<Vec<Vec<ProfileId>>>> {
        self.inner
            .find_by_identifiers(tenant, identifiers, limit)
            .await
    }

    async fn find_by_records(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
    ) -> Result<AsOf<Vec<Option<ProfileId>>>> {
        self.inner.find_by_records(tenant, records).await
    }

    async fn find_by_terms(&self, tenant: &TenantId, query: &TermQuery) -> Result<Vec<TermHit>> {
        self.inner.find_by_terms(tenant, query).await
    }

    async fn find_words(
        &self,
        tenant: &TenantId,
        spelling: &Spelling,
        limit: usize,
    ) -> Result<Vec<String>> {
        self.inner.find_words(tenant, spelling, limit).await
    }

    async fn list_statements(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
    ) -> Result<Vec<StoredStatement>> {
        self.inner.list_statements(tenant, record).await
    }

    async fn model(&self, tenant: &TenantId, version: Option<i64>) -> Result<Option<StoredModel>> {
        self.inner.model(tenant, version).await
    }

    async fn list_models(
        &self,
        tenant: &TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<StoredModel>> {
        self.inner.list_models(tenant, before, limit).await
    }

    async fn list_memberships(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
    ) -> Result<Vec<MembershipChange>> {
        self.inner.list_memberships(tenant, record).await
    }

    async fn snapshot(&self, tenant: &TenantId) -> Result<Box<dyn Snapshot>> {
        self.inner.snapshot(tenant).await
    }

    async fn list_queue(&self, tenant: &TenantId, page: &QueuePage) -> Result<Vec<MatchPair>> {
        self.inner.list_queue(tenant, page).await
    }

    async fn list_identity_changes(
        &self,
        tenant: &TenantId,
        page: &IdentityChangePage,
    ) -> Result<Vec<IdentityChange>> {
        self.inner.list_identity_changes(tenant, page).await
    }

    async fn list_decisions(
        &self,
        tenant: &TenantId,
        after: Option<(Sequence, String)>,
        limit: usize,
    ) -> Result<Vec<StoredDecision>> {
        self.inner.list_decisions(tenant, after, limit).await
    }

    async fn read_log(&self, cursors: &[LogCursor], limit: usize) -> Result<Vec<LogTail>> {
        self.inner.read_log(cursors, limit).await
    }

    async fn trim_log(&self, tenant: &TenantId, retention: LogRetention) -> Result<u64> {
        self.inner.trim_log(tenant, retention).await
    }

    async fn list_tenants(&self, after: Option<&TenantId>, limit: usize) -> Result<Vec<TenantId>> {
        self.inner.list_tenants(after, limit).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl Timelines for Faulty {
    async fn list_events(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
        page: &EventPage,
    ) -> Result<Vec<Event>> {
        self.inner.list_events(tenant, records, page).await
    }

    async fn count_events(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
        filter: &EventFilter,
    ) -> Result<Vec<(String, i64)>> {
        self.inner.count_events(tenant, records, filter).await
    }

    async fn list_object_events(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        records: &[RecordKey],
        page: &ObjectPage,
    ) -> Result<Vec<Vec<NamingEvent>>> {
        self.inner
            .list_object_events(tenant, objects, records, page)
            .await
    }

    async fn find_by_objects(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        limit: usize,
    ) -> Result<AsOf<Vec<Vec<ProfileId>>>> {
        self.inner.find_by_objects(tenant, objects, limit).await
    }

    async fn list_waiting(&self, tenant: &TenantId, page: &WaitingPage) -> Result<Vec<Event>> {
        self.inner.list_waiting(tenant, page).await
    }
}

#[async_trait]
impl Publications for Faulty {
    async fn list_publications(&self, tenant: &TenantId) -> Result<Vec<StoredPublication>> {
        self.inner.list_publications(tenant).await
    }

    async fn begin_publication(&self, tenant: &TenantId, name: &str, mark: Mark) -> Result<()> {
        self.inner.begin_publication(tenant, name, mark).await
    }

    async fn take_lease(
        &self,
        tenant: &TenantId,
        name: &str,
        seen: &Lease,
        owner: &str,
    ) -> Result<bool> {
        self.inner.take_lease(tenant, name, seen, owner).await
    }

    async fn record_progress(
        &self,
        tenant: &TenantId,
        name: &str,
        owner: &str,
        progress: &Progress,
    ) -> Result<bool> {
        self.inner
            .record_progress(tenant, name, owner, progress)
            .await
    }

    async fn release_lease(&self, tenant: &TenantId, name: &str, owner: &str) -> Result<()> {
        self.inner.release_lease(tenant, name, owner).await
    }

    async fn reset_publication(&self, tenant: &TenantId, name: &str, mark: Mark) -> Result<bool> {
        self.inner.reset_publication(tenant, name, mark).await
    }

    async fn record_dead_letter(
        &self,
        tenant: &TenantId,
        name: &str,
        letter: &DeadLetter,
    ) -> Result<()> {
        self.inner.record_dead_letter(tenant, name, letter).await
    }

    async fn list_dead_letters(
        &self,
        tenant: &TenantId,
        name: &str,
        page: DeadLetterPage,
    ) -> Result<Vec<DeadLetter>> {
        self.inner.list_dead_letters(tenant, name, page).await
    }

    async fn replay_dead_letters(
        &self,
        tenant: &TenantId,
        name: &str,
        keys: Option<&[ChangeKey]>,
    ) -> Result<u64> {
        self.inner.replay_dead_letters(tenant, name, keys).await
    }

    async fn remove_dead_letter(
        &self,
        tenant: &TenantId,
        name: &str,
        key: ChangeKey,
    ) -> Result<()> {
        self.inner.remove_dead_letter(tenant, name, key).await
    }
}

#[async_trait]
impl Erasures for Faulty {
    async fn list_erasures(
        &self,
        tenant: &TenantId,
        after: Option<(Sequence, String)>,
        limit: usize,
    ) -> Result<Vec<StoredErasure>> {
        self.inner.list_erasures(tenant, after, limit).await
    }

    async fn erasure(&self, tenant: &TenantId, id: &str) -> Result<Option<StoredErasure>> {
        self.inner.erasure(tenant, id).await
    }

    async fn release_erasure(&self, tenant: &TenantId, id: &str, release: &Release) -> Result<()> {
        self.inner.release_erasure(tenant, id, release).await
    }
}

#[async_trait]
impl SegmentIndex for Faulty {
    async fn segment_progress(&self, tenant: &TenantId) -> Result<Option<SegmentProgress>> {
        self.inner.segment_progress(tenant).await
    }

    async fn write_segments(&self, tenant: &TenantId, changes: &SegmentChanges) -> Result<bool> {
        self.inner.write_segments(tenant, changes).await
    }

    async fn memberships(
        &self,
        tenant: &TenantId,
        profiles: &[ProfileId],
    ) -> Result<Vec<SegmentMember>> {
        self.inner.memberships(tenant, profiles).await
    }

    async fn list_due(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ProfileId, Timestamp)>> {
        self.inner.list_due(tenant, until, limit).await
    }

    async fn list_members(
        &self,
        tenant: &TenantId,
        segment: &str,
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<SegmentMember>> {
        self.inner.list_members(tenant, segment, after, limit).await
    }

    async fn count_members(&self, tenant: &TenantId) -> Result<Vec<(String, u64)>> {
        self.inner.count_members(tenant).await
    }

    async fn list_profiles(
        &self,
        tenant: &TenantId,
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<ProfileId>> {
        self.inner.list_profiles(tenant, after, limit).await
    }
}

#[async_trait]
impl TenantRegister for Faulty {
    async fn list_registered_tenants(&self) -> Result<Vec<RegisteredTenant>> {
        self.inner.list_registered_tenants().await
    }

    async fn create_tenant(&self, tenant: &TenantId, time: Timestamp) -> Result<bool> {
        self.inner.create_tenant(tenant, time).await
    }

    async fn mark_tenant_deleted(&self, tenant: &TenantId, time: Timestamp) -> Result<bool> {
        self.inner.mark_tenant_deleted(tenant, time).await
    }

    async fn purge_tenant(&self, tenant: &TenantId) -> Result<Option<(String, u64)>> {
        self.inner.purge_tenant(tenant).await
    }
}

#[async_trait]
impl AuditLogs for Faulty {
    async fn audit_head(&self, tenant: &TenantId) -> Result<AuditHead> {
        self.inner.audit_head(tenant).await
    }

    async fn append_audit(&self, tenant: &TenantId, append: &AuditAppend) -> Result<bool> {
        self.inner.append_audit(tenant, append).await
    }

    async fn audit_tiles(&self, tenant: &TenantId, places: &[TilePlace]) -> Result<Vec<AuditTile>> {
        self.inner.audit_tiles(tenant, places).await
    }

    async fn audit_batches(
        &self,
        tenant: &TenantId,
        from: u64,
        before: u64,
    ) -> Result<Vec<AuditBatch>> {
        self.inner.audit_batches(tenant, from, before).await
    }

    async fn audit_spans(
        &self,
        tenant: &TenantId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<AuditSpan>> {
        self.inner.audit_spans(tenant, before, limit).await
    }
}

#[async_trait]
impl ApiKeys for Faulty {
    async fn list_api_keys(&self) -> Result<Vec<StoredApiKey>> {
        self.inner.list_api_keys().await
    }

    async fn record_api_key(&self, key: &StoredApiKey) -> Result<bool> {
        self.inner.record_api_key(key).await
    }

    async fn revoke_api_key(&self, id: &str, time: Timestamp) -> Result<bool> {
        self.inner.revoke_api_key(id, time).await
    }
}

#[async_trait]
impl Population for Faulty {
    async fn statistics(&self, tenant: &TenantId) -> Result<Option<String>> {
        self.inner.statistics(tenant).await
    }

    async fn keep_statistics(&self, tenant: &TenantId, body: &str) -> Result<()> {
        self.inner.keep_statistics(tenant, body).await
    }
}

#[async_trait]
impl Past for Faulty {
    async fn write_at(&self, tenant: &TenantId, time: Timestamp) -> Result<Option<PastWrite>> {
        self.inner.write_at(tenant, time).await
    }

    async fn profile_after(
        &self,
        tenant: &TenantId,
        id: ProfileId,
        write: Sequence,
    ) -> Result<Option<StoredProfile>> {
        self.inner.profile_after(tenant, id, write).await
    }

    async fn find_by_identifier_after(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
        write: Sequence,
        limit: usize,
    ) -> Result<Vec<ProfileId>> {
        self.inner
            .find_by_identifier_after(tenant, identifier, write, limit)
            .await
    }

    async fn find_by_record_after(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
        write: Sequence,
    ) -> Result<Option<ProfileId>> {
        self.inner.find_by_record_after(tenant, record, write).await
    }
}

struct FaultyTransaction {
    inner: Box<dyn Transaction>,
}

#[async_trait]
impl Transaction for FaultyTransaction {
    fn sequence(&self) -> Sequence {
        self.inner.sequence()
    }

    fn model_version(&self) -> i64 {
        self.inner.model_version()
    }

    fn not_before(&self) -> Timestamp {
        self.inner.not_before()
    }

    fn tombstone_key(&self) -> Option<TombstoneKey> {
        self.inner.tombstone_key()
    }

    async fn correct_times(&mut self, now: Timestamp) -> Result<u64> {
        self.inner.correct_times(now).await
    }

    async fn erase(&mut self, erasure: &Erasure) -> Result<StoredErasure> {
        self.inner.erase(erasure).await
    }

    fn reads(&mut self) -> &mut dyn Snapshot {
        self.inner.reads()
    }

    async fn write(&mut self, changes: &Changes) -> Result<()> {
        self.inner.write(changes).await
    }

    async fn write_segments(&mut self, changes: &SegmentChanges) -> Result<bool> {
        self.inner.write_segments(changes).await
    }

    async fn commit(self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<()> {
        refuse(changes)?;
        self.inner.commit(time, changes).await
    }
}

fn refuse(changes: &Changes) -> Result<()> {
    let mut records = changes.added_records.iter().chain(&changes.records);
    if records.any(|record| record.key.key == REFUSED) {
        return Err(Error::Refused(SECRET.to_owned()));
    }
    Ok(())
}

struct FaultyAttempt {
    inner: Box<dyn Attempt>,
}

#[async_trait]
impl Attempt for FaultyAttempt {
    fn turn(&self) -> WriteTurn {
        self.inner.turn()
    }

    fn reads(&mut self) -> &mut dyn Snapshot {
        self.inner.reads()
    }

    async fn commit(self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<Committed> {
        refuse(changes)?;
        Ok(match self.inner.commit(time, changes).await? {
            Committed::NotNext(inner) => Committed::NotNext(Box::new(Self { inner })),
            Committed::Done => Committed::Done,
        })
    }

    async fn follow(self: Box<Self>) -> Result<Option<Box<dyn Attempt>>> {
        let inner = self.inner.follow().await?;
        Ok(inner.map(|inner| Box::new(Self { inner }) as Box<dyn Attempt>))
    }
}
