//! From what a source said to a statement that fits the model: all limits, and every violation at
//! once.

mod consent;
mod event;
mod preferences;

pub(super) use event::refused;

use std::collections::BTreeMap;

pub(super) use consent::FIELDS as CONSENT_FIELDS;

use super::notes::Place;
use super::{Model, Notes};
use crate::records::{
    Change, ContentHash, Draft, DraftRecord, Fields, IdentifierValue, Reason, RecordKey,
    RecordStatement, Statement, Timestamp, Value, Violation, listed,
};

/// The longest source key or event id, in bytes.
pub const MAX_KEY_BYTES: usize = 256;
/// The longest identifier value, in bytes: an e-mail address has at most 254, a phone number 15
/// digits.
pub const MAX_IDENTIFIER_BYTES: usize = 512;
/// The longest text in a value, in bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 8 * 1024;
/// The longest name of a trait, an event type or a property, in bytes.
pub const MAX_NAME_BYTES: usize = 128;
/// How many identifiers a record may hold.
pub(crate) const MAX_IDENTIFIERS: usize = 100;
/// How many traits a record, or properties an event, may have.
pub(crate) const MAX_FIELDS: usize = 256;
/// How many values a list or a map may have.
pub(crate) const MAX_ELEMENTS: usize = 1_000;
/// How deep lists and maps may nest.
pub const MAX_DEPTH: usize = 8;
/// The longest event type, in bytes.
pub(crate) const MAX_EVENT_TYPE_BYTES: usize = 64;
/// Times are kept from year 1 to year 9999, as Protobuf has it: in microseconds.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

impl Model {
    /// Checks a statement, normalises its identifiers and dates it.
    ///
    /// # Examples
    /// ```
    /// use profile_core::model::Model;
    /// use profile_core::records::{Draft, DraftRecord, Identifier, RecordKey, Timestamp};
    ///
    /// let model = Model::parse(
    ///     "identifiers: { email: { priority: 1, normalize: email } }\nsources: { shop: }",
    /// )
    /// .expect("a model");
    /// let mut draft = DraftRecord::new(RecordKey::new("shop", "1"));
    /// draft.identifiers = vec![Identifier::new("email", " Ann@Example.com ")];
    /// let received = Timestamp::from_micros(1_767_225_600_000_000);
    /// assert!(model.check(Draft::Upsert(draft.clone()), received).is_ok());
    ///
    /// draft.identifiers = vec![Identifier::new("fax", "1")];
    /// let violations = model.check(Draft::Upsert(draft), received).expect_err("no fax");
    /// assert_eq!(violations.len(), 1);
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(
        &self,
        draft: Draft,
        receive_time: Timestamp,
    ) -> Result<Statement, Vec<Violation>> {
        self.check_with(draft, receive_time, None)
    }

    /// The same, and notes what of the statement is stored and not used.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_and_note(
        &self,
        draft: Draft,
        receive_time: Timestamp,
        notes: &mut Notes,
    ) -> Result<Statement, Vec<Violation>> {
        self.check_with(draft, receive_time, Some(notes))
    }

    pub(super) fn check_with(
        &self,
        draft: Draft,
        receive_time: Timestamp,
        notes: Option<&mut Notes>,
    ) -> Result<Statement, Vec<Violation>> {
        let mut check = Check {
            model: self,
            violations: Vec::new(),
            notes,
        };
        let statement = match draft {
            Draft::Upsert(record) => {
                check.record("upsert_record", record, Kind::Upsert, receive_time)
            }
            Draft::Patch(record) => check.record("patch_record", record, Kind::Patch, receive_time),
            Draft::Delete(record) => {
                check.record("delete_record", record, Kind::Delete, receive_time)
            }
            Draft::Event(event) => check.event("record_event.event", event, receive_time),
            Draft::Preferences(said) => check.preferences("state_preferences", said, receive_time),
            Draft::Consent(said) => check.consent("record_consent", said, receive_time),
        };
        if check.violations.is_empty() {
            Ok(statement)
        } else {
            Err(check.violations)
        }
    }
}

/// The traits of a draft as [`Model::home`] takes them.
fn draft_traits(draft: &DraftRecord) -> impl Iterator<Item = (&str, &Value)> {
    draft
        .traits
        .iter()
        .map(|(name, value)| (name.as_str(), value))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
enum Kind {
    Upsert,
    Patch,
    Delete,
}

struct Check<'a> {
    model: &'a Model,
    violations: Vec<Violation>,
    /// `None`: nobody wants them.
    notes: Option<&'a mut Notes>,
}

