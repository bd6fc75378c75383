//! Erasure in a database: within the transaction of its write, one statement a place.
//!
//! Identifiers, search terms, match keys and pairs have gone with the changes that go ahead, in
//! which the records are empty; here goes what they leave behind.

mod receipts;
mod traces;

use std::collections::{BTreeMap, BTreeSet};

use profile_core::records::{EventKey, Identifier, ObjectKey, ProfileId, RecordKey, Sequence};
use sea_orm::QueryResult;

use self::traces::Found;
use super::change::{decision_columns, identity_change_columns, json, key_columns};
use super::read::{decision, identity_change};
use super::statement::{Column, Dialect, Sql};
use super::write::SqlTransaction;
use crate::store::erasure::{redact_change, redact_decision};
use crate::store::{ErasedPlace, Erasure, IdentityChange, Result, StoredErasure};

type Columns = Vec<(&'static str, Column)>;
type Places = BTreeMap<ErasedPlace, u64>;

impl SqlTransaction {
    /// Serves [`Transaction::erase`](crate::store::Transaction::erase).
    pub(super) async fn erase_records(&mut self, erasure: &Erasure) -> Result<StoredErasure> {
        let erased: BTreeSet<RecordKey> = erasure.records.iter().cloned().collect();
        let mut found = self.find_traces(&erased).await?;
        found.carried.insert(erasure.receipt.profile);
        let profiles = self.gone_profiles(&found.carried).await?;
        let mut places = Places::new();
        self.erase_events(&erased, &found, &mut places).await?;
        self.erase_states(&erased, &found, &mut places).await?;
        self.erase_decisions(&erased, &mut places).await?;
        self.erase_identity_changes((&erased, &profiles), &found, &mut places)
            .await?;
        self.erase_profiles(&profiles, &mut places).await?;
        let mut receipt = erasure.receipt.clone();
        receipt.sequence = self.turn.sequence;
        receipt.places = places.into_iter().filter(|(_, rows)| *rows > 0).collect();
        self.keep_erasure(erasure, &receipt).await?;
        Ok(receipt)
    }

    async fn erase_events(
        &mut self,
        erased: &BTreeSet<RecordKey>,
        found: &Found,
        places: &mut Places,
    ) -> Result<()> {
        let keys = || {
            let text = |part: fn(&EventKey) -> &str| Column::text(found.events.iter().map(part));
            vec![
                ("source", text(|key| &key.source)),
                ("event_id", text(|key| &key.event_id)),
            ]
        };
        self.delete("event_object", object_columns(&found.objects))
            .await?;
        let corrections = self.delete("event_correction", keys()).await?;
        let mut events = self.delete("event", keys()).await?;
        events += self.delete("event_history", keys()).await?;
        // Former states of events that are another customer's now.
        events += self.delete("event_history", event_home(erased)).await?;
        places.insert(ErasedPlace::Events, events);
        places.insert(ErasedPlace::Corrections, corrections);
        Ok(())
    }

    /// Records, what was said of them, and their history.
    async fn erase_states(
        &mut self,
        erased: &BTreeSet<RecordKey>,
        found: &Found,
        places: &mut Places,
    ) -> Result<()> {
        let keys = || key_columns(erased.iter());
        places.insert(ErasedPlace::Records, self.delete("record", keys()).await?);
        let statements = self.delete("record_version", keys()).await?;
        places.insert(ErasedPlace::Statements, statements);
        let memberships = self.delete("membership", keys()).await?;
        places.insert(ErasedPlace::Memberships, memberships);
        let states = self.delete("record_history", keys()).await?;
        let held = found.identifiers.iter();
        let text =
            |part: fn(&(Identifier, RecordKey)) -> &str| Column::text(held.clone().map(part));
        let identifiers = vec![
            ("type", text(|(held, _)| &held.kind)),
            ("value", text(|(held, _)| &held.value)),
            ("source", text(|(_, record)| &record.source)),
            ("record_key", text(|(_, record)| &record.key)),
        ];
        let held = self.delete("identifier_history", identifiers).await?;
        *places.entry(ErasedPlace::History).or_default() += states + held;
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(self.tenant.as_str());
        let asked = sql.rows("asked", keys())?;
        self.execute(sql.statement(format!(
            "UPDATE recount SET source = '', record_key = '' WHERE tenant = {tenant} AND EXISTS \
             (SELECT 1 FROM {asked} WHERE asked.source = recount.source AND asked.record_key = recount.record_key)"
        )))
        .await?;
        Ok(())
    }

    async fn erase_decisions(
        &mut self,
        erased: &BTreeSet<RecordKey>,
        places: &mut Places,
    ) -> Result<()> {
        let about = self
            .select(
                "decision_record",
                "t.decision_id",
                key_columns(erased.iter()),
            )
            .await?;
        let ids: Vec<String> = about
            .iter()
            .map(|row| row.try_get("", "decision_id"))
            .collect::<std::result::Result<_, _>>()?;
        let by_id =
            |ids: &BTreeSet<String>| vec![("id", Column::text(ids.iter().map(String::as_str)))];
        let ids: BTreeSet<String> = ids.into_iter().collect();
        let rows = self
            .select(
                "decision",
                "t.id, t.sequence, t.withdrawn, t.body",
                by_id(&ids),
            )
            .await?;
        let named: Vec<_> = rows.iter().map(decision).collect::<Result<_>>()?;
        let kept: Vec<_> = named
            .iter()
            .filter_map(|stored| redact_decision(stored, erased))
            .collect();
        let is_kept = |id: &String| kept.iter().any(|stored| stored.decision.id == *id);
        let gone: BTreeSet<String> = ids.iter().filter(|id| !is_kept(id)).cloned().collect();
        let mut bodies = decision_columns(&kept)?;
        bodies.retain(|(name, _)| matches!(*name, "id" | "body"));
        self.replace_bodies("decision", &["id"], bodies).await?;
        let mut sides: Vec<(RecordKey, String)> = Vec::new();
        for stored in &named {
            let records = stored.decision.left.iter().chain(&stored.decision.right);
            let going =
                records.filter(|it| erased.contains(*it) || gone.contains(&stored.decision.id));
            sides.extend(going.map(|record| (record.clone(), stored.decision.id.clone())));
        }
        let mut columns = key_columns(sides.iter().map(|(record, _)| record));
        columns.push((
            "decision_id",
            Column::text(sides.iter().map(|(_, id)| id.as_str())),
        ));
        self.delete("decision_record", columns).await?;
        self.delete("decision", by_id(&gone)).await?;
        let requests = self.erase_requests(erased).await?;
        places.insert(ErasedPlace::Decisions, named.len() as u64 + requests);
        Ok(())
    }

    /// Answers to requests that name one of the records, by a look at all.
    async fn erase_requests(&mut self, erased: &BTreeSet<RecordKey>) -> Result<u64> {
        let keys: Vec<String> = erased.iter().map(json).collect::<Result<_>>()?;
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(self.tenant.as_str());
        let named = sql.rows("named", vec![("name", Column::Text(keys))])?;
        let position = match self.dialect {
            Dialect::Postgres => "strpos",
            Dialect::Sqlite => "instr",
        };
        let statement = sql.statement(format!(
            "DELETE FROM request WHERE tenant = {tenant} AND EXISTS \
             (SELECT 1 FROM {named} WHERE {position}(request.answer, named.name) > 0)"
        ));
        self.execute(statement).await
    }

    async fn erase_identity_changes(
        &mut self,
        (erased, profiles): (&BTreeSet<RecordKey>, &BTreeSet<ProfileId>),
        found: &Found,
        places: &mut Places,
    ) -> Result<()> {
        let columns = "t.profile_id, t.sequence, t.ordinal, t.body";
        let by_profile = vec![(
            "profile_id",
            Column::Id(found.profiles.iter().map(|id| id.0).collect()),
        )];
        let by_write = vec![
            (
                "sequence",
                Column::Int(found.writes.iter().copied().collect()),
            ),
            ("main", Column::Int(vec![1; found.writes.len()])),
        ];
        let mut changes: BTreeMap<(Sequence, i32), IdentityChange> = BTreeMap::new();
        for asked in [by_profile, by_write] {
            for row in self.select("identity_change", columns, asked).await? {
                let change = identity_change(&row)?;
                changes.insert((change.sequence, change.ordinal), change);
            }
        }
        let (mut gone, mut kept) = (Vec::new(), Vec::new());
        for change in changes.into_values() {
            match redact_change(&change, erased, profiles) {
                None => gone.push(change),
                Some(redacted) if redacted != change => kept.push(redacted),
                Some(_) => {}
            }
        }
        let key = ["profile_id", "sequence", "ordinal"];
        let mut columns = identity_change_columns(&gone)?;
        columns.retain(|(name, _)| key.contains(name));
        self.delete("identity_change", columns).await?;
        let mut columns = identity_change_columns(&kept)?;
        columns.retain(|(name, _)| key.contains(name) || *name == "body");
        self.replace_bodies("identity_change", &key, columns)
            .await?;
        places.insert(ErasedPlace::IdentityChanges, gone.len() as u64);
        Ok(())
    }

    /// The past of profiles, and their stays in segments. A job that is about to write segments has
    /// to compute them anew.
    async fn erase_profiles(
        &mut self,
        profiles: &BTreeSet<ProfileId>,
        places: &mut Places,
    ) -> Result<()> {
        let by = |name| vec![(name, Column::Id(profiles.iter().map(|id| id.0).collect()))];
        let states = self.delete("profile_history", by("id")).await?;
        *places.entry(ErasedPlace::History).or_default() += states;
        self.delete("profile", by("id")).await?;
        let stays = self.delete("segment_member", by("profile_id")).await?;
        places.insert(ErasedPlace::Segments, stays);
        self.delete("segment_due", by("profile_id")).await?;
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(self.tenant.as_str());
        let statement = sql.statement(format!(
            "UPDATE segment_progress SET revision = revision + 1 WHERE tenant = {tenant}"
        ));
        self.execute(statement).await?;
        Ok(())
    }

    /// Rows of a table by a part of their key.
    pub(super) async fn select(
        &mut self,
        table: &str,
        columns: &str,
        asked: Columns,
    ) -> Result<Vec<QueryResult>> {
        if asked.first().is_none_or(|(_, column)| column.is_empty()) {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(self.tenant.as_str());
        let same: Vec<String> = asked
            .iter()
            .map(|(name, _)| format!("t.{name} = asked.{name}"))
            .collect();
        let asked = sql.rows("asked", asked)?;
        let condition = format!("t.tenant = {tenant} AND {}", same.join(" AND "));
        let found = self.dialect.look_up(table, "t", &condition);
        let statement = sql.statement(format!("SELECT {columns} FROM {asked} {found}"));
        self.rows(statement).await
    }

    /// Deletes the rows of a table by a part of their key. Answers how many.
    async fn delete(&mut self, table: &str, key: Columns) -> Result<u64> {
        if key.first().is_none_or(|(_, column)| column.is_empty()) {
            return Ok(0);
        }
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(self.tenant.as_str());
        let names: Vec<&str> = key.iter().map(|(name, _)| *name).collect();
        let removed = sql.rows("removed", key)?;
        let text = self.dialect.delete(table, &tenant, &names, &removed);
        self.execute(sql.statement(text)).await
    }

    /// Puts other bodies into rows of a table.
    async fn replace_bodies(&mut self, table: &str, key: &[&str], columns: Columns) -> Result<()> {
        if columns.first().is_none_or(|(_, column)| column.is_empty()) {
            return Ok(());
        }
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(self.tenant.as_str());
        let same: Vec<String> = key
            .iter()
            .map(|name| format!("{table}.{name} = put.{name}"))
            .collect();
        let put = sql.rows("put", columns)?;
        let statement = sql.statement(format!(
            "UPDATE {table} SET body = put.body FROM {put} WHERE {table}.tenant = {tenant} AND {}",
            same.join(" AND ")
        ));
        self.execute(statement).await?;
        Ok(())
    }
}

fn event_home(records: &BTreeSet<RecordKey>) -> Columns {
    let text = |part: fn(&RecordKey) -> &str| Column::text(records.iter().map(part));
    vec![
        ("record_key", text(|record| &record.key)),
        ("record_source", text(|record| &record.source)),
    ]
}

fn object_columns(objects: &BTreeSet<(ObjectKey, RecordKey)>) -> Columns {
    let text = |part: fn(&(ObjectKey, RecordKey)) -> &str| Column::text(objects.iter().map(part));
    vec![
        ("kind", text(|(object, _)| &object.kind)),
        ("object_id", text(|(object, _)| &object.id)),
        ("record_source", text(|(_, record)| &record.source)),
        ("record_key", text(|(_, record)| &record.key)),
    ]
}
