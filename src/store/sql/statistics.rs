//! Statistics in a database. Each method is one statement.

use async_trait::async_trait;
use profile_core::records::TenantId;

use super::SqlStore;
use super::statement::Sql;
use crate::store::{Population, Result};

#[async_trait]
impl Population for SqlStore {
    async fn statistics(&self, tenant: &TenantId) -> Result<Option<String>> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(tenant.as_str());
        let statement = sql.statement(format!(
            "SELECT body FROM statistics WHERE tenant = {tenant}"
        ));
        self.rows(statement)
            .await?
            .first()
            .map(|row| Ok(row.try_get("", "body")?))
            .transpose()
    }

    async fn keep_statistics(&self, tenant: &TenantId, body: &str) -> Result<()> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, body) = (sql.bind(tenant.as_str()), sql.bind(body));
        let statement = sql.statement(format!(
            "INSERT INTO statistics (tenant, body) VALUES ({tenant}, {body}) \
             ON CONFLICT (tenant) DO UPDATE SET body = excluded.body"
        ));
        self.write_rows(statement).await.map(drop)
    }
}
