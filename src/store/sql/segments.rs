//! Segments in a database. A write is one transaction, which begins with the revision of the index;
//! all else is one statement.

use async_trait::async_trait;
use profile_core::records::{ProfileId, Sequence, TenantId, Timestamp};
use sea_orm::{QueryResult, Statement};

use super::SqlStore;
use super::statement::{Column, Dialect, Sql};
use super::write::SqlTransaction;
use crate::store::{
    LogPosition, Result, SegmentChanges, SegmentIndex, SegmentMember, SegmentProgress,
};

/// Stands for no exit.
const STILL: i64 = i64::MAX;

fn ids(profiles: &[ProfileId]) -> Vec<(&'static str, Column)> {
    vec![(
        "profile_id",
        Column::Id(profiles.iter().map(|id| id.0).collect()),
    )]
}

/// Serves [`SegmentIndex::memberships`], by `segment_member_pk`.
pub(super) fn memberships(
    dialect: Dialect,
    tenant: &TenantId,
    profiles: &[ProfileId],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", ids(profiles))?;
    let member = dialect.look_up(
        "segment_member",
        "m",
        &format!("m.tenant = {tenant} AND m.profile_id = asked.profile_id"),
    );
    Ok(sql.statement(format!(
        "SELECT m.profile_id, m.segment, m.enter_time, m.exit_time FROM {asked} {member} \
         ORDER BY m.profile_id, m.segment, m.enter_time"
    )))
}

/// Serves [`SegmentIndex::list_members`], by `segment_member_by_segment` and `profile_pk`.
pub(super) fn list_members(
    dialect: Dialect,
    tenant: &TenantId,
    segment: &str,
    after: Option<ProfileId>,
    limit: usize,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, segment) = (sql.bind(tenant.as_str()), sql.bind(segment));
    let (after, limit) = (
        sql.bind(after.map_or(uuid::Uuid::nil(), |id| id.0)),
        sql.limit(limit),
    );
    // Of its own accord SQLite goes through all memberships of the tenant.
    let index = match dialect {
        Dialect::Sqlite => "INDEXED BY segment_member_by_segment ",
        Dialect::Postgres => "",
    };
    sql.statement(format!(
        "SELECT m.profile_id, m.segment, m.enter_time, m.exit_time FROM segment_member AS m {index}\
         WHERE m.tenant = {tenant} AND m.segment = {segment} AND m.member = 1 AND m.profile_id > {after} \
         AND EXISTS (SELECT 1 FROM profile AS p WHERE p.tenant = m.tenant AND p.id = m.profile_id \
         AND p.merged_into IS NULL AND p.deleted = 0) ORDER BY m.profile_id LIMIT {limit}"
    ))
}

/// Serves [`SegmentIndex::list_due`], by `segment_due_by_time`.
pub(super) fn list_due(
    dialect: Dialect,
    tenant: &TenantId,
    until: Timestamp,
    limit: usize,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, until, limit) = (
        sql.bind(tenant.as_str()),
        sql.bind(until.as_micros()),
        sql.limit(limit),
    );
    sql.statement(format!(
        "SELECT profile_id, due FROM segment_due WHERE tenant = {tenant} AND due <= {until} \
         ORDER BY due, profile_id LIMIT {limit}"
    ))
}

/// Serves [`SegmentIndex::list_profiles`], by `profile_pk`.
pub(super) fn list_profiles(
    dialect: Dialect,
    tenant: &TenantId,
    after: Option<ProfileId>,
    limit: usize,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let (after, limit) = (
        sql.bind(after.map_or(uuid::Uuid::nil(), |id| id.0)),
        sql.limit(limit),
    );
    sql.statement(format!(
        "SELECT id FROM profile WHERE tenant = {tenant} AND id > {after} AND merged_into IS NULL AND deleted = 0 \
         ORDER BY id LIMIT {limit}"
    ))
}

/// The first statement of a write: takes the index one revision on, if it is where it was.
fn advance(dialect: Dialect, tenant: &TenantId, progress: &SegmentProgress) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let numbers = [
        progress.revision,
        progress.model_version,
        progress.log.sequence.0,
        progress.log.part.into(),
        i64::from(progress.built),
    ];
    let [revision, model, sequence, part, built] = numbers.map(|number| sql.bind(number));
    let position = sql.bind(progress.position.0);
    if progress.revision == 1 {
        return sql.statement(format!(
            "INSERT INTO segment_progress (tenant, revision, model_version, sequence, part, position, built) \
             VALUES ({tenant}, {revision}, {model}, {sequence}, {part}, {position}, {built}) ON CONFLICT (tenant) DO NOTHING"
        ));
    }
    sql.statement(format!(
        "UPDATE segment_progress SET revision = {revision}, model_version = {model}, sequence = {sequence}, part = {part}, \
         position = {position}, built = {built} WHERE tenant = {tenant} AND revision = {revision} - 1"
    ))
}

impl SqlTransaction {
    /// Serves [`Transaction::write_segments`](crate::store::Transaction::write_segments).
    pub(super) async fn replace_segments(&mut self, changes: &SegmentChanges) -> Result<bool> {
        let first = advance(self.dialect, &self.tenant, &changes.progress);
        let rest = replace(self.dialect, &self.tenant, changes)?;
        if self.execute(first).await? == 0 {
            return Ok(false);
        }
        for statement in rest {
            self.execute(statement).await?;
        }
        Ok(true)
    }
}

