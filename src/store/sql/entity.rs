//! Tables that are read row by row, and how a row becomes what the rest of the service knows.
//!
//! A row that cannot be true is [`Error::Inconsistent`]. Queries start from the tenant.

pub(super) mod membership;
pub(super) mod profile;
pub(super) mod record_version;
pub(super) mod store_info;

use profile_core::records::{ProfileId, Record};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::store::{self, Error};

/// Reads a stored document. The parser's own message may quote the document, so only the place is
/// told.
pub(super) fn document<T: serde::de::DeserializeOwned>(
    table: &'static str,
    column: &'static str,
    source: &str,
    json: &str,
) -> store::Result<T> {
    serde_json::from_str(json).map_err(|error| Error::Inconsistent {
        table,
        column,
        key: format!("{source}/…"),
        what: format!(
            "{:?} error at line {}, column {}",
            error.classify(),
            error.line(),
            error.column()
        ),
    })
}

/// A record as any statement selects it.
#[derive(FromQueryResult)]
pub(super) struct RecordRow {
    pub(super) source: String,
    pub(super) profile_id: Option<Uuid>,
    pub(super) body: String,
    /// None, or empty: nothing is counted.
    pub(super) rollup: Option<String>,
}

impl RecordRow {
    pub(super) fn into_record(self) -> store::Result<Record> {
        let mut record: Record = document("record", "body", &self.source, &self.body)?;
        record.membership.profile = self.profile_id.map(ProfileId);
        if let Some(rollup) = self.rollup.filter(|rollup| !rollup.is_empty()) {
            record.rollup = document("record", "rollup", &self.source, &rollup)?;
        }
        Ok(record)
    }
}
