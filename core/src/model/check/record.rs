//! Checks what is said of a record: its identifiers and traits.

use std::collections::BTreeMap;

use super::{Check, MAX_FIELDS, MAX_IDENTIFIER_BYTES, MAX_IDENTIFIERS, shown};
use crate::model::notes::Place;
use crate::records::{
    Change, ContentHash, Draft, DraftRecord, Fields, IdentifierValue, Reason, RecordStatement,
    Statement, Timestamp, Value, Violation,
};

/// The change that a statement makes to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(super) enum Kind {
    Upsert,
    Patch,
    Delete,
}

/// The traits of a draft as [`Model::home`] takes them.
fn draft_traits(draft: &DraftRecord) -> impl Iterator<Item = (&str, &Value)> {
    draft
        .traits
        .iter()
        .map(|(name, value)| (name.as_str(), value))
}

impl Check<'_> {
    pub(super) fn record(
        &mut self,
        path: &str,
        draft: DraftRecord,
        kind: Kind,
        receive_time: Timestamp,
    ) -> Statement {
        let order = (draft.version, draft.source_time);
        self.about(path, &draft.record, order, receive_time);
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

    fn identifiers(
        &mut self,
        path: &str,
        draft: &DraftRecord,
        place: Place,
    ) -> BTreeMap<String, Vec<IdentifierValue>> {
        self.limit(
            &format_args!("{path}.identifiers"),
            draft.identifiers.len(),
            MAX_IDENTIFIERS,
            "values",
        );
        let mut values: BTreeMap<String, Vec<IdentifierValue>> = BTreeMap::new();
        for (index, identifier) in draft.identifiers.iter().take(MAX_IDENTIFIERS).enumerate() {
            let field = format_args!("{path}.identifiers[{index}]");
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
                &format_args!("{field}.value"),
                &identifier.value,
                MAX_IDENTIFIER_BYTES,
            ) && read.values.iter().all(|held| held.value.is_empty())
            {
                self.violations
                    .push(Violation::required(format!("{field}.value")));
            }
            if let Some((notes, _)) = &mut self.notes {
                notes.identifier(&identifier.kind, kind, &read);
            }
            match values.get_mut(&identifier.kind) {
                Some(values) => values.extend(read.values),
                None => drop(values.insert(identifier.kind.clone(), read.values)),
            }
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
            &format_args!("{path}.traits"),
            draft.traits.len(),
            MAX_FIELDS,
            "values",
        );
        for (name, value) in draft.traits.iter().take(MAX_FIELDS) {
            let field = format_args!("{path}.traits.{}", shown(name));
            if let Some(kind) = self.model.traits.get(name) {
                self.value(&field, value, 0);
                if let Some((notes, reader)) = &mut self.notes {
                    notes.of_trait((name, kind, value), place, *reader);
                }
            } else {
                self.not_declared(field.to_string(), "trait", name, self.model.traits.keys());
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
}