impl Check<'_> {
    fn record(
        &mut self,
        path: &str,
        draft: DraftRecord,
        kind: Kind,
        receive_time: Timestamp,
    ) -> Statement {
        self.about(path, &draft.record, draft.version, draft.source_time);
        let place = Place {
            home: self.model.home(&draft.record.source, draft_traits(&draft)),
            form: self.model.date_form(&draft.record.source),
        };
        let fields = Fields {
            identifiers: self.identifiers(path, &draft, place),
            traits: self.traits(path, &draft, place),
        };
        let change = match kind {
            Kind::Upsert => Change::Replace(fields),
            Kind::Patch => self.patch(path, &draft, fields),
            Kind::Delete => Change::Delete,
        };
        let content = (
            kind,
            &draft.identifiers,
            &draft.traits,
            &draft.clear_identifier_types,
            &draft.clear_traits,
        );
        let dated = draft.version > 0 || draft.source_time.is_some();
        Statement::Record(RecordStatement {
            record: draft.record.clone(),
            change,
            order: dated.then(|| (draft.version, draft.source_time.unwrap_or_default())),
            source_time: draft.source_time,
            receive_time,
            content: ContentHash::of(&content),
            draft: match kind {
                Kind::Upsert => Draft::Upsert(draft),
                Kind::Patch => Draft::Patch(draft),
                Kind::Delete => Draft::Delete(draft),
            },
        })
    }

    /// What all statements about a record have.
    fn about(
        &mut self,
        path: &str,
        record: &RecordKey,
        version: i64,
        source_time: Option<Timestamp>,
    ) {
        self.record_key(&format!("{path}.record"), record);
        if version < 0 {
            self.add(
                Reason::Malformed,
                format!("{path}.version"),
                "must not be negative",
            );
        }
        self.time(&format!("{path}.source_time"), source_time);
    }

    fn identifiers(
        &mut self,
        path: &str,
        draft: &DraftRecord,
        place: Place,
    ) -> BTreeMap<String, Vec<IdentifierValue>> {
        self.limit(
            &format!("{path}.identifiers"),
            draft.identifiers.len(),
            MAX_IDENTIFIERS,
            "values",
        );
        let mut values: BTreeMap<String, Vec<IdentifierValue>> = BTreeMap::new();
        for (index, identifier) in draft.identifiers.iter().take(MAX_IDENTIFIERS).enumerate() {
            let field = format!("{path}.identifiers[{index}]");
            let Some(kind) = self.model.identifiers.get(&identifier.kind) else {
                self.not_declared(
                    format!("{field}.type"),
                    "identifier type",
                    &identifier.kind,
                    self.model.identifiers.keys(),
                );
                continue;
            };
            let read = kind.read(&identifier.value, place.home);
            if self.text(
                &format!("{field}.value"),
                &identifier.value,
                MAX_IDENTIFIER_BYTES,
            ) && read.values.iter().all(|held| held.value.is_empty())
            {
                self.violations
                    .push(Violation::required(format!("{field}.value")));
            }
            if let Some(notes) = &mut self.notes {
                notes.identifier(&identifier.kind, kind, &read);
            }
            values
                .entry(identifier.kind.clone())
                .or_default()
                .extend(read.values);
        }
        for values in values.values_mut() {
            // Of one value written in several ways, the first counts.
            values.sort_by(|a, b| a.value.cmp(&b.value));
            values.dedup_by(|a, b| a.value == b.value);
        }
        values
    }

    fn traits(&mut self, path: &str, draft: &DraftRecord, place: Place) -> BTreeMap<String, Value> {
        self.limit(
            &format!("{path}.traits"),
            draft.traits.len(),
            MAX_FIELDS,
            "values",
        );
        for (name, value) in draft.traits.iter().take(MAX_FIELDS) {
            let field = format!("{path}.traits.{}", shown(name));
            if let Some(kind) = self.model.traits.get(name) {
                self.value(&field, value, 0);
                if let Some(notes) = &mut self.notes {
                    notes.of_trait(name, kind, value, place);
                }
            } else {
                self.not_declared(field, "trait", name, self.model.traits.keys());
            }
        }
        draft.traits.clone()
    }

    fn patch(&mut self, path: &str, draft: &DraftRecord, set: Fields) -> Change {
        let mut identifiers = set.identifiers;
        for (index, kind) in draft.clear_identifier_types.iter().enumerate() {
            let field = format!("{path}.clear_identifier_types[{index}]");
            if !self.model.identifiers.contains_key(kind) {
                self.not_declared(
                    field,
                    "identifier type",
                    kind,
                    self.model.identifiers.keys(),
                );
            } else if identifiers
                .insert(kind.clone(), Vec::new())
                .is_some_and(|values| !values.is_empty())
            {
                self.add(Reason::Malformed, field, "the same type is also set");
            }
        }
        let mut traits: BTreeMap<_, _> = set
            .traits
            .into_iter()
            .map(|(name, value)| (name, Some(value)))
            .collect();
        for (index, name) in draft.clear_traits.iter().enumerate() {
            let field = format!("{path}.clear_traits[{index}]");
            if !self.model.traits.contains_key(name) {
                self.not_declared(field, "trait", name, self.model.traits.keys());
            } else if traits.insert(name.clone(), None).flatten().is_some() {
                self.add(Reason::Malformed, field, "the same trait is also set");
            }
        }
        if identifiers.is_empty() && traits.is_empty() {
            self.add(Reason::Required, path, "a patch changes at least one field");
        }
        Change::Patch {
            identifiers,
            traits,
        }
    }

    fn record_key(&mut self, path: &str, record: &RecordKey) {
        if record.source.is_empty() {
            self.violations
                .push(Violation::required(format!("{path}.source")));
        } else if !self.model.sources.contains_key(&record.source) {
            self.not_declared(
                format!("{path}.source"),
                "source",
                &record.source,
                self.model.sources.keys(),
            );
        }
        self.key(&format!("{path}.key"), &record.key);
    }

    fn key(&mut self, field: &str, key: &str) {
        if key.is_empty() {
            self.violations.push(Violation::required(field));
        } else if key.chars().any(char::is_control) {
            self.add(
                Reason::Malformed,
                field,
                "must not contain control characters",
            );
        } else {
            self.limit(field, key.len(), MAX_KEY_BYTES, "bytes");
        }
    }

    fn name(&mut self, field: &str, name: &str) {
        if name.is_empty() {
            self.add(Reason::Required, field, "the name is empty");
        } else {
            self.text(field, name, MAX_NAME_BYTES);
        }
    }

    fn value(&mut self, field: &str, value: &Value, depth: usize) {
        match value {
            Value::String(text) => {
                self.text(field, text, MAX_TEXT_BYTES);
            }
            Value::Time(time) => self.time(field, Some(*time)),
            Value::Int(_) | Value::Decimal(_) | Value::Bool(_) => {}
            Value::List(_) | Value::Map(_) if depth == MAX_DEPTH => {
                self.add(
                    Reason::LimitExceeded,
                    field,
                    format!("nests deeper than the limit of {MAX_DEPTH}"),
                );
            }
            Value::List(values) => {
                self.limit(field, values.len(), MAX_ELEMENTS, "values");
                for (index, value) in values.iter().take(MAX_ELEMENTS).enumerate() {
                    self.value(&format!("{field}[{index}]"), value, depth + 1);
                }
            }
            Value::Map(entries) => {
                self.limit(field, entries.len(), MAX_ELEMENTS, "entries");
                for (name, value) in entries.iter().take(MAX_ELEMENTS) {
                    let field = format!("{field}.{}", shown(name));
                    self.name(&field, name);
                    self.value(&field, value, depth + 1);
                }
            }
        }
    }

    /// PostgreSQL refuses U+0000 in text, so no store is given one.
    fn text(&mut self, field: &str, text: &str, max_bytes: usize) -> bool {
        if text.contains('\0') {
            self.add(Reason::Malformed, field, "must not contain U+0000");
            return false;
        }
        self.limit(field, text.len(), max_bytes, "bytes")
    }

    fn time(&mut self, field: &str, time: Option<Timestamp>) {
        if time.is_some_and(|time| !TIMES.contains(&time.as_micros())) {
            self.add(
                Reason::Malformed,
                field,
                "must lie between the years 1 and 9999",
            );
        }
    }

    fn limit(&mut self, field: &str, actual: usize, limit: usize, unit: &str) -> bool {
        if actual > limit {
            self.violations
                .push(Violation::limit(field, actual, limit, unit));
        }
        actual <= limit
    }

    fn not_declared<'n>(
        &mut self,
        field: String,
        what: &str,
        name: &str,
        declared: impl Iterator<Item = &'n String>,
    ) {
        let declared = listed(declared.map(String::as_str));
        let description = format!(
            "the model declares no {what} `{}`; it has: {declared}",
            shown(name)
        );
        self.add(Reason::NotDeclared, field, description);
    }

    fn add(&mut self, reason: Reason, field: impl Into<String>, description: impl Into<String>) {
        self.violations
            .push(Violation::new(reason, field, description));
    }
}

/// The beginning of a name, for messages.
fn shown(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_control())
        .take(64)
        .collect()
}

/// Whether a text is lower snake case, as the names of event types, traits and sources are.
#[must_use]
pub fn is_snake_case(name: &str) -> bool {
    (1..=MAX_EVENT_TYPE_BYTES).contains(&name.len())
        && name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
