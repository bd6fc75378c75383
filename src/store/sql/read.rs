//! Reads: one autocommit statement each, so one snapshot, with nothing to clean up when the caller
//! goes away.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::identity::{MatchDecision, Spelling};
use profile_core::profile::StoredProfile;
use profile_core::records::{
    ContentHash, Identifier, ProfileId, Record, RecordKey, Sequence, TenantId, Timestamp,
};
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult, QueryResult, Statement};
use uuid::Uuid;

use super::entity::{RecordRow, document, membership, record_version};
use super::{SqlStore, matching, query, search};
use crate::store::{
    Activation, AsOf, BackfillProgress, Error, IdentityChange, IdentityChangePage, Match,
    MatchPair, MembershipChange, ModelVersion, QueuePage, Result, StoredDecision, StoredModel,
    StoredRequest, StoredStatement, TermHit, TermQuery,
};

impl SqlStore {
    pub(super) async fn rows(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.pools
            .reading(|db| async move { db.query_all_raw(statement).await })
            .await
    }

    pub(super) async fn read_profiles(
        &self,
        tenant: &TenantId,
        ids: &[ProfileId],
    ) -> Result<AsOf<Vec<Option<StoredProfile>>>> {
        let rows = self
            .rows(query::profiles(self.dialect, tenant, ids)?)
            .await?;
        collect(
            &rows,
            ids.len(),
            |place: &mut Option<StoredProfile>, row| {
                let record = record(row)?;
                if let Some(profile) = place {
                    profile.records.push(record);
                } else {
                    let update_time = Timestamp::from_micros(row.try_get("", "update_time")?);
                    let (id, revision) = (
                        ProfileId(row.try_get("", "profile_id")?),
                        row.try_get("", "revision")?,
                    );
                    *place = Some(StoredProfile {
                        id,
                        revision,
                        update_time,
                        records: vec![record],
                    });
                }
                Ok(())
            },
        )
    }

    pub(super) async fn read_by_identifiers(
        &self,
        tenant: &TenantId,
        identifiers: &[Identifier],
        limit: usize,
    ) -> Result<AsOf<Vec<Vec<ProfileId>>>> {
        let rows = self
            .rows(query::find_by_identifiers(
                self.dialect,
                tenant,
                identifiers,
                limit,
            )?)
            .await?;
        collect(
            &rows,
            identifiers.len(),
            |place: &mut Vec<ProfileId>, row| {
                let id: String = row.try_get("", "profile")?;
                place
                    .push(ProfileId(id.parse().map_err(|_| {
                        inconsistent("record", "profile_id", "no uuid")
                    })?));
                Ok(())
            },
        )
    }

    pub(super) async fn read_by_records(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
    ) -> Result<AsOf<Vec<Option<ProfileId>>>> {
        let rows = self
            .rows(query::find_by_records(self.dialect, tenant, records)?)
            .await?;
        collect(
            &rows,
            records.len(),
            |place: &mut Option<ProfileId>, row| {
                *place = row
                    .try_get::<Option<Uuid>>("", "profile_id")?
                    .map(ProfileId);
                Ok(())
            },
        )
    }

    pub(super) async fn read_by_terms(
        &self,
        tenant: &TenantId,
        query: &TermQuery,
    ) -> Result<Vec<TermHit>> {
        if query.words.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(search::find_by_terms(self.dialect, tenant, query)?)
            .await?;
        let hit = |row: &QueryResult| {
            let ways: Vec<String> = document(
                "record_term",
                "trait",
                "",
                &row.try_get::<String>("", "found")?,
            )?;
            let mut surest: BTreeMap<(&str, &str), Match> = BTreeMap::new();
            for (word, way, name) in ways.iter().filter_map(|way| search::told(way)) {
                let best = surest.entry((word, name)).or_insert(way);
                *best = way.min(*best);
            }
            let found: BTreeSet<(String, Match)> = surest
                .into_iter()
                .map(|((_, name), way)| (name.to_owned(), way))
                .collect();
            Ok(TermHit {
                profile: ProfileId(row.try_get("", "profile_id")?),
                found: found.into_iter().collect(),
            })
        };
        rows.iter().map(hit).collect()
    }

