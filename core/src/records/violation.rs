//! What can be wrong with what came in, in words and for programs.

use std::fmt;

/// One thing wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field: `upsert_record.traits.given_name`.
    pub field: String,
    /// What is wrong, with the limit that was passed. Never quotes personal data.
    pub description: String,
    /// The same for programs.
    pub reason: Reason,
    /// For what is over a limit: how much there is, and the limit.
    pub numbers: Option<(usize, usize)>,
}

impl Violation {
    /// Something wrong with a field.
    pub fn new(reason: Reason, field: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            description: description.into(),
            reason,
            numbers: None,
        }
    }

    /// A required field is missing or empty.
    pub fn required(field: impl Into<String>) -> Self {
        Self::new(Reason::Required, field, "is required")
    }

    /// A field is over its limit.
    pub fn limit(field: impl Into<String>, actual: usize, limit: usize, unit: &str) -> Self {
        let description = format!("has {actual} {unit}, the limit is {limit}");
        Self {
            numbers: Some((actual, limit)),
            ..Self::new(Reason::LimitExceeded, field, description)
        }
    }

    /// The same under a longer path.
    #[must_use]
    pub fn within(mut self, path: &str) -> Self {
        self.field = format!("{path}.{}", self.field);
        self
    }
}

/// Names for a description, the first of them where there are many: a list that is repeated by each
/// violation must not fill the answer.
pub fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    const MAX_NAMES: usize = 20;
    let names: Vec<&str> = names.into_iter().collect();
    match names.len().checked_sub(MAX_NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MAX_NAMES].join(", ")),
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.description)
    }
}

/// Why a statement is refused. The API's `ErrorReason` has the same names, and an example of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A required field is missing or empty.
    Required,
    /// A field has the wrong form.
    Malformed,
    /// A field is over its limit.
    LimitExceeded,
    /// An enum has an unknown value.
    UnknownEnumValue,
    /// The model declares no such thing.
    NotDeclared,
    /// The payload does not fit the mapping.
    MappingFailed,
    /// The event id was used for other content.
    EventIdReused,
    /// The database refuses the content.
    StoreRefused,
    /// It is never used for such a purpose.
    NotForPurpose,
    /// The record was erased.
    RecordErased,
}
