//! Publications in a database. Each method is one statement.

use async_trait::async_trait;
use profile_core::records::{Sequence, TenantId, Timestamp};
use sea_orm::QueryResult;

use super::SqlStore;
use super::statement::{Column, Sql};
use crate::store::{
    ChangeKey, DeadLetter, DeadLetterPage, Lease, Mark, Progress, Publications, Result,
    StoredPublication,
};

#[async_trait]
impl Publications for SqlStore {
    async fn list_publications(&self, tenant: &TenantId) -> Result<Vec<StoredPublication>> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(tenant.as_str());
        let statement = sql.statement(format!(
            "SELECT p.name, p.sequence, p.changes, p.lease_owner, p.lease_beat, p.failures, p.last_error, \
             (SELECT COUNT(*) FROM dead_letter AS d WHERE d.tenant = p.tenant AND d.publication = p.name) AS dead_letters \
             FROM publication AS p WHERE p.tenant = {tenant} ORDER BY p.name"
        ));
        self.rows(statement)
            .await?
            .iter()
            .map(publication)
            .collect()
    }

    async fn begin_publication(&self, tenant: &TenantId, name: &str, mark: Mark) -> Result<()> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, name) = (sql.bind(tenant.as_str()), sql.bind(name));
        let (sequence, changes) = (sql.bind(mark.sequence.0), sql.bind(mark.changes));
        let statement = sql.statement(format!(
            "INSERT INTO publication (tenant, name, sequence, changes, lease_owner, lease_beat, failures, last_error) \
             VALUES ({tenant}, {name}, {sequence}, {changes}, '', 0, 0, '') ON CONFLICT (tenant, name) DO NOTHING"
        ));
        self.write_rows(statement).await.map(drop)
    }

    async fn take_lease(
        &self,
        tenant: &TenantId,
        name: &str,
        seen: &Lease,
        owner: &str,
    ) -> Result<bool> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, name, owner) = (sql.bind(tenant.as_str()), sql.bind(name), sql.bind(owner));
        let (seen_owner, seen_beat) = (sql.bind(seen.owner.as_str()), sql.bind(seen.beat));
        let statement = sql.statement(format!(
            "UPDATE publication SET lease_owner = {owner}, lease_beat = lease_beat + 1 \
             WHERE tenant = {tenant} AND name = {name} AND lease_owner = {seen_owner} AND lease_beat = {seen_beat}"
        ));
        Ok(self.write_rows(statement).await? > 0)
    }

    async fn record_progress(
        &self,
        tenant: &TenantId,
        name: &str,
        owner: &str,
        progress: &Progress,
    ) -> Result<bool> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, name, owner) = (sql.bind(tenant.as_str()), sql.bind(name), sql.bind(owner));
        let (sequence, changes) = (
            sql.bind(progress.mark.sequence.0),
            sql.bind(progress.mark.changes),
        );
        let (failures, error) = (
            sql.bind(progress.failures),
            sql.bind(progress.last_error.as_str()),
        );
        let statement = sql.statement(format!(
            "UPDATE publication SET sequence = {sequence}, changes = {changes}, failures = {failures}, \
             last_error = {error}, lease_beat = lease_beat + 1 \
             WHERE tenant = {tenant} AND name = {name} AND lease_owner = {owner}"
        ));
        Ok(self.write_rows(statement).await? > 0)
    }

    async fn release_lease(&self, tenant: &TenantId, name: &str, owner: &str) -> Result<()> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, name, owner) = (sql.bind(tenant.as_str()), sql.bind(name), sql.bind(owner));
        let statement = sql.statement(format!(
            "UPDATE publication SET lease_owner = '', lease_beat = lease_beat + 1 \
             WHERE tenant = {tenant} AND name = {name} AND lease_owner = {owner}"
        ));
        self.write_rows(statement).await.map(drop)
    }

    async fn reset_publication(&self, tenant: &TenantId, name: &str, mark: Mark) -> Result<bool> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, name) = (sql.bind(tenant.as_str()), sql.bind(name));
        let (sequence, changes) = (sql.bind(mark.sequence.0), sql.bind(mark.changes));
        let statement = sql.statement(format!(
            "UPDATE publication SET sequence = {sequence}, changes = {changes}, failures = 0, last_error = '', \
             lease_owner = '', lease_beat = lease_beat + 1 WHERE tenant = {tenant} AND name = {name}"
        ));
        Ok(self.write_rows(statement).await? > 0)
    }

    async fn record_dead_letter(
        &self,
        tenant: &TenantId,
        name: &str,
        letter: &DeadLetter,
    ) -> Result<()> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, name) = (sql.bind(tenant.as_str()), sql.bind(name));
        let (sequence, change) = (sql.bind(letter.key.sequence.0), sql.bind(letter.key.change));
        let (time, attempts) = (sql.bind(letter.time.as_micros()), sql.bind(letter.attempts));
        let replay = sql.bind(i64::from(letter.replay));
        let (reason, payload) = (
            sql.bind(letter.reason.as_str()),
            sql.bind(letter.payload.as_str()),
        );
        let statement = sql.statement(format!(
            "INSERT INTO dead_letter (tenant, publication, sequence, change, time, attempts, replay, reason, payload) \
             VALUES ({tenant}, {name}, {sequence}, {change}, {time}, {attempts}, {replay}, {reason}, {payload}) \
             ON CONFLICT (tenant, publication, sequence, change) DO UPDATE SET time = excluded.time, \
             attempts = excluded.attempts, replay = excluded.replay, reason = excluded.reason, payload = excluded.payload"
        ));
        self.write_rows(statement).await.map(drop)
    }

    async fn list_dead_letters(
        &self,
        tenant: &TenantId,
        name: &str,
        page: DeadLetterPage,
    ) -> Result<Vec<DeadLetter>> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, name) = (sql.bind(tenant.as_str()), sql.bind(name));
        let after = page.after.unwrap_or(ChangeKey {
            sequence: Sequence(-1),
            change: -1,
        });
        let (sequence, change) = (sql.bind(after.sequence.0), sql.bind(after.change));
        let limit = sql.limit(page.limit);
        let only = if page.to_replay {
            "AND replay = 1 "
        } else {
            ""
        };
        let statement = sql.statement(format!(
            "SELECT sequence, change, time, attempts, replay, reason, payload FROM dead_letter \
             WHERE tenant = {tenant} AND publication = {name} AND (sequence, change) > ({sequence}, {change}) {only}\
             ORDER BY sequence, change LIMIT {limit}"
        ));
        self.rows(statement)
            .await?
            .iter()
            .map(dead_letter)
            .collect()
    }

    async fn replay_dead_letters(
        &self,
        tenant: &TenantId,
        name: &str,
        keys: Option<&[ChangeKey]>,
    ) -> Result<u64> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, name) = (sql.bind(tenant.as_str()), sql.bind(name));
        let named = match keys {
            None => String::new(),
            Some(keys) => {
                let sequences = keys.iter().map(|key| key.sequence.0).collect();
                let changes = keys.iter().map(|key| key.change).collect();
                let columns = vec![
                    ("sequence", Column::Int(sequences)),
                    ("change", Column::Int(changes)),
                ];
                format!(
                    " AND (sequence, change) IN (SELECT sequence, change FROM {})",
                    sql.rows("named", columns)?
                )
            }
        };
        let statement = sql.statement(format!(
            "UPDATE dead_letter SET replay = 1 WHERE tenant = {tenant} AND publication = {name}{named}"
        ));
        self.write_rows(statement).await
    }

    async fn remove_dead_letter(
        &self,
        tenant: &TenantId,
        name: &str,
        key: ChangeKey,
    ) -> Result<()> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, name) = (sql.bind(tenant.as_str()), sql.bind(name));
        let (sequence, change) = (sql.bind(key.sequence.0), sql.bind(key.change));
        let statement = sql.statement(format!(
            "DELETE FROM dead_letter WHERE tenant = {tenant} AND publication = {name} AND sequence = {sequence} \
             AND change = {change}"
        ));
        self.write_rows(statement).await.map(drop)
    }
}

fn publication(row: &QueryResult) -> Result<StoredPublication> {
    let mark = Mark {
        sequence: Sequence(row.try_get("", "sequence")?),
        changes: row.try_get("", "changes")?,
    };
    Ok(StoredPublication {
        name: row.try_get("", "name")?,
        lease: Lease {
            owner: row.try_get("", "lease_owner")?,
            beat: row.try_get("", "lease_beat")?,
        },
        progress: Progress {
            mark,
            failures: row.try_get("", "failures")?,
            last_error: row.try_get("", "last_error")?,
        },
        dead_letters: row.try_get("", "dead_letters")?,
    })
}

fn dead_letter(row: &QueryResult) -> Result<DeadLetter> {
    Ok(DeadLetter {
        key: ChangeKey {
            sequence: Sequence(row.try_get("", "sequence")?),
            change: row.try_get("", "change")?,
        },
        time: Timestamp::from_micros(row.try_get("", "time")?),
        attempts: row.try_get("", "attempts")?,
        replay: row.try_get::<i64>("", "replay")? != 0,
        reason: row.try_get("", "reason")?,
        payload: row.try_get("", "payload")?,
    })
}
