//! Where records have been.

use profile_core::records::{ProfileId, RecordKey, Sequence, TenantId, Timestamp};
use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;

use crate::store::MembershipChange;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "membership")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) source: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) record_key: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) sequence: i64,
    pub(crate) profile_id: Option<Uuid>,
    pub(crate) change_time: i64,
    pub(crate) reason: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// Of one record, in order.
    pub(crate) fn of(tenant: &TenantId, record: &RecordKey) -> Select<Self> {
        Self::find()
            .filter(Column::Tenant.eq(tenant.as_str()))
            .filter(Column::Source.eq(&record.source))
            .filter(Column::RecordKey.eq(&record.key))
            .order_by_asc(Column::Sequence)
    }
}

impl From<Model> for MembershipChange {
    fn from(row: Model) -> Self {
        Self {
            record: RecordKey::new(row.source, row.record_key),
            sequence: Sequence(row.sequence),
            profile: row.profile_id.map(ProfileId),
            time: Timestamp::from_micros(row.change_time),
            reason: row.reason,
        }
    }
}
