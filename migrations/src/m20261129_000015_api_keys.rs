//! API keys. They belong to the database: a key says itself of which tenants it is.

use sea_orm_migration::prelude::*;

use crate::dialect::execute;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        execute(manager, STATEMENTS).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration(
            "nothing is taken back: go back to a copy of the database instead".to_owned(),
        ))
    }

    fn use_transaction(&self) -> Option<bool> {
        // All migrations run within one transaction, which begins in `up`.
        Some(false)
    }
}

pub(crate) const STATEMENTS: &[&str] = &[
    // Tenants and scopes: with a space between them. The hash is SHA-256 of the secret, in
    // Base64; the secret is not stored.
    "CREATE TABLE api_key (
        id {text} NOT NULL,
        name {text} NOT NULL,
        hash {text} NOT NULL,
        tenants {text} NOT NULL,
        scopes {text} NOT NULL,
        purpose {text},
        create_time {int} NOT NULL,
        expire_time {int},
        revoke_time {int},
        CONSTRAINT api_key_pk PRIMARY KEY (id)
    ) {narrow}",
];
