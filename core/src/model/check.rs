//! From what a source said to a statement that fits the model: all limits, and every violation at
//! once.

mod consent;
mod event;
mod preferences;
mod record;
mod values;

pub(super) use event::refused;

pub(super) use consent::FIELDS as CONSENT_FIELDS;
use std::fmt::{self, Display, Write as _};

use record::Kind;

use super::{Model, NoteReason, Notes, TraitReader};
use crate::records::{Draft, Reason, RecordKey, Statement, Timestamp, Violation, listed};

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
/// How far the clocks of two systems differ without a note. More is a zone that was read wrongly,
/// or a date of the future.
const CLOCKS_DIFFER_MICROS: i64 = 3_600_000_000;
const TOO_EARLY: &str =
    "is before 1971, as of a clock that is not set, and does not count: the time of receipt does";
const TOO_LATE: &str = "is later than the time of receipt, which counts instead: declare the source's `time_zone` if its \
     times say none";

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

    /// The same, and notes what of the statement is stored and not used. `reader` tells what
    /// matching reads nothing from: `identity::unread`.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_and_note(
        &self,
        draft: Draft,
        receive_time: Timestamp,
        notes: &mut Notes,
        reader: TraitReader,
    ) -> Result<Statement, Vec<Violation>> {
        self.check_with(draft, receive_time, Some((notes, reader)))
    }

    /// The same, for a caller who can mend the statement at once: what would be noted of
    /// preferences and consents, and the rest be kept, is a violation too.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_strictly(
        &self,
        draft: Draft,
        receive_time: Timestamp,
    ) -> Result<Statement, Vec<Violation>> {
        Check {
            model: self,
            violations: Vec::new(),
            notes: None,
            strict: true,
        }
        .statement(draft, receive_time)
    }

    pub(super) fn check_with(
        &self,
        draft: Draft,
        receive_time: Timestamp,
        notes: Option<(&mut Notes, TraitReader)>,
    ) -> Result<Statement, Vec<Violation>> {
        Check {
            model: self,
            violations: Vec::new(),
            notes,
            strict: false,
        }
        .statement(draft, receive_time)
    }
}

impl Check<'_> {
    fn statement(
        mut self,
        draft: Draft,
        receive_time: Timestamp,
    ) -> Result<Statement, Vec<Violation>> {
        let check = &mut self;
        let statement = match draft {
            Draft::Upsert(record) => {
                check.record("upsert_record", record, Kind::Upsert, receive_time)
            }
            Draft::Patch(record) => check.record("patch_record", record, Kind::Patch, receive_time),
            Draft::Delete(record) => {
                check.record("delete_record", record, Kind::Delete, receive_time)
            }
            Draft::Event(event) => {
                Statement::Event(check.event("record_event.event", event, receive_time))
            }
            Draft::Preferences(said) => check.preferences("state_preferences", said, receive_time),
            Draft::Consent(said) => check.consent("record_consent", said, receive_time),
            Draft::Retraction(said) => {
                Statement::Correction(check.retraction("retract_event", said, receive_time))
            }
            Draft::Replacement(said) => {
                Statement::Correction(check.replacement("replace_event", said, receive_time))
            }
        };
        if self.violations.is_empty() {
            Ok(statement)
        } else {
            Err(self.violations)
        }
    }
}

struct Check<'a> {
    model: &'a Model,
    violations: Vec<Violation>,
    /// `None`: nobody wants them.
    notes: Option<(&'a mut Notes, TraitReader)>,
    /// Whether what would be noted of preferences and consents is a violation.
    strict: bool,
}

impl Check<'_> {
    /// What all statements about a record have.
    fn about(
        &mut self,
        path: &str,
        record: &RecordKey,
        order: (i64, Option<Timestamp>),
        receive_time: Timestamp,
    ) {
        self.record_key(&format_args!("{path}.record"), record);
        self.order(path, order, receive_time);
    }

    /// The version and the time by which statements are ordered.
    fn order(
        &mut self,
        path: &str,
        (version, source_time): (i64, Option<Timestamp>),
        receive_time: Timestamp,
    ) {
        if version < 0 {
            self.add(
                Reason::Malformed,
                format!("{path}.version"),
                "must not be negative",
            );
        }
        self.time(&format_args!("{path}.source_time"), source_time);
        self.note_time("source_time", source_time, receive_time);
    }

    /// Notes a time that cannot be right, and so does not count as it is said.
    fn note_time(&mut self, field: &str, said: Option<Timestamp>, receive_time: Timestamp) {
        let (Some((notes, _)), Some(said)) = (&mut self.notes, said) else {
            return;
        };
        let ahead = said.as_micros().saturating_sub(receive_time.as_micros());
        let what = if said < Timestamp::FIRST_PLAUSIBLE {
            TOO_EARLY
        } else if ahead > CLOCKS_DIFFER_MICROS {
            TOO_LATE
        } else {
            return;
        };
        notes.remark(field.to_owned(), NoteReason::Impossible, what.into());
    }

    fn record_key(&mut self, path: &dyn Display, record: &RecordKey) {
        self.source(&format_args!("{path}.source"), &record.source);
        self.key(&format_args!("{path}.key"), &record.key);
    }

    fn source(&mut self, field: &dyn Display, source: &str) {
        if source.is_empty() {
            self.violations.push(Violation::required(field.to_string()));
        } else if !self.model.sources.contains_key(source) {
            let declared = self.model.sources.keys();
            self.not_declared(field.to_string(), "source", source, declared);
        }
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
fn shown(name: &str) -> impl Display {
    let letters = || name.chars().filter(|letter| !letter.is_control()).take(64);
    fmt::from_fn(move |f| letters().try_for_each(|letter| f.write_char(letter)))
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
