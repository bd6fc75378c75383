//! Times of writes that come from a clock that was wrong.

use profile_core::records::{TenantId, Timestamp};
use sea_orm::Statement;

use super::SqlTransaction;
use crate::store::Result;
use crate::store::past::is_gap;
use crate::store::sql::statement::{Dialect, Sql};

/// The first write after a time, by `write_time_pk`.
fn first_after(dialect: Dialect, tenant: &TenantId, time: Timestamp) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, time) = (sql.bind(tenant.as_str()), sql.bind(time.as_micros()));
    sql.statement(format!(
        "SELECT time FROM write_time WHERE tenant = {tenant} AND time > {time} ORDER BY time, sequence LIMIT 1"
    ))
}

/// Gives all later times this one. Answers the numbers of the writes.
fn move_writes(dialect: Dialect, tenant: &TenantId, time: Timestamp) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, time) = (sql.bind(tenant.as_str()), sql.bind(time.as_micros()));
    sql.statement(format!(
        "UPDATE write_time SET time = {time} WHERE tenant = {tenant} AND time > {time} RETURNING sequence"
    ))
}

/// The same for the change log, from a write on.
fn move_log(dialect: Dialect, tenant: &TenantId, time: Timestamp, from: i64) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, time, from) = (
        sql.bind(tenant.as_str()),
        sql.bind(time.as_micros()),
        sql.bind(from),
    );
    sql.statement(format!(
        "UPDATE change_log SET time = {time} WHERE tenant = {tenant} AND sequence >= {from} AND time > {time} \
         RETURNING sequence"
    ))
}

/// The same for the tenant's last write.
fn move_last(dialect: Dialect, tenant: &TenantId, time: Timestamp) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, time) = (sql.bind(tenant.as_str()), sql.bind(time.as_micros()));
    sql.statement(format!(
        "UPDATE tenant SET write_time = {time} WHERE id = {tenant} RETURNING id"
    ))
}

impl SqlTransaction {
    /// Serves [`Transaction::correct_times`](crate::store::Transaction::correct_times).
    pub(super) async fn move_times(&mut self, now: Timestamp) -> Result<u64> {
        let (dialect, tenant) = (self.dialect, self.tenant.clone());
        let first = self.rows(first_after(dialect, &tenant, now)).await?;
        let Some(first) = first.first() else {
            return Ok(0);
        };
        if !is_gap(now, Timestamp::from_micros(first.try_get("", "time")?)) {
            return Ok(0);
        }
        let moved = self.rows(move_writes(dialect, &tenant, now)).await?;
        let numbers: Vec<i64> = moved
            .iter()
            .map(|row| row.try_get("", "sequence"))
            .collect::<std::result::Result<_, _>>()?;
        if let Some(from) = numbers.iter().min() {
            self.rows(move_log(dialect, &tenant, now, *from)).await?;
        }
        self.rows(move_last(dialect, &tenant, now)).await?;
        self.turn.not_before = now;
        Ok(numbers.len() as u64)
    }
}
