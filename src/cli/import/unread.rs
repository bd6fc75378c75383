//! Values that an import stored and that are not used, counted by field and reason.

use std::collections::BTreeMap;
use std::fmt;

use indicatif::HumanCount;
use profile_core::model::Notes;
use serde_json::{Value as Json, json};

use crate::cli::output;
use crate::grpc::{note_reason_name, v1};

/// Counts of values that are not used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Unread {
    counts: BTreeMap<Kind, u64>,
    /// Number of values whose notes were left out.
    omitted: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    field: String,
    reason: &'static str,
    description: String,
}

impl Unread {
    /// Counts the notes about a statement.
    pub(super) fn add(&mut self, notes: Notes) {
        self.omitted += notes.omitted as u64;
        for note in notes.list {
            self.count(Kind {
                field: note.field,
                reason: note.reason.name(),
                description: note.description.into_owned(),
            });
        }
    }

    /// Counts the notes of an answer.
    pub(super) fn add_answered(&mut self, result: &mut v1::StatementResult) {
        self.omitted += u64::try_from(result.omitted_note_count).unwrap_or(0);
        for note in result.notes.drain(..) {
            self.count(Kind {
                reason: note_reason_name(note.reason()),
                field: note.field,
                description: note.description,
            });
        }
    }

    fn count(&mut self, kind: Kind) {
        *self.counts.entry(kind).or_default() += 1;
    }

    /// Adds the counts of another part of the import.
    pub(super) fn merge(&mut self, other: &Self) {
        self.omitted += other.omitted;
        for (kind, count) in &other.counts {
            *self.counts.entry(kind.clone()).or_default() += count;
        }
    }

    /// The counts, most values first.
    fn sorted(&self) -> Vec<(&Kind, u64)> {
        let mut counts: Vec<(&Kind, u64)> = self
            .counts
            .iter()
            .map(|(kind, count)| (kind, *count))
            .collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    /// As a list of objects.
    pub(super) fn to_json(&self) -> Json {
        let one = |(kind, count): (&Kind, u64)| {
            json!({
                "field": kind.field,
                "reason": kind.reason,
                "description": kind.description,
                "values": count,
            })
        };
        self.sorted().into_iter().map(one).collect()
    }

    /// Number of values whose notes were left out.
    pub(super) fn omitted(&self) -> u64 {
        self.omitted
    }
}

impl fmt::Display for Unread {
    /// A line for each field and reason, each after a line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = |count| if count == 1 { "value" } else { "values" };
        for (kind, count) in self.sorted() {
            let (field, why) = (output::plain(&kind.field), output::plain(&kind.description));
            let shown = HumanCount(count);
            write!(f, "\n  {shown} {} not used, {field}: {why}", values(count))?;
        }
        if self.omitted > 0 {
            let shown = HumanCount(self.omitted);
            let values = values(self.omitted);
            write!(
                f,
                "\n  {shown} more {values} not used, of statements with many notes"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use profile_core::model::{Note, NoteReason};

    use super::*;

    fn notes(fields: &[&str]) -> Notes {
        let note = |field: &&str| Note {
            field: (*field).to_owned(),
            reason: NoteReason::Malformed,
            description: "cannot be read".into(),
        };
        Notes {
            list: fields.iter().map(note).collect(),
            omitted: 1,
        }
    }

    #[test]
    fn values_are_counted_by_field_and_reason_most_first() {
        let mut unread = Unread::default();
        unread.add(notes(&["identifiers.email", "traits.birth_date"]));
        let mut other = Unread::default();
        other.add(notes(&["traits.birth_date"]));
        unread.merge(&other);
        insta::assert_snapshot!(unread.to_string(), @r"

          2 values not used, traits.birth_date: cannot be read
          1 value not used, identifiers.email: cannot be read
          2 more values not used, of statements with many notes
        ");
        insta::assert_snapshot!(unread.to_json(), @r#"[{"description":"cannot be read","field":"traits.birth_date","reason":"malformed","values":2},{"description":"cannot be read","field":"identifiers.email","reason":"malformed","values":1}]"#);
    }
}
