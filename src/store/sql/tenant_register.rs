//! The register of tenants in a database.

use async_trait::async_trait;
use profile_core::records::{TenantId, Timestamp};
use sea_orm::{ConnectionTrait, QueryResult};

use super::SqlStore;
use super::statement::{Dialect, Sql};
use crate::store::{Error, RegisteredTenant, Result, TenantRegister};

/// So many rows are deleted at once: a statement ends within its time, however many there are.
const PART: usize = 10_000;

#[async_trait]
impl TenantRegister for SqlStore {
    /// By the connection of the log's follower, as API keys are.
    async fn list_registered_tenants(&self) -> Result<Vec<RegisteredTenant>> {
        let statement = Sql::new(self.dialect).statement(
            "SELECT id, create_time, delete_time FROM tenant_register ORDER BY id".to_owned(),
        );
        let rows = async { Ok(self.pools.follow().query_all_raw(statement).await?) };
        self.pools.fit(rows).await?.iter().map(tenant).collect()
    }

    async fn create_tenant(&self, name: &TenantId, time: Timestamp) -> Result<bool> {
        let mut sql = Sql::new(self.dialect);
        let (name, time) = (sql.bind(name.as_str()), sql.bind(time.as_micros()));
        let statement = sql.statement(format!(
            "INSERT INTO tenant_register (id, create_time) VALUES ({name}, {time}) \
             ON CONFLICT (id) DO UPDATE SET create_time = excluded.create_time, delete_time = NULL \
             WHERE tenant_register.delete_time IS NOT NULL"
        ));
        Ok(self.write_rows(statement).await? > 0)
    }

    async fn mark_tenant_deleted(&self, name: &TenantId, time: Timestamp) -> Result<bool> {
        let mut sql = Sql::new(self.dialect);
        let (name, time) = (sql.bind(name.as_str()), sql.bind(time.as_micros()));
        let statement = sql.statement(format!(
            "UPDATE tenant_register SET delete_time = {time} WHERE id = {name} AND delete_time IS NULL"
        ));
        Ok(self.write_rows(statement).await? > 0)
    }

    async fn purge_tenant(&self, name: &TenantId) -> Result<Option<(String, u64)>> {
        for table in self.tables_of_tenants().await? {
            let mut sql = Sql::new(self.dialect);
            let tenant = sql.bind(name.as_str());
            let statement = match self.dialect {
                Dialect::Postgres => format!(
                    "DELETE FROM {table} WHERE ctid = ANY (ARRAY \
                     (SELECT t.ctid FROM {table} AS t WHERE t.tenant = {tenant} LIMIT {PART}))"
                ),
                Dialect::Sqlite => format!("DELETE FROM {table} WHERE tenant = {tenant}"),
            };
            let gone = self.write_rows(sql.statement(statement)).await?;
            if gone > 0 {
                return Ok(Some((table, gone)));
            }
        }
        // Numbers of writes go on where they were, or servers would take what they have cached, and
        // whoever holds a token, for current.
        let mut sql = Sql::new(self.dialect);
        let name = sql.bind(name.as_str());
        let turn = sql.statement(format!(
            "UPDATE tenant SET sequence = sequence + 1, model_version = 0, tombstone_key = NULL \
             WHERE id = {name} AND model_version <> 0"
        ));
        let rows = self.write_rows(turn).await?;
        Ok((rows > 0).then(|| ("tenant".to_owned(), rows)))
    }
}

impl SqlStore {
    /// All tables with rows of tenants that a deletion takes. The audit log stays; so do the
    /// numbers and times of writes, or servers would miss what they have answered as stored and
    /// serve nobody any more.
    async fn tables_of_tenants(&self) -> Result<Vec<String>> {
        let tables = match self.dialect {
            Dialect::Postgres => {
                "SELECT table_name::text AS name FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND column_name = 'tenant' \
                 AND table_name NOT LIKE 'audit%' AND table_name <> 'write_time' ORDER BY 1"
            }
            Dialect::Sqlite => {
                "SELECT m.name AS name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
                 WHERE m.type = 'table' AND c.name = 'tenant' AND m.name NOT LIKE 'audit%' \
                 AND m.name <> 'write_time' ORDER BY 1"
            }
        };
        let statement = Sql::new(self.dialect).statement(tables.to_owned());
        let rows = self.rows(statement).await?;
        let names = rows.iter().map(|row| Ok(row.try_get("", "name")?));
        names.collect()
    }
}

fn tenant(row: &QueryResult) -> Result<RegisteredTenant> {
    let id: String = row.try_get("", "id")?;
    let time: i64 = row.try_get("", "create_time")?;
    let deleted: Option<i64> = row.try_get("", "delete_time")?;
    let inconsistent = || Error::Internal("the register of tenants has no name of one".to_owned());
    Ok(RegisteredTenant {
        id: TenantId::new(&id).ok_or_else(inconsistent)?,
        create_time: Timestamp::from_micros(time),
        delete_time: deleted.map(Timestamp::from_micros),
    })
}