/// The rest of a write.
fn replace(
    dialect: Dialect,
    tenant: &TenantId,
    changes: &SegmentChanges,
) -> Result<Vec<Statement>> {
    let mut statements = Vec::new();
    if changes.profiles.is_empty() {
        return Ok(statements);
    }
    for table in ["segment_member", "segment_due"] {
        let mut sql = Sql::new(dialect);
        let whose = sql.bind(tenant.as_str());
        let removed = sql.rows("removed", ids(&changes.profiles))?;
        let text = dialect.delete(table, &whose, &["profile_id"], &removed);
        statements.push(sql.statement(text));
    }
    let members = &changes.members;
    let mut columns = ids(&members
        .iter()
        .map(|member| member.profile)
        .collect::<Vec<_>>());
    let exit = |member: &SegmentMember| member.exit_time.map_or(STILL, Timestamp::as_micros);
    columns.extend([
        (
            "segment",
            Column::text(members.iter().map(|member| member.segment.as_str())),
        ),
        (
            "member",
            Column::Int(
                members
                    .iter()
                    .map(|member| member.exit_time.is_none().into())
                    .collect(),
            ),
        ),
        (
            "enter_time",
            Column::Int(
                members
                    .iter()
                    .map(|member| member.enter_time.as_micros())
                    .collect(),
            ),
        ),
        ("exit_time", Column::Int(members.iter().map(exit).collect())),
    ]);
    let mut due = ids(&changes.due.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    due.push((
        "due",
        Column::Int(changes.due.iter().map(|(_, due)| due.as_micros()).collect()),
    ));
    for (table, columns) in [("segment_member", columns), ("segment_due", due)] {
        let names = columns
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ");
        let mut sql = Sql::new(dialect);
        let whose = sql.bind(tenant.as_str());
        let added = sql.rows("added", columns)?;
        statements.push(sql.statement(format!(
            "INSERT INTO {table} (tenant, {names}) SELECT {whose}, {names} FROM {added}"
        )));
    }
    Ok(statements)
}

#[async_trait]
impl SegmentIndex for SqlStore {
    async fn segment_progress(&self, tenant: &TenantId) -> Result<Option<SegmentProgress>> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(tenant.as_str());
        let statement = sql.statement(format!(
            "SELECT revision, model_version, sequence, part, position, built FROM segment_progress WHERE tenant = {tenant}"
        ));
        self.rows(statement)
            .await?
            .first()
            .map(progress)
            .transpose()
    }

    async fn write_segments(&self, tenant: &TenantId, changes: &SegmentChanges) -> Result<bool> {
        let advance = advance(self.dialect, tenant, &changes.progress);
        let rest = replace(self.dialect, tenant, changes)?;
        Ok(self.write_all(advance, rest).await? > 0)
    }

    async fn memberships(
        &self,
        tenant: &TenantId,
        profiles: &[ProfileId],
    ) -> Result<Vec<SegmentMember>> {
        if profiles.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(memberships(self.dialect, tenant, profiles)?)
            .await?;
        rows.iter().map(member).collect()
    }

    async fn list_due(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ProfileId, Timestamp)>> {
        let rows = self
            .rows(list_due(self.dialect, tenant, until, limit))
            .await?;
        let due = |row: &QueryResult| {
            Ok((
                ProfileId(row.try_get("", "profile_id")?),
                Timestamp::from_micros(row.try_get("", "due")?),
            ))
        };
        rows.iter().map(due).collect()
    }

    async fn list_members(
        &self,
        tenant: &TenantId,
        segment: &str,
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<SegmentMember>> {
        let rows = self
            .rows(list_members(self.dialect, tenant, segment, after, limit))
            .await?;
        rows.iter().map(member).collect()
    }

    async fn count_members(&self, tenant: &TenantId) -> Result<Vec<(String, u64)>> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(tenant.as_str());
        let statement = sql.statement(format!(
            "SELECT m.segment, COUNT(*) AS members FROM segment_member AS m WHERE m.tenant = {tenant} AND m.member = 1 \
             AND EXISTS (SELECT 1 FROM profile AS p WHERE p.tenant = m.tenant AND p.id = m.profile_id \
             AND p.merged_into IS NULL AND p.deleted = 0) GROUP BY m.segment ORDER BY m.segment"
        ));
        let count = |row: &QueryResult| {
            let members: i64 = row.try_get("", "members")?;
            Ok((
                row.try_get("", "segment")?,
                u64::try_from(members).unwrap_or(0),
            ))
        };
        self.rows(statement).await?.iter().map(count).collect()
    }

    async fn list_profiles(
        &self,
        tenant: &TenantId,
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<ProfileId>> {
        let rows = self
            .rows(list_profiles(self.dialect, tenant, after, limit))
            .await?;
        rows.iter()
            .map(|row| Ok(ProfileId(row.try_get("", "id")?)))
            .collect()
    }
}

fn progress(row: &QueryResult) -> Result<SegmentProgress> {
    let (part, built): (i64, i64) = (row.try_get("", "part")?, row.try_get("", "built")?);
    Ok(SegmentProgress {
        revision: row.try_get("", "revision")?,
        model_version: row.try_get("", "model_version")?,
        log: LogPosition {
            sequence: Sequence(row.try_get("", "sequence")?),
            part: i32::try_from(part).unwrap_or(i32::MAX),
        },
        position: ProfileId(row.try_get("", "position")?),
        built: built != 0,
    })
}

fn member(row: &QueryResult) -> Result<SegmentMember> {
    let exit: i64 = row.try_get("", "exit_time")?;
    Ok(SegmentMember {
        profile: ProfileId(row.try_get("", "profile_id")?),
        segment: row.try_get("", "segment")?,
        enter_time: Timestamp::from_micros(row.try_get("", "enter_time")?),
        exit_time: (exit != STILL).then_some(Timestamp::from_micros(exit)),
    })
}
