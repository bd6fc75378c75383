//! Statements about records.

use profile_core::records::{ContentHash, RecordKey, Sequence, TenantId, Timestamp, VersionStamp};
use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;

use super::document;
use crate::store::{self, Error, StatementKey, StoredStatement};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "record_version")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) source: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) record_key: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) version: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) stamp_time: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) content_hash: Uuid,
    pub(crate) sequence: i64,
    pub(crate) ordinal: i64,
    pub(crate) receive_time: i64,
    pub(crate) draft: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Of one record, in the order in which they were stored.
    pub(crate) fn of(tenant: &TenantId, record: &RecordKey) -> Select<Self> {
        Self::find()
            .filter(Column::Tenant.eq(tenant.as_str()))
            .filter(Column::Source.eq(&record.source))
            .filter(Column::RecordKey.eq(&record.key))
            .order_by_asc(Column::Sequence)
            .order_by_asc(Column::Ordinal)
    }
}

impl Model {
    pub(crate) fn into_statement(self) -> store::Result<StoredStatement> {
        let draft = document("record_version", "draft", &self.source, &self.draft)?;
        let ordinal = i32::try_from(self.ordinal).map_err(|_| Error::Inconsistent {
            table: "record_version",
            column: "ordinal",
            key: format!("{}/…", self.source),
            what: "out of range".to_owned(),
        })?;
        let stamp = VersionStamp {
            version: self.version,
            time: Timestamp::from_micros(self.stamp_time),
            content: ContentHash(self.content_hash.as_u128()),
        };
        Ok(StoredStatement {
            key: StatementKey {
                record: RecordKey::new(self.source, self.record_key),
                stamp,
            },
            sequence: Sequence(self.sequence),
            ordinal,
            receive_time: Timestamp::from_micros(self.receive_time),
            draft,
        })
    }
}
