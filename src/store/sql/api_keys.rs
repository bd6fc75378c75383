//! API keys in a database. Each method is one statement.
//!
//! Lists are texts with a space between their elements: no name of a tenant, scope or role has one.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use profile_core::records::{TenantId, Timestamp};
use sea_orm::{ConnectionTrait, QueryResult};

use super::SqlStore;
use super::statement::Sql;
use crate::store::{ApiKeys, Error, Result, StoredApiKey};

#[async_trait]
impl ApiKeys for SqlStore {
    /// By the connection of the log's follower: a revocation must be seen when all others wait.
    async fn list_api_keys(&self) -> Result<Vec<StoredApiKey>> {
        let statement = Sql::new(self.dialect).statement(
            "SELECT id, name, hash, tenants, scopes, purpose, roles, create_time, expire_time, revoke_time \
             FROM api_key ORDER BY create_time, id"
                .to_owned(),
        );
        let rows = async { Ok(self.pools.follow().query_all_raw(statement).await?) };
        self.pools.fit(rows).await?.iter().map(api_key).collect()
    }

    async fn record_api_key(&self, key: &StoredApiKey) -> Result<bool> {
        let tenants: Vec<&str> = key.tenants.iter().map(TenantId::as_str).collect();
        let mut sql = Sql::new(self.dialect);
        let (id, name) = (sql.bind(key.id.as_str()), sql.bind(key.name.as_str()));
        let (hash, tenants) = (
            sql.bind(STANDARD_NO_PAD.encode(key.hash)),
            sql.bind(tenants.join(" ")),
        );
        let (scopes, purpose) = (
            sql.bind(key.scopes.join(" ")),
            sql.bind(key.purpose.clone()),
        );
        let roles = sql.bind(key.roles.join(" "));
        let created = sql.bind(key.create_time.as_micros());
        let expires = sql.bind(key.expire_time.map(Timestamp::as_micros));
        let revoked = sql.bind(key.revoke_time.map(Timestamp::as_micros));
        let statement = sql.statement(format!(
            "INSERT INTO api_key (id, name, hash, tenants, scopes, purpose, roles, create_time, expire_time, revoke_time) \
             VALUES ({id}, {name}, {hash}, {tenants}, {scopes}, {purpose}, {roles}, {created}, {expires}, {revoked}) \
             ON CONFLICT (id) DO NOTHING"
        ));
        Ok(self.write_rows(statement).await? > 0)
    }

    async fn revoke_api_key(&self, id: &str, time: Timestamp) -> Result<bool> {
        let mut sql = Sql::new(self.dialect);
        let (id, time) = (sql.bind(id), sql.bind(time.as_micros()));
        let statement = sql.statement(format!(
            "UPDATE api_key SET revoke_time = COALESCE(revoke_time, {time}) WHERE id = {id}"
        ));
        Ok(self.write_rows(statement).await? > 0)
    }
}

fn api_key(row: &QueryResult) -> Result<StoredApiKey> {
    let id: String = row.try_get("", "id")?;
    let inconsistent =
        |column: &str| Error::Internal(format!("api_key {id} has a {column} that cannot be"));
    let [tenants, scopes, roles]: [String; 3] = [
        row.try_get("", "tenants")?,
        row.try_get("", "scopes")?,
        row.try_get("", "roles")?,
    ];
    let hash: String = row.try_get("", "hash")?;
    let hash = STANDARD_NO_PAD.decode(hash).unwrap_or_default();
    let tenants: Option<Vec<TenantId>> = tenants.split(' ').map(TenantId::new).collect();
    let time = |column: &str| -> Result<Option<Timestamp>> {
        let micros: Option<i64> = row.try_get("", column)?;
        Ok(micros.map(Timestamp::from_micros))
    };
    Ok(StoredApiKey {
        name: row.try_get("", "name")?,
        hash: hash.try_into().map_err(|_| inconsistent("hash"))?,
        tenants: tenants.ok_or_else(|| inconsistent("tenant"))?,
        scopes: scopes.split(' ').map(str::to_owned).collect(),
        purpose: row.try_get("", "purpose")?,
        roles: roles.split_ascii_whitespace().map(str::to_owned).collect(),
        create_time: time("create_time")?.ok_or_else(|| inconsistent("create_time"))?,
        expire_time: time("expire_time")?,
        revoke_time: time("revoke_time")?,
        id,
    })
}
