//! The traces of records: whatever names them, looked up before it goes.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::records::{
    Event, EventKey, Identifier, ObjectKey, ProfileId, ProfileState, Record, RecordKey,
};
use sea_orm::QueryResult;
use uuid::Uuid;

use super::event_home;
use crate::store::sql::change::key_columns;
use crate::store::sql::entity::document;
use crate::store::sql::read::record_key;
use crate::store::sql::statement::Column;
use crate::store::sql::write::SqlTransaction;
use crate::store::{Result, Snapshot};

/// The traces of records.
#[derive(Default)]
pub(super) struct Found {
    /// Writes that concerned them.
    pub(super) writes: BTreeSet<i64>,
    /// Ids of profiles that they carried: nobody else's.
    pub(super) carried: BTreeSet<ProfileId>,
    /// Profiles that they were in.
    pub(super) profiles: BTreeSet<ProfileId>,
    /// All identifiers that they ever held.
    pub(super) identifiers: BTreeSet<(Identifier, RecordKey)>,
    /// Their events, and those that were theirs and are nobody's now.
    pub(super) events: BTreeSet<EventKey>,
    /// Events that were theirs in some state.
    former: BTreeSet<EventKey>,
    /// The objects that their events name.
    pub(super) objects: BTreeSet<(ObjectKey, RecordKey)>,
}

impl SqlTransaction {
    /// Looks up what is to go, or leads to what is to go.
    pub(super) async fn find_traces(&mut self, erased: &BTreeSet<RecordKey>) -> Result<Found> {
        let mut found = Found::default();
        for (table, columns) in [
            ("record_version", "t.sequence AS number"),
            ("membership", "t.sequence AS number, t.profile_id"),
            ("record", "t.since AS number, t.profile_id, t.body"),
            (
                "record_history",
                "t.since AS number, t.until, t.profile_id, t.body",
            ),
        ] {
            for row in self
                .select(table, columns, key_columns(erased.iter()))
                .await?
            {
                found.writes.insert(row.try_get("", "number")?);
                if table != "record_version" {
                    let profile: Option<Uuid> = row.try_get("", "profile_id")?;
                    found.profiles.extend(profile.map(ProfileId));
                }
                if table.starts_with("record") && table != "record_version" {
                    found.state(&row)?;
                }
                if table == "record_history" {
                    found.writes.insert(row.try_get("", "until")?);
                }
            }
        }
        for table in ["event", "event_history"] {
            let columns =
                "t.source, t.event_id, t.record_source, t.record_key, t.since AS number, t.body";
            for row in self.select(table, columns, event_home(erased)).await? {
                found.event(table == "event", &row)?;
            }
        }
        // Events that were taken back are nobody's.
        let former = Vec::from_iter(found.former.clone());
        let kept = self.kept_events(&former).await?;
        let nobodys = kept
            .iter()
            .filter(|kept| kept.event.as_ref().and_then(Event::home).is_none());
        found.events.extend(nobodys.map(|kept| kept.key.clone()));
        Ok(found)
    }

    /// Those of some profiles that are deleted, and those that redirect to them: nobody else's.
    pub(super) async fn gone_profiles(
        &mut self,
        ids: &BTreeSet<ProfileId>,
    ) -> Result<BTreeSet<ProfileId>> {
        let rows = self.profile_rows(&Vec::from_iter(ids.clone())).await?;
        let deleted = rows
            .iter()
            .filter(|row| row.state == ProfileState::Deleted)
            .map(|row| row.id);
        let mut gone: BTreeSet<ProfileId> = deleted.collect();
        let redirects = rows
            .iter()
            .filter(|row| matches!(row.state, ProfileState::MergedInto(id) if gone.contains(&id)))
            .map(|row| row.id);
        let redirects: Vec<ProfileId> = redirects.collect();
        gone.extend(redirects);
        Ok(gone)
    }

    /// Serves [`Snapshot::former_members`], by `record_history_by_profile` and
    /// `record_history_pk`.
    pub(in crate::store::sql) async fn find_former_members(
        &mut self,
        profiles: &[ProfileId],
    ) -> Result<Vec<Record>> {
        let asked = vec![(
            "profile_id",
            Column::Id(profiles.iter().map(|id| id.0).collect()),
        )];
        let columns = "t.source, t.record_key";
        let rows = self.select("record_history", columns, asked).await?;
        let keys: BTreeSet<RecordKey> = rows
            .iter()
            .map(|row| record_key(row, "source", "record_key"))
            .collect::<Result<_>>()?;
        let mut gone = self.records(&Vec::from_iter(keys)).await?;
        gone.retain(|record| record.membership.profile.is_none());
        let columns = "t.source, t.record_key, t.until, t.profile_id";
        let keys = key_columns(gone.iter().map(|record| &record.key));
        let mut last: BTreeMap<RecordKey, (i64, Uuid)> = BTreeMap::new();
        for row in self.select("record_history", columns, keys).await? {
            let profile: Option<Uuid> = row.try_get("", "profile_id")?;
            let Some(profile) = profile else { continue };
            let state = (row.try_get("", "until")?, profile);
            let last = last
                .entry(record_key(&row, "source", "record_key")?)
                .or_insert(state);
            *last = state.max(*last);
        }
        let is_theirs = |record: &Record| {
            let home = last.get(&record.key).map(|(_, home)| ProfileId(*home));
            home.is_some_and(|home| profiles.contains(&home))
        };
        gone.retain(is_theirs);
        Ok(gone)
    }
}

impl Found {
    /// A state of a record.
    fn state(&mut self, row: &QueryResult) -> Result<()> {
        let body: String = row.try_get("", "body")?;
        let record: Record = document("record", "body", "", &body)?;
        let carried = record.membership.carries.iter().map(|carried| carried.id);
        self.carried.extend(carried);
        let held = record.postings().map(|held| (held, record.key.clone()));
        self.identifiers.extend(held);
        Ok(())
    }

    /// A state of an event: the one that holds, or a former one.
    fn event(&mut self, holds: bool, row: &QueryResult) -> Result<()> {
        self.writes.insert(row.try_get("", "number")?);
        let key = EventKey {
            source: row.try_get("", "source")?,
            event_id: row.try_get("", "event_id")?,
        };
        let body: String = row.try_get("", "body")?;
        if !body.is_empty() {
            let home = record_key(row, "record_source", "record_key")?;
            let event: Event = document("event", "body", &key.source, &body)?;
            let objects = event.meaning.objects();
            let named = objects.map(|(object, _)| (object.clone(), home.clone()));
            self.objects.extend(named);
        }
        let keys = if holds {
            &mut self.events
        } else {
            &mut self.former
        };
        keys.insert(key);
        Ok(())
    }
}
