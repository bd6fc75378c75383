//! Reads the tree leniently: each mistake is noted with its place, and reading goes on.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::ModelError;
use super::tree::{Content, Entry, Node};
use crate::model::expression::Allowance;
use crate::model::matching::log2_millibits;

/// Maximum number of mistakes that are noted: nobody reads more, and each may name all that would
/// have been right.
const MAX_MISTAKES: usize = 1_000;
/// Maximum length of a mistake's text, in bytes.
const MAX_MESSAGE_BYTES: usize = 1_000;

/// The mistakes so far, and what is left for expressions and patterns.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    errors: Vec<ModelError>,
    left_out: usize,
    pub(super) allowance: Allowance,
}

/// A node with the path that leads to it.
#[derive(Clone)]
pub(super) struct At<'n> {
    pub(super) node: &'n Node,
    pub(super) path: String,
}

/// A mapping with known keys.
pub(super) struct Fields<'n> {
    at: At<'n>,
    entries: &'n [Entry],
    known: Vec<&'static str>,
}

impl Mistakes {
    pub(super) fn add(&mut self, at: &At<'_>, message: impl Into<String>) {
        let (line, column) = (at.node.line, at.node.column);
        self.note(ModelError {
            line,
            column,
            path: at.path.clone(),
            message: message.into(),
        });
    }

    pub(super) fn add_at_key(&mut self, entry: &Entry, path: String, message: impl Into<String>) {
        self.note(ModelError {
            line: entry.line,
            column: entry.column,
            path,
            message: message.into(),
        });
    }

    fn note(&mut self, mut error: ModelError) {
        if self.errors.len() >= MAX_MISTAKES {
            self.left_out += 1;
            return;
        }
        if let Some(end) = (error.message.len() > MAX_MESSAGE_BYTES)
            .then(|| error.message.floor_char_boundary(MAX_MESSAGE_BYTES))
        {
            error.message.truncate(end);
            error.message.push('…');
        }
        self.errors.push(error);
    }

    /// All that were noted, in order of line and column, and at the end how many were not.
    pub(super) fn into_errors(self) -> Vec<ModelError> {
        let mut errors = self.errors;
        errors.sort_by_key(|error| (error.line, error.column));
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

impl<'n> At<'n> {
    pub(super) fn root(node: &'n Node) -> Self {
        Self {
            node,
            path: String::new(),
        }
    }

    fn under(&self, entry: &'n Entry) -> Self {
        Self {
            node: &entry.value,
            path: join(&self.path, &entry.key),
        }
    }

    /// The entries of a mapping whose keys are names.
    pub(super) fn entries(&self, mistakes: &mut Mistakes) -> Vec<(&'n Entry, At<'n>)> {
        match &self.node.content {
            Content::Mapping(entries) => entries
                .iter()
                .map(|entry| (entry, self.under(entry)))
                .collect(),
            Content::Null => Vec::new(),
            _ => {
                mistakes.add(
                    self,
                    format!("must be a mapping, and is {}", self.node.kind()),
                );
                Vec::new()
            }
        }
    }

    pub(super) fn fields(&self, mistakes: &mut Mistakes) -> Option<Fields<'n>> {
        let entries: &[Entry] = match &self.node.content {
            Content::Mapping(entries) => entries,
            Content::Null => &[],
            _ => {
                mistakes.add(
                    self,
                    format!("must be a mapping, and is {}", self.node.kind()),
                );
                return None;
            }
        };
        Some(Fields {
            at: self.clone(),
            entries,
            known: Vec::new(),
        })
    }

    /// The values of a list; a single value is a list of one.
    pub(super) fn list(&self) -> Vec<At<'n>> {
        match &self.node.content {
            Content::Sequence(values) => {
                let under = |(index, node)| At {
                    node,
                    path: format!("{}[{index}]", self.path),
                };
                values.iter().enumerate().map(under).collect()
            }
            _ => vec![self.clone()],
        }
    }

    pub(super) fn is_scalar(&self) -> bool {
        matches!(self.node.content, Content::Scalar { .. })
    }

    pub(super) fn text(&self, mistakes: &mut Mistakes) -> Option<&'n str> {
        if let Content::Scalar { text, .. } = &self.node.content {
            return Some(text);
        }
        mistakes.add(self, format!("must be a text, and is {}", self.node.kind()));
        None
    }

    pub(super) fn boolean(&self, mistakes: &mut Mistakes) -> Option<bool> {
        match &self.node.content {
            Content::Scalar { text, plain: true } if text == "true" => Some(true),
            Content::Scalar { text, plain: true } if text == "false" => Some(false),
            _ => {
                mistakes.add(self, "must be true or false");
                None
            }
        }
    }

    pub(super) fn number<N>(&self, range: &RangeInclusive<N>, mistakes: &mut Mistakes) -> Option<N>
    where
        N: FromStr + PartialOrd + Display,
    {
        let number = match &self.node.content {
            Content::Scalar { text, plain: true } => {
                text.parse().ok().filter(|number| range.contains(number))
            }
            _ => None,
        };
        if number.is_none() {
            mistakes.add(
                self,
                format!(
                    "must be a whole number from {} to {}",
                    range.start(),
                    range.end()
                ),
            );
        }
        number
    }

    /// A probability between 0 and 1, as the logarithm of its odds in millibits.
    pub(super) fn probability(&self, mistakes: &mut Mistakes) -> Option<i32> {
        const WHOLE: u64 = 1_000_000;
        let millionths = match &self.node.content {
            Content::Scalar { text, plain: true } => {
                text.strip_prefix("0.").filter(|digits| digits.len() <= 6)
            }
            _ => None,
        };
        let millionths = millionths.and_then(|digits| format!("{digits:0<6}").parse::<u64>().ok());
        if let Some(millionths) = millionths.filter(|millionths| *millionths > 0) {
            return Some(log2_millibits(millionths, WHOLE - millionths));
        }
        mistakes.add(
            self,
            "must be a probability between 0 and 1, with at most six decimals, such as 0.95",
        );
        None
    }

    pub(super) fn choice<T: Copy>(
        &self,
        choices: &[(&str, T)],
        mistakes: &mut Mistakes,
    ) -> Option<T> {
        let text = self.text(mistakes)?;
        let chosen = choices
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, choice)| *choice);
        if chosen.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            mistakes.add(self, format!("must be one of {}", names.join(", ")));
        }
        chosen
    }
}

impl<'n> Fields<'n> {
    /// The value of a key, if it has one. Every key that may stand here is asked for once, so that
    /// the rest is unknown.
    pub(super) fn get(&mut self, key: &'static str) -> Option<At<'n>> {
        self.known.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!matches!(entry.value.content, Content::Null)).then(|| self.at.under(entry))
    }

    pub(super) fn required(
        &mut self,
        key: &'static str,
        mistakes: &mut Mistakes,
    ) -> Option<At<'n>> {
        let found = self.get(key);
        if found.is_none() {
            mistakes.add(&self.at, format!("`{key}` is required"));
        }
        found
    }

    /// Ends the reading: keys that nobody asked for are mistakes.
    pub(super) fn finish(self, mistakes: &mut Mistakes) {
        for entry in self
            .entries
            .iter()
            .filter(|entry| !self.known.contains(&entry.key.as_str()))
        {
            let message = format!(
                "is no key that is known here: there are {}",
                self.known.join(", ")
            );
            mistakes.add_at_key(entry, join(&self.at.path, &entry.key), message);
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