    pub(super) async fn read_words(
        &self,
        tenant: &TenantId,
        spelling: &Spelling,
        limit: usize,
    ) -> Result<Vec<String>> {
        if spelling.sound.is_none() && spelling.slips.is_none() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(search::find_words(self.dialect, tenant, spelling, limit))
            .await?;
        rows.iter()
            .map(|row| Ok(row.try_get("", "term")?))
            .collect()
    }

    pub(super) async fn read_statements(
        &self,
        tenant: &TenantId,
        key: &RecordKey,
    ) -> Result<Vec<StoredStatement>> {
        let rows = self
            .pools
            .reading(|db| async move { record_version::Entity::of(tenant, key).all(&db).await })
            .await?;
        rows.into_iter()
            .map(record_version::Model::into_statement)
            .collect()
    }

    pub(super) async fn read_memberships(
        &self,
        tenant: &TenantId,
        key: &RecordKey,
    ) -> Result<Vec<MembershipChange>> {
        let rows = self
            .pools
            .reading(|db| async move { membership::Entity::of(tenant, key).all(&db).await })
            .await?;
        Ok(rows.into_iter().map(MembershipChange::from).collect())
    }

    pub(super) async fn read_model(
        &self,
        tenant: &TenantId,
        version: Option<i64>,
    ) -> Result<Option<StoredModel>> {
        let rows = self
            .rows(query::model(self.dialect, tenant, version))
            .await?;
        rows.first().map(model).transpose()
    }

