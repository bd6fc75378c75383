//! A node of a model file at its place, read as what a key holds.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::{Place, Reader};
use crate::model::file::tree::{Content, Entry, Node};

/// A node with the path that leads to it.
#[derive(Clone)]
pub(in crate::model::file) struct At<'n> {
    pub(in crate::model::file) node: &'n Node,
    pub(in crate::model::file) path: String,
}

/// A mapping with known keys.
pub(in crate::model::file) struct Fields<'n> {
    at: At<'n>,
    entries: &'n [Entry],
    known: Vec<&'static str>,
}

impl<'n> At<'n> {
    pub(in crate::model::file) fn root(node: &'n Node) -> Self {
        Self {
            node,
            path: String::new(),
        }
    }

    pub(in crate::model::file) fn place(&self) -> Place {
        Place {
            line: self.node.line,
            column: self.node.column,
            path: self.path.clone(),
        }
    }

    pub(super) fn under(&self, entry: &'n Entry) -> Self {
        Self {
            node: &entry.value,
            path: join(&self.path, &entry.key),
        }
    }

    /// The entries of a mapping whose keys are names.
    pub(in crate::model::file) fn entries(&self, reader: &mut Reader) -> Vec<(&'n Entry, At<'n>)> {
        let entries = self.mapping(reader).unwrap_or_default();
        entries
            .iter()
            .map(|entry| (entry, self.under(entry)))
            .collect()
    }

    pub(in crate::model::file) fn fields(&self, reader: &mut Reader) -> Option<Fields<'n>> {
        Some(Fields {
            at: self.clone(),
            entries: self.mapping(reader)?,
            known: Vec::new(),
        })
    }

    fn mapping(&self, reader: &mut Reader) -> Option<&'n [Entry]> {
        match &self.node.content {
            Content::Mapping(entries) => Some(entries),
            Content::Null => Some(&[]),
            _ => {
                let kind = self.node.kind();
                reader.error(self.place(), format!("must be a mapping, and is {kind}"));
                None
            }
        }
    }

    /// The values of a list; a single value is a list of one.
    pub(in crate::model::file) fn list(&self) -> Vec<At<'n>> {
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

    /// The text of a single value.
    pub(in crate::model::file) fn as_text(&self) -> Option<&'n str> {
        match &self.node.content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(in crate::model::file) fn text(&self, reader: &mut Reader) -> Option<&'n str> {
        let text = self.as_text();
        if text.is_none() {
            let kind = self.node.kind();
            reader.error(self.place(), format!("must be a text, and is {kind}"));
        }
        text
    }

    /// The text of a single value without quotes.
    pub(in crate::model::file) fn as_plain(&self) -> Option<&'n str> {
        match &self.node.content {
            Content::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    pub(in crate::model::file) fn number<N>(
        &self,
        range: &RangeInclusive<N>,
        reader: &mut Reader,
    ) -> Option<N>
    where
        N: FromStr + PartialOrd + Display,
    {
        let number = self.as_plain().and_then(|text| text.parse().ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            reader.error(
                self.place(),
                format!("must be a whole number from {least} to {most}"),
            );
        }
        number
    }

    /// One of several names.
    pub(in crate::model::file) fn choice<'c, T>(
        &self,
        choices: &'c [(&str, T)],
        reader: &mut Reader,
    ) -> Option<&'c T> {
        let text = self.text(reader)?;
        let chosen = choices.iter().find(|(name, _)| *name == text);
        if chosen.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            reader.error(self.place(), format!("must be one of {}", names.join(", ")));
        }
        chosen.map(|(_, choice)| choice)
    }
}

impl<'n> Fields<'n> {
    /// The value of a key, if it has one. Every key that may stand here is asked for once, so that
    /// the rest is unknown.
    pub(in crate::model::file) fn get(&mut self, key: &'static str) -> Option<At<'n>> {
        self.known.push(key);
        self.value(key)
    }

    fn value(&self, key: &str) -> Option<At<'n>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!matches!(entry.value.content, Content::Null)).then(|| self.at.under(entry))
    }

    pub(in crate::model::file) fn required(
        &mut self,
        key: &'static str,
        reader: &mut Reader,
    ) -> Option<At<'n>> {
        let found = self.get(key);
        if found.is_none() {
            reader.error(self.at.place(), format!("`{key}` is required"));
        }
        found
    }

    /// The place of the mapping itself.
    pub(in crate::model::file) fn place(&self) -> Place {
        self.at.place()
    }

    /// The place of the value of a key that was read, if it has one.
    pub(in crate::model::file) fn place_of(&self, key: &'static str) -> Option<Place> {
        debug_assert!(self.known.contains(&key), "no such key: {key}");
        self.value(key).map(|at| at.place())
    }

    /// The place of a value below, if it has one.
    pub(in crate::model::file) fn place_at(&self, path: &[&str]) -> Option<Place> {
        let node = self.at.node.find(path)?;
        let path = path
            .iter()
            .fold(self.at.path.clone(), |path, key| join(&path, key));
        Some(At { node, path }.place())
    }

    /// Ends the reading: keys that nobody asked for are mistakes.
    pub(in crate::model::file) fn finish(self, reader: &mut Reader) {
        for entry in self.entries {
            if !self.known.contains(&entry.key.as_str()) {
                let known = self.known.join(", ");
                reader.error(
                    entry.place(join(&self.at.path, &entry.key)),
                    format!("is no key that is known here: there are {known}"),
                );
            }
        }
    }
}

impl Entry {
    /// The place of the key.
    pub(in crate::model::file) fn place(&self, path: String) -> Place {
        Place {
            line: self.line,
            column: self.column,
            path,
        }
    }
}

pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
