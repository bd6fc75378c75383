//! Audit logs in a database. An append is one transaction, whose first statement says whether the
//! log still is as it was read.

use async_trait::async_trait;
use profile_core::records::{TenantId, Timestamp};
use sea_orm::{QueryResult, Statement};

use super::SqlStore;
use super::statement::{Column, Sql};
use crate::store::{
    AuditAppend, AuditBatch, AuditHead, AuditLogs, AuditSpan, AuditTile, Error, MAX_BATCH_ENTRIES,
    Result, TilePlace,
};

#[async_trait]
impl AuditLogs for SqlStore {
    async fn audit_head(&self, tenant: &TenantId) -> Result<AuditHead> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(tenant.as_str());
        let statement = sql.statement(format!(
            "SELECT size, checkpoint FROM audit_head WHERE tenant = {tenant}"
        ));
        let rows = self.rows(statement).await?;
        let Some(row) = rows.first() else {
            return Ok(AuditHead::default());
        };
        Ok(AuditHead {
            size: place(row, "size")?,
            checkpoint: row.try_get("", "checkpoint")?,
        })
    }

    async fn append_audit(&self, tenant: &TenantId, append: &AuditAppend) -> Result<bool> {
        let head = self.move_head(tenant, append)?;
        let rest = vec![
            self.insert_batches(tenant, &append.batches)?,
            self.put_tiles(tenant, &append.tiles)?,
        ];
        Ok(self.write_all(head, rest).await? > 0)
    }

    async fn audit_tiles(&self, tenant: &TenantId, places: &[TilePlace]) -> Result<Vec<AuditTile>> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(tenant.as_str());
        let levels = places.iter().map(|place| i64::from(place.level));
        let numbers = places.iter().map(|place| integer(place.number));
        let asked = sql.rows(
            "asked",
            vec![
                ("level", Column::Int(levels.collect())),
                ("number", Column::Int(numbers.collect::<Result<_>>()?)),
            ],
        )?;
        let tiles = self.dialect.look_up(
            "audit_tile",
            "t",
            &format!("t.tenant = {tenant} AND t.level = asked.level AND t.number = asked.number"),
        );
        let statement = sql.statement(format!(
            "SELECT t.level, t.number, t.hashes FROM {asked} {tiles}"
        ));
        self.rows(statement).await?.iter().map(tile).collect()
    }

    async fn audit_batches(
        &self,
        tenant: &TenantId,
        from: u64,
        before: u64,
    ) -> Result<Vec<AuditBatch>> {
        let mut sql = Sql::new(self.dialect);
        // A batch that reaches up to a place begins less than a batch before it.
        let earliest = from.saturating_sub(MAX_BATCH_ENTRIES as u64 - 1);
        let tenant = sql.bind(tenant.as_str());
        let (earliest, before) = (sql.bind(integer(earliest)?), sql.bind(integer(before)?));
        let from = sql.bind(integer(from)?);
        let statement = sql.statement(format!(
            "SELECT first_entry, entries, begin_time, end_time, customers, body FROM audit_batch \
             WHERE tenant = {tenant} AND first_entry >= {earliest} AND first_entry < {before} \
             AND first_entry + entries > {from} ORDER BY first_entry"
        ));
        let rows = self.rows(statement).await?;
        let batch = |row: &QueryResult| {
            Ok(AuditBatch {
                span: span(row)?,
                body: row.try_get("", "body")?,
            })
        };
        rows.iter().map(batch).collect()
    }

    async fn audit_spans(
        &self,
        tenant: &TenantId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<AuditSpan>> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, before) = (sql.bind(tenant.as_str()), sql.bind(integer(before)?));
        let limit = sql.limit(limit);
        let statement = sql.statement(format!(
            "SELECT first_entry, entries, begin_time, end_time, customers FROM audit_batch \
             WHERE tenant = {tenant} AND first_entry < {before} ORDER BY first_entry DESC LIMIT {limit}"
        ));
        self.rows(statement).await?.iter().map(span).collect()
    }
}