    pub(super) async fn read_models(
        &self,
        tenant: &TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<StoredModel>> {
        let rows = self
            .rows(query::list_models(self.dialect, tenant, before, limit))
            .await?;
        rows.iter().map(model).collect()
    }

    pub(super) async fn read_queue(
        &self,
        tenant: &TenantId,
        page: &QueuePage,
    ) -> Result<Vec<MatchPair>> {
        let rows = self
            .rows(matching::list_queue(self.dialect, tenant, page))
            .await?;
        rows.iter().map(pair).collect()
    }

    pub(super) async fn read_identity_changes(
        &self,
        tenant: &TenantId,
        page: &IdentityChangePage,
    ) -> Result<Vec<IdentityChange>> {
        let rows = self
            .rows(matching::list_identity_changes(self.dialect, tenant, page))
            .await?;
        rows.iter().map(identity_change).collect()
    }

    pub(super) async fn read_decisions(
        &self,
        tenant: &TenantId,
        after: Option<(Sequence, String)>,
        limit: usize,
    ) -> Result<Vec<StoredDecision>> {
        let rows = self
            .rows(matching::list_decisions(self.dialect, tenant, after, limit))
            .await?;
        rows.iter().map(decision).collect()
    }

    pub(super) async fn read_id(&self) -> Result<Uuid> {
        let row = self
            .pools
            .reading(|db| async move { super::entity::store_info::Entity::find().one(&db).await })
            .await?;
        Ok(row
            .ok_or_else(|| inconsistent("store_info", "id", "no row"))?
            .id)
    }
}

pub(super) fn inconsistent(table: &'static str, column: &'static str, what: &str) -> Error {
    Error::Inconsistent {
        table,
        column,
        key: "…".to_owned(),
        what: what.to_owned(),
    }
}

pub(super) fn record(row: &QueryResult) -> Result<Record> {
    RecordRow::from_query_result(row, "")?.into_record()
}

fn model(row: &QueryResult) -> Result<StoredModel> {
    let version = row.try_get("", "version")?;
    let model = ModelVersion {
        version,
        file: row.try_get("", "file")?,
        weights: row.try_get("", "weights")?,
        create_time: Timestamp::from_micros(row.try_get("", "create_time")?),
        note: row.try_get("", "note")?,
    };
    let (sequence, time): (Option<i64>, Option<i64>) = (
        row.try_get("", "sequence")?,
        row.try_get("", "activate_time")?,
    );
    let activation = sequence.zip(time).map(|(sequence, time)| Activation {
        version,
        sequence: Sequence(sequence),
        time: Timestamp::from_micros(time),
    });
    Ok(StoredModel { model, activation })
}

/// A record's key in two columns.
pub(super) fn record_key(row: &QueryResult, source: &str, key: &str) -> Result<RecordKey> {
    Ok(RecordKey {
        source: row.try_get("", source)?,
        key: row.try_get("", key)?,
    })
}

/// A pair, from whichever end.
pub(super) fn pair(row: &QueryResult) -> Result<MatchPair> {
    let (here, there) = (
        record_key(row, "source", "record_key")?,
        record_key(row, "other_source", "other_key")?,
    );
    let (left, right) = if here < there {
        (here, there)
    } else {
        (there, here)
    };
    let verdict: String = row.try_get("", "verdict")?;
    let weight: i64 = row.try_get("", "weight")?;
    let queued: i64 = row.try_get("", "queued")?;
    Ok(MatchPair {
        left,
        right,
        verdict: MatchDecision::parse(&verdict)
            .ok_or_else(|| inconsistent("match_pair", "verdict", "no verdict"))?,
        millibits: i32::try_from(weight)
            .map_err(|_| inconsistent("match_pair", "weight", "out of range"))?,
        queued: queued != 0,
    })
}

/// A decision.
pub(super) fn decision(row: &QueryResult) -> Result<StoredDecision> {
    let (id, body): (String, String) = (row.try_get("", "id")?, row.try_get("", "body")?);
    let stored: StoredDecision = document("decision", "body", &id, &body)?;
    let withdrawn: i64 = row.try_get("", "withdrawn")?;
    Ok(StoredDecision {
        sequence: Sequence(row.try_get("", "sequence")?),
        withdrawn: withdrawn != 0,
        ..stored
    })
}

/// A request.
pub(super) fn request(row: &QueryResult) -> Result<StoredRequest> {
    let content: Uuid = row.try_get("", "content_hash")?;
    Ok(StoredRequest {
        request_id: row.try_get("", "request_id")?,
        content: ContentHash(content.as_u128()),
        sequence: Sequence(row.try_get("", "sequence")?),
        answer: row.try_get("", "answer")?,
    })
}

/// How far counting has come.
pub(super) fn recount_progress(row: &QueryResult) -> Result<BackfillProgress> {
    let (records, done): (i64, i64) = (row.try_get("", "counted")?, row.try_get("", "done")?);
    Ok(BackfillProgress {
        definitions: row.try_get("", "definitions")?,
        position: record_key(row, "source", "record_key")?,
        records: u64::try_from(records)
            .map_err(|_| inconsistent("recount", "counted", "negative"))?,
        done: done != 0,
    })
}

/// A merge or a split.
pub(super) fn identity_change(row: &QueryResult) -> Result<IdentityChange> {
    let body: String = row.try_get("", "body")?;
    let change: IdentityChange = document("identity_change", "body", "", &body)?;
    let ordinal: i64 = row.try_get("", "ordinal")?;
    let ordinal = i32::try_from(ordinal)
        .map_err(|_| inconsistent("identity_change", "ordinal", "out of range"))?;
    Ok(IdentityChange {
        sequence: Sequence(row.try_get("", "sequence")?),
        ordinal,
        ..change
    })
}

/// The place of a row's question among those asked, from 0; none in the row that tells the sequence
/// alone.
pub(super) fn place(row: &QueryResult) -> Result<Option<usize>> {
    let ord: Option<i64> = row.try_get("", "ord")?;
    Ok(ord.and_then(|ord| usize::try_from(ord - 1).ok()))
}

/// Puts each row to the question that it answers. Every row tells the sequence and the model in
/// force.
pub(super) fn collect<T: Default>(
    rows: &[QueryResult],
    asked: usize,
    mut put: impl FnMut(&mut T, &QueryResult) -> Result<()>,
) -> Result<AsOf<Vec<T>>> {
    let mut value: Vec<T> = std::iter::repeat_with(T::default).take(asked).collect();
    let (mut sequence, mut model_version) = (Sequence::default(), 0);
    for row in rows {
        (sequence, model_version) = (
            Sequence(row.try_get("", "sequence")?),
            row.try_get("", "model_version")?,
        );
        if let Some(place) = place(row)?.and_then(|place| value.get_mut(place)) {
            put(place, row)?;
        }
    }
    Ok(AsOf {
        sequence,
        model_version,
        value,
    })
}
