//! The distinct words of a tenant's search terms, to find those that are like another one.

use sea_orm_migration::prelude::*;

use crate::dialect;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::execute(manager, STATEMENTS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        // All migrations run within one transaction, which begins in `up`.
        Some(false)
    }
}

pub(crate) const STATEMENTS: &[&str] = &[
    // Follows `record_term`: each of its words once. Where the sound is missing, the service fills
    // the row in or removes it. Primary key: words that begin alike.
    "CREATE TABLE search_word (
        tenant {text} NOT NULL,
        term {text} NOT NULL,
        reversed {text},
        sound {text},
        CONSTRAINT search_word_pk PRIMARY KEY (tenant, term)
    ) {narrow}",
    "INSERT INTO search_word (tenant, term) SELECT DISTINCT tenant, term FROM record_term",
    // Words that sound alike.
    "CREATE INDEX search_word_by_sound ON search_word (tenant, sound, term)",
    // Words that end alike.
    "CREATE INDEX search_word_by_end ON search_word (tenant, reversed)",
    // Those to be filled in: none, once the service has been there.
    "CREATE INDEX search_word_to_fill_in ON search_word (tenant, term) WHERE sound IS NULL",
];