impl SqlStore {
    /// Moves the head of a log on, if it is where the append begins.
    fn move_head(&self, tenant: &TenantId, append: &AuditAppend) -> Result<Statement> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, size) = (
            sql.bind(tenant.as_str()),
            sql.bind(integer(append.head.size)?),
        );
        let checkpoint = sql.bind(append.head.checkpoint.as_str());
        if append.after == 0 {
            return Ok(sql.statement(format!(
                "INSERT INTO audit_head (tenant, size, checkpoint) VALUES ({tenant}, {size}, {checkpoint}) \
                 ON CONFLICT (tenant) DO NOTHING"
            )));
        }
        let after = sql.bind(integer(append.after)?);
        Ok(sql.statement(format!(
            "UPDATE audit_head SET size = {size}, checkpoint = {checkpoint} \
             WHERE tenant = {tenant} AND size = {after}"
        )))
    }

    fn insert_batches(&self, tenant: &TenantId, batches: &[AuditBatch]) -> Result<Statement> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(tenant.as_str());
        let spans = || batches.iter().map(|batch| &batch.span);
        let firsts: Result<Vec<i64>> = spans().map(|span| integer(span.first)).collect();
        let counts: Result<Vec<i64>> = spans().map(|span| integer(span.count)).collect();
        let times = |part: fn(&AuditSpan) -> Timestamp| {
            Column::Int(spans().map(|span| part(span).as_micros()).collect())
        };
        let customers = spans().map(|span| span.customers.clone()).collect();
        let bodies = batches.iter().map(|batch| batch.body.clone()).collect();
        let new = sql.rows(
            "new",
            vec![
                ("first_entry", Column::Int(firsts?)),
                ("entries", Column::Int(counts?)),
                ("begin_time", times(|span| span.begin_time)),
                ("end_time", times(|span| span.end_time)),
                ("customers", Column::Bytes(customers)),
                ("body", Column::Bytes(bodies)),
            ],
        )?;
        Ok(sql.statement(format!(
            "INSERT INTO audit_batch (tenant, first_entry, entries, begin_time, end_time, customers, body) \
             SELECT {tenant}, first_entry, entries, begin_time, end_time, customers, body FROM {new}"
        )))
    }

    fn put_tiles(&self, tenant: &TenantId, tiles: &[AuditTile]) -> Result<Statement> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(tenant.as_str());
        let levels = tiles.iter().map(|tile| i64::from(tile.place.level));
        let numbers = tiles.iter().map(|tile| integer(tile.place.number));
        let hashes = tiles.iter().map(|tile| tile.hashes.clone());
        let new = sql.rows(
            "new",
            vec![
                ("level", Column::Int(levels.collect())),
                ("number", Column::Int(numbers.collect::<Result<_>>()?)),
                ("hashes", Column::Bytes(hashes.collect())),
            ],
        )?;
        // `WHERE true`: else SQLite takes ON CONFLICT for a part of a join.
        Ok(sql.statement(format!(
            "INSERT INTO audit_tile (tenant, level, number, hashes) \
             SELECT {tenant}, level, number, hashes FROM {new} WHERE true \
             ON CONFLICT (tenant, level, number) DO UPDATE SET hashes = excluded.hashes"
        )))
    }
}

fn span(row: &QueryResult) -> Result<AuditSpan> {
    let time = |column: &str| -> Result<Timestamp> {
        Ok(Timestamp::from_micros(row.try_get("", column)?))
    };
    Ok(AuditSpan {
        first: place(row, "first_entry")?,
        count: place(row, "entries")?,
        begin_time: time("begin_time")?,
        end_time: time("end_time")?,
        customers: row.try_get("", "customers")?,
    })
}

fn tile(row: &QueryResult) -> Result<AuditTile> {
    let level: i64 = row.try_get("", "level")?;
    let level = u8::try_from(level).map_err(|_| impossible("level"))?;
    let number = place(row, "number")?;
    Ok(AuditTile {
        place: TilePlace { level, number },
        hashes: row.try_get("", "hashes")?,
    })
}

fn place(row: &QueryResult, column: &str) -> Result<u64> {
    let value: i64 = row.try_get("", column)?;
    u64::try_from(value).map_err(|_| impossible(column))
}

fn integer(place: u64) -> Result<i64> {
    i64::try_from(place).map_err(|_| impossible("place"))
}

fn impossible(column: &str) -> Error {
    Error::Internal(format!("the audit log has a {column} that cannot be"))
}
