//! Notes: values that are stored as they were said and are not used, or not as they were said.
//!
//! A telephone number with letters in it, a date that can be read in two ways, `n/a` for a street:
//! such a value is no violation. The statement is stored and the value is shown, and it joins and
//! compares no records. Of preferences and consents what is not understood is left out, or, where
//! it limits us, counts as the strictest that it may mean. Whoever said it gets a note that names
//! the field and the reason, and never quotes the value.
//!
//! Notes are made where a statement is checked, from what the check reads anyway. A statement
//! without anything to note allocates nothing for them; `tests` counts the allocations.

mod unread;

use std::borrow::Cow;
use std::fmt;

use super::normalize::Normalized;
use super::{DateForm, Home, IdentifierType, Model, TraitType, Unread, UnreadDate};
use crate::choices::choices;
use crate::model::placeholder::Sort;
use crate::records::{IdentifierValue, Record, Value};

pub use unread::{TraitReader, UnreadTrait};

#[cfg(test)]
mod tests;

/// Maximum number of notes about one statement, or one record. The others are counted.
pub const MAX_NOTES: usize = 20;

choices! {
    /// The reason why a value is not used.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum NoteReason as "NoteReason" {
        /// It is not in the form of its type.
        Malformed = "malformed",
        /// It can be read in more than one way.
        Ambiguous = "ambiguous",
        /// A part of it is missing: the day, the area code, the country code.
        Incomplete = "incomplete",
        /// It has the form of its type, and there is no such value.
        Impossible = "impossible",
        /// It stands for no value.
        Placeholder = "placeholder",
        /// The model blocks it.
        Blocked = "blocked",
        /// It is a limit that is not understood; the strictest that it may mean counts.
        Strictest = "strictest",
        /// It corrects an event of which nothing is known yet.
        UnknownEvent = "unknown_event",
        /// A later correction of the event holds.
        Superseded = "superseded",
        /// It is of a former holder of the record's key, or makes what was before theirs.
        FormerHolder = "former_holder",
        /// The event waits for its customer.
        Waiting = "waiting",
        /// The record held more values of the type before than are kept.
        Forgotten = "forgotten",
    }
}

impl NoteReason {
    /// The name in metrics and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        crate::choices::Choice::written(self)
    }
}

/// A value that is stored as it was said and is not used, or not as it was said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Note {
    /// The field by the names of the model: `identifiers.phone`, `traits.birth_date`.
    pub field: String,
    /// The reason, for programs.
    pub reason: NoteReason,
    /// The reason in words, with what would help. The same for all values of one reason.
    pub description: Cow<'static, str>,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.description)
    }
}

/// The notes about one statement, in the order of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notes {
    /// The first notes, at most [`MAX_NOTES`].
    pub list: Vec<Note>,
    /// Number of notes beyond those.
    pub omitted: usize,
}

impl Notes {
    /// Whether there is nothing to note.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// These and one more.
    #[must_use]
    pub fn with(mut self, note: Note) -> Self {
        self.list.push(note);
        self
    }

    /// Adds the notes about a statement that is not made.
    pub(super) fn extend(&mut self, notes: Self) {
        self.omitted += notes.omitted;
        for note in notes.list {
            self.remark(note.field, note.reason, note.description);
        }
    }

    fn add(&mut self, section: &str, name: &str, why: Why) {
        self.remark(format!("{section}.{name}"), why.0, why.1);
    }

    /// Notes a remark about a field.
    pub(super) fn remark(
        &mut self,
        field: String,
        reason: NoteReason,
        description: Cow<'static, str>,
    ) {
        if self.list.len() >= MAX_NOTES {
            self.omitted += 1;
            return;
        }
        self.list.push(Note {
            field,
            reason,
            description,
        });
    }

    /// Notes an identifier as it was read.
    pub(super) fn identifier(&mut self, name: &str, kind: &IdentifierType, read: &Normalized) {
        if let Some(why) = read
            .unread
            .map(|unread| unread_identifier(kind, read, unread))
        {
            self.add("identifiers", name, why);
            return;
        }
        for held in &read.values {
            if let Some(why) = refused(kind, &held.value) {
                self.add("identifiers", name, why);
            }
        }
    }

