//! Content of rows that could not be read, in a form to mend and read again.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use profile_core::records::{Reason, Violation};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Content of a row that is no payload.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// Columns of the file.
    #[serde(skip_serializing_if = "is_empty")]
    pub columns: Arc<[String]>,
    /// Fields of the row: to be mended to one for each column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// The row as it is in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The same in Base64, where it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    /// Length of the row in bytes, where it is too long to be kept whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_of_bytes: Option<usize>,
}

fn is_empty(columns: &Arc<[String]>) -> bool {
    columns.is_empty()
}

/// Replacement of bytes that are no text.
const UNREADABLE: char = char::REPLACEMENT_CHARACTER;

impl Content {
    /// A row of `length` bytes, of which these are kept.
    pub(super) fn text(kept: &[u8], length: usize) -> Self {
        let kept = kept.trim_ascii_end();
        let text = String::from_utf8_lossy(kept);
        let unreadable = std::str::from_utf8(kept).is_err();
        Self {
            columns: Arc::default(),
            fields: None,
            bytes: unreadable.then(|| BASE64_STANDARD.encode(kept)),
            text: Some(text.into_owned()),
            cut_of_bytes: (length > kept.len() + 2).then_some(length),
        }
    }

    /// Content of a rejected row, as an import wrote it down.
    pub(super) fn rejected(line: &[u8], length: usize) -> Self {
        serde_json::from_slice(line)
            .ok()
            .filter(|content: &Self| content.fields.is_some() || content.text.is_some())
            .unwrap_or_else(|| Self::text(line, length))
    }

    /// A row with these fields.
    pub(super) fn row<'a>(
        kept: &[u8],
        columns: &Arc<[String]>,
        fields: impl Iterator<Item = &'a [u8]>,
    ) -> Self {
        let fields = fields.map(|field| String::from_utf8_lossy(field).into_owned());
        Self {
            columns: Arc::clone(columns),
            fields: Some(fields.collect()),
            ..Self::text(kept, kept.len())
        }
    }
}

/// The payload of a rejected row: `row`, or what its `fields` or its `text` are after they were
/// mended.
pub(super) fn mended(line: &Json) -> Result<Json, Violation> {
    let malformed = |what: &str| Violation::new(Reason::Malformed, "row", what);
    let given = |name: &str| line.get(name).filter(|value| !value.is_null());
    if let Some(row) = given("row") {
        return Ok(row.clone());
    }
    if given("cut_of_bytes").is_some() {
        return Err(malformed(
            "is not kept whole: say it as `row`, or import it from its file",
        ));
    }
    if let (Some(Json::Array(columns)), Some(Json::Array(fields))) =
        (given("columns"), given("fields"))
    {
        return zipped(columns, fields);
    }
    let Some(text) = given("text").and_then(Json::as_str) else {
        return Err(malformed("has neither `row`, `fields` nor `text`"));
    };
    if text.contains(UNREADABLE) && given("bytes").is_some() {
        return Err(unreadable("text"));
    }
    serde_json::from_str(text).map_err(|error| {
        let column = error.column();
        malformed(&format!("`text` is not JSON: error in column {column}"))
    })
}

fn zipped(columns: &[Json], fields: &[Json]) -> Result<Json, Violation> {
    if columns.len() != fields.len() {
        let (fields, columns) = (fields.len(), columns.len());
        let what = format!("`fields` has {fields} and `columns` {columns}: mend them to as many");
        return Err(Violation::new(Reason::Malformed, "row", what));
    }
    let row: serde_json::Map<String, Json> = columns
        .iter()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .zip(fields.iter().cloned())
        .filter(|(column, _)| !column.is_empty())
        .collect();
    let broken = |value: &Json| value.as_str().is_some_and(|text| text.contains(UNREADABLE));
    if row.values().any(broken) {
        return Err(unreadable("fields"));
    }
    Ok(Json::Object(row))
}

fn unreadable(what: &str) -> Violation {
    let what = format!("`{what}` has characters that could not be read, shown as U+FFFD");
    Violation::new(Reason::Malformed, "row", what)
}
