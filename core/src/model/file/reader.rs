//! Reads the tree leniently: each mistake is noted with its place, and reading goes on.

mod at;

use std::collections::BTreeMap;

use super::{ModelError, declared};
use crate::model::event::Catalogue;
use crate::model::expression::Allowance;
use crate::model::expression::types::{Kind, Mistake, near};
use crate::model::scope::Mapped;

pub(super) use at::{At, Fields};

/// Maximum number of mistakes that are noted: nobody reads more, and each may name all that would
/// have been right.
const MAX_MISTAKES: usize = 1_000;
/// Maximum length of a mistake's text, in bytes.
const MAX_MESSAGE_BYTES: usize = 1_000;

/// What reading a file carries along: its mistakes so far, what is left for expressions and
/// patterns, and the names that it declares.
#[derive(Debug, Default)]
pub(super) struct Reader {
    errors: Vec<ModelError>,
    left_out: usize,
    /// Depth of the property that is being read.
    pub(super) depth: usize,
    pub(super) allowance: Allowance,
    pub(super) declared: Declared,
    /// The lines of the file, for places within values.
    lines: Vec<String>,
}

/// A section whose names other sections use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Identifiers,
    Traits,
    Purposes,
    Computed,
    Segments,
    Channels,
}

/// The names that a file declares, also of what is itself not right: using them is then no second
/// mistake.
#[derive(Debug, Default)]
pub(super) struct Declared {
    names: [Vec<String>; Section::ALL.len()],
    /// The model's time zone; empty: UTC.
    pub(super) time_zone: String,
    /// What computed traits are.
    pub(super) computed: BTreeMap<String, Kind>,
    /// Whether there are metrics.
    pub(super) is_measured: bool,
    /// The types of events that there are, built in and of the file.
    pub(super) events: Catalogue,
    /// The properties that mappings of the file give events of a type.
    pub(super) mapped: Mapped,
}

/// A place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    line: usize,
    column: usize,
    path: String,
}

impl Section {
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Identifiers, "identifiers", "identifier type"),
        (Self::Traits, "traits", "trait"),
        (Self::Purposes, "purposes", "purpose"),
        (Self::Computed, "computed", "computed trait"),
        (Self::Segments, "segments", "segment"),
        (Self::Channels, "channels", "channel"),
    ];

    /// The name of one of its entries, for messages.
    fn noun(self) -> &'static str {
        Self::ALL[self as usize].2
    }
}

impl Declared {
    fn by(root: &At<'_>) -> Self {
        let ignored = &mut Reader::default();
        let Some(mut fields) = root.fields(ignored) else {
            return Self::default();
        };
        let names = Section::ALL.map(|(_, key, _)| {
            let entries = fields.get(key).map(|at| at.entries(ignored));
            let entries = entries.into_iter().flatten();
            entries.map(|(entry, _)| entry.key.clone()).collect()
        });
        let time_zone = fields.get("time_zone").and_then(|at| at.text(ignored));
        Self {
            names,
            time_zone: time_zone.unwrap_or_default().to_owned(),
            computed: declared::computed(&mut fields),
            is_measured: fields.get("experience").is_some(),
            events: declared::events(&mut fields),
            mapped: declared::mapped(&mut fields),
        }
    }

    /// The names of a section, in order.
    pub(super) fn names(&self, section: Section) -> &[String] {
        &self.names[section as usize]
    }
}

impl Reader {
    /// A reader of a file.
    pub(super) fn of(root: &At<'_>, yaml: &str) -> Self {
        Self {
            declared: Declared::by(root),
            lines: yaml.lines().map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    /// Notes the mistakes in a value that is an expression: each at its word, where the value is
    /// written in one line.
    pub(super) fn mistakes(&mut self, place: &Place, source: &str, mistakes: Vec<Mistake>) {
        let line = self.lines.get(place.line.saturating_sub(1));
        let rest: String = line.map_or_else(String::new, |line| {
            line.chars().skip(place.column.saturating_sub(1)).collect()
        });
        let begin = match rest.strip_prefix(['\'', '"']) {
            Some(quoted) if quoted.starts_with(source) => Some(1),
            _ => rest.starts_with(source).then_some(0),
        };
        for Mistake { at, message } in mistakes {
            let mut place = place.clone();
            place.column += begin.map_or(0, |begin| begin + at);
            self.error(place, message);
        }
    }

    /// Notes a mistake.
    pub(super) fn error(&mut self, place: Place, message: impl Into<String>) {
        let Place { line, column, path } = place;
        if self.errors.len() >= MAX_MISTAKES {
            self.left_out += 1;
            return;
        }
        let mut message = message.into();
        if message.len() > MAX_MESSAGE_BYTES {
            message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
            message.push('…');
        }
        self.errors.push(ModelError {
            line,
            column,
            path,
            message,
        });
    }

    /// Notes all that is wrong with one value.
    pub(super) fn errors(&mut self, at: &At<'_>, messages: Vec<String>) {
        for message in messages {
            self.error(at.place(), message);
        }
    }

    /// Notes a mistake where the section does not declare a name.
    pub(super) fn check_declared(&mut self, section: Section, name: &str, place: Place) {
        let names = self.declared.names(section);
        if !names.iter().any(|declared| declared == name) {
            let (noun, meant) = (section.noun(), near(name, names.iter().map(String::as_str)));
            let message = meant.map_or_else(
                || format!("it has: {}", names.join(", ")),
                |meant| format!("did you mean `{meant}`?"),
            );
            let message = format!("the model declares no {noun} `{name}`; {message}");
            self.error(place, message);
        }
    }

    /// Notes a mistake where there is no event type of a name, built in or of the file.
    pub(super) fn check_event_type(&mut self, name: &str, place: Place) {
        if let Some(message) = self.unknown_event_type(name) {
            self.error(place, message);
        }
    }

    /// The message about an event type that does not exist.
    pub(super) fn unknown_event_type(&self, name: &str) -> Option<String> {
        let events = &self.declared.events;
        // Defaults are read without a file.
        if events.is_empty() || events.contains_key(name) {
            return None;
        }
        Some(match near(name, events.keys().map(String::as_str)) {
            Some(meant) => format!("there is no event type `{name}`; did you mean `{meant}`?"),
            None => format!("there is no event type `{name}`: declare it under `events`"),
        })
    }

    /// All mistakes in order of line and column, and at the end how many were left out.
    pub(super) fn into_errors(self) -> Vec<ModelError> {
        let mut errors = self.errors;
        errors.sort_by_key(|error| (error.line, error.column));
        // An expression is looked at by itself, and again over what it speaks of.
        errors.dedup();
        if let Some(last) = errors.last().filter(|_| self.left_out > 0) {
            let (line, column, count) = (last.line, last.column, self.left_out);
            errors.push(ModelError::new(
                line,
                column,
                format!("{count} more mistakes are left out"),
            ));
        }
        errors
    }
}