    /// Notes a trait of a record from that place.
    pub(super) fn of_trait(
        &mut self,
        (name, kind, value): (&str, &TraitType, &Value),
        place: Place,
        reader: TraitReader,
    ) {
        let Some(role) = kind.role else { return };
        if let Some(why) = unread::unused((role, kind, value), place, reader) {
            self.add("traits", name, why);
        }
    }
}

/// A reason for programs and in words.
type Why = (NoteReason, Cow<'static, str>);

/// The country of a record, and how its source writes dates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) home: Home,
    pub(super) form: DateForm,
}

impl Model {
    /// The notes about what a record says, as they were made for its statements.
    #[must_use]
    pub fn notes(&self, record: &Record, reader: TraitReader) -> Notes {
        let source = &record.key.source;
        let traits = || record.traits().map(|(name, value, _)| (name, value));
        let place = Place {
            home: self.home(source, traits()),
            form: self.date_form(source),
        };
        let mut notes = Notes::default();
        for (name, held) in record.identifier_values() {
            if let Some(kind) = self.identifiers.get(name) {
                notes.identifier(name, kind, &kept(kind, held, place.home));
            }
        }
        for (name, value) in traits() {
            if let Some(kind) = self.traits.get(name) {
                notes.of_trait((name, kind, value), place, reader);
            }
        }
        notes
    }
}

/// How a stored value was read.
fn kept(kind: &IdentifierType, held: &IdentifierValue, home: Home) -> Normalized {
    if held.original.is_some() || kind.is_well_formed(&held.value) {
        return Normalized {
            values: vec![held.clone()],
            unread: None,
        };
    }
    kind.read(&held.value, home)
}

/// Why an identifier that has the form of its type is not used.
fn refused(kind: &IdentifierType, value: &str) -> Option<Why> {
    let (reason, text) = if kind.stands_for_nothing(value) {
        (NoteReason::Placeholder, STANDS_FOR_NOTHING)
    } else if kind.is_blocked(value) {
        (NoteReason::Blocked, "is blocked by the model")
    } else {
        return None;
    };
    Some((reason, text.into()))
}

const STANDS_FOR_NOTHING: &str =
    "stands for no value: forms, exports and people write it where they have none";

/// Why an identifier is not in the form of its type. A word such as `none` is a placeholder first.
fn unread_identifier(kind: &IdentifierType, read: &Normalized, unread: Unread) -> Why {
    let is_word = |held: &IdentifierValue| kind.placeholders.has(Sort::Id, &held.value);
    if read.values.iter().any(is_word) {
        return (NoteReason::Placeholder, STANDS_FOR_NOTHING.into());
    }
    (reason_of(unread), unread.to_string().into())
}

fn reason_of(unread: Unread) -> NoteReason {
    match unread {
        Unread::NoDigits
        | Unread::Letters
        | Unread::NotDigits
        | Unread::Denied
        | Unread::SeveralNumbers
        | Unread::NoAddress
        | Unread::SeveralAddresses => NoteReason::Malformed,
        Unread::Rounded | Unread::Local | Unread::NoRegion => NoteReason::Incomplete,
        Unread::AmbiguousNumber => NoteReason::Ambiguous,
        Unread::NoPlan | Unread::NoDomain => NoteReason::Impossible,
    }
}

fn reason_of_date(unread: UnreadDate) -> NoteReason {
    match unread {
        UnreadDate::NoDate => NoteReason::Malformed,
        UnreadDate::Order | UnreadDate::Number | UnreadDate::Shifted => NoteReason::Ambiguous,
        UnreadDate::Partial => NoteReason::Incomplete,
        UnreadDate::NoSuchDay | UnreadDate::Year => NoteReason::Impossible,
        UnreadDate::Placeholder => NoteReason::Placeholder,
    }
}

/// The first reason that a text of a value gives. Blank texts give none.
fn first_in(value: &Value, why: &mut impl FnMut(&str) -> Option<Why>) -> Option<Why> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => why(text),
        Value::List(values) => values.iter().find_map(|value| first_in(value, why)),
        Value::Time(_) | Value::Int(_) | Value::Decimal(_) => why(&value.to_string()),
        Value::Bool(_) | Value::Map(_) => None,
    }
}
