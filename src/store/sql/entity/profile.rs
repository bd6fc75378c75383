//! Names of profiles.

use profile_core::records::{ProfileId, Timestamp};
use sea_orm::entity::prelude::*;

use crate::store::{ProfileRow, ProfileState};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "profile")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) revision: i64,
    pub(crate) update_time: i64,
    pub(crate) merged_into: Option<Uuid>,
    pub(crate) deleted: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for ProfileRow {
    fn from(row: Model) -> Self {
        let state = match row.merged_into {
            Some(survivor) => ProfileState::MergedInto(ProfileId(survivor)),
            None if row.deleted != 0 => ProfileState::Deleted,
            None => ProfileState::Live,
        };
        let update_time = Timestamp::from_micros(row.update_time);
        Self {
            id: ProfileId(row.id),
            revision: row.revision,
            update_time,
            state,
        }
    }
}
